package sim

import (
	"math"
	"strconv"
)

// figures are what a model server would know of itself.
type figures struct {
	running, waiting   float64
	kv                 float64 // ratio
	prompt, generation float64 // tokens since it started
	cached             float64 // prompt tokens found in the prefix cache
	calm, pressed      float64 // requests finished, without and under pressure
	calmTokens         float64 // intervals between generated tokens, likewise
	pressedTokens      float64
	preemptions        float64
}

func (f figures) requests() float64 { return f.calm + f.pressed }

// A request without pressure takes this many seconds from end to end, a token
// after the first this many.
const (
	perRequest = 9.5
	perToken   = 0.021
	hitRatio   = 0.42
)

// figures come from the integrals of the load, so counters only grow.
func (s *slot) figures(st state, t float64) figures {
	e, l, w := s.w.engine, s.loadAt(st, t), s.works(st, t)
	w.busy += s.w.past
	over := max(0, l.demand-1)
	f := figures{
		running:     math.Round(e.running * l.busy),
		waiting:     math.Round(over * e.running * 4),
		prompt:      math.Floor(e.prompt * w.busy),
		generation:  math.Floor(e.generation * w.busy),
		cached:      math.Floor(e.prompt * w.busy * hitRatio),
		calm:        math.Floor(e.requests * (w.busy - w.slow)),
		pressed:     math.Floor(e.requests * w.slow),
		preemptions: math.Floor(w.queue / 4),

		calmTokens:    math.Floor(max(0, e.generation-e.requests) * (w.busy - w.slow)),
		pressedTokens: math.Floor(max(0, e.generation-e.requests) * w.slow),
	}
	if f.running > 0 {
		f.kv = min(0.985, 0.03+0.8*l.busy*l.busy+min(0.16, over*2))
	}
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
	w.b = append(append(append(w.b, "# HELP "...), name...), ' ')
	w.b = append(append(append(w.b, help...), "\n# TYPE "...), name...)
	w.b = append(append(append(w.b, ' '), kind...), '\n')
}

func (w *writer) sample(name, suffix, label, labelValue string, value float64) {
	w.b = append(append(append(append(w.b, name...), suffix...), '{'), w.labels...)
	if label != "" {
		w.b = append(append(append(w.b, ','), label...), `="`...)
		w.b = append(append(w.b, labelValue...), '"')
	}
	w.b = append(w.b, "} "...)
	if whole := int64(value); float64(whole) == value {
		w.b = append(strconv.AppendInt(w.b, whole, 10), ".0\n"...)
		return
	}
	w.b = append(strconv.AppendFloat(w.b, value, 'g', -1, 64), '\n')
}

func (w *writer) one(name, kind, help string, value float64) {
	w.family(name, kind, help)
	w.sample(name, "", "", "", value)
}

// spread is a histogram's buckets and the share of observations in each and
// those below it, without and under pressure. Two fixed distributions, each
// times a counter, keep every bucket a counter too.
type spread struct {
	bounds        []string
	calm, pressed []float64
	means         [2]float64
}

// logNormal spreads observations around a median; under pressure it is factor
// times as high.
func logNormal(median, sigma, factor float64, bounds ...string) spread {
	s := spread{bounds: bounds}
	below := func(bound, median float64) float64 {
		return math.Erfc(-math.Log(bound/median)/(sigma*math.Sqrt2)) / 2
	}
	for _, b := range bounds {
		bound, err := strconv.ParseFloat(b, 64)
		if err != nil {
			panic(err) // a constant of ours
		}
		s.calm = append(s.calm, below(bound, median))
		s.pressed = append(s.pressed, below(bound, median*factor))
	}
	mean := median * math.Exp(sigma*sigma/2)
	s.means = [2]float64{mean, mean * factor}
	return s
}

// spreads are the histograms of one engine.
type spreads struct{ ttft, token, e2e, queue, prompt, generation spread }

func newSpreads(e *engine) *spreads {
	tokens := []string{"1.0", "2.0", "5.0", "10.0", "20.0", "50.0", "100.0", "200.0", "500.0", "1000.0", "2000.0", "5000.0", "10000.0", "20000.0"}
	seconds := []string{"0.3", "0.5", "0.8", "1.0", "1.5", "2.0", "2.5", "5.0", "10.0", "15.0", "20.0", "30.0", "40.0", "50.0", "60.0", "120.0", "240.0", "480.0"}
	per := max(e.requests, 1e-9)
	return &spreads{
		ttft:       logNormal(e.ttft, 0.55, 5, "0.001", "0.005", "0.01", "0.02", "0.04", "0.06", "0.08", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0", "7.5", "10.0", "20.0", "40.0", "80.0"),
		token:      logNormal(perToken, 0.35, 1.9, "0.01", "0.025", "0.05", "0.075", "0.1", "0.15", "0.2", "0.3", "0.4", "0.5", "0.75", "1.0", "2.5"),
		e2e:        logNormal(max(e.ttft*1.5, min(perRequest, perToken*e.generation/per)), 0.7, 2.2, seconds...),
		queue:      logNormal(0.004, 0.9, 90, seconds...),
		prompt:     logNormal(max(1, e.prompt/per*0.7), 0.85, 1, tokens...),
		generation: logNormal(max(1, e.generation/per*0.7), 0.85, 1, tokens...),
	}
}

func (w *writer) histogram(name, help string, s *spread, calm, pressed float64) {
	w.family(name, "histogram", help)
	for i, bound := range s.bounds {
		w.sample(name, "_bucket", "le", bound, math.Floor(calm*s.calm[i])+math.Floor(pressed*s.pressed[i]))
	}
	w.sample(name, "_bucket", "le", "+Inf", calm+pressed)
	w.sample(name, "_count", "", "", calm+pressed)
	w.sample(name, "_sum", "", "", calm*s.means[0]+pressed*s.means[1])
}

func (s *slot) vllm(b []byte, f figures, st state) []byte {
	e, h := s.w.engine, s.w.spreads
	w := &writer{b, `engine="0",model_name="` + e.model + `"`}
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
	return w.b
}

func (s *slot) sglang(b []byte, f figures) []byte {
	e, h := s.w.engine, s.w.spreads
	role := "unified"
	if e.role != "" {
		role = e.role
	}
	w := &writer{b, `engine_type="` + role + `",model_name="` + e.model + `",moe_ep_rank="0",pp_rank="0",tp_rank="0"`}
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
	return w.b
}
