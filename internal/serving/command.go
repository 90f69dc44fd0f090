package serving

import (
	"path"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// runs is what the command and args of a container come to.
type runs struct {
	server    *program // nil: no program that we know
	name      string   // of the server, as in programs
	flags     flags
	notServer bool // a program of notServers, or nothing but idle ones
}

// inspect reads the command and args of a container.
func inspect(c *usage.Container) runs {
	argv := make([]string, 0, len(c.Command)+len(c.Args))
	for _, list := range [2][]string{c.Command, c.Args} {
		for _, word := range list {
			argv = append(argv, expandRefs(word, c.Env))
		}
	}
	var found runs
	commands := simpleCommands(argv, c.Env)
	idle := len(commands) > 0
	for _, command := range commands {
		p, name, rest := match(command)
		switch {
		case p != nil && (found.server == nil || found.server.noAPI):
			found.server, found.name, found.flags = p, name, parseFlags(rest)
		case p == nil && isNotServer(command):
			found.notServer = true
		}
		idle = idle && p == nil && idlePrograms[path.Base(command[0])]
	}
	found.notServer = found.notServer || idle
	if found.server != nil {
		// A benchmark beside a server in one script leaves it a server.
		found.notServer = found.server.unless != "" && found.flags.has(found.server.unless)
	}
	return found
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
	if len(rest) > 0 {
		if p := programs[name+" "+rest[0]]; p != nil {
			return p, name + " " + rest[0], rest[1:]
		}
	}
	for n := name; ; { // a path to a module of Python may have directories before it
		if p := programs[n]; p != nil {
			return p, n, rest
		}
		_, after, ok := strings.Cut(n, ".")
		if !ok {
			return nil, "", nil
		}
		n = after
	}
}

// isNotServer looks a simple command up among the programs that rule a server
// out.
func isNotServer(argv []string) bool {
	name, rest := programName(argv)
	if name == "" {
		return false
	}
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

// programName is the base name of a program, or for Python the dotted name of
// the module or script that it runs.
func programName(argv []string) (name string, rest []string) {
	if len(argv) == 0 {
		return "", nil
	}
	name, rest = path.Base(argv[0]), argv[1:]
	if !isPython(name) {
		return strings.TrimSuffix(name, ".py"), rest
	}
	for i := 0; i < len(rest); i++ {
		switch a := rest[i]; {
		case a == "-m" && i+1 < len(rest):
			return rest[i+1], rest[i+2:]
		case a == "-X" || a == "-W":
			i++
		case a == "-c" || a == "-":
			return "", nil
		case !strings.HasPrefix(a, "-"):
			script := strings.TrimSuffix(strings.TrimLeft(a, "/."), ".py")
			if base := path.Base(script); !strings.HasSuffix(a, ".py") {
				script = base // an installed entry point, such as /usr/bin/vllm
			}
			return strings.ReplaceAll(script, "/", "."), rest[i+1:]
		}
	}
	return "", nil
}

func isPython(name string) bool {
	return strings.HasPrefix(name, "python") && strings.Trim(name[len("python"):], "0123456789.") == ""
}

// flags are the arguments of a server. Names are without leading dashes and
// with dashes for underscores, as the engines' own parsers take both.
type flags struct {
	values     map[string]string // the first value of each; "" for a switch
	positional string            // the first argument that belongs to no flag
}

// parseFlags reads --flag=value, --flag value and switches. Where a flag is
// given twice the last one counts.
func parseFlags(args []string) flags {
	f := flags{values: map[string]string{}}
	for i := 0; i < len(args); i++ {
		if !isFlag(args[i]) {
			if f.positional == "" {
				f.positional = args[i]
			}
			continue
		}
		name, value, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		name = strings.ReplaceAll(name, "_", "-")
		if !joined && !isSwitch(name) && i+1 < len(args) && !isFlag(args[i+1]) {
			i++
			value = args[i]
			for listFlags[name] && i+1 < len(args) && !isFlag(args[i+1]) {
				i++
			}
		}
		if name != "" {
			f.values[name] = value
		}
	}
	return f
}

// isFlag tells a flag from a value, which may be a negative number.
func isFlag(word string) bool {
	return len(word) > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9')
}

func isSwitch(name string) bool {
	if switches[name] {
		return true
	}
	for _, p := range switchPrefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// first returns the value of the first flag that has one a reader can use: not
// empty, and with no variable left in it.
func (f flags) first(names []string) string {
	for _, n := range names {
		if v := f.values[n]; v != "" && !strings.ContainsAny(v, "$`") {
			return v
		}
	}
	return ""
}

// has reports whether the flag of a flag=value has this value.
func (f flags) has(flagValue string) bool {
	name, value, _ := strings.Cut(flagValue, "=")
	return f.values[name] == value
}

// set reports whether the flag is given at all.
func (f flags) set(name string) bool {
	_, ok := f.values[name]
	return ok
}
