package serving

import (
	"strings"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// program is a command that serves a model.
type program struct {
	engine     string
	model      []string // flags that name the weights: a hub name, a path, a URL
	served     []string // flags that name the model to clients
	port       []string // flags that give the port of the API, and so of /metrics
	listens    int32    // the port without such a flag
	positional bool     // the first argument that belongs to no flag names the weights
	noAPI      bool     // no HTTP: a worker that joins a group, or gRPC alone
	unless     string   // a flag=value with which it serves no model of the engine
}

// The families of programs, by whose flags they take.
var (
	vllmServer   = program{engine: usage.VLLM, model: []string{"model"}, served: []string{"served-model-name"}, port: []string{"port"}, listens: 8000}
	vllmServe    = program{engine: usage.VLLM, model: []string{"model"}, served: []string{"served-model-name"}, port: []string{"port"}, listens: 8000, positional: true}
	sglangServer = program{engine: usage.SGLang, model: []string{"model-path", "model"}, served: []string{"served-model-name"}, port: []string{"port"}, listens: 30000}
	dynamoVLLM   = program{engine: usage.VLLM, model: []string{"model"}, served: []string{"served-model-name"}, listens: 9090}
	dynamoSGLang = program{engine: usage.SGLang, model: []string{"model-path", "model"}, served: []string{"served-model-name"}, listens: 9090}
	kserveHF     = program{engine: usage.VLLM, model: []string{"model-id", "model-dir"}, served: []string{"model-name"}, port: []string{"http-port"}, listens: 8080, unless: "backend=huggingface"}
	rayNode      = program{noAPI: true}
)

// defaults are what an engine is taken to run where only its image is known.
var defaults = map[string]program{usage.VLLM: vllmServe, usage.SGLang: sglangServer}

// programs are known by a program or Python module and, where it has them,
// its sub-command.
var programs = map[string]*program{
	"vllm serve":                         &vllmServe,
	"vllm.entrypoints.cli.main serve":    &vllmServe,
	"vllm.entrypoints.openai.api_server": &vllmServer,
	"vllm.entrypoints.api_server":        &vllmServer,
	"sglang serve":                       &sglangServer,
	"sglang.launch_server":               &sglangServer,
	"sglang_router.launch_server":        &sglangServer, // starts engines beside its router
	"dynamo.vllm":                        &dynamoVLLM,
	"dynamo.sglang":                      &dynamoSGLang,
	"huggingfaceserver":                  &kserveHF,
	"ray start":                          &rayNode,
	"multi-node-serving.sh worker":       &rayNode, // vLLM's own example for LeaderWorkerSet
	"vllm.entrypoints.grpc_server":       {engine: usage.VLLM, model: vllmServer.model, served: vllmServer.served, noAPI: true},
}

// notServers are programs whose presence says that the container serves no
// model, whatever its image. The names are those of programs, with or without
// sub-command, or the last element of a module's name.
var notServers = set(
	"vllm bench", "vllm chat", "vllm complete", "vllm run-batch", "vllm collect-env",
	"vllm.entrypoints.openai.run_batch", "sglang.profiler", "sglang.check_env",
	"sglang_router", "sglang_router.launch_router", "smg", "sgl-model-gateway", "sglang-router", "vllm-router",
	"llm-d-inference-sim", "llm-d-routing-sidecar", "pd-sidecar", "epp",
	"dynamo.frontend", "dynamo.planner", "dynamo.router", "dynamo.mocker",
)

// notServerPrefixes are the same, by how the name begins.
var notServerPrefixes = []string{
	"vllm_router", "vllm.benchmarks", "sglang.bench_", "sglang.test", "sglang.eval", "benchmark_", "benchmarks.", "bench_",
	"dynamo.planner.", "lmcache", "guidellm", "genai-perf", "aiperf", "inference-perf", "lm_eval", "locust", "litellm", "open-webui",
}

// idlePrograms do something, but none of it is serving: a container that runs
// nothing else is no server, though it may prepare one.
var idlePrograms = set("sleep", "tail", "true", "false", ":", "cat", "echo", "printf", "cd", "set", "ulimit", "test", "[", "[[",
	"source", ".", "trap", "wait", "exit", "for", "case", "esac", "unset", "shopt", "mkdir", "ln", "cp", "mv", "rm", "chmod", "ls",
	"pip", "pip3", "uv", "apt", "apt-get", "curl", "wget", "git", "hf", "huggingface-cli", "modelscope", "aws", "gsutil", "rclone",
	"nvidia-smi", "jupyter", "jupyter-lab", "code-server", "sshd", "bash", "sh")

// shells run a script given with -c.
var shells = set("sh", "bash", "ash", "dash", "zsh", "ksh")

// wrappers run the command that follows their own options.
var wrappers = set("exec", "env", "command", "nohup", "nice", "ionice", "taskset", "numactl", "stdbuf", "timeout", "time", "sudo", "su", "gosu",
	"dumb-init", "tini", "catatonit", "s6-setuidgid", "setsid", "chrt", "unshare", "xargs", "script",
	"nsys", "ncu", "uv", "uvx", "poetry", "pipenv", "conda", "micromamba", "pixi", "ddtrace-run", "opentelemetry-instrument", "newrelic-admin",
	"mpirun", "srun", "torchrun", "ray")

// keywords may stand before a command in a script.
var keywords = set("if", "then", "else", "elif", "while", "until", "do", "!", "{", "}", "fi", "done")

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
	{"huggingfaceserver*", image{usage.VLLM, &kserveHF}},
	{"vllm/vllm-tpu", image{engine: usage.VLLM}},
	{"rocm/vllm*", image{engine: usage.VLLM}},
	{"llm-d-cuda*", image{engine: usage.VLLM}},
	{"llm-d-xpu*", image{engine: usage.VLLM}},
	{"llm-d-cpu*", image{engine: usage.VLLM}},
	{"llm-d-rocm*", image{engine: usage.VLLM}},
	{"llm-d-hpu*", image{engine: usage.VLLM}},
	{"llm-d-aws*", image{engine: usage.VLLM}},
	{"vllm-runtime", image{engine: usage.VLLM}},
	{"vllm", image{engine: usage.VLLM}},
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
// switchPrefixes. Only they let a positional argument follow at once.
var (
	switches       = set("headless", "trust-remote-code", "enforce-eager", "async-scheduling", "grpc", "skip-tokenizer-init", "verbose", "help", "data-parallel-hybrid-lb", "data-parallel-external-lb", "api-server")
	switchPrefixes = []string{"enable-", "disable-", "no-", "use-", "log-requests", "return-tokens"}
	// listFlags take all values up to the next flag.
	listFlags = set("served-model-name", "lora-modules", "api-key", "allowed-origins", "allowed-methods", "allowed-headers", "middleware",
		"cudagraph-capture-sizes", "cuda-graph-sizes", "cuda-graph-bs", "lora-paths", "prompt-adapters", "limit-mm-per-prompt")
)

// metricsPortNames are the names of container ports that serve metrics, best
// first.
var metricsPortNames = []string{"metrics", "http", "http1", "user-port", "system"}

// genericPaths are where platforms mount any model: they name none.
var genericPaths = set("/mnt/models", "/mnt/model", "/models", "/model", "/data", "/data/model", "/workspace/model", "/cache", "/weights", "/mnt", "/", ".")

// knownImage returns what a repository is known for, nil if nothing.
func knownImage(repo string) *image {
	for i := range images {
		if matchesTail(images[i].pattern, repo) {
			return &images[i].image
		}
	}
	return nil
}

// isNotServerImage reports whether the image never serves a model.
func isNotServerImage(repo string) bool {
	for _, p := range notServerImages {
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
