package shell

// shells run a script given with -c.
var shells = set("sh", "bash", "ash", "dash", "zsh", "ksh")

// prefixes run the command that follows their flags.
var prefixes = set("exec", "command", "builtin", "nohup", "time", "setsid")

// takesScript are launchers that take a script after this flag.
var takesScript = map[string]string{"su": "-c", "runuser": "-c", "sg": "-c", "script": "-c", "flock": "-c", "env": "-S"}

// launchers run a command that follows their own options.
var launchers = set(
	"env", "nice", "ionice", "taskset", "numactl", "numad", "stdbuf", "timeout", "sudo", "doas", "su", "runuser", "gosu",
	"su-exec", "dumb-init", "tini", "catatonit", "s6-setuidgid", "chrt", "unshare", "chroot", "setpriv", "prlimit",
	"xargs", "script", "flock", "watch", "unbuffer",
	"nsys", "ncu", "strace", "gdb", "valgrind", "perf", "py-spy", "memray", "coverage", "viztracer", "austin",
	"uv", "uvx", "pipx", "poetry", "pipenv", "pdm", "hatch", "conda", "mamba", "micromamba", "pixi",
	"ddtrace-run", "opentelemetry-instrument", "newrelic-admin", "elastic-apm-run", "splunk-py-trace",
	"mpirun", "mpiexec", "srun", "torchrun", "accelerate", "deepspeed", "ray",
	"doppler", "infisical", "vault-env", "chamber", "aws-vault",
	// Python modules
	"torch.distributed.run", "torch.distributed.launch", "accelerate.commands.launch", "cProfile", "profile", "trace",
	"pdb", "debugpy", "ddtrace.commands.ddtrace_run",
)

// elsewhere are programs that run a command outside of this container, or do
// not run what follows --.
var elsewhere = set("kubectl", "oc", "docker", "podman", "nerdctl", "crictl", "ssh", "pdsh", "helm", "echo", "grep",
	"pgrep", "pkill", "printf")

func set(words ...string) map[string]bool {
	s := make(map[string]bool, len(words))
	for _, w := range words {
		s[w] = true
	}
	return s
}
