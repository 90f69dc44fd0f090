package shell

import (
	"path"
	"slices"
	"strings"
)

// branch is an if or a case that is open.
type branch struct {
	outer   truth // whether what is around it runs
	live    truth // whether its present part runs
	taken   truth // whether one of its parts did
	word    string
	pattern bool     // of a case: the next words are a pattern
	match   []string // the alternatives of a pattern so far
}

// arm opens a part that runs if its condition holds and no part before did.
func (b *branch) arm(condition truth) {
	if condition == likely {
		condition = unknown
	}
	b.live = condition
	switch {
	case b.taken == yes:
		b.live = no
	case b.taken == unknown:
		b.live = min(unknown, condition)
	}
	b.taken = max(b.taken, condition)
}

// script is a text being read, command by command.
type script struct {
	*reader
	lexer
	branches []branch
	status   truth // of the last command
	gate     truth // whether the next command runs, for && and ||
	negate   bool
}

// parse reads a script and runs each of its commands. args are $0, $1, …
func (r *reader) parse(text string, args []string, depth int) truth {
	if r.budget -= len(text); depth > maxDepth || r.budget <= 0 {
		return likely
	}
	outerArgs, outerLoops, outerMaybe := r.args, r.loops, r.maybe
	r.args, r.loops = args, 0
	defer func() { r.args, r.loops, r.maybe = outerArgs, outerLoops, outerMaybe }()

	s := script{reader: r, lexer: lexer{text: text, r: r}, status: yes, gate: yes}
	var piped *string
	for {
		from := s.at
		c := s.command()
		if c.input == nil {
			c.input = piped
		}
		piped = nil
		if !s.function(c, from) {
			if c.argv = s.control(c); len(c.argv) > 0 {
				s.step(c, outerMaybe, depth)
			}
			if out := r.output(c); out != nil && c.sep == "|" {
				piped = out
			}
		}
		s.separate(c.sep)
		if c.sep == "" || r.budget <= 0 {
			return s.status
		}
	}
}

// step runs a command, unless a condition keeps it from running.
func (s *script) step(c command, outerMaybe bool, depth int) {
	live := min(s.gate, s.live())
	if live == no {
		return
	}
	s.maybe = outerMaybe || live == unknown
	s.status = s.run(c, depth)
	if s.negate {
		s.status = not(s.status)
	}
	s.negate = false
}

// separate notes what stands between two commands.
func (s *script) separate(sep string) {
	switch sep {
	case "&&":
		s.gate = min(s.gate, s.status)
		if s.status >= likely {
			s.gate = yes
		}
	case "||":
		s.gate = unknown
		if s.status == yes {
			s.gate = no
		} else if s.status == no {
			s.gate = yes
		}
	default:
		s.gate = yes
	}
	if top := s.top(); sep == ";;" && top != nil && top.word != "" {
		top.pattern = true
	}
}

// live says whether what stands here runs.
func (s *script) live() truth {
	if top := s.top(); top != nil {
		return min(top.outer, top.live)
	}
	return yes
}

func (s *script) top() *branch {
	if len(s.branches) == 0 {
		return nil
	}
	return &s.branches[len(s.branches)-1]
}

// control takes the words of if, case and loops off a command.
func (s *script) control(c command) (argv []string) {
	argv = c.argv
	if top := s.top(); top != nil && top.pattern {
		return s.casePattern(top, argv, c.sep)
	}
	for len(argv) > 0 && (keywords[argv[0]] || argv[0] == "esac") {
		top := s.top()
		switch word := argv[0]; {
		case word == "if":
			s.branches = append(s.branches, branch{outer: s.live(), live: yes})
		case word == "!":
			s.negate = true
		case top == nil:
		case word == "then":
			top.arm(s.status)
		case word == "elif":
			top.live = not(top.taken)
		case word == "else":
			top.arm(yes)
		case word == "fi" || word == "esac":
			s.branches = s.branches[:len(s.branches)-1]
		}
		argv = argv[1:]
	}
	if len(argv) > 2 && argv[0] == "case" && argv[2] == "in" {
		s.branches = append(s.branches, branch{outer: s.live(), word: "=" + argv[1], pattern: true})
		return s.casePattern(s.top(), argv[3:], c.sep)
	}
	return argv
}

// casePattern reads the patterns before a part of a case.
func (s *script) casePattern(top *branch, argv []string, sep string) (rest []string) {
	if len(argv) > 0 && argv[0] == "esac" {
		s.branches = s.branches[:len(s.branches)-1]
		return argv[1:]
	}
	top.match = append(top.match, argv...)
	if sep != ")" {
		return nil
	}
	fits := no
	for _, p := range top.match {
		ok, err := path.Match(p, top.word[1:])
		switch {
		case p == "*" || ok:
			fits = yes
		case err != nil, open(p):
			fits = max(fits, unknown)
		}
	}
	if open(top.word) {
		fits = unknown
	}
	top.arm(fits)
	top.pattern, top.match = false, nil
	return nil
}

// function keeps the body of a function that begins here.
func (s *script) function(c command, from int) bool {
	name := ""
	switch {
	case len(c.argv) == 1 && c.sep == "(" && s.accept(")"):
		name = c.argv[0]
	case len(c.argv) > 1 && c.argv[0] == "function":
		name = c.argv[1]
		s.at = from + max(strings.IndexByte(s.text[from:], '{'), 0)
	default:
		return false
	}
	if body, ok := s.body(); ok {
		if s.functions == nil {
			s.functions = map[string]string{}
		}
		s.functions[name] = body
	}
	return true
}

// output is what a command writes, where the text says it, and the file that
// it writes it to; nil where only a shell could know.
func (r *reader) output(c command) *string {
	if len(c.argv) == 0 {
		return nil
	}
	var text string
	words := slices.DeleteFunc(slices.Clone(c.argv[1:]), func(w string) bool { return strings.HasPrefix(w, "-") })
	switch name := path.Base(c.argv[0]); {
	case c.input != nil && (name == "tee" || name == "cat" && len(words) == 0):
		text = *c.input
		if name == "tee" {
			for _, file := range words {
				r.write(file, text, false)
			}
		}
	case name == "echo" || name == "printf" && !strings.Contains(c.argv[len(c.argv)-1], "%"):
		text = strings.ReplaceAll(strings.Join(words, " "), `\n`, "\n")
	default:
		return nil
	}
	if c.target != "" {
		r.write(c.target, text, c.adds)
	}
	return &text
}

func (r *reader) write(file, text string, adds bool) {
	if r.files == nil {
		r.files = map[string]string{}
	}
	name := path.Base(file)
	if adds {
		text = r.files[name] + "\n" + text
	}
	r.budget -= len(text)
	r.files[name] = text
}
