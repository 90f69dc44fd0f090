package sim

import "math"

// sglangText is what SGLang 0.5 prints.
func sglangText(w *writer, s *slot, f figures, _ state) {
	e, h := s.w.engine, s.w.spreads
	role := "unified"
	if e.role != "" {
		role = e.role
	}
	w.labels = `engine_type="` + role + `",model_name="` + e.model + `",moe_ep_rank="0",pp_rank="0",tp_rank="0"`
	const maxTokens = 412_160
	w.one("sglang:num_running_reqs", "gauge", "The number of running requests.", f.running)
	w.one("sglang:num_queue_reqs", "gauge", "The number of requests in the waiting queue.", f.waiting)
	w.one("sglang:num_used_tokens", "gauge", "The number of used tokens.", math.Floor(maxTokens*f.kv))
	w.one("sglang:max_total_num_tokens", "gauge", "Maximum total number of tokens in the KV cache pool.", maxTokens)
	w.one("sglang:token_usage", "gauge", "The token usage.", f.kv)
	w.one("sglang:gen_throughput", "gauge", "The generation throughput (token/s).", e.generation*f.running/max(1, e.running))
	w.one("sglang:cache_hit_rate", "gauge", "The prefix cache hit rate.", hitRatio)
	w.one("sglang:num_retracted_reqs", "gauge", "The number of retracted requests.", 0)
	w.one("sglang:prompt_tokens_total", "counter", "Number of prefill tokens processed.", f.prompt)
	w.one("sglang:generation_tokens_total", "counter", "Number of generation tokens processed.", f.generation)
	w.one("sglang:cached_tokens_total", "counter", "Number of cached prompt tokens.", f.cached)
	w.one("sglang:num_requests_total", "counter", "Number of requests processed.", f.requests())
	w.one("sglang:num_aborted_requests_total", "counter", "Number of requests aborted.", 0)
	w.histogram("sglang:time_to_first_token_seconds", "Histogram of time to first token in seconds.", &h.ttft, f.calm, f.pressed)
	w.histogram("sglang:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", &h.token, f.calmTokens, f.pressedTokens)
	w.histogram("sglang:e2e_request_latency_seconds", "Histogram of End-to-end request latency in seconds", &h.e2e, f.calm, f.pressed)
}
