// Package shell tells which programs the command of a container comes to run.
// It reads scripts, and executes nothing: it knows quoting, variables whose
// value stands in the pod or in the script, separators, eval, nested shells,
// functions, here-documents that are run or written to a file that is run, and
// the programs that only run another one. A branch whose condition the text
// decides is taken or left, both are taken of one that it does not decide.
//
// What only a running shell could know, $(…) or a variable from a Secret,
// stays in the words as it is written, with its dollar sign. What the package
// does not know is which programs serve a model: its caller says so.
package shell

import (
	"path"
	"slices"
	"strings"
)

// Bounds on what a script may unfold to. A pod's command is some hundred
// bytes; variables, functions and eval could make it unfold without end.
const (
	maxBytes = 256 << 10
	maxDepth = 8
)

// Command is a program and its arguments, without shells, launchers and
// assignments around it.
type Command struct {
	Argv  []string // never empty
	Maybe bool     // run in one of several branches, and the text does not say which
}

// Lookup returns the value of a variable of the container, if it is known.
type Lookup func(name string) (value string, ok bool)

// Commands returns what argv runs, in the order of the text. known tells the
// caller's own programs, for which the arguments of launchers are searched.
func Commands(argv []string, env Lookup, known func(argv []string) bool) []Command {
	r := reader{env: env, known: known, budget: maxBytes}
	r.run(command{argv: argv}, 0)
	return r.found
}

// reader is what has been learned of a script so far.
type reader struct {
	env       Lookup
	known     func(argv []string) bool
	vars      map[string]string   // that the script assigns
	lists     map[string][]string // arrays, likewise
	functions map[string]string   // their bodies
	files     map[string]string   // scripts that the script writes, by base name
	args      []string            // $0, $1, …
	loops     int                 // loops around the command
	maybe     bool                // the command may not run
	nesting   int                 // of variables in variables
	budget    int                 // bytes that may still be read and produced
	found     []Command
}

// truth is what is known of an exit status, and so of what depends on it.
type truth int8

const (
	no truth = iota
	unknown
	likely // of a program that is there to succeed
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func not(t truth) truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

// run takes one command apart until it is a simple one.
func (r *reader) run(c command, depth int) truth {
	n := 0
	for n < len(c.argv) && isAssignment(c.argv[n]) {
		n++
	}
	if n == len(c.argv) {
		r.assign(c.argv)
		return yes
	}
	if depth > maxDepth || r.budget <= 0 {
		return likely
	}
	if n > 0 {
		defer r.assignFor(c.argv[:n])()
		c.argv = c.argv[n:]
	}
	argv, name := c.argv, path.Base(c.argv[0])
	if status, ok := r.builtin(c, name, depth); ok {
		return status
	}
	if body, ok := r.functions[argv[0]]; ok {
		return r.parse(body, argv, depth+1)
	}
	if text, ok := r.files[name]; ok {
		return r.parse(text, argv, depth+1)
	}
	if rest, ok := r.launched(argv, name); ok {
		if name == "env" {
			defer r.assignFor(argv[1:])()
		}
		c.argv = rest
		return r.run(c, depth+1)
	}
	r.found = append(r.found, Command{argv, r.maybe})
	return likely
}

// builtin runs what concerns the shell itself; ok is false for programs.
func (r *reader) builtin(c command, name string, depth int) (status truth, ok bool) {
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
	case declarations[name]:
		r.assign(slices.DeleteFunc(slices.Clone(argv[1:]), func(word string) bool { return !isAssignment(word) }))
		return yes, true
	case shells[name]:
		return r.nested(c, depth)
	case name == "eval":
		return r.parse(strings.Join(argv[1:], " "), r.args, depth+1), true
	case (name == "source" || name == ".") && len(argv) > 1:
		if text, ok := r.files[path.Base(argv[1])]; ok {
			return r.parse(text, r.args, depth+1), true
		}
	case takesScript[name] != "":
		i := slices.Index(argv, takesScript[name])
		if i > 0 && i+1 < len(argv) && (!shells[path.Base(argv[i-1])] || argv[max(i-2, 0)] == "-s") {
			return r.parse(argv[i+1], r.args, depth+1), true
		}
	case name == "for" && len(argv) > 3 && argv[2] == "in":
		r.assign([]string{argv[1] + "=" + argv[3]})
		return yes, true
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
	case name == "test" || name == "[" || name == "[[" || argv[len(argv)-1] == "]]":
		return condition(argv), true
	}
	return unknown, false
}

// nested runs a shell: the script given to it, what is piped into it, or a
// script file, which is taken for a program.
func (r *reader) nested(c command, depth int) (status truth, ok bool) {
	if script, args, ok := inlineScript(c.argv); ok {
		return r.parse(script, args, depth+1), true
	}
	rest, stdin := c.argv[1:], len(c.argv) == 1
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		stdin = stdin || rest[0] == "-s"
		rest = rest[1:]
	}
	if c.input != nil && (stdin || len(rest) == 0) {
		return r.parse(*c.input, append(c.argv[:1:1], rest...), depth+1), true
	}
	if len(rest) == 0 {
		return unknown, false
	}
	c.argv = rest
	return r.run(c, depth+1), true
}

// inlineScript finds the script of `sh -c SCRIPT [NAME [ARG…]]`, and from $0
// on what it is given.
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

// launched finds the command that a launcher runs behind its own options: a
// shell, a function, a file or a program that the caller knows. A program that
// nobody knows is a launcher too if it has a command behind --.
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

// launchesModule returns where in argv a module of Python stands that runs
// another program, 0 if there is none.
func launchesModule(argv []string) int {
	i := slices.Index(argv, "-m") + 1
	if i > 0 && i < len(argv) && strings.HasPrefix(path.Base(argv[0]), "python") && launchers[argv[i]] {
		return i
	}
	return 0
}
