// Package serving tells which pods serve a model, with which engine, and reads
// the engine's own metrics into rows. It knows vLLM and SGLang.
//
// Identify works from a pod's specification alone and makes no requests. Its
// evidence, strongest first, is what the pod's owner declares (the annotations or
// labels k8s-monitor/engine, /model, /metrics-port and /ignore), the labels of
// platforms that name engine or model, the command and args, the image; all of
// it is kept. Scrape asks the engine. What the package does not do: look at the
// environment that a running container has (a Service named vllm puts
// VLLM_PORT into every pod of its namespace), follow config files, or decide
// which of a group's figures count. How scripts are read is the package shell.
package serving

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/serving/cmdline"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Identity is what a pod's specification says about the model that it serves.
type Identity struct {
	Engine       string            // usage.VLLM, usage.SGLang or usage.NoEngine
	Model        usage.Opt[string] // the name that clients ask for; absent: only the engine's metrics tell
	ModelPath    usage.Opt[string] // where the weights come from: a hub name, a path or a URL
	Role         usage.Opt[string] // "prefill" or "decode", else "leader" or "worker" of a group
	ReplicaGroup usage.Opt[string] // pods of one multi-node replica share it; present on other pods of a LeaderWorkerSet too
	IdentifiedBy usage.Opt[string] // the strongest evidence in a few words; absent with NoEngine
	Evidence     []string          // all of it, strongest first
	Container    string            // the serving container
	Image        string            // its image
	MetricsPort  int32             // where /metrics is; 0: nowhere, or not on a TCP port
	Scheme       string            // "http" or "https"; "" without a port
	IsAPIServer  bool              // false for a worker that only computes: there is nothing to scrape
}

// Identify concludes from a pod's specification what it serves. The zero Engine,
// usage.NoEngine, means that there is no evidence of a model server.
func Identify(d *usage.PodDetail) Identity {
	var id Identity
	group, rank := lwsGroup(d)
	if group != "" {
		id.ReplicaGroup, id.Role = usage.Some(group), rank.role()
	}
	s := metadata(d)
	if s.noServer {
		return id
	}
	var buf [4]candidate
	c, ok := find(d, &s, candidates(d, buf[:0]))
	if !ok {
		return id
	}
	if group == "" {
		group, rank = rayGroup(d)
		id.ReplicaGroup = usage.SomeUnless(group, "")
	}
	if rank == "" {
		rank = rankOf(c)
	}
	id.Role = rank.role()
	fill(&id, d, &s, c, rank)
	return id
}

// fill concludes everything else from the claim.
func fill(id *Identity, d *usage.PodDetail, s *said, c claim, rank groupRank) {
	id.Engine = c.server.engine
	for _, n := range s.evidence {
		if n.engine == "" || n.engine == id.Engine {
			id.Evidence = append(id.Evidence, n.by)
		}
	}
	if c.by != "" {
		id.Evidence = append(id.Evidence, c.by)
	}
	if c.image != nil && c.image.engine.name == id.Engine {
		id.Evidence = append(id.Evidence, "image "+shortRepo(c.repo))
	}
	id.IdentifiedBy = usage.Some(id.Evidence[0])
	id.Container, id.Image = c.Name, c.Container.Image
	from := modelPath(c.server, c.flags)
	id.ModelPath = usage.SomeUnless(from, "")
	byPath := ""
	if !slices.ContainsFunc(c.server.served, c.flags.Set) { // else it has a name, if one that we cannot know
		byPath = nameOfPath(from)
	}
	id.Model = usage.SomeUnless(cmp.Or(s.ownModel, servedName(c.server, c.flags), s.model, byPath), "")
	if role := cmp.Or(engineNamed(id.Engine).role(c.flags), roleLabel(d)); role != "" {
		id.Role = usage.Some(role)
	}
	if id.IsAPIServer = servesAPI(d, c, rank); id.IsAPIServer {
		if id.MetricsPort = metricsPort(d, c); id.MetricsPort != 0 {
			id.Scheme = scheme(d, s, c.flags)
		}
	}
}

// servedName is the first name that the flags give the model.
func servedName(p *program, f cmdline.Flags) string {
	if f.Unnamed {
		return ""
	}
	return f.First(p.served)
}

// modelPath is where the weights come from, "" if the flags do not say.
func modelPath(p *program, f cmdline.Flags) string {
	if f.Unnamed {
		return ""
	}
	at := f.First(p.model)
	if f.Positional != "" && (p.positional == anywhere || p.positional == first && f.Leads) {
		at = ""
		if !cmdline.Open(f.Positional) {
			at = f.Positional
		}
	}
	if at == "" && f.Complete && f.Positional == "" && !f.Set("config") && !f.Set("model") {
		at = p.defaultModel
	}
	if u, err := url.Parse(at); err == nil && u.User != nil {
		u.User = nil // a name or a password
		at = u.String()
	}
	return at
}

// nameOfPath is the name under which an engine serves weights without a name flag:
// the path itself; for a path in a Hugging Face cache the hub name; for a
// platform's mount point, which is the same for all models, none.
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

// rankOf is the place in a group that the command gives a server.
func rankOf(c claim) groupRank {
	e := engineNamed(c.server.engine)
	n := c.flags.First(e.rank)
	if _, err := strconv.ParseUint(n, 10, 16); err == nil {
		return groupRank(n)
	}
	if e.isWorker(c.flags) || c.runs.server == &rayNode && !c.flags.Set("head") {
		return "1" // or another: all that counts is that it does not lead
	}
	return ""
}

// servesAPI reports whether a server has an API, unlike a worker of a group.
func servesAPI(d *usage.PodDetail, c claim, rank groupRank) bool {
	if c.runs.server == &rayNode {
		return d.Labels[rayNodeType] == "head" // Ray Serve is behind it
	}
	e := engineNamed(c.server.engine)
	if c.server.noAPI || e.isWorker(c.flags) || slices.ContainsFunc(e.noHTTP, c.flags.Has) {
		return false
	}
	// A worker of a group may serve too, unless it is told that it is one.
	return !rank.worker() || c.sure && !slices.ContainsFunc(e.rank, c.flags.Set) && !c.runs.joins
}
