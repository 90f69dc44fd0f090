package shell

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// hasUnknown reports whether a part of a word is unknown. Such parts stay as
// they are written, so they begin with a dollar sign or a backquote.
func hasUnknown(word string) bool { return strings.ContainsAny(word, "$`") }

// isWhole reports whether a value must not be split at blanks, because they may
// be inside an unknown part such as $(cat file).
func isWhole(value string) bool { return hasUnknown(value) && strings.ContainsAny(value, "({`") }

// config lets the library use the variables of the reader, and neither files nor
// commands.
func (r *reader) config() *expand.Config { return &expand.Config{Env: environ{r}} }

// environ is a reader's variables, as the library wants them.
type environ struct{ r *reader }

func (e environ) Get(name string) expand.Variable {
	if list, ok := e.r.list(name); ok {
		return expand.Variable{Set: true, Kind: expand.Indexed, List: list}
	}
	value, ok := e.r.value(name)
	if !ok || name == "IFS" && hasUnknown(value) {
		return expand.Variable{}
	}
	return expand.Variable{Set: true, Kind: expand.String, Str: value}
}

func (e environ) Each(func(string, expand.Variable) bool) {}

func (e environ) Set(name string, v expand.Variable) error {
	e.r.assign(name, v.String(), false)
	return nil
}

// fields expands words as arguments of a command.
func (r *reader) fields(words []*syntax.Word) (fields []string) {
	for _, word := range words {
		expanded, err := expand.Fields(r.config(), &syntax.Word{Parts: r.resolve(word.Parts, inWord)})
		if err != nil {
			expanded = []string{r.source(word)}
		}
		fields = append(fields, expanded...)
	}
	return fields
}

// literal expands a word that is not split, such as the value of a variable.
func (r *reader) literal(word *syntax.Word) string {
	if word == nil {
		return ""
	}
	value, err := expand.Literal(r.config(), &syntax.Word{Parts: r.resolve(word.Parts, inWord)})
	if err != nil {
		return r.source(word)
	}
	return value
}

// document expands the body of a here-document.
func (r *reader) document(d *syntax.Redirect) string {
	value := ""
	if d.Hdoc != nil && isQuoted(d.Word) {
		value = d.Hdoc.Lit()
	} else if d.Hdoc != nil {
		var err error
		if value, err = expand.Document(r.config(), &syntax.Word{Parts: r.resolve(d.Hdoc.Parts, inQuotes)}); err != nil {
			value = r.source(d.Hdoc)
		}
	}
	if d.Op == syntax.DashHdoc {
		lines := strings.Split(value, "\n")
		for i := range lines {
			lines[i] = strings.TrimLeft(lines[i], "\t")
		}
		value = strings.Join(lines, "\n")
	}
	r.budget -= len(value)
	return value
}

