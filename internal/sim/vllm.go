package sim

import (
	"math"
	"strconv"
)

// vllmText is what vLLM 0.13 prints.
func vllmText(w *writer, s *slot, f figures, st state) {
	e, h := s.w.engine, s.w.spreads
	w.labels = `engine="0",model_name="` + e.model + `"`
	w.b = append(w.b, "# HELP python_info Python platform information\n# TYPE python_info gauge\npython_info{implementation=\"CPython\",major=\"3\",minor=\"12\",patchlevel=\"12\",version=\"3.12.12\"} 1.0\n"...)
	w.b = append(w.b, "# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds "...)
	w.b = append(strconv.AppendInt(w.b, st.started, 10), ".0\n"...)
	w.one("vllm:num_requests_running", "gauge", "Number of requests in model execution batches.", f.running)
	w.one("vllm:num_requests_waiting", "gauge", "Number of requests waiting to be processed.", f.waiting)
	w.family("vllm:engine_sleep_state", "gauge", "Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is awake.")
	w.sample("vllm:engine_sleep_state", "", "sleep_state", "awake", 1)
	w.sample("vllm:engine_sleep_state", "", "sleep_state", "weights_offloaded", 0)
	w.sample("vllm:engine_sleep_state", "", "sleep_state", "discard_all", 0)
	w.one("vllm:kv_cache_usage_perc", "gauge", "KV-cache usage. 1 means 100 percent usage.", f.kv)
	w.one("vllm:prefix_cache_queries_total", "counter", "Prefix cache queries, in terms of number of queried tokens.", f.prompt)
	w.one("vllm:prefix_cache_hits_total", "counter", "Prefix cache hits, in terms of number of cached tokens.", f.cached)
	w.one("vllm:num_preemptions_total", "counter", "Cumulative number of preemption from the engine.", f.preemptions)
	w.one("vllm:prompt_tokens_total", "counter", "Number of prefill tokens processed.", f.prompt)
	w.one("vllm:generation_tokens_total", "counter", "Number of generation tokens processed.", f.generation)
	w.family("vllm:request_success_total", "counter", "Count of successfully processed requests.")
	length := math.Floor(f.requests() * 0.11)
	w.sample("vllm:request_success_total", "", "finished_reason", "stop", f.requests()-length)
	w.sample("vllm:request_success_total", "", "finished_reason", "length", length)
	w.sample("vllm:request_success_total", "", "finished_reason", "abort", 0)
	w.sample("vllm:request_success_total", "", "finished_reason", "error", 0)
	w.histogram("vllm:request_prompt_tokens", "Number of prefill tokens processed.", &h.prompt, f.calm, f.pressed)
	w.histogram("vllm:request_generation_tokens", "Number of generation tokens processed.", &h.generation, f.calm, f.pressed)
	w.histogram("vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.", &h.ttft, f.calm, f.pressed)
	w.histogram("vllm:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", &h.token, f.calmTokens, f.pressedTokens)
	w.histogram("vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", &h.e2e, f.calm, f.pressed)
	w.histogram("vllm:request_queue_time_seconds", "Histogram of time spent in WAITING phase for request.", &h.queue, f.calm, f.pressed)
	w.family("vllm:cache_config_info", "gauge", "Information of the LLMEngine CacheConfig")
	w.b = append(w.b, `vllm:cache_config_info{block_size="16",cache_dtype="auto",enable_prefix_caching="True",engine="0",gpu_memory_utilization="0.9",num_gpu_blocks="28174",prefix_caching_hash_algo="sha256"} 1.0`+"\n"...)
}
