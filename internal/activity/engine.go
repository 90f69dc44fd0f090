package activity

import (
	"time"

	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Reading is an engine's counters at one instant, and what it then said of its
// work.
type Reading struct {
	statistics.Counters
	TTFT, InterToken, E2E usage.Opt[float64] // sums of seconds
	At                    time.Time
	Working               usage.Opt[bool] // see Point
}

// Point is what an engine's row says at one instant.
type Point struct {
	RequestsRunning, RequestsWaiting usage.Opt[int64]
	KVCacheUsageRatio                usage.Opt[float64]
	Increase                         Reading         // of the counters since the reading before; At and Working are zero
	Working                          usage.Opt[bool] // requests are running or tokens moved since the reading before
}

// Readings are the last readings of engines by pod UID. A pod that is made anew
// under its old name has another UID and starts from nothing.
type Readings map[string]Reading

// Read compares a row with the reading before it, and keeps the row's reading.
// Rows of an engine come in order of time. An increase belongs to the instant at
// which it was seen; without a reading before there is none.
func (r Readings) Read(e *usage.Engine) Point {
	p := Point{RequestsRunning: e.RequestsRunning, RequestsWaiting: e.RequestsWaiting, KVCacheUsageRatio: e.KVCacheUsageRatio}
	now := readingOf(e)
	if before, ok := r[e.PodUID]; ok {
		p.Increase = Reading{
			Counters:   now.Since(&before.Counters),
			TTFT:       statistics.Increase(before.TTFT, now.TTFT),
			InterToken: statistics.Increase(before.InterToken, now.InterToken),
			E2E:        statistics.Increase(before.E2E, now.E2E),
		}
	}
	running, haveRunning := p.RequestsRunning.Get()
	tokens, haveTokens := p.Increase.Tokens().Get()
	if haveRunning || haveTokens { // else neither its queue nor its counters tell
		p.Working = usage.Some(running > 0 || tokens > 0)
	}
	now.Working = p.Working
	r[e.PodUID] = now
	return p
}

func readingOf(e *usage.Engine) Reading {
	return Reading{
		Counters: statistics.Counters{
			PromptTokens:       e.PromptTokensTotal,
			GenerationTokens:   e.GenerationTokensTotal,
			Requests:           e.RequestsTotal,
			Preemptions:        e.PreemptionsTotal,
			PrefixCacheQueries: e.PrefixCacheQueriesTotal,
			PrefixCacheHits:    e.PrefixCacheHitsTotal,
			TTFTCount:          e.TTFTSecondsCount,
			InterTokenCount:    e.InterTokenSecondsCount,
			E2ECount:           e.E2ESecondsCount,
		},
		TTFT:       e.TTFTSecondsSum,
		InterToken: e.InterTokenSecondsSum,
		E2E:        e.E2ESecondsSum,
		At:         e.TS,
	}
}
