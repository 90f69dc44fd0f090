package exposition

import (
	"bytes"
	"fmt"
	"strconv"
)

// Sample is one line of a wanted name. It is valid during the call that it is
// given to: it points into the body and is used again for the next line.
type Sample struct {
	Name  []byte
	Value float64 // may be NaN or an infinity
	Time  float64 // as written: Unix milliseconds, in OpenMetrics seconds; 0: none
	pairs []pair

	// An endpoint repeats a few label sets for every metric, mostly in the same
	// order, so that comparing with the sets before saves taking them apart.
	sets [16]labelSet
	used int // sets that have been filled, of which the last ones are kept
	at   int // the set of the line before
}

// pair is a label as it stands in the text, escapes included.
type pair struct{ name, value []byte }

// labelSet is the text of labels, from behind the opening brace to the closing
// one, and what it says.
type labelSet struct {
	text  []byte
	pairs []pair
}

// Label returns the value of a label, nil if the sample does not have it. A
// value without escapes, which is nearly every one, costs no allocation.
func (s *Sample) Label(name string) []byte {
	for _, p := range s.pairs {
		if string(p.name) == name {
			return unescape(p.value)
		}
	}
	return nil
}

// Labels calls each with every label in the order of the text.
func (s *Sample) Labels(each func(name, value []byte)) {
	for _, p := range s.pairs {
		each(unescape(p.name), unescape(p.value))
	}
}

// readRest reads what follows the name: labels, value, timestamp, exemplar.
func (s *Sample) readRest(rest []byte, inBraces bool) (problem string) {
	s.pairs, s.Time = nil, 0
	rest = skipBlank(rest)
	if !inBraces && len(rest) > 0 && rest[0] == '{' {
		inBraces, rest = true, rest[1:]
	}
	if inBraces {
		if rest, problem = s.readLabels(rest); problem != "" {
			return problem
		}
	}
	token, rest := cutBlank(rest)
	value, ok := number(token)
	if !ok {
		return fmt.Sprintf("value %q of %s is not a number", token, s.Name)
	}
	s.Value = value
	if len(rest) > 0 && rest[0] != '#' {
		token, rest = cutBlank(rest)
		if s.Time, ok = number(token); !ok {
			return fmt.Sprintf("timestamp %q of %s is not a number", token, s.Name)
		}
	}
	if len(rest) > 0 && rest[0] != '#' {
		return fmt.Sprintf("%q follows the value of %s", rest, s.Name)
	}
	return ""
}

// readLabels reads the inside of the braces up to and with the closing one.
func (s *Sample) readLabels(rest []byte) (after []byte, problem string) {
	kept := min(s.used, len(s.sets))
	for i := range kept {
		i = (s.at + 1 + i) % kept
		if set := &s.sets[i]; len(set.text) > 0 && bytes.HasPrefix(rest, set.text) {
			s.at, s.pairs = i, set.pairs
			return skipBlank(rest[len(set.text):]), ""
		}
	}
	s.at = s.used % len(s.sets)
	s.used++
	set := &s.sets[s.at]
	set.text = nil // until they are read to the end
	if set.pairs == nil {
		set.pairs = make([]pair, 0, 16)
	}
	pairs, after, problem := appendPairs(set.pairs[:0], rest)
	if problem != "" {
		return nil, fmt.Sprintf("labels of %s: %s", s.Name, problem)
	}
	set.text, set.pairs = rest[:len(rest)-len(after)], pairs
	s.pairs = pairs
	return skipBlank(after), ""
}

// appendPairs takes the inside of braces apart.
func appendPairs(pairs []pair, rest []byte) (all []pair, after []byte, problem string) {
	for {
		rest = skipBlank(rest)
		if len(rest) > 0 && rest[0] == '}' {
			return pairs, rest[1:], ""
		}
		var p pair
		if len(rest) > 0 && rest[0] == '"' {
			end := closingQuote(rest[1:])
			if end < 0 {
				return nil, nil, "no closing quote"
			}
			p.name, rest = rest[1:1+end], rest[end+2:]
		} else {
			n := 0
			for n < len(rest) && nameByte[rest[n]] {
				n++
			}
			p.name, rest = rest[:n], rest[n:]
		}
		rest = skipBlank(rest)
		if len(p.name) == 0 || len(rest) == 0 || rest[0] != '=' {
			return nil, nil, `want name="value"`
		}
		rest = skipBlank(rest[1:])
		if len(rest) == 0 || rest[0] != '"' {
			return nil, nil, fmt.Sprintf("value of %s is not quoted", p.name)
		}
		end := closingQuote(rest[1:])
		if end < 0 {
			return nil, nil, "no closing quote"
		}
		p.value, rest = rest[1:1+end], skipBlank(rest[end+2:])
		pairs = append(pairs, p)
		if len(rest) > 0 && rest[0] == ',' {
			rest = rest[1:]
		} else if len(rest) == 0 || rest[0] != '}' {
			return nil, nil, fmt.Sprintf("want , or } behind %s", p.name)
		}
	}
}

// closingQuote returns where the quote is that ends a quoted text, -1 if none.
func closingQuote(text []byte) int {
	from := 0
	for {
		q := bytes.IndexByte(text[from:], '"')
		if q < 0 {
			return -1
		}
		q += from
		slashes := 0
		for i := q - 1; i >= from && text[i] == '\\'; i-- {
			slashes++
		}
		if slashes%2 == 0 {
			return q
		}
		from = q + 1
	}
}

// unescape resolves \\, \" and \n; another escape stands for itself.
func unescape(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			switch text[i+1] {
			case '\\', '"':
				i++
				c = text[i]
			case 'n':
				i++
				c = '\n'
			}
		}
		plain = append(plain, c)
	}
	return plain
}

// number reads a float as the format writes it. Go's hexadecimal floats and
// digit separators are not allowed, nor is what overflows.
func number(token []byte) (float64, bool) {
	if whole, ok := smallWhole(token); ok {
		return whole, true
	}
	if len(token) == 0 || bytes.ContainsAny(token, "pP_") {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(token), 64)
	return v, err == nil
}

// smallWhole reads 12 and 12.0, the forms that most samples have, as long as
// they fit an int64.
func smallWhole(token []byte) (float64, bool) {
	if n := len(token); n > 2 && token[n-1] == '0' && token[n-2] == '.' {
		token = token[:n-2]
	}
	if len(token) == 0 || len(token) > 18 {
		return 0, false
	}
	whole := int64(0)
	for _, c := range token {
		if !isDigit(c) {
			return 0, false
		}
		whole = whole*10 + int64(c-'0')
	}
	return float64(whole), true
}
