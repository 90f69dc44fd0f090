package serving

import (
	"math"
	"slices"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// column is a column of usage.Engine that comes from the engine's metrics.
type column uint8

const (
	requestsRunning column = iota
	requestsWaiting
	kvCacheUsageRatio
	promptTokens
	generationTokens
	requests
	preemptions
	prefixCacheQueries
	prefixCacheHits
	ttftSum
	ttftCount
	interTokenSum
	interTokenCount
	e2eSum
	e2eCount
	columns
)

// source says which metrics hold a column: alternatives, best first, of which
// one is used, each a set of names that add up. A histogram is read by its
// _sum and _count alone.
type source struct {
	column    column
	names     [][]string
	histogram bool // names are without _sum and _count; the count is the column after
}

// engineMetrics is how one engine names its metrics, without the prefix.
type engineMetrics struct {
	prefixes []string // as the engine writes it, then as forks and Ray do
	sources  []source
}

func one(alternatives ...string) (names [][]string) {
	for _, a := range alternatives {
		names = append(names, []string{a})
	}
	return names
}

// metricsOf holds the names of current and older versions. The prefix cache
// counts tokens in both engines. What is left out on purpose: SGLang's
// gen_throughput and cache_hit_rate, which keep their last value when idle,
// vLLM's num_requests_waiting_by_reason and prompt_tokens_by_source, which
// split what the plain names count in full.
var metricsOf = map[string]engineMetrics{
	usage.VLLM: {
		prefixes: []string{"vllm:", "ray_vllm_"},
		sources: []source{
			{requestsRunning, one("num_requests_running"), false},
			{requestsWaiting, one("num_requests_waiting"), false},
			{kvCacheUsageRatio, one("kv_cache_usage_perc", "gpu_cache_usage_perc"), false}, // the latter up to 0.11
			{promptTokens, one("prompt_tokens_total"), false},
			{generationTokens, one("generation_tokens_total"), false},
			{requests, one("request_success_total"), false},
			{preemptions, one("num_preemptions_total"), false},
			{prefixCacheQueries, one("prefix_cache_queries_total", "gpu_prefix_cache_queries_total"), false},
			{prefixCacheHits, one("prefix_cache_hits_total", "gpu_prefix_cache_hits_total"), false},
			{ttftSum, one("time_to_first_token_seconds"), true},
			{interTokenSum, one("inter_token_latency_seconds", "time_per_output_token_seconds", "request_time_per_output_token_seconds"), true},
			{e2eSum, one("e2e_request_latency_seconds"), true},
		},
	},
	usage.SGLang: {
		prefixes: []string{"sglang:", "sglang_"},
		sources: []source{
			{requestsRunning, one("num_running_reqs"), false},
			// A request that waits for its KV cache to be handed over waits too.
			{requestsWaiting, [][]string{{"num_queue_reqs",
				"num_prefill_bootstrap_queue_reqs", "num_prefill_prealloc_queue_reqs", "num_prefill_inflight_queue_reqs",
				"num_decode_prealloc_queue_reqs", "num_decode_transfer_queue_reqs"}}, false},
			{kvCacheUsageRatio, one("token_usage"), false},
			{promptTokens, one("prompt_tokens_total"), false},
			{generationTokens, one("generation_tokens_total"), false},
			{requests, one("num_requests_total"), false},
			{preemptions, one("num_retracted_requests_total"), false},
			{prefixCacheHits, one("cached_tokens_total"), false}, // by cache_source, which add up
			{ttftSum, one("time_to_first_token_seconds"), true},
			{interTokenSum, one("inter_token_latency_seconds", "time_per_output_token_seconds"), true},
			{e2eSum, one("e2e_request_latency_seconds"), true},
		},
	},
}

// slot is where a metric of a certain name goes. A lower rank is better.
type slot struct {
	column column
	rank   uint8
}

// wanted maps the full metric names of an engine to their slots.
var wanted = func() map[string]map[string]slot {
	byEngine := map[string]map[string]slot{}
	for engine, m := range metricsOf {
		slots := map[string]slot{}
		for _, src := range m.sources {
			rank := uint8(0)
			for _, prefix := range m.prefixes {
				for _, names := range src.names {
					for _, name := range names {
						src.add(slots, prefix+name, rank)
						if counter, ok := strings.CutSuffix(name, "_total"); ok {
							src.add(slots, prefix+counter, rank+1) // Ray writes both
						}
					}
					rank += 2
				}
			}
		}
		byEngine[engine] = slots
	}
	return byEngine
}()

func (src source) add(slots map[string]slot, name string, rank uint8) {
	if src.histogram {
		slots[name+"_sum"] = slot{src.column, rank}
		slots[name+"_count"] = slot{src.column + 1, rank}
		return
	}
	slots[name] = slot{src.column, rank}
}

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
	refused  bool // one of them is no figure, so the sum is none
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
	s.refused = s.refused || math.IsNaN(value) || math.IsInf(value, 0) || value < 0
}

// sum is the total over all shards, absent if there is none or one is refused.
func (t *tally) sum() usage.Opt[float64] {
	var total usage.Opt[float64]
	for _, s := range t.shards {
		if s.refused {
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
