package metrics

import (
	"math"
	"slices"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// tally gathers the samples of one column.
type tally struct {
	rank   uint8
	shards []shard
}

// shard is the part of a column that one data-parallel rank reports. Its
// tensor- and pipeline-parallel ranks report copies of the same figure, so
// only the lowest of them counts.
type shard struct {
	dpRank   string
	copyRank int64
	sum      float64
	samples  int
	invalid  bool // a sample is NaN, infinite or negative
}

// add takes a sample in, unless a better name or a lower rank has been seen.
func (t *tally) add(rank uint8, dpRank []byte, copyRank int64, value float64) {
	if len(t.shards) > 0 && rank > t.rank {
		return
	}
	if len(t.shards) == 0 || rank < t.rank {
		t.rank, t.shards = rank, t.shards[:0]
	}
	i := slices.IndexFunc(t.shards, func(s shard) bool { return s.dpRank == string(dpRank) })
	if i < 0 {
		i = len(t.shards)
		t.shards = append(t.shards, shard{dpRank: string(dpRank), copyRank: copyRank})
	}
	s := &t.shards[i]
	if copyRank > s.copyRank {
		return
	}
	if copyRank < s.copyRank {
		*s = shard{dpRank: s.dpRank, copyRank: copyRank}
	}
	s.sum += value
	s.samples++
	s.invalid = s.invalid || math.IsNaN(value) || math.IsInf(value, 0) || value < 0
}

// sum is the total over all shards, absent without samples or if one is invalid.
func (t *tally) sum() usage.Opt[float64] {
	var total usage.Opt[float64]
	for _, s := range t.shards {
		if s.invalid {
			return usage.Opt[float64]{}
		}
		total = usage.Add(total, usage.Some(s.sum))
	}
	if v, _ := total.Get(); math.IsInf(v, 0) {
		return usage.Opt[float64]{}
	}
	return total
}

// mean is the average over all samples.
func (t *tally) mean() usage.Opt[float64] {
	total, ok := t.sum().Get()
	if !ok {
		return usage.Opt[float64]{}
	}
	samples := 0
	for _, s := range t.shards {
		samples += s.samples
	}
	return usage.Some(total / float64(samples))
}

// count is the sum as a whole number; the engines write 12.0.
func (t *tally) count() usage.Opt[int64] {
	v, ok := t.sum().Get()
	if !ok || v >= 1<<63 {
		return usage.Opt[int64]{}
	}
	return usage.Some(int64(math.Round(v)))
}
