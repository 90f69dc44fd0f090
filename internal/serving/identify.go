// Package serving tells which pods serve a model, with which engine, and reads
// the engine's own metrics into rows. It knows vLLM and SGLang.
//
// Identify works from a pod's specification alone and asks nobody: labels and
// annotations of platforms are hints on top, never needed. Scrape asks the
// engine. What the package does not do: look at the environment that a running
// container has (a Service named vllm puts VLLM_PORT into every pod of its
// namespace), follow config files, or decide which of a group's figures count.
package serving

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Identity is what a pod's specification says about the model that it serves.
type Identity struct {
	Engine       string            // usage.VLLM, usage.SGLang or usage.NoEngine
	Model        usage.Opt[string] // the name that clients ask for; absent: only the engine's metrics tell
	ModelPath    usage.Opt[string] // where the weights come from: a hub name, a path or a URL
	Role         usage.Opt[string] // "prefill" or "decode", else "leader" or "worker" of a group
	ReplicaGroup usage.Opt[string] // pods of one multi-node replica share it; present on other pods of such a group too
	IdentifiedBy usage.Opt[string] // the evidence in a few words; absent with NoEngine
	Container    string            // the serving container
	Image        string            // its image
	MetricsPort  int32             // where /metrics is, if IsAPIServer
	Scheme       string            // "http" or "https"
	IsAPIServer  bool              // false for a worker that only computes: there is nothing to scrape
}

// claim is one piece of evidence: this container is this server.
type claim struct {
	container *usage.Container
	server    *program
	flags     flags
	by        string
	sure      bool // the command is known, not just the image
}

// candidate is a container that may be the server, and what it runs.
type candidate struct {
	*usage.Container
	repo  string
	image *image // nil: not one that we know
	runs  runs
}

// evidence looks for a server among a pod's containers.
type evidence func(d *usage.PodDetail, containers []candidate) (claim, bool)

// evidences are tried in this order, and the first claim counts.
var evidences = []evidence{byCommand, byEntrypoint, byImage}

// Identify concludes from a pod's specification what it serves. The zero
// Engine, usage.NoEngine, means that nothing speaks for a model server.
func Identify(d *usage.PodDetail) Identity {
	var id Identity
	rank := lwsMember(d, &id)
	var buf [4]candidate
	containers := candidates(d, buf[:0])
	for _, find := range evidences {
		if c, ok := find(d, containers); ok {
			fill(&id, d, c, rank)
			break
		}
	}
	return id
}

// candidates are the containers that may be the server, those with GPUs first:
// not an init container that ends before the others start, nor an image that
// never serves; and a sidecar only if no main container is one.
func candidates(d *usage.PodDetail, list []candidate) []candidate {
	for i := range d.Containers {
		c := &d.Containers[i]
		repo := repository(c.Image)
		if c.Init && !c.Sidecar || isNotServerImage(repo) {
			continue
		}
		list = append(list, candidate{c, repo, knownImage(repo), inspect(c)})
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Or(compareTrue(a.GPURequest > 0, b.GPURequest > 0), compareTrue(!a.Sidecar, !b.Sidecar))
	})
	return list
}

