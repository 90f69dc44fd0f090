package metrics

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/company/k8s-resource-monitor/internal/exposition"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// ErrAbsent is the error of a body without any metric of the engine.
var ErrAbsent = errors.New("no metric begins")

// Read reads the body of a metrics endpoint. Of the row it fills the model (the
// name that the engine reports) and the figures; what the body does not have,
// or has as NaN, an infinity or below zero, stays absent. Data-parallel engines
// are summed, their KV cache ratio is averaged.
func (r *Reader) Read(body []byte) (usage.Engine, error) {
	var e usage.Engine
	var t [columns]tally
	err := exposition.Read(body, r.slots, func(to slot, s *exposition.Sample) {
		if part := r.names.PartLabel; part != "" && len(s.Label(part)) > 0 {
			return
		}
		if !e.Model.Present() {
			e.Model = usage.SomeUnless(string(s.Label("model_name")), "")
		}
		t[to.column].add(to.rank, s.Label("dp_rank"), copyRank(s, r.names.CopyLabels), s.Value)
	})
	if err != nil {
		return usage.Engine{}, err
	}
	seen := false
	for i := range t {
		seen = seen || len(t[i].shards) > 0
	}
	if !seen {
		return usage.Engine{}, fmt.Errorf("%w with %s", ErrAbsent, r.names.Prefixes[0])
	}
	e.RequestsRunning = t[RequestsRunning].count()
	e.RequestsWaiting = t[RequestsWaiting].count()
	e.KVCacheUsageRatio = t[KVCacheUsageRatio].mean()
	e.PromptTokensTotal = t[PromptTokens].count()
	e.GenerationTokensTotal = t[GenerationTokens].count()
	e.RequestsTotal = t[Requests].count()
	e.PreemptionsTotal = t[Preemptions].count()
	e.PrefixCacheQueriesTotal = t[PrefixCacheQueries].count()
	e.PrefixCacheHitsTotal = t[PrefixCacheHits].count()
	e.TTFTSecondsSum, e.TTFTSecondsCount = t[TTFTSum].sum(), t[TTFTCount].count()
	e.InterTokenSecondsSum, e.InterTokenSecondsCount = t[InterTokenSum].sum(), t[InterTokenCount].count()
	e.E2ESecondsSum, e.E2ESecondsCount = t[E2ESum].sum(), t[E2ECount].count()
	if r.names.LooksUpPrompts && e.PrefixCacheHitsTotal.Present() {
		e.PrefixCacheQueriesTotal = e.PromptTokensTotal
	}
	return e, nil
}

// copyRank orders the ranks that report copies of one figure; -1 without.
func copyRank(s *exposition.Sample, labels []string) int64 {
	rank := int64(-1)
	for _, label := range labels {
		if v := s.Label(label); len(v) > 0 {
			n, err := strconv.ParseUint(string(v), 10, 16)
			if err == nil {
				rank = max(rank, 0)<<16 | int64(n)
			}
		}
	}
	return rank
}
