package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fields are the fields of an object that are read, each with what is read of
// it, or of each element where it is a list: nil is the whole of it.
type fields map[fieldName]fields

// fieldName is the number that a field has in protobuf and the name that it has
// in JSON: those of generated.proto in k8s.io/api and k8s.io/apimachinery, which
// never change.
type fieldName struct {
	number int
	name   string
}

// trimmer is fields in a form that is quick to look up.
type trimmer struct {
	kept  uint64 // bit n: field n
	inner [64]*trimmer
	names []fieldName
}

func newTrimmer(f fields) *trimmer {
	t := &trimmer{}
	for field, inner := range f {
		t.kept |= 1 << field.number
		t.names = append(t.names, field)
		if inner != nil {
			t.inner[field.number] = newTrimmer(inner)
		}
	}
	return t
}

// What find finds instead of a field.
const (
	unread = 0
	odd    = -1 // the decoder may take it for a field's name, spelt otherwise
)

// find returns the number of the field of a name in JSON.
func (t *trimmer) find(name []byte) (number int) {
	for _, f := range t.names {
		switch {
		case len(f.name) != len(name):
		case f.name == string(name):
			return f.number
		case bytes.EqualFold([]byte(f.name), name):
			return odd
		}
	}
	for _, b := range name {
		if b == '\\' || b >= 0x80 {
			return odd
		}
	}
	return unread
}

// errUnusual is that of JSON which names a field twice, spells its name in a way
// of its own, or has another kind of value there. Only the decoder knows what
// it says.
var errUnusual = errors.New("a field's name is there twice or spelt otherwise, or its value is of another kind")

// each calls visit with the fields of an object: with the trimmer's, and in
// protobuf with whatever else there is.
func (t *trimmer) each(object item, visit func(number int, value item) error) error {
	if !object.json {
		return eachField(object.bytes, func(number int, value []byte) error { return visit(number, item{bytes: value}) })
	}
	c := cursor{text: object.bytes}
	switch c.first() {
	case '{':
	case 'n':
		return nil // null is as good as nothing
	default:
		return errUnusual
	}
	seen := uint64(0)
	for c.enter(); c.more(); {
		number := t.find(c.name())
		value := c.value()
		switch {
		case number == unread || number != odd && value[0] == 'n':
			continue
		case number == odd || seen>>number&1 == 1:
			return errUnusual
		}
		seen |= 1 << number
		if err := visit(number, item{value, true}); err != nil {
			return err
		}
	}
	return nil
}

// elements calls visit with the elements of a list, which each visits as one
// value in JSON, and one by one in protobuf.
func (i item) elements(visit func(item) error) error {
	if !i.json {
		return visit(i)
	}
	c := cursor{text: i.bytes}
	if c.first() != '[' {
		return errUnusual
	}
	for c.enter(); c.more(); {
		if err := visit(item{c.value(), true}); err != nil {
			return err
		}
	}
	return nil
}

// eachField calls visit with each field of a message in protobuf.
func eachField(m []byte, visit func(number int, value []byte) error) error {
	for len(m) > 0 {
		number, value, rest, err := field(m)
		if err == nil {
			err = visit(int(number), value)
		}
		if err != nil {
			return err
		}
		m = rest
	}
	return nil
}

// text is the string that a value is.
func (i item) text() ([]byte, error) {
	b := i.bytes
	if !i.json {
		return b, nil
	}
	if b[0] == '"' && bytes.IndexByte(b, '\\') < 0 && utf8.Valid(b) {
		return b[1 : len(b)-1], nil
	}
	var s string
	err := json.Unmarshal(b, &s)
	return []byte(s), err
}

// millis is the time that a value is, in Unix milliseconds.
func (i item) millis() (int64, error) {
	var t metav1.Time
	if !i.json {
		err := t.Unmarshal(i.bytes)
		return t.UnixMilli(), err
	}
	if text := i.bytes; len(text) == len(`"2006-01-02T15:04:05Z"`) { // without a copy in the heap
		if t, err := time.Parse(time.RFC3339, string(text[1:len(text)-1])); err == nil {
			return t.UnixMilli(), nil
		}
	}
	err := t.UnmarshalJSON(i.bytes)
	return t.UnixMilli(), err
}
