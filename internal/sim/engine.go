package sim

import (
	"math"
	"strconv"
)

// figures are what a model server would know of itself.
type figures struct {
	running, waiting            float64
	kv                          float64 // ratio
	prompt, generation          float64 // tokens since it started
	requests, preemptions       float64
	ttftSum, interSum, e2eSum   float64 // seconds
	cachedTokens, promptQueried float64
}

// seconds that an engine needs for a token after the first, and in all for a
// request without pressure.
const (
	interToken = 0.021
	perRequest = 9.5
)

// figures come from the integrals of the load, so counters only grow.
func (s *slot) figures(st state, t float64) figures {
	e, l, w := s.w.engine, s.loadAt(st, t), s.works(st, t)
	over := max(0, l.demand-1)
	f := figures{
		running:     math.Round(e.running * l.busy),
		waiting:     math.Round(over * e.running * 4),
		kv:          min(0.985, 0.03+0.8*l.busy*l.busy+min(0.16, over*2)),
		prompt:      math.Floor(e.prompt * w.busy),
		generation:  math.Floor(e.generation * w.busy),
		requests:    math.Floor(e.requests * w.busy),
		preemptions: math.Floor(w.queue / 4),
	}
	f.ttftSum = e.requests * e.ttft * (w.busy + 2.5*w.slow + 30*w.queue)
	f.interSum = e.generation * interToken * (w.busy + 0.8*w.slow)
	f.e2eSum = e.requests * perRequest * (w.busy + 0.7*w.slow + 6*w.queue)
	f.promptQueried = f.prompt
	f.cachedTokens = math.Floor(f.prompt * 0.42)
	return f
}

// text writes the engine's /metrics.
func (s *slot) text(b []byte, st state, t float64) []byte {
	if s.w.engine.kind == "sglang" {
		return s.sglang(b, s.figures(st, t))
	}
	return s.vllm(b, s.figures(st, t), st)
}

// writer appends families of one engine; every sample has the same labels.
type writer struct {
	b      []byte
	labels string // without braces
}

func (w *writer) family(name, kind, help string) {
	w.b = append(w.b, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

func (w *writer) sample(name, more string, value float64) {
	w.b = append(w.b, name+"{"+w.labels+more+"} "...)
	w.b = strconv.AppendFloat(w.b, value, 'f', -1, 64)
	w.b = append(w.b, '\n')
}

func (w *writer) one(name, kind, help string, value float64) {
	w.family(name, kind, help)
	w.sample(name, "", value)
}

// bounds are multiples of the mean, and below how much of the whole lies.
var bounds = [...]struct{ le, share float64 }{{0.1, 0.002}, {0.25, 0.06}, {0.5, 0.27}, {0.75, 0.49}, {1, 0.66}, {1.5, 0.85}, {2.5, 0.96}, {5, 0.993}, {10, 0.9992}}

// histogram spreads count over fixed buckets around a typical value.
func (w *writer) histogram(name, help string, typical, sum, count float64) {
	w.family(name, "histogram", help)
	for _, x := range bounds {
		w.sample(name+"_bucket", `,le="`+strconv.FormatFloat(typical*x.le, 'g', 4, 64)+`"`, math.Floor(count*x.share))
	}
	w.sample(name+"_bucket", `,le="+Inf"`, count)
	w.sample(name+"_count", "", count)
	w.sample(name+"_sum", "", sum)
}

func (s *slot) vllm(b []byte, f figures, st state) []byte {
	e := s.w.engine
	w := &writer{b, `engine="0",model_name="` + e.model + `"`}
	w.b = append(w.b, "# HELP python_info Python platform information\n# TYPE python_info gauge\npython_info{implementation=\"CPython\",major=\"3\",minor=\"12\"} 1.0\n"...)
	w.b = append(w.b, "# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds "...)
	w.b = append(strconv.AppendInt(w.b, st.started, 10), '\n')
	w.one("vllm:num_requests_running", "gauge", "Number of requests in model execution batches.", f.running)
	w.one("vllm:num_requests_waiting", "gauge", "Number of requests waiting to be processed.", f.waiting)
	w.one("vllm:kv_cache_usage_perc", "gauge", "KV-cache usage. 1 means 100 percent usage.", f.kv)
	w.one("vllm:prefix_cache_queries_total", "counter", "Prefix cache queries, in terms of number of queried tokens.", f.promptQueried)
	w.one("vllm:prefix_cache_hits_total", "counter", "Prefix cache hits, in terms of number of cached tokens.", f.cachedTokens)
	w.one("vllm:num_preemptions_total", "counter", "Cumulative number of preemption from the engine.", f.preemptions)
	w.one("vllm:prompt_tokens_total", "counter", "Number of prefill tokens processed.", f.prompt)
	w.one("vllm:generation_tokens_total", "counter", "Number of generation tokens processed.", f.generation)
	w.family("vllm:request_success_total", "counter", "Count of successfully processed requests.")
	length := math.Floor(f.requests * 0.11)
	w.sample("vllm:request_success_total", `,finished_reason="stop"`, f.requests-length)
	w.sample("vllm:request_success_total", `,finished_reason="length"`, length)
	w.sample("vllm:request_success_total", `,finished_reason="abort"`, 0)
	w.histogram("vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.", e.ttft, f.ttftSum, f.requests)
	w.histogram("vllm:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", interToken, f.interSum, f.generation)
	w.histogram("vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", perRequest, f.e2eSum, f.requests)
	w.family("vllm:cache_config_info", "gauge", "Information of the LLMEngine CacheConfig")
	w.sample("vllm:cache_config_info", `,block_size="16",gpu_memory_utilization="0.9",num_gpu_blocks="28174",enable_prefix_caching="True"`, 1)
	return w.b
}

func (s *slot) sglang(b []byte, f figures) []byte {
	e := s.w.engine
	w := &writer{b, `engine_type="unified",model_name="` + e.model + `",moe_ep_rank="0",pp_rank="0",tp_rank="0"`}
	w.one("sglang:num_running_reqs", "gauge", "The number of running requests.", f.running)
	w.one("sglang:num_queue_reqs", "gauge", "The number of requests in the waiting queue.", f.waiting)
	w.one("sglang:token_usage", "gauge", "The token usage.", f.kv)
	w.one("sglang:gen_throughput", "gauge", "The generation throughput (token/s).", e.generation*f.running/max(1, e.running))
	w.one("sglang:cache_hit_rate", "gauge", "The prefix cache hit rate.", 0.42)
	w.one("sglang:prompt_tokens_total", "counter", "Number of prefill tokens processed.", f.prompt)
	w.one("sglang:generation_tokens_total", "counter", "Number of generation tokens processed.", f.generation)
	w.one("sglang:cached_tokens_total", "counter", "Number of cached prompt tokens.", f.cachedTokens)
	w.one("sglang:num_requests_total", "counter", "Number of requests processed.", f.requests)
	w.histogram("sglang:time_to_first_token_seconds", "Histogram of time to first token in seconds.", e.ttft, f.ttftSum, f.requests)
	w.histogram("sglang:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", interToken, f.interSum, f.generation)
	w.histogram("sglang:e2e_request_latency_seconds", "Histogram of end-to-end request latency in seconds.", perRequest, f.e2eSum, f.requests)
	return w.b
}
