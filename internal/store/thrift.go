package store

import (
	"encoding/binary"
	"errors"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// This file is the headers, page indexes and footers of files, which are structs
// in Thrift's compact protocol.

var compact thrift.CompactProtocol

// appendThrift appends a struct of package format.
func appendThrift(dst []byte, v any) []byte {
	b, err := thrift.Marshal(&compact, v)
	if err != nil {
		panic(err) // a list or string of more than 2 GiB
	}
	return append(dst, b...)
}

// thriftReader reads structs.
type thriftReader struct {
	bytes   thrift.BytesReader
	decoder *thrift.Decoder
}

func newThriftReader() *thriftReader {
	bytes := compact.NewReaderFromBytes(nil)
	return &thriftReader{bytes, thrift.NewDecoder(bytes)}
}

var errThrift = errors.New("a header does not hold what it says")

// read reads the struct that b begins with into v, which is zero, and reports
// how long it is. Strings are not copied.
//
// The library allocates what the size of a list asks for and follows structs as
// deep as they go, so the struct is walked through before.
func (r *thriftReader) read(b []byte, v any) (n int, err error) {
	w := thriftWalker{b: b}
	w.fields(0)
	if w.bad {
		return 0, errThrift
	}
	r.bytes.ResetBytes(b[:w.at])
	return w.at, r.decoder.Decode(v)
}

// Types of the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftI8     = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftStruct = 12
)

// thriftWalker passes over values. Beyond the end of its bytes it is bad.
type thriftWalker struct {
	b   []byte
	at  int
	bad bool
}

func (w *thriftWalker) skip(n uint64) {
	if n > uint64(len(w.b)-w.at) {
		w.bad = true
		return
	}
	w.at += int(n)
}

func (w *thriftWalker) byte() byte {
	if w.at == len(w.b) {
		w.bad = true
		return 0
	}
	w.at++
	return w.b[w.at-1]
}

func (w *thriftWalker) uint() uint64 {
	v, n := binary.Uvarint(w.b[w.at:])
	if n <= 0 {
		w.bad = true
		return 0
	}
	w.at += n
	return v
}

// fields passes over a struct's fields, nested no deeper than any header is.
func (w *thriftWalker) fields(depth int) {
	w.bad = w.bad || depth > 8
	for !w.bad {
		head := w.byte()
		if head == 0 {
			return
		}
		if head>>4 == 0 {
			w.uint() // the field's number
		}
		if kind := head & 15; kind != thriftTrue && kind != thriftFalse { // these have no value
			w.value(kind, depth)
		}
	}
}

// value passes over a value, of a field or in a list.
func (w *thriftWalker) value(kind byte, depth int) {
	switch kind {
	case thriftTrue, thriftFalse, thriftI8:
		w.byte()
	case thriftI16, thriftI32, thriftI64:
		w.uint()
	case thriftDouble:
		w.skip(8)
	case thriftBinary:
		w.skip(w.uint())
	case thriftList, thriftSet:
		head := w.byte()
		n := uint64(head >> 4)
		if n == 15 {
			n = w.uint()
		}
		w.bad = w.bad || depth > 8 || n > uint64(len(w.b)-w.at) // an element is at least a byte
		for ; n > 0 && !w.bad; n-- {
			w.value(head&15, depth+1)
		}
	case thriftStruct:
		w.fields(depth + 1)
	default:
		w.bad = true
	}
}
