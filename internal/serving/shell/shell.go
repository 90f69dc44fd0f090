// Package shell finds the programs that the command of a container runs,
// without running anything. The parser, the expansion of words and the patterns
// are those of mvdan.cc/sh. What the package adds is evaluation without a
// running shell: an exit status may be unknown, and then both branches are
// followed; a value may be unknown, such as $(…) or a variable from a Secret,
// and then it stays in the words as it is written, with its dollar sign.
//
// It follows eval, nested shells, functions, here-documents and files that a
// script writes and then runs, and the programs that only start another one.
// Of a script with a syntax error, what stands before the error counts. Which
// programs serve a model is its caller's knowledge.
package shell

import (
	"path"
	"slices"
	"strings"
)

// Bounds on one call of Commands. A pod's command has some hundred bytes, but
// variables, functions and eval can make any amount of text of them.
const (
	maxBytes = 256 << 10 // read and produced, roughly
	maxDepth = 8         // of scripts, functions and launchers inside each other
)

// Command is a program and its arguments, without the shells, launchers and
// assignments around it.
type Command struct {
	Argv  []string // never empty
	Maybe bool     // whether it runs depends on something unknown
}

// Lookup returns the value of an environment variable of the container; ok is
// false if it is unknown.
type Lookup func(name string) (value string, ok bool)

// Commands returns the programs that argv runs, in the order of the text. known
// recognizes the programs that the caller looks for, so that they are found
// among the arguments of launchers.
func Commands(argv []string, env Lookup, known func(argv []string) bool) []Command {
	r := reader{env: env, known: known, budget: maxBytes}
	r.run(command{argv: argv}, 0)
	return r.found
}

// reader follows the command of one container.
type reader struct {
	env       Lookup
	known     func(argv []string) bool
	vars      map[string]string   // set by the script
	lists     map[string][]string // arrays set by the script
	functions map[string]function
	files     map[string]string // that the script writes, by base name
	args      []string          // $0, $1, …
	loops     int               // how many loops are around the command
	maybe     bool              // whether the command runs is unknown
	text      string            // the script, which the positions of its nodes refer to
	budget    int               // what is left of maxBytes
	found     []Command
}

// run follows a command to the program that it starts in the end.
func (r *reader) run(c command, depth int) ternary {
	if len(c.argv) == 0 || depth > maxDepth || r.budget <= 0 {
		return likely
	}
	argv, name := c.argv, path.Base(c.argv[0])
	if status, ok := r.builtin(c, name, depth); ok {
		return status
	}
	if f, ok := r.functions[argv[0]]; ok {
		return r.call(f, argv, depth+1)
	}
	if text, ok := r.files[name]; ok {
		return r.script(text, argv, depth+1)
	}
	if rest, ok := r.launched(argv, name); ok {
		if name == "env" {
			defer r.scope()()
			for _, word := range argv[1 : len(argv)-len(rest)] {
				r.assignWord(word)
			}
		}
		c.argv = rest
		return r.run(c, depth+1)
	}
	r.found = append(r.found, Command{argv, r.maybe})
	return likely
}

