package endpoints

import (
	"math"
	"strconv"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// vllmText is what vLLM 0.13 prints.
func vllmText(w *writer, s *cluster.Slot, f cluster.Figures, st cluster.State) {
	e, h := s.Workload.Engine, s.Workload.Spreads
	w.labels = `engine="0",model_name="` + e.Model + `"`
	w.b = append(w.b, "# HELP python_info Python platform information\n# TYPE python_info gauge\n"+
		"python_info{implementation=\"CPython\",major=\"3\",minor=\"12\",patchlevel=\"12\",version=\"3.12.12\"} 1.0\n"...)
	w.b = append(w.b, "# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n# TYPE "+
		"process_start_time_seconds gauge\nprocess_start_time_seconds "...)
	w.b = append(strconv.AppendInt(w.b, st.StartedAt, 10), ".0\n"...)
	w.one("vllm:num_requests_running", "gauge", "Number of requests in model execution batches.", f.Running)
	w.one("vllm:num_requests_waiting", "gauge", "Number of requests waiting to be processed.", f.Waiting)
	w.family("vllm:engine_sleep_state", "gauge", "Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is awake.")
	w.sample("vllm:engine_sleep_state", "", "sleep_state", "awake", 1)
	w.sample("vllm:engine_sleep_state", "", "sleep_state", "weights_offloaded", 0)
	w.sample("vllm:engine_sleep_state", "", "sleep_state", "discard_all", 0)
	w.one("vllm:kv_cache_usage_perc", "gauge", "KV-cache usage. 1 means 100 percent usage.", f.KV)
	w.one("vllm:prefix_cache_queries_total", "counter", "Prefix cache queries, in terms of number of queried tokens.", f.Prompt)
	w.one("vllm:prefix_cache_hits_total", "counter", "Prefix cache hits, in terms of number of cached tokens.", f.Cached)
	w.one("vllm:num_preemptions_total", "counter", "Cumulative number of preemption from the engine.", f.Preemptions)
	w.one("vllm:prompt_tokens_total", "counter", "Number of prefill tokens processed.", f.Prompt)
	w.one("vllm:generation_tokens_total", "counter", "Number of generation tokens processed.", f.Generation)
	w.family("vllm:request_success_total", "counter", "Count of successfully processed requests.")
	length := math.Floor(f.Requests() * 0.11)
	w.sample("vllm:request_success_total", "", "finished_reason", "stop", f.Requests()-length)
	w.sample("vllm:request_success_total", "", "finished_reason", "length", length)
	w.sample("vllm:request_success_total", "", "finished_reason", "abort", 0)
	w.sample("vllm:request_success_total", "", "finished_reason", "error", 0)
	w.histogram("vllm:request_prompt_tokens", "Number of prefill tokens processed.", &h.Prompt, f.Calm, f.Pressed)
	w.histogram("vllm:request_generation_tokens", "Number of generation tokens processed.", &h.Generation, f.Calm, f.Pressed)
	w.histogram("vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.", &h.TTFT, f.Calm, f.Pressed)
	w.histogram("vllm:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", &h.Token, f.CalmTokens, f.PressedTokens)
	w.histogram("vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", &h.E2E, f.Calm, f.Pressed)
	w.histogram("vllm:request_queue_time_seconds", "Histogram of time spent in WAITING phase for request.", &h.Queue, f.Calm, f.Pressed)
	w.family("vllm:cache_config_info", "gauge", "Information of the LLMEngine CacheConfig")
	w.b = append(w.b, `vllm:cache_config_info{block_size="16",cache_dtype="auto",enable_prefix_caching="True",engine="0",`+
		`gpu_memory_utilization="0.9",num_gpu_blocks="28174",prefix_caching_hash_algo="sha256"} 1.0`+"\n"...)
}