// isQuoted reports whether a part of a here-document's delimiter is quoted,
// which makes the document plain text.
func isQuoted(delimiter *syntax.Word) bool {
	return slices.ContainsFunc(delimiter.Parts, func(part syntax.WordPart) bool {
		literal, ok := part.(*syntax.Lit)
		return !ok || strings.Contains(literal.Value, `\`)
	})
}

// source is the text of a node as it is written.
func (r *reader) source(n syntax.Node) string {
	end := min(int(n.End().Offset()), len(r.text)) // parse may add the end of a here-document
	return r.text[min(int(n.Pos().Offset()), end):end]
}

// context is where the parts of a word stand.
type context uint8

const (
	inWord    context = iota // a backslash quotes any character
	inPattern                // backslashes stay, as they are part of the pattern
	inQuotes                 // double quotes or a here-document: the library handles backslashes
)

// text is a part of a word that the library does not change.
func text(value string) syntax.WordPart { return &syntax.SglQuoted{Value: value} }

// resolve replaces the unknown parts of a word by their source, so that the
// library can expand the rest. Braces and a tilde are not expanded: dash has no
// brace expansion, and the home directory is unknown.
func (r *reader) resolve(parts []syntax.WordPart, where context) []syntax.WordPart {
	resolved := make([]syntax.WordPart, 0, len(parts))
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			switch {
			case where == inWord:
				part = text(unescape(p.Value))
			case where == inPattern && strings.HasPrefix(p.Value, "~"):
				part = &syntax.Lit{Value: `\` + p.Value}
			}
		case *syntax.SglQuoted:
		case *syntax.DblQuoted:
			part = &syntax.DblQuoted{Parts: r.resolve(p.Parts, inQuotes)}
		case *syntax.ParamExp:
			part = r.parameter(p, where)
		case *syntax.ProcSubst:
			part = text("$" + r.source(p)[1:]) // a file: $(…) marks it as unknown
		default:
			part = text(r.source(p))
		}
		resolved = append(resolved, part)
	}
	return resolved
}

// unescape drops the backslashes that quote a character.
func unescape(value string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(value, `\`)
		b.WriteString(before)
		if !found || after == "" {
			b.WriteString(value[len(before):])
			return b.String()
		}
		b.WriteByte(after[0])
		value = after[1:]
	}
}

// parameter returns a parameter expansion for the library, or its source if the
// result is unknown.
func (r *reader) parameter(p *syntax.ParamExp, where context) syntax.WordPart {
	source := text(r.source(p))
	if p.Param == nil || p.Excl || p.Names != 0 || !isNumber(p.Index) && !isAll(p.Index) ||
		p.Slice != nil && !(isNumber(p.Slice.Offset) && isNumber(p.Slice.Length)) || r.budget <= 0 {
		return source
	}
	value, known := r.value(p.Param.Value)
	list, isList := r.list(p.Param.Value)
	if isList {
		value, known = strings.Join(list, " "), true
	}
	r.budget -= len(value) + len(list)
	switch {
	case p.Exp != nil || p.Repl != nil:
		return r.operation(p, value, known)
	case p.Slice != nil || p.Length:
		known = known && (isList || !hasUnknown(value))
	case known && isList && where == inWord && isWhole(value): // in quotes each element stays whole
		each := &syntax.ParamExp{Param: p.Param, Index: p.Index}
		if p.Param.Value == "*" {
			each.Param = &syntax.Lit{Value: "@"}
		} else if isAll(p.Index) {
			each.Index = &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: "@"}}}
		}
		return &syntax.DblQuoted{Parts: []syntax.WordPart{each}}
	case known && !isList && isWhole(value):
		return text(value)
	}
	if !known {
		return source
	}
	return p
}

// isAll reports whether an index is [@] or [*].
func isAll(index syntax.ArithmExpr) bool {
	word, ok := index.(*syntax.Word)
	return ok && (word.Lit() == "@" || word.Lit() == "*")
}

// isNumber reports whether an expression is a plain number or absent.
func isNumber(x syntax.ArithmExpr) bool {
	word, ok := x.(*syntax.Word)
	if !ok {
		return x == nil
	}
	_, err := strconv.Atoi(word.Lit())
	return err == nil
}

// unsetName is a variable that no script can set.
const unsetName = "-"

// operation is parameter for expansions with an operator, such as ${NAME:-WORD},
// ${NAME#PATTERN} and ${NAME/PATTERN/WORD}. For ${NAME:-WORD} and ${NAME:+WORD}
// an unknown variable counts as unset.
func (r *reader) operation(p *syntax.ParamExp, value string, known bool) syntax.WordPart {
	exact := known && !hasUnknown(value)
	resolved, size := *p, 0
	inside := func(word *syntax.Word, where context) *syntax.Word {
		if word == nil {
			return nil
		}
		return &syntax.Word{Parts: r.resolve(word.Parts, where)}
	}
	measured := func(word *syntax.Word, where context) *syntax.Word {
		word = inside(word, where)
		expanded, err := expand.Literal(r.config(), word)
		exact = exact && err == nil && !hasUnknown(expanded)
		size += len(expanded)
		return word
	}
	if p.Exp != nil {
		e := *p.Exp
		resolved.Exp = &e
		switch e.Op {
		case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
			if !exact {
				resolved.Param = &syntax.Lit{Value: unsetName}
			}
			e.Word = inside(e.Word, inWord)
			return &resolved
		case syntax.AssignUnset, syntax.AssignUnsetOrNull:
			e.Word = inside(e.Word, inWord)
			return &resolved
		case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
			e.Word = nil
		case syntax.OtherParamOps:
			exact = false
		default:
			e.Word = measured(e.Word, inPattern)
		}
	} else {
		replace := *p.Repl
		resolved.Repl = &replace
		replace.Orig, replace.With = measured(replace.Orig, inPattern), measured(replace.With, inWord)
	}
	if !exact || !r.spend(len(value), size) {
		return text(r.source(p))
	}
	return &resolved
}

// spend subtracts from the budget what it may cost to match a value with a
// pattern or to replace parts of it: the product of the lengths. It reports
// whether the budget allows it.
func (r *reader) spend(value, other int) bool {
	work := (value + 1) * (other + 1)
	if work > r.budget {
		return false
	}
	r.budget -= work
	return true
}
