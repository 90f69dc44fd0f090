package store

import (
	"encoding/binary"
	"errors"
)

// This file is the encodings of strings that are not in a dictionary.

// textWriter collects strings for DELTA_BYTE_ARRAY: how many bytes each has in
// common with the one before, how many follow, and those bytes. A string that
// equals the one before costs nothing that a compressor would not see.
type textWriter struct {
	prefixes, suffixes []int64
	data               []byte
	last               string
	bounds             bounds
}

func (w *textWriter) reset() {
	w.prefixes, w.suffixes, w.data, w.last, w.bounds = w.prefixes[:0], w.suffixes[:0], w.data[:0], "", bounds{}
}

// add adds the string, count times.
func (w *textWriter) add(s string, count int) {
	n := 0
	if s == w.last && w.bounds.some {
		n = len(s)
	} else {
		w.bounds.addText(s)
		for n < min(len(s), len(w.last)) && s[n] == w.last[n] {
			n++
		}
		for n > 0 && isWordByte(s[n-1]) {
			n--
		}
		w.last = s
		w.data = append(w.data, s[n:]...)
	}
	w.prefixes = append(w.prefixes, int64(n))
	w.suffixes = append(w.suffixes, int64(len(s)-n))
	for range count - 1 {
		w.prefixes = append(w.prefixes, int64(len(s)))
		w.suffixes = append(w.suffixes, 0)
	}
}

// isWordByte reports whether a common prefix may not end behind b: random
// parts of names begin alike by chance, and a length that varies costs more
// than a letter.
func isWordByte(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// encode appends the strings.
func (w *textWriter) encode(dst []byte) []byte {
	dst = appendDelta(dst, w.prefixes, true)
	dst = appendDelta(dst, w.suffixes, true)
	return append(dst, w.data...)
}

// textReader reads such strings.
type textReader struct {
	prefixes, suffixes deltaReader
	b                  []byte // the strings' bytes that are not read yet
	last, lastSpace    []byte // the string that was read last
	lastText           string // the same, as it was handed out
	room               int    // bytes that the page's strings may still come to
}

// open begins to read the strings of a page.
func (r *textReader) open(b []byte) (err error) {
	r.last, r.lastText, r.room = r.last[:0], "", 1<<20+256*len(b)
	suffixes, err := r.prefixes.after(b)
	if err != nil {
		return err
	}
	if r.b, err = r.suffixes.after(suffixes); err != nil {
		return err
	}
	if err = r.prefixes.open(b, true); err != nil {
		return err
	}
	return r.suffixes.open(suffixes, true)
}

// read fills dst with strings. They share one piece of memory, and equal
// neighbours are one string.
func (r *textReader) read(dst []string, s *scratch) error {
	prefixes, suffixes, ends := s.prefixes[:len(dst)], s.suffixes[:len(dst)], s.ends[:len(dst)]
	if err := r.prefixes.read(prefixes); err != nil {
		return err
	}
	if err := r.suffixes.read(suffixes); err != nil {
		return err
	}
	all := s.text[:0]
	for i, prefix := range prefixes {
		suffix := suffixes[i]
		if prefix < 0 || prefix > int64(len(r.last)) || suffix < 0 || suffix > int64(len(r.b)) {
			return errShort
		}
		if suffix == 0 && prefix == int64(len(r.last)) {
			ends[i] = -1 // the same again
			continue
		}
		if r.room -= int(prefix + suffix); r.room < 0 {
			return errors.New("strings much longer than their page")
		}
		start := len(all)
		all = append(append(all, r.last[:prefix]...), r.b[:suffix]...)
		r.b, r.last, ends[i] = r.b[suffix:], all[start:], len(all)
	}
	r.lastSpace, s.text = append(r.lastSpace[:0], r.last...), all
	r.last = r.lastSpace
	text, start := string(all), 0
	for i, end := range ends {
		if end >= 0 {
			r.lastText, start = text[start:end], end
		}
		dst[i] = r.lastText
	}
	return nil
}

// plainTexts are a dictionary's strings. They share one piece of memory.
func plainTexts(dst []string, b []byte, n int) ([]string, error) {
	text := string(b)
	for range n {
		if len(text) < 4 {
			return nil, errShort
		}
		size := binary.LittleEndian.Uint32(b[len(b)-len(text):])
		if uint64(size) > uint64(len(text)-4) {
			return nil, errShort
		}
		dst = append(dst, text[4:4+size])
		text = text[4+size:]
	}
	return dst, nil
}
