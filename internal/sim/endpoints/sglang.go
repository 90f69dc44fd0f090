package endpoints

import (
	"math"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// sglangText is what SGLang 0.5 prints.
func sglangText(w *writer, s *cluster.Slot, f cluster.Figures, _ cluster.State) {
	e, h := s.Workload.Engine, s.Workload.Spreads
	role := "unified"
	if e.Role != "" {
		role = e.Role
	}
	w.labels = `engine_type="` + role + `",model_name="` + e.Model + `",moe_ep_rank="0",pp_rank="0",tp_rank="0"`
	const maxTokens = 412_160
	w.one("sglang:num_running_reqs", "gauge", "The number of running requests.", f.Running)
	w.one("sglang:num_queue_reqs", "gauge", "The number of requests in the waiting queue.", f.Waiting)
	w.one("sglang:num_used_tokens", "gauge", "The number of used tokens.", math.Floor(maxTokens*f.KV))
	w.one("sglang:max_total_num_tokens", "gauge", "Maximum total number of tokens in the KV cache pool.", maxTokens)
	w.one("sglang:token_usage", "gauge", "The token usage.", f.KV)
	w.one("sglang:gen_throughput", "gauge", "The generation throughput (token/s).", e.Generation*f.Running/max(1, e.Running))
	w.one("sglang:cache_hit_rate", "gauge", "The prefix cache hit rate.", cluster.HitRatio)
	w.one("sglang:num_retracted_reqs", "gauge", "The number of retracted requests.", 0)
	w.one("sglang:prompt_tokens_total", "counter", "Number of prefill tokens processed.", f.Prompt)
	w.one("sglang:generation_tokens_total", "counter", "Number of generation tokens processed.", f.Generation)
	w.one("sglang:cached_tokens_total", "counter", "Number of cached prompt tokens.", f.Cached)
	w.one("sglang:num_requests_total", "counter", "Number of requests processed.", f.Requests())
	w.one("sglang:num_aborted_requests_total", "counter", "Number of requests aborted.", 0)
	w.histogram("sglang:time_to_first_token_seconds", "Histogram of time to first token in seconds.", &h.TTFT, f.Calm, f.Pressed)
	w.histogram("sglang:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", &h.Token, f.CalmTokens, f.PressedTokens)
	w.histogram("sglang:e2e_request_latency_seconds", "Histogram of End-to-end request latency in seconds", &h.E2E, f.Calm, f.Pressed)
}
