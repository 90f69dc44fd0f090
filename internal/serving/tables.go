package serving

// programNames are programs and images that serve no model.
type programNames struct {
	names    []string // with or without sub-command, or the last element of a module's name
	prefixes []string // the same, by how the name begins
	images   []string // patterns as of image
}

// otherTools are those that belong to no engine, or to several.
var otherTools = programNames{
	names: []string{
		"llm-d-inference-sim", "llm-d-routing-sidecar", "pd-sidecar", "epp",
		"dynamo.frontend", "dynamo.planner", "dynamo.router", "dynamo.mocker",
		"torchrun", "accelerate", "deepspeed", "trl", "swift", "axolotl", "llamafactory-cli", "ray job", "pytest",
	},
	prefixes: []string{
		"benchmark_", "benchmarks.", "bench_", "dynamo.planner.", "dynamo.frontend.", "lmcache", "guidellm", "genai-perf",
		"aiperf", "inference-perf", "lm_eval", "locust", "litellm", "open-webui", "trl.", "verl.", "openrlhf.",
		"llamafactory.", "axolotl.", "torch.distributed.", "accelerate.commands.",
	},
	images: []string{
		"*routing-sidecar*", "pd-sidecar*", "*inference-scheduler*", "epp", "*endpoint-picker*", "*inference-sim*",
		"dynamo-frontend*", "dynamo-planner*", "kubernetes-operator", "*uds-tokenizer*", "tokenizer*", "open-webui*",
		"litellm*", "guidellm*", "*lmcache-server*", "lmcache/standalone*", "lmcache-operator*", "storage-initializer*",
	},
}

// A container whose command is one of these serves no model, whatever its image.
var (
	notServers        = set(collect(otherTools.names, func(e *engine) []string { return e.tools.names })...)
	notServerPrefixes = collect(otherTools.prefixes, func(e *engine) []string { return e.tools.prefixes })
	notServerImages   = collect(otherTools.images, func(e *engine) []string { return e.tools.images })
)

// idlePrograms serve nothing: a container that runs nothing else is no server,
// though it may prepare one.
var idlePrograms = set(collect([]string{
	"sleep", "tail", "true", "false", ":", "cat", "echo", "printf", "cd", "set", "ulimit", "test", "[", "source", ".",
	"trap", "wait", "exit", "unset", "shopt", "mkdir", "ln", "cp", "mv", "rm", "chmod", "chown", "ls", "tee",
	"pip", "pip3", "uv", "apt", "apt-get", "curl", "wget", "git", "hf", "huggingface-cli", "modelscope", "aws", "gsutil",
	"gcloud", "azcopy", "s5cmd", "aria2c", "rclone", "rsync", "tar", "nc", "which", "env", "export", "hostname",
	"pgrep", "grep", "seq", "read", "nvidia-smi", "jupyter", "jupyter-lab", "code-server", "sshd", "bash", "sh",
}, func(e *engine) []string { return e.idle })...)

// idleWords in the name of a script or a module say the same of it.
var idleWords = set("download", "downloader", "train", "trainer", "training", "finetune", "sft", "grpo", "dpo", "ppo", "rlhf",
	"pretrain", "bench", "benchmark", "eval", "evaluate", "convert", "quantize", "merge", "offline", "batch", "test", "warmup",
	"wait", "prepare", "setup", "install")

// metricsPortNames are the names of container ports that serve metrics, best
// first. Dynamo's workers have a system port for them; else an engine serves
// them where it serves its API.
var metricsPortNames = []string{"system", "http", "metrics", "user-port", "http1"}

// routingProxies take the API's port of a pod that they share with an engine,
// which then listens on behindProxy. Patterns as of image.
var routingProxies = []string{"*routing-sidecar*", "pd-sidecar*"}

const behindProxy = 8200

// genericPaths are where platforms mount any model: they name none.
var genericPaths = set("/mnt/models", "/mnt/model", "/models", "/model", "/data", "/model-cache", "/workspace/weights",
	"/data/model", "/workspace/model", "/cache", "/weights", "/mnt", "/", ".")

func set(words ...string) map[string]bool {
	s := make(map[string]bool, len(words))
	for _, w := range words {
		s[w] = true
	}
	return s
}
