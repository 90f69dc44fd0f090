package store

import (
	"encoding/binary"
	"errors"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// This file is Thrift's compact protocol: what it writes is the library's, what
// it reads is ours. The library allocates what a length in the file says, which
// in a damaged file may be all memory there is.

var compact thrift.CompactProtocol

// appendThrift appends a struct of package format.
func appendThrift(dst []byte, v any) []byte {
	b, err := thrift.Marshal(&compact, v)
	if err != nil {
		panic(err) // a list or string of more than 2 GiB
	}
	return append(dst, b...)
}

// Types of the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

var errThrift = errors.New("a header does not hold what it says")

// thriftReader reads structs from b. After the first fault it reads zeros, and
// bad says so.
type thriftReader struct {
	b   []byte
	bad bool
}

// fields reads a struct. take is called for each field and reports whether it
// has read the value; what it has not is passed over.
func (r *thriftReader) fields(take func(id int, kind byte) bool) {
	for id := 0; ; {
		head := r.byte()
		if head == 0 {
			return
		}
		if delta := int(head >> 4); delta > 0 {
			id += delta
		} else {
			id = int(r.int())
		}
		if kind := head & 15; !take(id, kind) {
			r.skip(kind, 0)
		}
	}
}

// elements reads the head of a list and reports how many elements follow, each
// of which is at least a byte.
func (r *thriftReader) elements() (n int, kind byte) {
	head := r.byte()
	size := uint64(head >> 4)
	if size == 15 {
		size = r.uint()
	}
	if size > uint64(len(r.b)) {
		r.fail()
		return 0, 0
	}
	return int(size), head & 15
}

func (r *thriftReader) fail() { r.b, r.bad = nil, true }

func (r *thriftReader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *thriftReader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// int reads an i16, i32 or i64.
func (r *thriftReader) int() int64 {
	v := r.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *thriftReader) text() string { return string(r.bytes()) }

func (r *thriftReader) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// skip passes over a value, nested no deeper than any header is.
func (r *thriftReader) skip(kind byte, depth int) {
	switch kind {
	case thriftTrue, thriftFalse:
	case 3:
		r.byte()
	case 4, thriftI32, thriftI64:
		r.uint()
	case 7:
		if len(r.b) < 8 {
			r.fail()
			return
		}
		r.b = r.b[8:]
	case thriftBinary:
		r.bytes()
	case thriftList, 10:
		n, kind := r.elements()
		for range n {
			if kind == thriftTrue || kind == thriftFalse {
				r.byte()
			} else {
				r.skip(kind, depth+1)
			}
			if r.bad {
				return
			}
		}
	case thriftStruct:
		if depth > 8 {
			r.fail()
			return
		}
		r.fields(func(_ int, kind byte) bool { r.skip(kind, depth+1); return true })
	default:
		r.fail()
	}
}
