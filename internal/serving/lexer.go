package serving

import "strings"

// lexer reads a shell script word by word. Variables are resolved while it
// reads, so that an assignment counts for what follows it.
type lexer struct {
	text  string
	at    int
	args  []string // $1, $2, …
	shell *shell

	words   []string
	word    strings.Builder
	started bool // the word is there, though it may be empty
}

// command reads up to the next separator. more is false at the end.
func (l *lexer) command() (argv []string, more bool) {
	l.words = nil
	for l.at < len(l.text) && l.shell.budget > 0 {
		c := l.text[l.at]
		l.at++
		switch c {
		case ' ', '\t', '\r':
			l.endWord()
		case '\n', ';', '|', '&', '(', ')':
			l.endWord()
			return l.words, true
		case '#':
			if !l.started {
				l.skipLine()
			} else {
				l.put(c)
			}
		case '\'':
			l.started = true
			end := strings.IndexByte(l.text[l.at:], '\'')
			if end < 0 {
				end = len(l.text) - l.at
			}
			l.putText(l.text[l.at : l.at+end])
			l.at = min(l.at+end+1, len(l.text))
		case '"':
			l.started = true
			l.doubleQuoted()
		case '\\':
			if l.at < len(l.text) {
				if l.text[l.at] != '\n' {
					l.put(l.text[l.at])
				}
				l.at++
			}
		case '$', '`':
			l.at--
			l.expand(false)
		case '<', '>':
			l.redirection()
		default:
			l.put(c)
		}
	}
	l.endWord()
	return l.words, false
}

func (l *lexer) put(c byte) {
	l.started = true
	l.shell.budget--
	l.word.WriteByte(c)
}

func (l *lexer) putText(text string) {
	l.started = true
	l.shell.budget -= len(text)
	if l.shell.budget > 0 {
		l.word.WriteString(text)
	}
}

func (l *lexer) endWord() {
	if l.started {
		l.words = append(l.words, l.word.String())
	}
	l.word.Reset()
	l.started = false
}

func (l *lexer) skipLine() {
	for l.at < len(l.text) && l.text[l.at] != '\n' {
		l.at++
	}
}

// redirection drops an operator with its descriptor and target: 2>&1, >> file.
func (l *lexer) redirection() {
	if w := l.word.String(); strings.Trim(w, "0123456789") == "" {
		l.word.Reset()
		l.started = false
	}
	l.endWord()
	for l.at < len(l.text) && strings.IndexByte("<>&|-", l.text[l.at]) >= 0 {
		l.at++
	}
	for l.at < len(l.text) && l.text[l.at] == ' ' {
		l.at++
	}
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n;|&()", l.text[l.at]) < 0 {
		l.at++
	}
}

// doubleQuoted reads up to the closing quote; the opening one is read.
func (l *lexer) doubleQuoted() {
	for l.at < len(l.text) && l.shell.budget > 0 {
		c := l.text[l.at]
		switch c {
		case '"':
			l.at++
			return
		case '\\':
			l.at++
			if l.at == len(l.text) {
				return
			}
			next := l.text[l.at]
			l.at++
			if strings.IndexByte("\"\\$`\n", next) < 0 {
				l.put('\\')
			}
			if next != '\n' {
				l.put(next)
			}
		case '$', '`':
			l.expand(true)
		default:
			l.put(c)
			l.at++
		}
	}
}

// expand resolves what begins with a dollar sign or a backquote. Outside of
// quotes the result is split into words.
func (l *lexer) expand(quoted bool) {
	rest := l.text[l.at:]
	if n := substitutionLen(rest); n > 0 { // $(…), `…`
		l.at += n
		l.putText(rest[:n])
		return
	}
	name, fallback, n := variable(rest)
	if n == 0 {
		l.put('$')
		l.at++
		return
	}
	l.at += n
	value, ok := "", true
	switch {
	case name == "@" || name == "*":
		for i, a := range l.args {
			if i > 0 {
				l.endWord()
			}
			l.putText(a)
		}
		return
	case name[0] >= '0' && name[0] <= '9':
		if i := int(name[0] - '0'); len(name) == 1 && i > 0 && i <= len(l.args) {
			value = l.args[i-1]
		}
	default:
		if value, ok = l.shell.vars[name]; !ok {
			if value = fallback; value == "" {
				value = rest[:n] // unknown: it stays as it is written
			}
			quoted = true
		}
	}
	if quoted {
		l.putText(value)
		return
	}
	for i, field := range strings.Fields(value) {
		if i > 0 {
			l.endWord()
		}
		l.putText(field)
	}
}

// substitutionLen returns the length of the command substitution that text
// begins with, 0 if none.
func substitutionLen(text string) int {
	if text[0] == '`' {
		if end := strings.IndexByte(text[1:], '`'); end >= 0 {
			return end + 2
		}
		return len(text)
	}
	if !strings.HasPrefix(text, "$(") {
		return 0
	}
	depth := 0
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// variable reads $NAME, ${NAME}, ${NAME:-fallback}, $1 and $@ at the start of
// text; n is 0 if there is none.
func variable(text string) (name, fallback string, n int) {
	if len(text) < 2 {
		return "", "", 0
	}
	if text[1] != '{' {
		n = varNameLen(text[1:])
		if n == 0 && strings.IndexByte("@*0123456789", text[1]) >= 0 {
			n = 1
		}
		if n == 0 {
			return "", "", 0
		}
		return text[1 : 1+n], "", 1 + n
	}
	end := strings.IndexByte(text, '}')
	if end < 0 {
		return "", "", 0
	}
	inside := text[2:end]
	k := varNameLen(inside)
	if k == 0 && inside != "" && strings.IndexByte("@*0123456789", inside[0]) >= 0 {
		k = 1
	}
	if k == 0 {
		return "", "", 0
	}
	fallback = strings.TrimPrefix(inside[k:], ":")
	if !strings.HasPrefix(fallback, "-") && !strings.HasPrefix(fallback, "=") {
		return inside[:k], "", end + 1
	}
	return inside[:k], strings.Trim(fallback[1:], `"'`), end + 1
}

// varNameLen is the length of the identifier that text begins with.
func varNameLen(text string) int {
	n := 0
	for n < len(text) && (text[n] == '_' || text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z' || n > 0 && text[n] >= '0' && text[n] <= '9') {
		n++
	}
	return n
}

// expandRefs resolves the $(NAME) references that the kubelet resolves in
// command, args and env, from the literal env. $$ stands for a dollar sign;
// an unknown reference stays as it is written.
func expandRefs(text string, env map[string]string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '$' && i+1 < len(text) {
			if text[i+1] == '$' {
				b.WriteByte('$')
				i++
				continue
			}
			if text[i+1] == '(' {
				if end := strings.IndexByte(text[i:], ')'); end > 0 {
					if value, ok := env[text[i+2:i+end]]; ok {
						b.WriteString(value)
						i += end
						continue
					}
				}
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
