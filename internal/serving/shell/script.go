package shell

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// command is a simple command with its words expanded.
type command struct {
	argv  []string
	input *string // what its standard input holds, nil if unknown
}

// function is a function of a script, with the text that its body stands in.
type function struct {
	body *syntax.Stmt
	text string
}

// script runs a text. args are $0, $1, …
func (r *reader) script(text string, args []string, depth int) ternary {
	if r.budget -= len(text); depth > maxDepth || r.budget <= 0 {
		return likely
	}
	statements, _ := parse(text) // a shell runs those before the error
	defer r.enter(text, args)()
	return r.block(statements, depth)
}

// enter begins to run a text; leave goes back to the one that started it.
func (r *reader) enter(text string, args []string) (leave func()) {
	outer := *r
	r.text, r.args, r.loops = text, args, 0
	return func() { r.text, r.args, r.loops, r.maybe = outer.text, outer.args, outer.loops, outer.maybe }
}

// call runs a function.
func (r *reader) call(f function, args []string, depth int) ternary {
	if r.budget -= int(f.body.End().Offset() - f.body.Pos().Offset()); depth > maxDepth || r.budget <= 0 {
		return likely
	}
	defer r.enter(f.text, args)()
	return r.statement(f.body, nil, depth)
}

// block runs statements one after the other; its status is that of the last.
func (r *reader) block(statements []*syntax.Stmt, depth int) ternary {
	status := yes
	for _, s := range statements {
		if r.budget <= 0 {
			return likely
		}
		status = r.statement(s, nil, depth)
	}
	return status
}

// under runs what depends on a condition: not at all, maybe or surely.
func (r *reader) under(condition ternary, run func() ternary) ternary {
	if condition == no {
		return no
	}
	outer := r.maybe
	defer func() { r.maybe = outer }()
	r.maybe = outer || condition == unknown
	return run()
}

// statement runs a command with its redirections. input is what the pipe before
// it holds, nil if unknown.
func (r *reader) statement(s *syntax.Stmt, input *string, depth int) ternary {
	status, _ := r.piped(s, input, depth)
	return status
}

// piped is statement; output is what the command writes to the pipe after it,
// nil if unknown.
func (r *reader) piped(s *syntax.Stmt, input *string, depth int) (status ternary, output *string) {
	target, adds := "", false
	for _, redirect := range s.Redirs {
		switch redirect.Op {
		case syntax.Hdoc, syntax.DashHdoc:
			text := r.document(redirect)
			input = &text
		case syntax.WordHdoc:
			text := r.literal(redirect.Word)
			input = &text
		case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll:
			if redirect.N == nil || redirect.N.Value == "1" {
				target, adds = r.literal(redirect.Word), redirect.Op == syntax.AppOut || redirect.Op == syntax.AppAll
			}
		}
	}
	status = yes
	if call, ok := s.Cmd.(*syntax.CallExpr); ok {
		c := command{argv: r.fields(call.Args), input: input}
		status = r.simple(call, c, depth)
		output = r.output(c, target, adds)
	} else if s.Cmd != nil {
		status = r.compound(s.Cmd, input, depth)
	}
	if s.Negated {
		status = status.not()
	}
	return status, output
}

// simple runs a command with the assignments before it.
func (r *reader) simple(call *syntax.CallExpr, c command, depth int) ternary {
	if len(c.argv) == 0 {
		r.assignments(call.Assigns)
		return yes
	}
	if len(call.Assigns) > 0 {
		defer r.scope()()
		r.assignments(call.Assigns)
	}
	return r.run(c, depth)
}

// compound runs everything but simple commands.
func (r *reader) compound(c syntax.Command, input *string, depth int) ternary {
	switch c := c.(type) {
	case *syntax.BinaryCmd:
		return r.binary(c, input, depth)
	case *syntax.Block:
		return r.block(c.Stmts, depth)
	case *syntax.Subshell:
		defer r.scope()()
		return r.block(c.Stmts, depth)
	case *syntax.IfClause:
		return r.ifClause(c, depth)
	case *syntax.CaseClause:
		return r.caseClause(c, depth)
	case *syntax.WhileClause:
		return r.loop(func() {
			if status := r.block(c.Cond, depth); status != ternaryOf(c.Until) {
				r.block(c.Do, depth)
			}
		})
	case *syntax.ForClause:
		return r.loop(func() { r.forClause(c, depth) })
	case *syntax.FuncDecl:
		if c.Name == nil {
			return unknown // `() { …`, which a shell refuses
		}
		if r.functions == nil {
			r.functions = map[string]function{}
		}
		r.functions[c.Name.Value] = function{c.Body, r.text}
	case *syntax.DeclClause:
		r.assignments(c.Args)
	case *syntax.TestClause:
		return r.testClause(c.X)
	case *syntax.TimeClause:
		if c.Stmt != nil {
			return r.statement(c.Stmt, input, depth)
		}
	case *syntax.CoprocClause:
		return r.statement(c.Stmt, input, depth)
	default: // arithmetic
		return unknown
	}
	return yes
}

// binary runs a pipeline or a list of && and ||.
func (r *reader) binary(c *syntax.BinaryCmd, input *string, depth int) ternary {
	status, output := r.piped(c.X, input, depth)
	right := func() ternary { return r.statement(c.Y, nil, depth) }
	switch {
	case c.Op == syntax.AndStmt && status == likely:
		return right()
	case c.Op == syntax.AndStmt:
		return min(status, r.under(status, right))
	case c.Op == syntax.OrStmt:
		return max(status, r.under(status.not(), right))
	}
	return r.statement(c.Y, output, depth)
}

// ifClause runs the branch whose condition holds, or each branch that may run.
func (r *reader) ifClause(c *syntax.IfClause, depth int) ternary {
	taken, status := no, yes
	for ; c != nil; c = c.Else {
		condition := taken.not()
		if c.ThenPos.IsValid() { // not an else
			result := r.under(condition, func() ternary { return r.block(c.Cond, depth) })
			condition = min(condition, result.decided())
		}
		if condition != no {
			status = r.under(condition, func() ternary { return r.block(c.Then, depth) })
		}
		taken = max(taken, condition)
	}
	return status
}

// caseClause does the same for the branches of a case.
func (r *reader) caseClause(c *syntax.CaseClause, depth int) ternary {
	word := r.literal(c.Word)
	taken, status := no, yes
	for _, item := range c.Items {
		fits := no
		for _, pattern := range item.Patterns {
			fits = max(fits, r.matches(word, pattern))
		}
		if fits = min(fits, taken.not()); fits != no {
			status = r.under(fits, func() ternary { return r.block(item.Stmts, depth) })
		}
		taken = max(taken, fits)
	}
	return status
}

// loop runs the body of a loop once. The positional parameters are unknown in
// it, as each round may shift them.
func (r *reader) loop(body func()) ternary {
	r.loops++
	body()
	r.loops--
	return likely
}

// forClause runs the body for the first of the words.
func (r *reader) forClause(c *syntax.ForClause, depth int) {
	if words, ok := c.Loop.(*syntax.WordIter); ok && words.InPos.IsValid() {
		items := r.fields(words.Items)
		if len(items) == 0 {
			return
		}
		r.assign(words.Name.Value, items[0], false)
	}
	r.block(c.Do, depth)
}

// output returns what a command writes to its standard output, nil if unknown.
// Text that goes to the file target is kept, as the script may run that file.
func (r *reader) output(c command, target string, adds bool) *string {
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
	if target != "" {
		r.write(target, text, adds)
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
