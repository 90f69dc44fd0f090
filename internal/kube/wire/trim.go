package wire

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Fields are the fields of an object that are read, by their names in JSON, each
// with what is read of it, or of each element where it is a list: nil is the
// whole of it.
type Fields map[string]Fields

// Trimmer cuts off all but some fields, without decoding anything.
type Trimmer struct {
	kept  uint64 // bit n: field n
	inner [64]*Trimmer
}

// NewTrimmer keeps the fields of the API type T. It panics if T has no such
// field: trimmers are package variables.
func NewTrimmer[T any](fields Fields) *Trimmer { return newTrimmer(reflect.TypeFor[T](), fields) }

func newTrimmer(of reflect.Type, fields Fields) *Trimmer {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	t := &Trimmer{}
	for name, inner := range fields {
		number, field := numberOf(of, name)
		t.kept |= 1 << number
		if inner != nil {
			t.inner[number] = newTrimmer(field, inner)
		}
	}
	return t
}

// numberOf finds a field's number in protobuf by its name, in the tags of the
// generated type.
func numberOf(of reflect.Type, name string) (number int, field reflect.Type) {
	for i := range of.NumField() {
		f := of.Field(i)
		inJSON, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		protobuf := strings.Split(f.Tag.Get("protobuf"), ",")
		if inJSON != name || len(protobuf) < 2 {
			continue
		}
		if number, err := strconv.Atoi(protobuf[1]); err == nil && number < 64 {
			return number, f.Type
		}
	}
	panic(fmt.Sprintf("%v has no field %s in protobuf with a number below 64", of, name))
}

// Trim appends the message to dst, reduced to the fields.
func (t *Trimmer) Trim(dst, message []byte) ([]byte, error) {
	for len(message) > 0 {
		number, value, rest, err := field(message)
		if err != nil {
			return dst, err
		}
		whole := message[:len(message)-len(rest)]
		message = rest
		if number >= 64 || t.kept>>number&1 == 0 {
			continue
		}
		inner, delimited := t.inner[number], whole[0]&7 == 2
		if inner == nil || !delimited {
			dst = append(dst, whole...)
			continue
		}
		// The value's length becomes known after it, so it keeps the room that it
		// had: protobuf allows a varint to have bytes that add nothing.
		head := whole[:len(whole)-len(value)]
		_, key := binary.Uvarint(head)
		dst = append(dst, head...)
		end := len(dst)
		if dst, err = inner.Trim(dst, value); err != nil {
			return dst, err
		}
		length := dst[end-len(head)+key : end]
		for i, n := 0, len(dst)-end; i < len(length); i, n = i+1, n>>7 {
			length[i] = byte(n) | 0x80
		}
		length[len(length)-1] &^= 0x80
	}
	return dst, nil
}
