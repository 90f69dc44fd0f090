package serving

import (
	"encoding/json"

	"github.com/company/k8s-resource-monitor/internal/serving/cmdline"
	"github.com/company/k8s-resource-monitor/internal/serving/metrics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// vllm is vLLM, alone and inside of KServe, KAITO and NVIDIA Dynamo.
var vllm = engine{
	name: usage.VLLM,
	programs: map[string]*program{
		"vllm serve":                         &vllmServe,
		"vllm.entrypoints.cli.main serve":    &vllmServe,
		"vllm.scripts serve":                 &vllmServe,
		"vllm.entrypoints.openai.api_server": &vllmServer,
		"entrypoints.openai.api_server":      &vllmServer, // of ports of vLLM to other hardware
		"vllm.entrypoints.api_server":        &vllmServer,
		"vllm.entrypoints.grpc_server":       {engine: usage.VLLM, model: vllmServer.model, served: vllmServer.served, noAPI: true},
		"api_server.py": {engine: usage.VLLM, model: vllmServer.model, served: vllmServer.served, port: vllmServer.port,
			defaultPort: 8000, needs: "model"},
		"vllm.inference_api": {engine: usage.VLLM, model: vllmServer.model, served: vllmServer.served, port: vllmServer.port,
			defaultPort: 5000}, // KAITO
		"dynamo.vllm":       &dynamoVLLM,
		"dynamo.vllm.main":  &dynamoVLLM,
		"huggingfaceserver": &kserveServer,
	},
	usual: &vllmServe,
	images: []image{
		{pattern: "vllm-openai*", entrypoint: &vllmServe},
		{pattern: "vllm-cpu-release-repo", entrypoint: &vllmServe},
		{pattern: "rhaiis/vllm*", entrypoint: &vllmServer},
		{pattern: "rhoai/*vllm*", entrypoint: &vllmServer},
		{pattern: "ray-llm*"},
		{pattern: "huggingfaceserver*", entrypoint: &kserveServer},
		{pattern: "vllm/vllm-tpu"},
		{pattern: "rocm/vllm*"},
		{pattern: "llm-d/llm-d"},
		{pattern: "llm-d-cuda*"},
		{pattern: "llm-d-xpu*"},
		{pattern: "llm-d-cpu*"},
		{pattern: "llm-d-rocm*"},
		{pattern: "llm-d-hpu*"},
		{pattern: "llm-d-aws*"},
		{pattern: "vllm-runtime"},
		{pattern: "vllm-ascend*"},
		{pattern: "vllm-gaudi*"},
		{pattern: "vllm"},
	},
	tools: programNames{
		names: []string{"vllm bench", "vllm chat", "vllm complete", "vllm run-batch", "vllm collect-env", "vllm launch",
			"vllm.entrypoints.openai.run_batch", "vllm-router"},
		prefixes: []string{"vllm_router", "vllm.benchmarks"},
		images:   []string{"vllm-router*", "*vllm-operator*", "*vllm-exporter*", "lmstack-router*"},
	},
	idle: []string{"vllm"}, // without a sub-command that serves
	flagKinds: cmdline.Kinds{
		Switches: []string{
			"headless", "enforce-eager", "async-scheduling", "grpc", "skip-tokenizer-init", "ep", "dpe", "dph",
			"data-parallel-hybrid-lb", "data-parallel-external-lb", "api-server", "allow-credentials", "log-error-stack",
			"aggregate-engine-logging", "allow-deprecated-quantization", "calculate-kv-scales", "cudagraph-metrics",
			"exclude-tools-when-tool-choice-none", "fail-on-environ-validation", "fully-sharded-loras",
			"interleave-mm-strings", "kv-cache-metrics", "kv-sharing-fast-prefill", "language-model-only",
			"mm-encoder-only", "numa-bind", "ray-workers-use-nsight", "return-tokens-as-token-ids",
			"scheduler-reserve-full-isl", "skip-mm-profiling", "specialize-active-lora", "tokens-only",
			"trust-request-chat-template", "worker-use-ray", "multi-step-stream-outputs", "omni", "is-prefill-worker",
			"is-decode-worker", "disable-custom-all-reduce", "log-requests",
		},
		Values: []string{"disable-access-log-for-endpoints"},
		Lists: []string{"lora-modules", "allowed-media-domains", "logits-processors", "ignore-patterns",
			"cudagraph-capture-sizes", "cuda-graph-sizes", "prompt-adapters", "limit-mm-per-prompt", "collect-detailed-traces"},
	},
	rank:   []string{"node-rank", "r"},
	joins:  []string{"headless", "api-server-count=0"},
	noHTTP: []string{"grpc"},
	role:   vllmRole,
	metrics: metrics.NewReader(metrics.Names{
		Prefixes: []string{"vllm:", "ray_vllm_"},
		Sources: []metrics.Source{
			metrics.Value(metrics.RequestsRunning, "num_requests_running"),
			// num_requests_waiting_by_reason splits the same figure.
			metrics.Value(metrics.RequestsWaiting, "num_requests_waiting"),
			metrics.Value(metrics.KVCacheUsageRatio, "kv_cache_usage_perc", "gpu_cache_usage_perc"), // the latter up to 0.11
			metrics.Value(metrics.PromptTokens, "prompt_tokens_total"),                              // likewise prompt_tokens_by_source
			metrics.Value(metrics.GenerationTokens, "generation_tokens_total"),
			metrics.Value(metrics.Requests, "request_success_total"),
			metrics.Value(metrics.Preemptions, "num_preemptions_total"),
			metrics.Value(metrics.PrefixCacheQueries, "prefix_cache_queries_total", "gpu_prefix_cache_queries_total"),
			metrics.Value(metrics.PrefixCacheHits, "prefix_cache_hits_total", "gpu_prefix_cache_hits_total"),
			metrics.Histogram(metrics.TTFTSum, "time_to_first_token_seconds"),
			metrics.Histogram(metrics.InterTokenSum, "inter_token_latency_seconds", "time_per_output_token_seconds",
				"request_time_per_output_token_seconds"),
			metrics.Histogram(metrics.E2ESum, "e2e_request_latency_seconds"),
		},
	}),
	metricsHint: "without --disable-log-stats",
}

// vLLM's programs, by the flags that they take.
var (
	vllmServer = program{engine: usage.VLLM, model: []string{"model"}, served: []string{"served-model-name"},
		port: []string{"port"}, defaultPort: 8000}
	vllmServe = program{engine: usage.VLLM, model: []string{"model", "model-tag"}, served: []string{"served-model-name"},
		port: []string{"port"}, defaultPort: 8000, positional: anywhere, defaultModel: "Qwen/Qwen3-0.6B"}
	dynamoVLLM = program{engine: usage.VLLM, model: []string{"model"}, served: []string{"served-model-name"},
		portVar: "DYN_SYSTEM_PORT", defaultPort: 9090}
	kserveServer = program{engine: usage.VLLM, model: []string{"model-id", "model-dir"}, served: []string{"model-name"},
		port: []string{"http-port"}, defaultPort: 8080, unless: "backend=huggingface"}
)

// vllmRole reads the flags of vLLM's own connectors and of Dynamo.
func vllmRole(f cmdline.Flags) string {
	var transfer struct {
		Role string `json:"kv_role"`
	}
	// What is no JSON, such as a variable that is not known, names no role.
	_ = json.Unmarshal([]byte(f.Values["kv-transfer-config"]), &transfer)
	switch {
	case f.Set("is-prefill-worker") || transfer.Role == "kv_producer":
		return "prefill"
	case f.Set("is-decode-worker") || transfer.Role == "kv_consumer":
		return "decode"
	}
	return ""
}
