package shell

import "strings"

// command is what stands between two separators.
type command struct {
	argv   []string
	sep    string  // that ended it: a newline, ; ;; | || & && ( or ); "" at the end of the text
	input  *string // what its standard input holds, where the text says it
	target string  // the file that its standard output goes to
	adds   bool    // to the end of that file
}

// lexer reads a script word by word. Variables are resolved while it reads, so
// that an assignment counts for what follows it.
type lexer struct {
	text  string
	at    int
	r     *reader
	plain bool // look through the text, resolve nothing

	now      command
	word     strings.Builder
	started  bool   // the word is there, though it may be empty
	quoted   bool   // some of it is
	operator string // of a redirection that waits for its word
	newline  int    // where the line with a here-document ends
	resume   int    // where the script goes on behind here-documents
}

// command reads up to the next separator.
func (l *lexer) command() command {
	l.now = command{}
	for l.at < len(l.text) && l.r.budget > 0 {
		c := l.text[l.at]
		switch c {
		case ' ', '\t', '\r':
			l.endWord()
			l.at++
		case '\n', ';', '|', '(', ')':
			if c == '(' && l.array() {
				continue
			}
			return l.end(c)
		case '&':
			if l.at+1 < len(l.text) && l.text[l.at+1] == '>' {
				l.endWord()
				l.redirection()
				continue
			}
			return l.end(c)
		case '#':
			if l.started {
				l.put(c)
				l.at++
				continue
			}
			for l.at < len(l.text) && l.text[l.at] != '\n' {
				l.at++
			}
		case '\'':
			l.started, l.quoted = true, true
			text, _, _ := strings.Cut(l.text[l.at+1:], "'")
			l.putText(text)
			l.at = min(l.at+len(text)+2, len(l.text))
		case '"':
			l.started, l.quoted = true, true
			l.at++
			l.quotedText('"')
		case '\\':
			if l.at++; l.at < len(l.text) {
				if l.text[l.at] != '\n' {
					l.quoted = true
					l.put(l.text[l.at])
				}
				l.at++
			}
		case '$', '`':
			l.expand(false)
		case '<', '>':
			l.redirection()
		default:
			l.put(c)
			l.at++
		}
	}
	l.endWord()
	return l.now
}

// end ends the command with a separator, of which c is the first byte.
func (l *lexer) end(c byte) command {
	l.endWord()
	l.operator = ""
	from := l.at
	l.at++
	if l.at < len(l.text) && l.text[l.at] == c && strings.IndexByte(";|&", c) >= 0 {
		l.at++
	}
	l.now.sep = l.text[from:l.at]
	switch {
	case c == '\n' && from == l.newline && l.resume > from:
		l.at = l.resume
	case c == ';' && l.accept("&"):
		l.now.sep = ";;"
	case l.now.sep == "|":
		l.accept("&")
	}
	return l.now
}

// accept skips a text that stands here, blanks before it included.
func (l *lexer) accept(text string) bool {
	rest := strings.TrimLeft(l.text[l.at:], " \t")
	if !strings.HasPrefix(rest, text) {
		return false
	}
	l.at = len(l.text) - len(rest) + len(text)
	return true
}

func (l *lexer) put(c byte) {
	l.started = true
	l.r.budget--
	l.word.WriteByte(c)
}

func (l *lexer) putText(text string) {
	l.started = true
	if l.r.budget -= len(text); l.r.budget > 0 {
		l.word.WriteString(text)
	}
}

// endWord ends the word, which may be the target of a redirection.
func (l *lexer) endWord() {
	if !l.started {
		return
	}
	word, quoted, operator := l.word.String(), l.quoted, l.operator
	l.word.Reset()
	l.started, l.quoted, l.operator = false, false, ""
	switch operator {
	case "":
		if len(l.now.argv) == 0 && !l.plain {
			switch word {
			case "do":
				l.r.loops++
			case "done":
				l.r.loops = max(l.r.loops-1, 0)
			}
		}
		l.now.argv = append(l.now.argv, word)
	case "<<", "<<-":
		l.hereDocument(word, operator == "<<-", quoted)
	case "<<<":
		l.now.input = &word
	case ">", ">>", ">|", "&>", "&>>":
		l.now.target, l.now.adds = word, strings.HasSuffix(operator, ">>")
	}
}

