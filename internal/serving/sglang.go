package serving

import (
	"github.com/company/k8s-resource-monitor/internal/serving/cmdline"
	"github.com/company/k8s-resource-monitor/internal/serving/metrics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// sglang is SGLang, alone and inside of NVIDIA Dynamo.
var sglang = engine{
	name: usage.SGLang,
	programs: map[string]*program{
		"sglang serve":                &sglangServe,
		"sglang.cli.main serve":       &sglangServe,
		"sglang.launch_server":        &sglangServer,
		"sglang_router.launch_server": &sglangServer, // starts engines beside its router
		"dynamo.sglang":               &dynamoSGLang,
		"dynamo.sglang.main":          &dynamoSGLang,
		"dynamo.sglang.worker":        &dynamoSGLang,
		"dynamo.sglang.decode_worker": &dynamoSGLang,
	},
	usual:  &sglangServer,
	images: []image{{pattern: "rocm/sgl-dev*"}, {pattern: "sglang-runtime"}, {pattern: "sglang"}},
	tools: programNames{
		names: []string{"sglang.profiler", "sglang.check_env", "sglang generate", "sglang_router",
			"sglang_router.launch_router", "smg", "sgl-model-gateway", "sglang-router"},
		prefixes: []string{"sglang.bench_", "sglang.test", "sglang.eval", "sglang_router."},
		images:   []string{"sgl-model-gateway*", "sglang-router*", "sgl-router*", "smg"},
	},
	flagKinds: cmdline.Kinds{Lists: []string{"cuda-graph-bs", "lora-paths"}},
	rank:      []string{"node-rank"},
	role:      sglangRole,
	metrics: metrics.NewReader(metrics.Names{
		Prefixes: []string{"sglang:", "sglang_"},
		// Left out are gen_throughput and cache_hit_rate, which keep their last
		// value when the engine is idle.
		Sources: []metrics.Source{
			metrics.Value(metrics.RequestsRunning, "num_running_reqs"),
			// A request that waits for its KV cache to be handed over waits too.
			metrics.Sum(metrics.RequestsWaiting, "num_queue_reqs",
				"num_prefill_bootstrap_queue_reqs", "num_prefill_prealloc_queue_reqs", "num_prefill_inflight_queue_reqs",
				"num_decode_prealloc_queue_reqs", "num_decode_transfer_queue_reqs"),
			metrics.Value(metrics.KVCacheUsageRatio, "token_usage"),
			metrics.Value(metrics.PromptTokens, "prompt_tokens_total"),
			metrics.Value(metrics.GenerationTokens, "generation_tokens_total"),
			metrics.Value(metrics.Requests, "num_requests_total"),
			metrics.Value(metrics.Preemptions, "num_retracted_requests_total"),
			metrics.Value(metrics.PrefixCacheHits, "cached_tokens_total"), // by cache_source, which add up
			metrics.Histogram(metrics.TTFTSum, "time_to_first_token_seconds"),
			metrics.Histogram(metrics.InterTokenSum, "inter_token_latency_seconds", "time_per_output_token_seconds"),
			metrics.Histogram(metrics.E2ESum, "e2e_request_latency_seconds"),
		},
		LooksUpPrompts: true,
		PartLabel:      "priority",
		CopyLabels:     []string{"pp_rank", "tp_rank", "moe_ep_rank"},
	}),
	metricsHint: "with --enable-metrics",
	notFound:    "; start the server with --enable-metrics",
}

// SGLang's programs, by the flags that they take.
var (
	sglangServer = program{engine: usage.SGLang, model: []string{"model-path", "model"}, served: []string{"served-model-name"},
		port: []string{"port"}, defaultPort: 30000}
	sglangServe = program{engine: usage.SGLang, model: []string{"model-path", "model"}, served: []string{"served-model-name"},
		port: []string{"port"}, defaultPort: 30000, positional: first}
	dynamoSGLang = program{engine: usage.SGLang, model: []string{"model-path", "model"}, served: []string{"served-model-name"},
		portVar: "DYN_SYSTEM_PORT", defaultPort: 9090}
)

func sglangRole(f cmdline.Flags) string {
	if mode := f.Values["disaggregation-mode"]; mode == "prefill" || mode == "decode" {
		return mode
	}
	return ""
}