// compareTrue orders true before false.
func compareTrue(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// byCommand finds a program that serves in the command or args. A node of a
// Ray cluster shows no engine in its command; its image may.
func byCommand(_ *usage.PodDetail, containers []candidate) (claim, bool) {
	for _, c := range containers {
		p := c.runs.server
		if p == nil || p.engine == usage.NoEngine || c.runs.notServer {
			continue
		}
		where := "args"
		word, _, _ := strings.Cut(c.runs.name, " ")
		if strings.Contains(strings.Join(c.Command, " "), word[strings.LastIndexByte(word, '.')+1:]) {
			where = "command"
		}
		return claim{c.Container, p, c.runs.flags, "`" + c.runs.name + "` in " + where, true}, true
	}
	return claim{}, false
}

// byEntrypoint finds images whose entrypoint serves, and the flags given to it.
func byEntrypoint(_ *usage.PodDetail, containers []candidate) (claim, bool) {
	for _, c := range containers {
		if len(c.Command) > 0 || c.runs.server != nil || c.runs.notServer || c.image == nil || c.image.entrypoint == nil {
			continue
		}
		server := c.image.entrypoint
		args := make([]string, len(c.Args))
		for i, a := range c.Args {
			args[i] = expandRefs(a, c.Env)
		}
		if isNotServer(append([]string{server.engine}, args...)) {
			continue // the entrypoint is the engine without its sub-command
		}
		by := "image " + shortRepo(c.repo)
		if len(args) > 0 {
			by = "args of " + by
			if args[0] == "serve" {
				args = args[1:]
			}
		}
		f := parseFlags(args)
		if server.unless != "" && f.has(server.unless) {
			continue
		}
		return claim{c.Container, server, f, by, true}, true
	}
	return claim{}, false
}

// byImage takes the image's word where the command says nothing. A Job that
// runs a server's image with a command of its own is batch work.
func byImage(d *usage.PodDetail, containers []candidate) (claim, bool) {
	for _, c := range containers {
		if c.image == nil || c.runs.notServer {
			continue
		}
		if len(c.Command) == 0 && (c.image.entrypoint != nil || len(c.Args) == 0) {
			continue // ruled out by its args; or the image starts a shell
		}
		if kind, _ := d.Row.OwnerKind.Get(); kind == "Job" || kind == "CronJob" {
			continue
		}
		server := defaults[c.image.engine]
		if p := c.runs.server; p != nil {
			if p.engine != usage.NoEngine {
				continue // ruled out by its flags
			}
			server.noAPI = p.noAPI
		}
		return claim{c.Container, &server, flags{}, "image " + shortRepo(c.repo), false}, true
	}
	return claim{}, false
}

// shortRepo is the last two elements of a repository.
func shortRepo(repo string) string {
	slash := strings.LastIndexByte(repo, '/')
	if slash < 0 {
		return repo
	}
	return repo[strings.LastIndexByte(repo[:slash], '/')+1:]
}

// fill concludes everything else from the claim.
func fill(id *Identity, d *usage.PodDetail, c claim, rank groupRank) {
	id.Engine = c.server.engine
	id.IdentifiedBy = usage.Some(c.by)
	id.Container, id.Image = c.container.Name, c.container.Image
	id.ModelPath = usage.SomeUnless(modelPath(c), "")
	id.Model = usage.SomeUnless(cmp.Or(c.flags.first(c.server.served), nameOfPath(modelPath(c))), "")
	if role := disaggregationRole(d, c.flags); role != "" {
		id.Role = usage.Some(role)
	}
	id.MetricsPort = metricsPort(d, c)
	id.Scheme = scheme(d, c.flags)
	id.IsAPIServer = servesAPI(c, rank)
}

func modelPath(c claim) string {
	if p := c.flags.positional; c.server.positional && p != "" && !strings.ContainsAny(p, "$`") {
		return p
	}
	return c.flags.first(c.server.model)
}

// nameOfPath is the name under which an engine serves weights that were given
// no other: the path itself, except that a Hugging Face cache path tells the
// hub name, and that a platform's mount point tells nothing.
func nameOfPath(modelPath string) string {
	clean := path.Clean(modelPath)
	if modelPath == "" || genericPaths[clean] {
		return ""
	}
	for element := range strings.SplitSeq(clean, "/") {
		if name, ok := strings.CutPrefix(element, "models--"); ok {
			return strings.Replace(name, "--", "/", 1)
		}
	}
	return modelPath
}

// servesAPI tells a server that can be asked from a worker of a group.
func servesAPI(c claim, rank groupRank) bool {
	if c.server.noAPI || c.flags.set("headless") || c.flags.set("grpc") || c.flags.values["api-server-count"] == "0" {
		return false
	}
	if n, err := strconv.Atoi(c.flags.values["node-rank"]); err == nil {
		return n == 0
	}
	return c.sure && !c.flags.set("node-rank") || !rank.worker()
}

// disaggregationRole is the pod's part where prefill and decode are apart.
func disaggregationRole(d *usage.PodDetail, f flags) string {
	for _, said := range []string{f.values["disaggregation-mode"], d.Labels["llm-d.ai/role"]} {
		if said == "prefill" || said == "decode" {
			return said
		}
	}
	return ""
}

// metricsPort is where the engine answers: what the pod says for Prometheus,
// then the server's flag, then the container's declared port, then the
// engine's own default.
func metricsPort(d *usage.PodDetail, c claim) int32 {
	for _, said := range []string{d.Annotations["prometheus.io/port"], c.flags.first(c.server.port)} {
		if n, err := strconv.ParseUint(said, 10, 16); err == nil && n > 0 {
			return int32(n)
		}
	}
	ports := c.container.Ports
	for _, name := range metricsPortNames {
		for _, p := range ports {
			if p.Name == name {
				return p.Port
			}
		}
	}
	if len(ports) == 1 {
		return ports[0].Port
	}
	return c.server.listens
}

func scheme(d *usage.PodDetail, f flags) string {
	if s := d.Annotations["prometheus.io/scheme"]; s == "http" || s == "https" {
		return s
	}
	if f.set("ssl-certfile") || f.set("ssl-keyfile") {
		return "https"
	}
	return "http"
}
