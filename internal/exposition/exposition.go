// Package exposition reads the text that a Prometheus endpoint answers with:
// the text format 0.0.4 and OpenMetrics text. It holds the reader and the
// GET with limits on time and size, and knows no metric by name.
//
// The reader is made for endpoints of which a few names out of hundreds are
// wanted. A line of another name is recognised by its name and skipped: its
// labels and value are never looked at, so they may even be malformed. A line
// of a wanted name is read in full and must be right.
//
// Comments are skipped, whatever they say; types and help are not needed here.
// A line ends with "\n" or "\r\n", and the last one may end without. Exemplars
// are dropped.
//
// Prometheus' own parsers were tried in its place on the bodies in testdata of
// the packages above, measured in turns:
//
//   - model/textparse of prometheus/prometheus v0.316 reads all of them alike. It
//     takes 8 to 20 times the CPU (of 12 to 70 kB: 60 to 600 µs a body, here 6 to
//     50 µs) and 4 to 10 times the allocations. A snapshot of 5,000 nodes, which
//     asks 9,282 endpoints twice, takes 13.9 CPU-seconds with it and 11.8 without.
//     It adds 1.8 MB to the program and six modules, among them gogo/protobuf,
//     which is no longer maintained. It refuses a body for any malformed line,
//     names no line number, and needs a second parser for OpenMetrics.
//   - expfmt of prometheus/common takes 0.9 to 2.7 ms a body and refuses real
//     ones: vLLM's data-parallel servers repeat HELP lines.
//
// So the reader is our own, and the tests outside of this module compare it with
// expfmt.
package exposition

import (
	"bytes"
	"fmt"
)

// Error is text that does not follow the format.
type Error struct {
	Line    int // from 1
	Problem string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// Read calls each for every sample of body whose name is a key of wanted, in
// the order of the text, with what wanted holds for that name. It stops at the
// first line that does not follow the format and returns an *Error; the calls
// made before that stand, so a caller that gets an error drops what it has.
// A body without samples, and an empty one, are no errors.
func Read[T any](body []byte, wanted map[string]T, each func(what T, s *Sample)) error {
	var (
		s        Sample
		last     []byte // the name of the line before, for histograms repeat theirs
		lastWhat T
		lastWant bool
	)
	for line := 1; len(body) > 0; line++ {
		var text []byte
		if end := bytes.IndexByte(body, '\n'); end >= 0 {
			text, body = body[:end], body[end+1:]
		} else {
			text, body = body, nil
		}
		if n := len(text); n > 0 && text[n-1] == '\r' {
			text = text[:n-1]
		}
		text = skipBlank(text)
		if len(text) == 0 || text[0] == '#' {
			continue
		}

		var rest []byte // what follows the name
		quoted := text[0] == '{'
		if n := len(last); !quoted && n > 0 && len(text) > n && string(text[:n]) == string(last) && endsName(text[n]) {
			rest = text[n:]
		} else {
			split := splitName
			if quoted {
				split = splitQuotedName
			}
			if last, rest = split(text); last == nil {
				return &Error{line, notText(text)}
			}
			lastWhat, lastWant = wanted[string(last)]
		}
		s.Name = last
		if quoted {
			last = nil // it may hold what an unquoted name cannot
		}
		if !lastWant {
			continue
		}
		if problem := s.readRest(rest, quoted); problem != "" {
			return &Error{line, problem}
		}
		each(lastWhat, &s)
	}
	return nil
}

// splitName cuts a line behind its metric name, nil if there is none.
func splitName(text []byte) (name, rest []byte) {
	n := 0
	for n < len(text) && nameByte[text[n]] {
		n++
	}
	if n == 0 || n == len(text) || !endsName(text[n]) || isDigit(text[0]) {
		return nil, nil
	}
	return text[:n], text[n:]
}

// splitQuotedName cuts a line of the form {"name",label="value"}, for names
// that are no identifiers. What it returns as rest is inside the braces.
func splitQuotedName(text []byte) (name, rest []byte) {
	text = skipBlank(text[1:])
	if len(text) == 0 || text[0] != '"' {
		return nil, nil
	}
	end := closingQuote(text[1:])
	if end <= 0 {
		return nil, nil
	}
	name, rest = unescape(text[1:1+end]), skipBlank(text[end+2:])
	switch {
	case len(rest) > 0 && rest[0] == ',':
		return name, rest[1:]
	case len(rest) > 0 && rest[0] == '}':
		return name, rest
	}
	return nil, nil
}

func notText(text []byte) string {
	const most = 40
	if len(text) > most {
		text = text[:most]
	}
	return fmt.Sprintf("not Prometheus text: %q", text)
}

// cutBlank splits text behind its first word.
func cutBlank(text []byte) (word, rest []byte) {
	n := 0
	for n < len(text) && !isBlank(text[n]) {
		n++
	}
	return text[:n], skipBlank(text[n:])
}

func skipBlank(text []byte) []byte {
	for len(text) > 0 && isBlank(text[0]) {
		text = text[1:]
	}
	return text
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func endsName(c byte) bool { return c == '{' || isBlank(c) }

// nameByte holds the bytes that names of metrics and labels are made of.
var nameByte = func() (set [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:") {
		set[c] = true
	}
	return set
}()
