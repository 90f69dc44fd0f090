package shell

import (
	"strconv"
	"strings"
)

// quotedText reads text in which blanks and separators mean nothing, up to the
// end or the closing quote: in double quotes ('"'), in a here-document ('h'),
// where quotes are text, or behind the :- of a variable ('-'), where they are
// dropped.
func (l *lexer) quotedText(in byte) {
	for l.at < len(l.text) && l.r.budget > 0 {
		c := l.text[l.at]
		switch {
		case c == '"' && in == '"':
			l.at++
			return
		case (c == '"' || c == '\'') && in == '-':
			l.at++
		case c == '\\' && l.at+1 < len(l.text):
			next := l.text[l.at+1]
			if strings.IndexByte("\"\\$`\n", next) < 0 || next == '"' && in == 'h' {
				l.put('\\')
			}
			if next != '\n' {
				l.put(next)
			}
			l.at += 2
		case c == '$' || c == '`':
			l.expand(true)
		default:
			l.put(c)
			l.at++
		}
	}
}

// expandText resolves the variables of a text. Those inside of it go one level
// deeper, down to a bound.
func (r *reader) expandText(text string, in byte) string {
	if !open(text) && in == 'h' {
		return text
	}
	if r.nesting++; r.nesting > maxDepth {
		r.nesting--
		return text
	}
	inner := lexer{text: text, r: r}
	inner.quotedText(in)
	r.nesting--
	return inner.word.String()
}

// expand resolves what begins with a dollar sign or a backquote. Outside of
// quotes the result is split into words.
func (l *lexer) expand(quoted bool) {
	rest := l.text[l.at:]
	if l.plain {
		n := 1
		if strings.HasPrefix(rest, "${") {
			_, n = braced(rest)
		}
		l.putText(rest[:n])
		l.at += n
		return
	}
	if n := substitutionLen(rest); n > 0 { // $(…), `…`
		l.at += n
		l.putText(rest[:n])
		return
	}
	if !quoted && len(rest) > 1 && (rest[1] == '\'' || rest[1] == '"') {
		l.at++ // $'…' and $"…", but for their own escapes
		return
	}
	name, operation, n := variable(rest)
	l.at += n
	if name == "" {
		l.putText(rest[:n])
		return
	}
	words, ok := l.r.words(name, operation)
	if !ok {
		value, known := l.r.operate(name, operation)
		if !known {
			value = rest[:n] // it stays as it is written
		}
		if words = []string{value}; !quoted && !strings.ContainsAny(value, "(`{") {
			words = strings.Fields(value)
		}
	}
	for i, w := range words {
		if i > 0 {
			l.endWord()
		}
		l.putText(w)
	}
}

// words resolves $@ and ${NAME[@]}, which may be no word or several.
func (r *reader) words(name, operation string) (words []string, ok bool) {
	if list, known := r.lists[name]; known {
		switch operation {
		case "[@]", "[*]":
			return list, true
		case "", "[0]":
			return list[:min(1, len(list))], true
		}
		return nil, false
	}
	if name != "@" && name != "*" {
		return nil, false
	}
	from := 1
	if after, sliced := strings.CutPrefix(operation, ":"); sliced {
		var err error
		if from, err = strconv.Atoi(after); err != nil || from < 0 {
			return nil, false
		}
	}
	return r.args[min(from, len(r.args)):], true
}

// value is what is known of a variable.
func (r *reader) value(name string) (value string, ok bool) {
	if n, err := strconv.Atoi(name); err == nil {
		if n < len(r.args) && (n == 0 || r.loops == 0) {
			return r.args[n], true
		}
		// In a loop options are read one by one: which one, nobody can tell.
		return "", r.loops == 0 && len(r.args) > 0
	}
	if value, ok = r.vars[name]; !ok {
		value, ok = r.env(name)
	}
	return value, ok
}

// operate resolves ${NAME} with what stands behind the name.
func (r *reader) operate(name, operation string) (value string, ok bool) {
	value, ok = r.value(name)
	r.budget -= len(value)
	if operation == "" {
		return value, ok
	}
	ok = ok && !open(value)
	op, word := operation[:1], operation[1:]
	if op == ":" && word != "" && strings.IndexByte("-=+?", word[0]) >= 0 {
		ok = ok && value != ""
		op, word = word[:1], word[1:]
	}
	switch op {
	case "?":
		return value, ok
	case "-", "=":
		if ok {
			return value, true
		}
		value = r.expandText(word, '-')
		if op == "=" {
			r.assign([]string{name + "=" + value})
		}
		return value, true
	case "+":
		if ok {
			return r.expandText(word, '-'), true
		}
		return "", true
	case "#", "%":
		return trim(value, op, word, ok)
	case "/":
		return replace(value, word, ok)
	case ",":
		return strings.ToLower(value), ok && word == ","
	case "^":
		return strings.ToUpper(value), ok && word == "^"
	}
	return "", false
}

// trim is ${NAME#PATTERN} and its kin, for patterns that are a text with a
// star at one end.
func trim(value, op, pattern string, known bool) (string, bool) {
	longest := strings.HasPrefix(pattern, op)
	pattern = strings.Trim(strings.TrimPrefix(pattern, op), `"'`)
	fixed := strings.Trim(pattern, "*")
	if !known || fixed == "" || strings.ContainsAny(fixed, "*?[\\$`") {
		return "", false
	}
	at := strings.Index(value, fixed)
	if longest == (op == "#") {
		at = strings.LastIndex(value, fixed)
	}
	switch {
	case op == "#" && pattern == fixed:
		return strings.TrimPrefix(value, fixed), true
	case op == "%" && pattern == fixed:
		return strings.TrimSuffix(value, fixed), true
	case at < 0:
		return value, true
	case op == "#" && pattern == "*"+fixed:
		return value[at+len(fixed):], true
	case op == "%" && pattern == fixed+"*":
		return value[:at], true
	}
	return "", false
}

// replace is ${NAME/TEXT/BY} and ${NAME//TEXT/BY}.
func replace(value, word string, known bool) (string, bool) {
	rest, all := strings.CutPrefix(word, "/")
	text, by, _ := strings.Cut(strings.ReplaceAll(rest, `\/`, "\x00"), "/")
	text, by = strings.ReplaceAll(text, "\x00", "/"), strings.ReplaceAll(by, "\x00", "/")
	if !known || text == "" || strings.ContainsAny(text+by, "*?[\\$`\"'#%") {
		return "", false
	}
	times := 1
	if all {
		times = min(strings.Count(value, text), maxBytes/(len(by)+1))
	}
	return strings.Replace(value, text, by, times), true
}