// redirection reads an operator; its word follows.
func (l *lexer) redirection() {
	descriptor := l.word.String()
	if !l.quoted && strings.Trim(descriptor, "0123456789") == "" {
		l.word.Reset()
		l.started = false
	} else {
		descriptor = ""
	}
	l.endWord()
	rest := l.text[l.at:]
	if len(rest) > 1 && rest[1] == '(' { // <(…) and >(…) stand for a file
		n := parenthesized(rest[1:]) + 1
		l.at += n
		l.putText("$" + rest[1:n])
		return
	}
	for _, operator := range [...]string{"<<<", "<<-", "<<", "<>", "<&", "<", "&>>", "&>", ">>", ">|", ">&", ">"} {
		if strings.HasPrefix(rest, operator) {
			l.at += len(operator)
			l.operator = operator
			break
		}
	}
	if descriptor != "" && descriptor != "1" && l.operator[0] == '>' {
		l.operator = ">&" // not the standard output: its target is nothing to us
	}
}

// hereDocument takes the lines up to the delimiter out of the script.
func (l *lexer) hereDocument(delimiter string, tabs, quoted bool) {
	if l.resume <= l.at {
		end := strings.IndexByte(l.text[l.at:], '\n')
		if end < 0 {
			return
		}
		l.newline = l.at + end
		l.resume = l.newline + 1
	}
	var body strings.Builder
	for l.resume < len(l.text) {
		line, _, _ := strings.Cut(l.text[l.resume:], "\n")
		l.resume = min(l.resume+len(line)+1, len(l.text))
		if tabs {
			line = strings.TrimLeft(line, "\t")
		}
		if line == delimiter {
			break
		}
		body.WriteString(line)
		body.WriteByte('\n')
	}
	text := body.String()
	if l.r.budget -= len(text); !quoted && !l.plain {
		text = l.r.expandText(text, 'h')
	}
	l.now.input = &text
}

// array reads NAME=(WORD…) and NAME+=(WORD…); false if it is no array.
func (l *lexer) array() bool {
	name, assigns := strings.CutSuffix(l.word.String(), "=")
	name, adds := strings.CutSuffix(name, "+")
	if !assigns || name == "" || nameLen(name) != len(name) || l.plain {
		return false
	}
	inner := lexer{text: l.text, at: l.at + 1, r: l.r}
	var words []string
	for c := (command{sep: "\n"}); c.sep != ")" && c.sep != ""; {
		c = inner.command()
		words = append(words, c.argv...)
	}
	l.at = inner.at
	l.word.Reset()
	l.started = false
	if l.r.lists == nil {
		l.r.lists = map[string][]string{}
	}
	if adds {
		words = append(l.r.lists[name][:len(l.r.lists[name]):len(l.r.lists[name])], words...)
	}
	l.r.lists[name] = words
	return true
}

// body returns what stands between the braces that begin here, and skips it.
func (l *lexer) body() (text string, ok bool) {
	for l.accept("\n") {
	}
	if !l.accept("{") {
		return "", false
	}
	l.plain = true
	defer func() { l.plain = false }()
	start, depth := l.at, 1
	for {
		from := l.at
		c := l.command()
		for _, word := range c.argv {
			switch {
			case word == "{":
				depth++
			case word == "}":
				depth--
			case !keywords[word]:
				word = ""
			}
			if depth == 0 {
				return l.text[start:from], true
			}
			if word == "" {
				break
			}
		}
		if c.sep == "" {
			return "", false
		}
	}
}
