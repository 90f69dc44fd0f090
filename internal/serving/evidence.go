package serving

import (
	"cmp"
	"slices"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/serving/cmdline"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// claim is one piece of evidence: this container is this server.
type claim struct {
	*candidate
	server *program
	flags  cmdline.Flags
	by     string
	sure   bool // the command is known, not just the image
}

// candidate is a container that may be the server, and what it runs.
type candidate struct {
	*usage.Container
	repo  string
	image *image // nil: not one that we know
	runs  runs
}

// candidates are the containers that may be the server, those with GPUs first:
// not an init container that ends before the others start, nor an image that
// never serves; and a sidecar only if no main container is one.
func candidates(d *usage.PodDetail, list []candidate) []candidate {
	for i := range d.Containers {
		c := &d.Containers[i]
		repo := repository(c.Image)
		if c.Init && !c.Sidecar || matchesAny(notServerImages, repo) {
			continue
		}
		list = append(list, candidate{c, repo, knownImage(repo), inspect(d, c)})
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

// find returns the strongest evidence: metadata that names the engine, then
// command, args and image, then a platform that has only one engine.
func find(d *usage.PodDetail, s *said, containers []candidate) (claim, bool) {
	c, ok := claim{}, false
	for _, by := range [...]func(*usage.PodDetail, []candidate) (claim, bool){byCommand, byEntrypoint, byImage} {
		if c, ok = by(d, containers); ok {
			break
		}
	}
	engine := s.engine
	if engine == "" && !ok {
		engine = s.fallback
	}
	if engine == "" || ok && c.server.engine == engine {
		return c, ok
	}
	if !ok {
		c, ok = byMetadata(s, containers)
	}
	c.server = engineNamed(engine).usual
	return c, ok
}

// byMetadata chooses the container where metadata alone names the engine: the
// platform's, else the first; only a pod's owner may mean one that idles.
func byMetadata(s *said, containers []candidate) (c claim, ok bool) {
	for i := range containers {
		candidate := &containers[i]
		named := slices.Contains(s.containers, candidate.Name)
		if candidate.runs.notServer && !s.own || ok && !named {
			continue
		}
		if c, ok = (claim{candidate: candidate}), true; named {
			break
		}
	}
	if ok {
		c.flags = c.runs.flags
		c.flags.Positional, c.flags.Complete = "", false
	}
	return c, ok
}

// byCommand finds a program that serves in the command or args. A node of a
// Ray cluster shows no engine in its command; its image may.
func byCommand(_ *usage.PodDetail, containers []candidate) (claim, bool) {
	for i := range containers {
		c := &containers[i]
		p := c.runs.server
		if p == nil || p.engine == usage.NoEngine || c.runs.notServer {
			continue
		}
		where := "args"
		word, _, _ := strings.Cut(strings.TrimSuffix(c.runs.name, ".py"), " ")
		if strings.Contains(strings.Join(c.Command, " "), word[strings.LastIndexByte(word, '.')+1:]) {
			where = "command"
		}
		return claim{c, p, c.runs.flags, "`" + c.runs.name + "` in " + where, true}, true
	}
	return claim{}, false
}

// byEntrypoint finds images whose entrypoint serves, and the flags given to it.
func byEntrypoint(_ *usage.PodDetail, containers []candidate) (claim, bool) {
	for i := range containers {
		c := &containers[i]
		if len(c.Command) > 0 || c.runs.server != nil || c.runs.notServer || c.image == nil || c.image.entrypoint == nil {
			continue
		}
		server := c.image.entrypoint
		args := c.runs.argv
		if isNotServer(append([]string{server.engine}, args...)) {
			continue // the entrypoint is the engine without its sub-command
		}
		by := ""
		if len(args) > 0 {
			by = "args of image " + shortRepo(c.repo)
			if args[0] == "serve" {
				args = args[1:]
			}
		}
		f := flagParser.Parse(args)
		f.Complete = f.Complete && by != "" // an image without args may bring its own
		if server.unless != "" && f.Has(server.unless) || f.Set("help") {
			continue
		}
		return claim{c, server, f, by, true}, true
	}
	return claim{}, false
}

// byImage decides by the image where the command is not known. A Job that
// runs a server's image with a command of its own is batch work, and a Python
// program that listens nowhere only uses the library.
func byImage(d *usage.PodDetail, containers []candidate) (claim, bool) {
	for i := range containers {
		c := &containers[i]
		if c.image == nil || c.runs.notServer {
			continue
		}
		if len(c.Command) == 0 && (c.image.entrypoint != nil || len(c.Args) == 0) {
			continue // ruled out by its args; or the image starts a shell
		}
		if kind, _ := d.Row.OwnerKind.Get(); batchOwners[kind] {
			continue
		}
		server, f := c.image.engine.usual, cmdline.Flags{}
		switch p := c.runs.server; {
		case len(c.Command) == 0 && cmdline.IsFlag(c.Args[0]): // of an entrypoint that we do not know
			if f = c.runs.flags; f.Set("help") {
				continue
			}
		case p != nil && p.engine != usage.NoEngine:
			continue // ruled out by its flags
		case p != nil:
			f = c.runs.flags
		case c.runs.python:
			if f = c.runs.flags; len(c.Ports) == 0 && !f.Set("port") {
				continue
			}
			f.Positional, f.Complete = "", false
		}
		return claim{c, server, f, "", false}, true
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
