package serving

import (
	"maps"
	"path"
	"strings"
)

// Bounds on what a script may unfold to. A pod's command is some hundred
// bytes; variables and eval could make it unfold without end.
const (
	maxScriptBytes = 256 << 10
	maxDepth       = 8
)

// shell finds the simple commands in what a container runs. It is no shell:
// it knows quoting, variables whose value stands in the pod or in the script,
// separators, eval and nested shells, and takes both branches of every if.
// What only a running shell could know, $(…) or a variable from a Secret,
// stays as text with its dollar sign.
type shell struct {
	vars     map[string]string
	ownsVars bool // vars is a copy of the pod's env
	budget   int  // bytes that may still be produced
	commands [][]string
}

// simpleCommands returns what argv runs, without shells, wrappers and
// variable assignments around it.
func simpleCommands(argv []string, env map[string]string) [][]string {
	s := &shell{vars: env, budget: maxScriptBytes}
	s.run(argv, 0)
	return s.commands
}

// run takes one command apart until it is a simple one.
func (s *shell) run(argv []string, depth int) {
	argv = s.stripPrefix(argv)
	if len(argv) == 0 || depth > maxDepth {
		return
	}
	name := path.Base(argv[0])
	switch {
	case shells[name]:
		if script, args, ok := inlineScript(argv[1:]); ok {
			s.parse(script, args, depth+1)
			return
		}
		if len(argv) > 1 { // a script file and its arguments
			argv = argv[1:]
			for len(argv) > 1 && strings.HasPrefix(argv[0], "-") {
				argv = argv[1:]
			}
			name = path.Base(argv[0])
		}
	case name == "eval":
		s.parse(strings.Join(argv[1:], " "), nil, depth+1)
		return
	}
	if wrappers[name] || strings.HasSuffix(name, ".sh") {
		for i := 1; i < len(argv); i++ {
			if base := path.Base(argv[i]); shells[base] || base == "eval" || known(argv[i:]) {
				s.run(argv[i:], depth+1)
				return
			}
		}
	}
	s.commands = append(s.commands, argv)
}

// stripPrefix takes off keywords and assignments before a command, and
// remembers the assignments that stand alone or behind export.
func (s *shell) stripPrefix(argv []string) []string {
	rest := argv
	for len(rest) > 0 && (keywords[rest[0]] || rest[0] == "export") {
		rest = rest[1:]
	}
	n := 0
	for n < len(rest) && isAssignment(rest[n]) {
		n++
	}
	if n == len(rest) {
		s.assign(rest)
	}
	return rest[n:]
}

func (s *shell) assign(assignments []string) {
	if len(assignments) == 0 {
		return
	}
	if !s.ownsVars {
		own := make(map[string]string, len(s.vars)+len(assignments))
		maps.Copy(own, s.vars)
		s.vars, s.ownsVars = own, true
	}
	for _, a := range assignments {
		name, value, _ := strings.Cut(a, "=")
		s.vars[name] = value
	}
}

func isAssignment(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	return ok && name != "" && varNameLen(name) == len(name)
}

// inlineScript finds the script of `sh -c SCRIPT [NAME [ARG…]]`.
func inlineScript(args []string) (script string, positional []string, ok bool) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "" || a[0] != '-' && a[0] != '+' {
			return "", nil, false // a script file
		}
		if strings.HasPrefix(a, "--") {
			continue
		}
		takesName := strings.HasSuffix(a, "o") // -o pipefail, -euo pipefail
		if strings.Contains(a, "c") {
			rest := args[i+1:]
			if takesName && len(rest) > 0 {
				rest = rest[1:]
			}
			if len(rest) > 0 && rest[0] == "--" {
				rest = rest[1:]
			}
			if len(rest) == 0 {
				return "", nil, false
			}
			return rest[0], rest[min(2, len(rest)):], true // rest[1] is $0
		}
		if takesName {
			i++
		}
	}
	return "", nil, false
}

// parse splits a script at its separators and runs each command.
func (s *shell) parse(script string, args []string, depth int) {
	if depth > maxDepth {
		return
	}
	l := lexer{text: script, args: args, shell: s}
	for {
		argv, more := l.command()
		if len(argv) > 0 {
			s.run(argv, depth)
		}
		if !more || s.budget <= 0 {
			return
		}
	}
}
