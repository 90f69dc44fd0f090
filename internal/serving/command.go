package serving

import (
	"path"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/serving/cmdline"
	"github.com/company/k8s-resource-monitor/internal/serving/shell"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// runs is what the command and args of a container start.
type runs struct {
	argv      []string      // all words, references resolved
	server    *program      // nil: no program that we know
	name      string        // of the server, as in programs
	flags     cmdline.Flags // of the server, else of the Python program that may be one
	sure      bool          // it runs for certain; false: in one of several branches
	joins     bool          // some branch joins a group without serving itself
	notServer bool          // a program of notServers, or nothing but idle ones
	python    bool          // a Python program that we do not know, and no other program
}

// inspect reads the command and args of a container.
func inspect(d *usage.PodDetail, c *usage.Container) runs {
	if len(c.Command)+len(c.Args) == 0 {
		return runs{}
	}
	env := environment(d, c)
	argv := make([]string, 0, len(c.Command)+len(c.Args))
	for _, list := range [2][]string{c.Command, c.Args} {
		for _, word := range list {
			argv = append(argv, env.Expand(word))
		}
	}
	found := runs{argv: argv}
	if len(c.Command) == 0 && cmdline.IsFlag(argv[0]) { // of an entrypoint
		found.flags = flagParser.Parse(argv)
		return found
	}
	others, idle := 0, true
	for _, command := range shell.Commands(argv, env.Lookup, known) {
		p, name, rest := match(command.Argv)
		switch {
		case p != nil:
			if f := flagParser.Parse(rest); !f.Set("help") && !f.Set("h") {
				found.add(p, name, f, !command.Maybe)
				idle = false
			}
		case isNotServer(command.Argv):
			found.notServer = true
		case !isIdle(command.Argv):
			idle = false
			if python, rest := pythonProgram(command.Argv); python && found.server == nil {
				found.python, found.flags = true, flagParser.Parse(rest)
			} else {
				others++
			}
		}
	}
	found.python = found.python && others == 0
	found.notServer = found.notServer || idle
	if p := found.server; p != nil && p.engine != usage.NoEngine {
		// A script with a server and a benchmark is a server.
		found.notServer = p.unless != "" && found.flags.Has(p.unless)
	}
	return found
}

// add takes in a server. Of several, the one that certainly runs counts, and of
// these the first with an API. If it is not known which of several runs, its model
// is not known either.
func (r *runs) add(p *program, name string, f cmdline.Flags, sure bool) {
	joins := p.noAPI || engineNamed(p.engine).isWorker(f)
	r.joins = r.joins || joins
	old := r.server
	better := old == nil || old.engine == usage.NoEngine && p.engine != usage.NoEngine || sure && !r.sure && p.engine != usage.NoEngine ||
		sure == r.sure && engineNamed(old.engine).isWorker(r.flags) && !joins
	ambiguous := old != nil && old.engine != usage.NoEngine && p.engine != usage.NoEngine && !sure && !r.sure &&
		(modelPath(old, r.flags) != modelPath(p, f) || servedName(old, r.flags) != servedName(p, f))
	if better {
		f.Complete = f.Complete && p.engine != usage.NoEngine
		r.server, r.name, r.flags, r.sure = p, name, f, sure
	}
	if ambiguous {
		r.flags.Unnamed = true
	}
}

// known reports whether argv begins with a program of either table.
func known(argv []string) bool {
	p, _, _ := match(argv)
	return p != nil || isNotServer(argv)
}

// match looks a simple command up among the servers.
func match(argv []string) (p *program, name string, args []string) {
	name, rest := programName(argv)
	if name == "" {
		return nil, "", nil
	}
	for n := name; ; { // a path to a module of Python may have directories before it
		module := strings.TrimSuffix(n, ".py")
		if len(rest) > 0 {
			if p := programs[module+" "+rest[0]]; p != nil {
				return p, module + " " + rest[0], rest[1:]
			}
		}
		for _, n := range [2]string{n, module} {
			if p := programs[n]; p != nil && (p.needs == "" || flagParser.Parse(rest).Set(p.needs)) {
				return p, n, rest
			}
		}
		_, after, ok := strings.Cut(n, ".")
		if !ok || after == "py" {
			return nil, "", nil
		}
		n = after
	}
}

// isNotServer reports whether a simple command is a program that is known not to
// serve.
func isNotServer(argv []string) bool {
	name, rest := programName(argv)
	if name == "" {
		return false
	}
	name = strings.TrimSuffix(name, ".py")
	last := name[strings.LastIndexByte(name, '.')+1:]
	if notServers[name] || notServers[last] || len(rest) > 0 && notServers[name+" "+rest[0]] {
		return true
	}
	for _, prefix := range notServerPrefixes {
		if strings.HasPrefix(name, prefix) || strings.HasPrefix(last, prefix) {
			return true
		}
	}
	return false
}

// isIdle reports whether a command does something other than serving.
func isIdle(argv []string) bool {
	base := path.Base(argv[0])
	if idlePrograms[base] {
		return true
	}
	name, _ := programName(argv)
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return strings.ContainsRune("._-/", r) }) {
		if idleWords[word] {
			return true
		}
	}
	return false
}

// pythonProgram reports whether a command is a program in Python, and what it
// is given.
func pythonProgram(argv []string) (ok bool, args []string) {
	for i, word := range argv {
		if base := path.Base(word); isPython(base) || strings.HasSuffix(base, ".py") {
			_, args = programName(argv[i:])
			return true, args
		}
	}
	return false, nil
}

// programName is the base name of a program, or for Python the dotted name of
// the module or script that it runs; that of a script ends with ".py".
func programName(argv []string) (name string, rest []string) {
	if len(argv) == 0 {
		return "", nil
	}
	name, rest = path.Base(argv[0]), argv[1:]
	if strings.HasSuffix(name, ".py") {
		return dotted(argv[0]), rest
	}
	if !isPython(name) {
		return name, rest
	}
	for i := 0; i < len(rest); i++ {
		switch a := rest[i]; {
		case a == "-m" && i+1 < len(rest):
			return rest[i+1], rest[i+2:]
		case a == "-X" || a == "-W":
			i++
		case a == "-c" || a == "-":
			return "", nil
		case strings.HasSuffix(a, ".py"):
			return dotted(a), rest[i+1:]
		case !strings.HasPrefix(a, "-"):
			return path.Base(a), rest[i+1:] // an installed entry point, such as /usr/bin/vllm
		}
	}
	return "", nil
}

// dotted turns the path of a script into the name of a module.
func dotted(script string) string {
	return strings.ReplaceAll(strings.TrimLeft(script, "/."), "/", ".")
}

func isPython(name string) bool {
	return strings.HasPrefix(name, "python") && strings.Trim(name[len("python"):], "0123456789.") == ""
}
