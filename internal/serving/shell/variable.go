package shell

import "strings"

// assign remembers NAME=VALUE words. Of one that may not run, the value is not
// known afterwards, unless it was the same before.
func (r *reader) assign(assignments []string) {
	for _, a := range assignments {
		name, value, _ := strings.Cut(a, "=")
		name, adds := strings.CutSuffix(name, "+")
		old, had := r.value(name)
		if adds {
			if value = old + value; !had {
				value = "${" + name + "}" + value
			}
			r.budget -= len(value)
		}
		if r.maybe && (!had || old != value) {
			value = "${" + name + "}"
		}
		if r.vars == nil {
			r.vars = map[string]string{}
		}
		r.vars[name] = value
		delete(r.lists, name)
	}
}

// assignFor assigns the NAME=VALUE words among words until undo is called.
func (r *reader) assignFor(words []string) (undo func()) {
	before := make(map[string]*string, len(words))
	for _, w := range words {
		if !isAssignment(w) {
			continue
		}
		name, _, _ := strings.Cut(w, "=")
		if name = strings.TrimSuffix(name, "+"); before[name] == nil {
			if old, had := r.vars[name]; had {
				before[name] = &old
			} else {
				before[name] = nil
			}
		}
		r.assign([]string{w})
	}
	return func() {
		for name, old := range before {
			if delete(r.vars, name); old != nil {
				r.vars[name] = *old
			}
		}
	}
}

func isAssignment(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	name = strings.TrimSuffix(name, "+")
	return ok && name != "" && nameLen(name) == len(name)
}

// substitutionLen returns the length of the command substitution that text
// begins with, 0 if none.
func substitutionLen(text string) int {
	switch {
	case text[0] == '`':
		if end := strings.IndexByte(text[1:], '`'); end >= 0 {
			return end + 2
		}
		return len(text)
	case strings.HasPrefix(text, "$("):
		return 1 + parenthesized(text[1:])
	}
	return 0
}

// parenthesized returns the length up to the closing parenthesis; those in
// quotes are text.
func parenthesized(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		case '\\':
			i++
		case '\'', '"':
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				return len(text)
			}
			i += end + 1
		}
	}
	return len(text)
}

// variable reads $NAME, ${NAME…}, $1 or $@ at the start of text. Without a
// name it returns how much of the text to leave as it is.
func variable(text string) (name, operation string, n int) {
	if !strings.HasPrefix(text, "${") {
		n = varLen(text[1:])
		return text[1 : 1+n], "", 1 + n
	}
	inside, n := braced(text)
	k := varLen(inside)
	return inside[:k], inside[k:], n
}

// braced returns what stands between ${ and its closing brace, and the length
// with both. One that is never closed has no inside.
func braced(text string) (inside string, n int) {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return text[2:i], i + 1
			}
		}
	}
	return "", len(text)
}

// varLen is the length of the name of a variable or parameter.
func varLen(text string) int {
	if text != "" && strings.IndexByte("@*0123456789", text[0]) >= 0 {
		return 1
	}
	return nameLen(text)
}

// nameLen is the length of the identifier that text begins with.
func nameLen(text string) int {
	n := 0
	for n < len(text) && (text[n] == '_' || text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z' || n > 0 && text[n] >= '0' && text[n] <= '9') {
		n++
	}
	return n
}
