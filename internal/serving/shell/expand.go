package shell

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// hasUnknown reports whether a word holds a part that only the running
// container knows: such parts stay as they are written, with $ or a backquote.
func hasUnknown(word string) bool { return strings.ContainsAny(word, "$`") }

// isWhole reports whether a value may not be split at its blanks: they may
// belong to an unknown part.
func isWhole(value string) bool { return hasUnknown(value) && strings.ContainsAny(value, "({`") }

// config is what the library expands words with: the variables of the reader,
// no files, no commands.
func (r *reader) config() *expand.Config { return &expand.Config{Env: environ{r}} }

// environ shows the library the variables of a reader, and takes assignments.
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
	return r.text[n.Pos().Offset():n.End().Offset()]
}

// context is where the parts of a word stand.
type context uint8

const (
	inWord    context = iota // a backslash quotes any character
	inPattern                // what a backslash quotes is the pattern's business
	inQuotes                 // double quotes or a here-document: the library reads the text
)

// text is a part of a word that the library leaves as it is.
func text(value string) syntax.WordPart { return &syntax.SglQuoted{Value: value} }

// resolve replaces the parts of a word that only the running container knows by
// their source, so that the library meets nothing unknown. Braces and a tilde
// stay too: dash has no brace expansion, and the home directory is unknown.
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

// parameter returns an expansion that the library can make, or the source of
// one that depends on the running container.
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

// isAll reports whether an index is that of all elements.
func isAll(index syntax.ArithmExpr) bool {
	word, ok := index.(*syntax.Word)
	return ok && (word.Lit() == "@" || word.Lit() == "*")
}

// isNumber reports whether an expression is a plain number, or is left out.
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

// operation is parameter for ${NAME:-WORD}, ${NAME#PATTERN}, ${NAME/PATTERN/WORD}
// and their like. What is unknown counts as unset for those that ask.
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

// spend takes the work of matching a value with a pattern, or of replacing
// parts of it by a text, off the budget: at most the product of their lengths.
func (r *reader) spend(value, other int) bool {
	work := (value + 1) * (other + 1)
	if work > r.budget {
		return false
	}
	r.budget -= work
	return true
}
