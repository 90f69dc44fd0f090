package kube

import "bytes"

// cursor goes through JSON that is known to be valid, as the items of a list
// are once they are split: it looks for where values end and at nothing else.
type cursor struct {
	text []byte
	at   int
}

// first returns the first byte of what comes next.
func (c *cursor) first() byte {
	for {
		switch b := c.text[c.at]; b {
		case ' ', '\t', '\n', '\r':
			c.at++
		default:
			return b
		}
	}
}

// enter goes into the object or the array that comes next.
func (c *cursor) enter() {
	c.first()
	c.at++
}

// more reports whether there is more in the object or the array, and leaves it
// if there is not.
func (c *cursor) more() bool {
	switch c.first() {
	case ',':
		c.at++
	case '}', ']':
		c.at++
		return false
	}
	return true
}

// name reads the name of a member of an object, up to its value, as it is
// spelt between the quotes.
func (c *cursor) name() []byte {
	quoted := c.value()
	c.enter() // past the colon
	return quoted[1 : len(quoted)-1]
}

// value reads a value.
func (c *cursor) value() []byte {
	first := c.first()
	start := c.at
	switch first {
	case '"':
		c.at = endOfString(c.text, start)
	case '{', '[':
		c.at = endOfNested(c.text, start)
	default:
		c.at = endOfWord(c.text, start)
	}
	return c.text[start:c.at]
}

// endOfString returns what follows the string that starts at i.
func endOfString(text []byte, i int) int {
	for {
		i++
		i += bytes.IndexByte(text[i:], '"')
		slashes := 0
		for text[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
}

// endOfNested returns what follows the object or the array that starts at i.
func endOfNested(text []byte, i int) int {
	for depth := 0; ; {
		switch text[i] {
		case '"':
			i = endOfString(text, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
}

// endOfWord returns what follows the number, true, false or null that starts
// at i.
func endOfWord(text []byte, i int) int {
	for ; i < len(text); i++ {
		switch text[i] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return i
		}
	}
	return i
}
