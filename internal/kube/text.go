package kube

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// splitJSON reads a list in JSON, whatever the order of its keys.
func splitJSON(t *text, visit func(item) error) (token string, err error) {
	err = t.each('{', '}', func() error {
		key, err := t.value()
		if err != nil {
			return err
		}
		var name string
		if err := json.Unmarshal(key, &name); err != nil {
			return err
		}
		if c, err := t.next(); err != nil || c != ':' {
			return t.unexpected(c, err)
		}
		if name == "items" {
			c, err := t.next()
			if err != nil {
				return cut(err)
			}
			_ = t.r.UnreadByte() // it was just read
			if c == '[' {
				return t.each('[', ']', func() error {
					raw, err := t.value()
					if err != nil {
						return err
					}
					return visit(item{bytes: raw, json: true})
				})
			}
		}
		raw, err := t.value()
		switch {
		case err != nil:
			return err
		case name == "items" && string(raw) != "null": // an empty list may be null
			return fmt.Errorf("items is %.20s, want an array", raw)
		case name == "metadata":
			var meta struct{ Continue string }
			err = json.Unmarshal(raw, &meta)
			token = meta.Continue
		}
		return err
	})
	return token, err
}

// text cuts JSON text into values as it arrives. It finds where a value ends
// and leaves it to who decodes it to find fault with it.
type text struct {
	r      *bufio.Reader
	buffer []byte
}

// next returns the next byte that is not white space.
func (t *text) next() (byte, error) {
	for {
		c, err := t.r.ReadByte()
		if err != nil || c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c, err
		}
	}
}

func (t *text) unexpected(c byte, err error) error {
	if err != nil {
		return cut(err)
	}
	return fmt.Errorf("the answer is no list: %q was not expected", c)
}

// each calls element at the start of each element between open and shut.
func (t *text) each(open, shut byte, element func() error) error {
	c, err := t.next()
	if err != nil || c != open {
		return t.unexpected(c, err)
	}
	for first := true; ; first = false {
		if c, err = t.next(); err != nil {
			return cut(err)
		}
		if c == shut {
			return nil
		}
		if first {
			_ = t.r.UnreadByte() // it was just read
		} else if c != ',' {
			return t.unexpected(c, nil)
		}
		if err := element(); err != nil {
			return err
		}
	}
}

// value reads a value: from its first byte to the brace, bracket or quote that
// matches it, or of a number or a word, to what cannot belong to it. The bytes
// are valid until the next value is read.
func (t *text) value() ([]byte, error) {
	first, err := t.next()
	if err != nil {
		return nil, cut(err)
	}
	t.buffer = append(t.buffer[:0], first)
	depth, quoted, escaped := 0, first == '"', false
	switch first {
	case '{', '[':
		depth = 1
	case '"':
	default:
		return t.word()
	}
	for {
		part, err := t.part()
		if err != nil {
			return nil, err
		}
		for i, c := range part {
			switch {
			case escaped:
				escaped = false
			case quoted:
				escaped = c == '\\'
				quoted = c != '"'
			case c == '"':
				quoted = true
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				depth--
			}
			if depth == 0 && !quoted {
				return t.take(part[:i+1])
			}
		}
		if _, err := t.take(part); err != nil {
			return nil, err
		}
	}
}

// word reads on to what ends a number, true, false or null.
func (t *text) word() ([]byte, error) {
	for {
		part, err := t.part()
		if err == io.ErrUnexpectedEOF {
			return t.buffer, nil
		}
		if err != nil {
			return nil, err
		}
		for i, c := range part {
			if c == ',' || c == '}' || c == ']' || c <= ' ' {
				return t.take(part[:i])
			}
		}
		if _, err := t.take(part); err != nil {
			return nil, err
		}
	}
}

// part looks at what has arrived.
func (t *text) part() ([]byte, error) {
	if _, err := t.r.Peek(1); err != nil {
		return nil, cut(err)
	}
	return t.r.Peek(t.r.Buffered())
}

// take moves the part to the buffer.
func (t *text) take(part []byte) ([]byte, error) {
	if len(t.buffer)+len(part) > maxItemBytes {
		return nil, fmt.Errorf("an item is above the bound of %d bytes", maxItemBytes)
	}
	t.buffer = append(t.buffer, part...)
	_, err := t.r.Discard(len(part))
	return t.buffer, err
}
