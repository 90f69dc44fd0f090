package serving

import (
	"slices"

	"github.com/company/k8s-resource-monitor/internal/serving/cmdline"
	"github.com/company/k8s-resource-monitor/internal/serving/metrics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// engines declares the engines that the monitor knows, each in its own file. A
// new one needs its name in the package usage, a file here and a place in this
// list.
var engines = []*engine{&vllm, &sglang}

// engine is what the package knows of one engine.
type engine struct {
	name string // as in the package usage

	// How it is recognized.
	programs map[string]*program // keys as in programs
	usual    *program            // the program that is assumed where only the engine is known
	images   []image             // that serve with it, best first
	tools    programNames        // its programs that serve no model, such as benchmarks and routers
	idle     []string            // programs like those of idlePrograms

	// Its command line.
	flagKinds cmdline.Kinds
	rank      []string                   // flags that give a server's place in a multi-node group
	joins     []string                   // flags, or flag=value, of a worker without an API of its own
	noHTTP    []string                   // the same of a server without an HTTP API
	role      func(cmdline.Flags) string // "prefill", "decode" or ""

	// Its metrics.
	metrics     *metrics.Reader
	metricsHint string // how to enable them, after "start the server "
	notFound    string // what to do about status 404; "": set the port annotation
}

// Engines returns the names of the engines that are known.
func Engines() []string {
	names := make([]string, len(engines))
	for i, e := range engines {
		names[i] = e.name
	}
	return names
}

// engineNamed returns the engine of a name, nil for usage.NoEngine and names
// that are not known.
func engineNamed(name string) *engine {
	for _, e := range engines {
		if e.name == name {
			return e
		}
	}
	return nil
}

// program is a command that serves a model.
type program struct {
	engine       string     // usage.NoEngine: it may run any
	model        []string   // flags that name the weights: a hub name, a path, a URL
	served       []string   // flags that name the model to clients
	port         []string   // flags that give the port of the API, and so of /metrics
	portVar      string     // the variable that gives it
	defaultPort  int32      // the port without any of these
	positional   positional // whether an argument that belongs to no flag names the weights
	defaultModel string     // what it serves without any flag
	noAPI        bool       // no HTTP: a worker that joins a group, or gRPC alone
	unless       string     // a flag=value with which it serves no model of the engine
	needs        string     // a flag that it always has; without it, it is another program of that name
}

// isWorker reports whether a server's flags make it a worker, whose requests go
// through another server.
func (e *engine) isWorker(f cmdline.Flags) bool {
	return e != nil && slices.ContainsFunc(e.joins, f.Has)
}

// positional is where the weights may be named without a flag.
type positional uint8

const (
	nowhere positional = iota
	first
	anywhere
)

// rayNode is a node of a Ray cluster: its command names no engine.
var rayNode = program{engine: usage.NoEngine, port: []string{"metrics-export-port"}, defaultPort: 8080, noAPI: true}

// programs are known by a program or Python module and, where it has them, its
// sub-command. Packages around a module need not be named.
var programs = func() map[string]*program {
	all := map[string]*program{
		"ray start":                    &rayNode,
		"multi-node-serving.sh worker": &rayNode, // vLLM's own example for LeaderWorkerSet
	}
	for _, e := range engines {
		for name, p := range e.programs {
			all[name] = p
		}
	}
	return all
}()

// collect appends the lists of all engines to a general one.
func collect(general []string, of func(*engine) []string) []string {
	all := slices.Clone(general)
	for _, e := range engines {
		all = append(all, of(e)...)
	}
	return all
}

// generalFlags are those that several engines or their surroundings have.
var generalFlags = cmdline.Kinds{
	Switches: []string{"trust-remote-code", "verbose", "help", "h", "v", "version"},
	Values:   []string{"no-proxy"},
	Lists:    []string{"served-model-name", "api-key"},
}

// flagParser knows the flags of all engines.
var flagParser = func() *cmdline.Parser {
	kinds := []cmdline.Kinds{generalFlags}
	for _, e := range engines {
		kinds = append(kinds, e.flagKinds)
	}
	return cmdline.NewParser(kinds...)
}()