// builtin runs a command of the shell itself, or a shell. ok is false if it is
// neither.
func (r *reader) builtin(c command, name string, depth int) (status ternary, ok bool) {
	argv := c.argv
	switch {
	case prefixes[name]:
		rest := argv[1:]
		for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
			if rest[0] == "-v" || rest[0] == "-V" {
				return likely, true // command -v asks for a path
			}
			if rest[0] == "-a" && len(rest) > 1 { // exec -a NAME
				rest = rest[1:]
			}
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return likely, true
		}
		c.argv = rest
		return r.run(c, depth+1), true
	case shells[name]:
		return r.nested(c, depth)
	case name == "eval":
		return r.script(strings.Join(argv[1:], " "), r.args, depth+1), true
	case (name == "source" || name == ".") && len(argv) > 1:
		if text, ok := r.files[path.Base(argv[1])]; ok {
			return r.script(text, r.args, depth+1), true
		}
	case takesScript[name] != "":
		i := slices.Index(argv, takesScript[name])
		if i > 0 && i+1 < len(argv) && (!shells[path.Base(argv[i-1])] || argv[max(i-2, 0)] == "-s") {
			return r.script(argv[i+1], r.args, depth+1), true
		}
	case name == "set":
		if i := slices.Index(argv, "--"); i > 0 && len(r.args) > 0 {
			r.args = append([]string{r.args[0]}, argv[i+1:]...)
		}
		return yes, true
	case name == "shift":
		if len(r.args) > 1 {
			r.args = append([]string{r.args[0]}, r.args[2:]...)
		}
		return yes, true
	case name == "true" || name == ":":
		return yes, true
	case name == "false":
		return no, true
	case name == "test" || name == "[":
		return test(argv), true
	}
	return unknown, false
}

// nested runs a shell: the script in its arguments or on its standard input. A
// script file is treated as a program.
func (r *reader) nested(c command, depth int) (status ternary, ok bool) {
	if script, args, ok := inlineScript(c.argv); ok {
		return r.script(script, args, depth+1), true
	}
	rest, stdin := c.argv[1:], len(c.argv) == 1
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		stdin = stdin || rest[0] == "-s"
		rest = rest[1:]
	}
	if c.input != nil && (stdin || len(rest) == 0) {
		return r.script(*c.input, append(c.argv[:1:1], rest...), depth+1), true
	}
	if len(rest) == 0 {
		return unknown, false
	}
	c.argv = rest
	return r.run(c, depth+1), true
}

// inlineScript returns the script of `sh -c SCRIPT [NAME [ARG…]]` and its
// arguments from $0 on.
func inlineScript(argv []string) (script string, args []string, ok bool) {
	for i := 1; i < len(argv); i++ {
		a := argv[i]
		if a == "" || a[0] != '-' && a[0] != '+' {
			return "", nil, false // a script file
		}
		if strings.HasPrefix(a, "--") {
			continue
		}
		takesName := strings.HasSuffix(a, "o") // -o pipefail, -euo pipefail
		if strings.Contains(a, "c") {
			rest := argv[i+1:]
			if takesName && len(rest) > 0 {
				rest = rest[1:]
			}
			if len(rest) > 0 && rest[0] == "--" {
				rest = rest[1:]
			}
			if len(rest) == 0 {
				return "", nil, false
			}
			if len(rest) == 1 {
				return rest[0], argv[:1], true
			}
			return rest[0], rest[1:], true
		}
		if takesName {
			i++
		}
	}
	return "", nil, false
}

// launched returns the command that a launcher starts. It is searched among the
// arguments, as the launcher's own options are not known: the first that is a
// shell, a function, a script that was written, or a program that the caller
// looks for. An unknown program is a launcher if it has such a command behind --.
func (r *reader) launched(argv []string, name string) (rest []string, ok bool) {
	from := launchesModule(argv)
	if from == 0 && !launchers[name] && !strings.HasSuffix(name, ".sh") && !strings.Contains(name, "entrypoint") {
		if from = slices.Index(argv, "--"); from < 1 || elsewhere[name] {
			return nil, false
		}
	}
	for i := from + 1; i < len(argv); i++ {
		rest, base := argv[i:], path.Base(argv[i])
		if argv[i] == "-m" {
			rest = append([]string{"python"}, rest...)
		}
		_, function := r.functions[argv[i]]
		_, file := r.files[base]
		if function || file || shells[base] || base == "eval" || r.known(rest) {
			return rest, true
		}
	}
	return nil, false
}

// launchesModule returns the index in argv of a Python module that runs another
// program, 0 without one.
func launchesModule(argv []string) int {
	i := slices.Index(argv, "-m") + 1
	if i > 0 && i < len(argv) && strings.HasPrefix(path.Base(argv[0]), "python") && launchers[argv[i]] {
		return i
	}
	return 0
}
