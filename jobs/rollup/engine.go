package rollup

import (
	"time"

	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// reading is the last that was read of some counters, and when.
type reading struct {
	statistics.Counters
	ttft, interToken, e2e usage.Opt[float64] // seconds
	at                    time.Time
}

// enginePoint is what an engine's row says at one instant.
type enginePoint struct {
	there            bool
	running, waiting usage.Opt[int64]
	kv               usage.Opt[float64]
	grown            reading // since the pod's row before
	works            usage.Opt[bool]
}

// readingOf is what a row reads.
func readingOf(e *usage.Engine) reading {
	return reading{
		Counters: statistics.Counters{
			PromptTokens: e.PromptTokensTotal, GenerationTokens: e.GenerationTokensTotal, Requests: e.RequestsTotal, Preemptions: e.PreemptionsTotal,
			PrefixCacheQueries: e.PrefixCacheQueriesTotal, PrefixCacheHits: e.PrefixCacheHitsTotal,
			TTFTCount: e.TTFTSecondsCount, InterTokenCount: e.InterTokenSecondsCount, E2ECount: e.E2ESecondsCount,
		},
		ttft: e.TTFTSecondsSum, interToken: e.InterTokenSecondsSum, e2e: e.E2ESecondsSum, at: e.TS,
	}
}

// readEngine makes a row's point, given what was read of its pod before, and
// keeps what it read. A pod made anew under its old name has another UID and
// starts anew. Growth belongs to the instant at which it was seen.
func readEngine(e *usage.Engine, readings map[string]reading) enginePoint {
	p := enginePoint{there: true, running: e.RequestsRunning, waiting: e.RequestsWaiting, kv: e.KVCacheUsageRatio}
	now := readingOf(e)
	if before, ok := readings[e.PodUID]; ok {
		p.grown = reading{
			Counters:   now.Since(&before.Counters),
			ttft:       statistics.Increase(before.ttft, now.ttft),
			interToken: statistics.Increase(before.interToken, now.interToken),
			e2e:        statistics.Increase(before.e2e, now.e2e),
		}
	}
	readings[e.PodUID] = now
	running, haveRunning := p.running.Get()
	tokens, haveTokens := p.grown.Tokens().Get()
	if haveRunning || haveTokens { // else neither its queue nor its counters tell
		p.works = usage.Some(running > 0 || tokens > 0)
	}
	return p
}

// engineReader reads the engines beside the pods, in the same order.
type engineReader struct {
	*merger[usage.Engine]
	rows   []usage.Engine // of the engine that comes next
	points []enginePoint
	used   bool // points are of some pod
}

// of gives the points of the pod's engine by instant, nil if it has none.
// Engines of pods that nobody else has seen are read and passed over.
func (r *engineReader) of(name podKey, p *pass) []enginePoint {
	for r.rows != nil {
		switch c := comparePods(r.rows[0].Namespace, r.rows[0].Pod, name.namespace, name.pod); {
		case c > 0:
			return nil
		case c < 0:
			r.read(p)
		default:
			r.read(p)
			return r.points
		}
	}
	return nil
}

// read reads one engine's rows.
func (r *engineReader) read(p *pass) {
	if r.used {
		clear(r.points)
	}
	r.used = true
	hint := 0
	for i := range r.rows {
		if at := p.run.Index(r.rows[i].TS, hint); at >= 0 {
			r.points[at] = readEngine(&r.rows[i], p.state.engines)
			hint = at + 1
		}
	}
	r.rows = r.next()
}

// end reads the engines that come after all pods.
func (r *engineReader) end(p *pass) {
	for r.rows != nil {
		r.read(p)
	}
}
