// Package wire reads lists of objects as an API server sends them, item by item,
// in bounded memory: it splits an answer in protobuf or JSON into items, cuts
// off the fields that nobody reads, and remembers what items were reduced to. It
// does not know what the objects mean. All items that it hands out are protobuf;
// API servers answer in it, and what is JSON, because a proxy forces that, is
// decoded by its type and encoded.
package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// protobufMagic opens every protobuf answer of an API server; the rest is one
// runtime.Unknown. A JSON answer cannot start with it, so the body itself says
// which of the two it is, even behind a proxy that rewrites Content-Type.
const protobufMagic = "k8s\x00"

// maxItemBytes bounds one item. etcd refuses objects above 1.5 MiB by default;
// anything near this bound is no object of a real server.
const maxItemBytes = 64 << 20

// Field numbers of runtime.Unknown, of every list and of metav1.ListMeta.
const (
	unknownRaw       = 2
	listMetadata     = 1
	listItems        = 2
	listMetaContinue = 3
)

// bufferBytes is what is read of an answer at once. Most items fit, and are
// visited where they were read.
const bufferBytes = 64 << 10

// Split reads a list as it arrives and hands each item to visit, with memory for
// one item, whose bytes are valid until the next. empty makes an object of the
// items' type. Split returns the list's continue token, "" at the end of the list.
func Split(body io.Reader, empty func() Object, visit func(item []byte) error) (token string, err error) {
	r := bufio.NewReaderSize(body, bufferBytes)
	magic, err := r.Peek(len(protobufMagic))
	if err == nil && string(magic) == protobufMagic {
		_, _ = r.Discard(len(protobufMagic)) // it was just peeked
		return splitProtobuf(r, visit)
	}
	return splitJSON(r, empty, visit)
}

// splitProtobuf reads a runtime.Unknown whose raw field is the list.
func splitProtobuf(r *bufio.Reader, visit func(item []byte) error) (token string, err error) {
	w := stream{r: r}
	for {
		field, size, err := w.next()
		if err == io.EOF {
			return "", errors.New("the answer holds no list")
		}
		if err != nil {
			return "", err
		}
		if field == unknownRaw {
			return splitRaw(stream{r: r, bounded: true, left: size}, visit)
		}
		if err := w.skip(size); err != nil {
			return "", err
		}
	}
}

// splitRaw reads the list itself.
func splitRaw(w stream, visit func(item []byte) error) (token string, err error) {
	for {
		field, size, err := w.next()
		if err == io.EOF {
			return token, nil
		}
		if err != nil {
			return "", err
		}
		if field != listItems && field != listMetadata {
			if err := w.skip(size); err != nil {
				return "", err
			}
			continue
		}
		value, err := w.bytes(size)
		if err != nil {
			return "", err
		}
		if field == listItems {
			err = visit(value)
		} else {
			token, err = continueToken(value)
		}
		if err != nil {
			return "", err
		}
	}
}

// continueToken reads the continue field of an encoded ListMeta.
func continueToken(meta []byte) (token string, err error) {
	err = Each(meta, func(number int, value []byte) error {
		if number == listMetaContinue {
			token = string(value)
		}
		return nil
	})
	return token, err
}

// stream reads protobuf fields from a stream. Of a scalar field next returns the
// size of what is left of it, which is 0 for a varint.
type stream struct {
	r       *bufio.Reader
	bounded bool // left counts the bytes of the enclosing message
	left    int64
	large   []byte // of the values that the reader's own memory does not hold
}

var errWire = errors.New("the protobuf answer is malformed")

// next returns the number of the next field and the bytes that its value
// takes, or io.EOF where the message ends between two fields.
func (w *stream) next() (number, size int64, err error) {
	if w.bounded && w.left == 0 {
		return 0, 0, io.EOF
	}
	key, err := w.varint()
	if err != nil {
		return 0, 0, err
	}
	switch number = int64(key >> 3); key & 7 {
	case 0: // varint: read it away
		_, err = w.varint()
	case 1:
		size = 8
	case 2:
		var n uint64
		if n, err = w.varint(); n > 1<<62 {
			return 0, 0, errWire
		}
		size = int64(n)
	case 5:
		size = 4
	default:
		return 0, 0, errWire
	}
	err = cut(err)
	if err == nil && w.bounded && size > w.left {
		err = errWire
	}
	return number, size, err
}

func (w *stream) varint() (v uint64, err error) {
	for shift := 0; shift < 64; shift += 7 {
		if w.bounded && w.left == 0 {
			return 0, errWire
		}
		b, err := w.r.ReadByte()
		if err != nil {
			if err == io.EOF && (shift > 0 || w.bounded) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		w.left--
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v, nil
		}
	}
	return 0, errWire
}

// bytes reads a value of the size. It is valid until the next one is read.
func (w *stream) bytes(size int64) (value []byte, err error) {
	if size > maxItemBytes {
		return nil, fmt.Errorf("an item of %d bytes is above the bound of %d", size, maxItemBytes)
	}
	w.left -= size
	if size <= int64(w.r.Size()) {
		value, err = w.r.Peek(int(size))
		_, _ = w.r.Discard(len(value)) // it was just peeked
		return value, cut(err)
	}
	if int64(cap(w.large)) < size {
		w.large = make([]byte, size)
	}
	value = w.large[:size]
	_, err = io.ReadFull(w.r, value)
	return value, cut(err)
}

func (w *stream) skip(size int64) error {
	w.left -= size
	_, err := io.CopyN(io.Discard, w.r, size)
	return cut(err)
}

// cut makes the end of the stream inside a value an error of its own.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Each calls visit with the fields of an encoded message: their numbers, and
// their values without the lengths that precede them.
func Each(message []byte, visit func(number int, value []byte) error) error {
	for len(message) > 0 {
		number, value, rest, err := field(message)
		if err == nil {
			err = visit(number, value)
		}
		if err != nil {
			return err
		}
		message = rest
	}
	return nil
}

// field cuts the first field off an encoded message: its number, its value
// without its length and what follows.
func field(message []byte) (number int, value, rest []byte, err error) {
	n, kind, size := protowire.ConsumeTag(message)
	if size < 0 {
		return 0, nil, nil, errWire
	}
	message = message[size:]
	if size = protowire.ConsumeFieldValue(n, kind, message); size < 0 {
		return 0, nil, nil, errWire
	}
	value, rest = message[:size], message[size:]
	if kind == protowire.BytesType {
		value, _ = protowire.ConsumeBytes(value) // it was just consumed
	}
	return int(n), value, rest, nil
}
