package serving

import (
	"strings"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// program is a command that serves a model.
type program struct {
	engine       string
	model        []string   // flags that name the weights: a hub name, a path, a URL
	served       []string   // flags that name the model to clients
	port         []string   // flags that give the port of the API, and so of /metrics
	portVar      string     // the variable that gives it
	listens      int32      // the port without any of these
	positional   positional // whether an argument that belongs to no flag names the weights
	defaultModel string     // what it serves if it is told nothing
	noAPI        bool       // no HTTP: a worker that joins a group, or gRPC alone
	unless       string     // a flag=value with which it serves no model of the engine
	needs        string     // a flag without which it is another program of that name
}

// positional is where the weights may be named without a flag.
type positional uint8

const (
	nowhere positional = iota
	first
	anywhere
)

// The families of programs, by whose flags they take.
var (
	vllmServer   = program{engine: usage.VLLM, model: []string{"model"}, served: []string{"served-model-name"}, port: []string{"port"}, listens: 8000}
	vllmServe    = program{engine: usage.VLLM, model: []string{"model", "model-tag"}, served: []string{"served-model-name"}, port: []string{"port"}, listens: 8000, positional: anywhere, defaultModel: "Qwen/Qwen3-0.6B"}
	vllmScript   = program{engine: usage.VLLM, model: []string{"model"}, served: []string{"served-model-name"}, port: []string{"port"}, listens: 8000, needs: "model"}
	kaitoVLLM    = program{engine: usage.VLLM, model: []string{"model"}, served: []string{"served-model-name"}, port: []string{"port"}, listens: 5000}
	sglangServer = program{engine: usage.SGLang, model: []string{"model-path", "model"}, served: []string{"served-model-name"}, port: []string{"port"}, listens: 30000}
	sglangServe  = program{engine: usage.SGLang, model: []string{"model-path", "model"}, served: []string{"served-model-name"}, port: []string{"port"}, listens: 30000, positional: first}
	dynamoVLLM   = program{engine: usage.VLLM, model: []string{"model"}, served: []string{"served-model-name"}, portVar: "DYN_SYSTEM_PORT", listens: 9090}
	dynamoSGLang = program{engine: usage.SGLang, model: []string{"model-path", "model"}, served: []string{"served-model-name"}, portVar: "DYN_SYSTEM_PORT", listens: 9090}
	kserveHF     = program{engine: usage.VLLM, model: []string{"model-id", "model-dir"}, served: []string{"model-name"}, port: []string{"http-port"}, listens: 8080, unless: "backend=huggingface"}
	rayNode      = program{port: []string{"metrics-export-port"}, listens: 8080, noAPI: true}
)

// defaults are what an engine is taken to run where only its name is known.
var defaults = map[string]*program{usage.VLLM: &vllmServe, usage.SGLang: &sglangServer}

// programs are known by a program or Python module and, where it has them,
// its sub-command. Packages around a module need not be named.
var programs = map[string]*program{
	"vllm serve":                         &vllmServe,
	"vllm.entrypoints.cli.main serve":    &vllmServe,
	"vllm.scripts serve":                 &vllmServe,
	"vllm.entrypoints.openai.api_server": &vllmServer,
	"entrypoints.openai.api_server":      &vllmServer, // of ports of vLLM to other hardware
	"vllm.entrypoints.api_server":        &vllmServer,
	"vllm.inference_api":                 &kaitoVLLM,
	"api_server.py":                      &vllmScript,
	"sglang serve":                       &sglangServe,
	"sglang.cli.main serve":              &sglangServe,
	"sglang.launch_server":               &sglangServer,
	"sglang_router.launch_server":        &sglangServer, // starts engines beside its router
	"dynamo.vllm":                        &dynamoVLLM,
	"dynamo.vllm.main":                   &dynamoVLLM,
	"dynamo.sglang":                      &dynamoSGLang,
	"dynamo.sglang.main":                 &dynamoSGLang,
	"dynamo.sglang.worker":               &dynamoSGLang,
	"dynamo.sglang.decode_worker":        &dynamoSGLang,
	"huggingfaceserver":                  &kserveHF,
	"ray start":                          &rayNode,
	"multi-node-serving.sh worker":       &rayNode, // vLLM's own example for LeaderWorkerSet
	"vllm.entrypoints.grpc_server":       {engine: usage.VLLM, model: vllmServer.model, served: vllmServer.served, noAPI: true},
}

// notServers are programs whose presence says that the container serves no
// model, whatever its image. The names are those of programs, with or without
// sub-command, or the last element of a module's name.
var notServers = set(
	"vllm bench", "vllm chat", "vllm complete", "vllm run-batch", "vllm collect-env", "vllm launch",
	"vllm.entrypoints.openai.run_batch", "sglang.profiler", "sglang.check_env", "sglang generate",
	"sglang_router", "sglang_router.launch_router", "smg", "sgl-model-gateway", "sglang-router", "vllm-router",
	"llm-d-inference-sim", "llm-d-routing-sidecar", "pd-sidecar", "epp",
	"dynamo.frontend", "dynamo.planner", "dynamo.router", "dynamo.mocker",
	"torchrun", "accelerate", "deepspeed", "trl", "swift", "axolotl", "llamafactory-cli", "ray job", "pytest",
)

// notServerPrefixes are the same, by how the name begins.
var notServerPrefixes = []string{
	"vllm_router", "vllm.benchmarks", "sglang.bench_", "sglang.test", "sglang.eval", "sglang_router.", "benchmark_", "benchmarks.", "bench_",
	"dynamo.planner.", "dynamo.frontend.", "lmcache", "guidellm", "genai-perf", "aiperf", "inference-perf", "lm_eval", "locust", "litellm", "open-webui",
	"trl.", "verl.", "openrlhf.", "llamafactory.", "axolotl.", "torch.distributed.", "accelerate.commands.",
}

// idlePrograms do something, but none of it is serving: a container that runs
// nothing else is no server, though it may prepare one.
var idlePrograms = set("sleep", "tail", "true", "false", ":", "cat", "echo", "printf", "cd", "set", "ulimit", "test", "[", "[[",
	"source", ".", "trap", "wait", "exit", "for", "case", "esac", "unset", "shopt", "mkdir", "ln", "cp", "mv", "rm", "chmod", "chown", "ls", "tee",
	"pip", "pip3", "uv", "apt", "apt-get", "curl", "wget", "git", "hf", "huggingface-cli", "modelscope", "aws", "gsutil", "gcloud", "azcopy",
	"s5cmd", "aria2c", "rclone", "rsync", "tar", "nc", "vllm", "which", "env", "export", "hostname", "pgrep", "grep", "until", "seq", "read",
	"nvidia-smi", "jupyter", "jupyter-lab", "code-server", "sshd", "bash", "sh")

// idleWords in the name of a script or a module say the same of it.
var idleWords = set("download", "downloader", "train", "trainer", "training", "finetune", "sft", "grpo", "dpo", "ppo", "rlhf", "pretrain",
	"bench", "benchmark", "eval", "evaluate", "convert", "quantize", "merge", "offline", "batch", "test", "warmup", "wait", "prepare", "setup", "install")

// image is what an image says about a container that runs it.
type image struct {
	engine     string
	entrypoint *program // serves, so that args alone are its flags; nil: the image starts a shell
}

// images are known by the last elements of the repository, as many as the
// pattern has, so that a mirror in another registry is known too. The first
// match counts.
var images = []struct {
	pattern string
	image
}{
	{"vllm-openai*", image{usage.VLLM, &vllmServe}},
	{"vllm-cpu-release-repo", image{usage.VLLM, &vllmServe}},
	{"rhaiis/vllm*", image{usage.VLLM, &vllmServer}},
	{"rhoai/*vllm*", image{usage.VLLM, &vllmServer}},
	{"ray-llm*", image{engine: usage.VLLM}},
	{"huggingfaceserver*", image{usage.VLLM, &kserveHF}},
	{"vllm/vllm-tpu", image{engine: usage.VLLM}},
	{"rocm/vllm*", image{engine: usage.VLLM}},
	{"llm-d/llm-d", image{engine: usage.VLLM}},
	{"llm-d-cuda*", image{engine: usage.VLLM}},
	{"llm-d-xpu*", image{engine: usage.VLLM}},
	{"llm-d-cpu*", image{engine: usage.VLLM}},
	{"llm-d-rocm*", image{engine: usage.VLLM}},
	{"llm-d-hpu*", image{engine: usage.VLLM}},
	{"llm-d-aws*", image{engine: usage.VLLM}},
	{"vllm-runtime", image{engine: usage.VLLM}},
	{"vllm-ascend*", image{engine: usage.VLLM}},
	{"vllm-gaudi*", image{engine: usage.VLLM}},
	{"vllm", image{engine: usage.VLLM}},
	{"rocm/sgl-dev*", image{engine: usage.SGLang}},
	{"sglang-runtime", image{engine: usage.SGLang}},
	{"sglang", image{engine: usage.SGLang}},
}

// notServerImages never serve a model: routers, sidecars, simulators,
// benchmarks, caches, front ends. Same patterns as images.
var notServerImages = []string{
	"lmstack-router*", "*routing-sidecar*", "pd-sidecar*", "*inference-scheduler*", "epp", "*endpoint-picker*",
	"*inference-sim*", "sgl-model-gateway*", "sglang-router*", "sgl-router*", "vllm-router*", "smg",
	"dynamo-frontend*", "dynamo-planner*", "kubernetes-operator", "*uds-tokenizer*", "tokenizer*",
	"open-webui*", "litellm*", "guidellm*", "*lmcache-server*", "lmcache/standalone*", "lmcache-operator*",
	"storage-initializer*", "*vllm-operator*", "*vllm-exporter*",
}

// switches are flags that take no value, beside those that begin with one of
// switchPrefixes and are not in valueFlags. Only they let a positional argument
// follow at once.
var (
	switches = set("headless", "trust-remote-code", "enforce-eager", "async-scheduling", "grpc", "skip-tokenizer-init", "verbose", "help", "h", "v",
		"version", "ep", "dpe", "dph", "data-parallel-hybrid-lb", "data-parallel-external-lb", "api-server", "allow-credentials", "log-error-stack",
		"aggregate-engine-logging", "allow-deprecated-quantization", "calculate-kv-scales", "cudagraph-metrics", "exclude-tools-when-tool-choice-none",
		"fail-on-environ-validation", "fully-sharded-loras", "interleave-mm-strings", "kv-cache-metrics", "kv-sharing-fast-prefill", "language-model-only",
		"mm-encoder-only", "numa-bind", "ray-workers-use-nsight", "return-tokens-as-token-ids", "scheduler-reserve-full-isl", "skip-mm-profiling",
		"specialize-active-lora", "tokens-only", "trust-request-chat-template", "worker-use-ray", "multi-step-stream-outputs", "omni",
		"is-prefill-worker", "is-decode-worker", "disable-custom-all-reduce", "log-requests")
	switchPrefixes = []string{"enable-", "disable-", "no-", "use-"}
	valueFlags     = set("disable-access-log-for-endpoints", "no-proxy")
	// listFlags take all values up to the next flag.
	listFlags = set("served-model-name", "lora-modules", "api-key", "allowed-media-domains", "logits-processors", "ignore-patterns",
		"cudagraph-capture-sizes", "cuda-graph-sizes", "cuda-graph-bs", "lora-paths", "prompt-adapters", "limit-mm-per-prompt", "collect-detailed-traces")
)

// metricsPortNames are the names of container ports that serve metrics, best
// first. Dynamo's workers have a system port for them; else an engine serves
// them where it serves its API.
var metricsPortNames = []string{"system", "http", "metrics", "user-port", "http1"}

// routingProxies take the API's port of a pod that they share with an engine,
// which then listens on behindProxy. Same patterns as images.
var routingProxies = []string{"*routing-sidecar*", "pd-sidecar*"}

const behindProxy = 8200

// genericPaths are where platforms mount any model: they name none.
var genericPaths = set("/mnt/models", "/mnt/model", "/models", "/model", "/data", "/model-cache", "/workspace/weights", "/data/model", "/workspace/model", "/cache", "/weights", "/mnt", "/", ".")

// knownImage returns what a repository is known for, nil if nothing.
func knownImage(repo string) *image {
	for i := range images {
		if matchesTail(images[i].pattern, repo) {
			return &images[i].image
		}
	}
	return nil
}

// matchesAny reports whether a repository is one of those that the patterns name.
func matchesAny(patterns []string, repo string) bool {
	for _, p := range patterns {
		if matchesTail(p, repo) {
			return true
		}
	}
	return false
}

// repository is an image reference without tag and digest.
func repository(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if colon := strings.LastIndexByte(ref, ':'); colon > strings.LastIndexByte(ref, '/') {
		ref = ref[:colon]
	}
	return ref
}

// matchesTail matches NAME or OWNER/NAME against the last elements of a
// repository. NAME may begin and end with a star.
func matchesTail(pattern, repo string) bool {
	slash := strings.LastIndexByte(repo, '/')
	if owner, name, ok := strings.Cut(pattern, "/"); ok {
		if slash < 0 || repo[strings.LastIndexByte(repo[:slash], '/')+1:slash] != owner {
			return false
		}
		pattern = name
	}
	name := repo[slash+1:]
	rest, openEnd := strings.CutSuffix(pattern, "*")
	rest, openStart := strings.CutPrefix(rest, "*")
	switch {
	case openStart && openEnd:
		return strings.Contains(name, rest)
	case openStart:
		return strings.HasSuffix(name, rest)
	case openEnd:
		return strings.HasPrefix(name, rest)
	}
	return name == rest
}

func set(words ...string) map[string]bool {
	s := make(map[string]bool, len(words))
	for _, w := range words {
		s[w] = true
	}
	return s
}
