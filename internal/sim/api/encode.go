package api

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// format is what an object is encoded to.
type format int

const (
	jsonFull format = iota
	proto
	jsonMeta // PartialObjectMetadata
	protoMeta
	formats
)

func (f format) proto() bool { return f == proto || f == protoMeta }

func (f format) contentType() string {
	if f.proto() {
		return "application/vnd.kubernetes.protobuf"
	}
	return "application/json"
}

// typeOf is the apiVersion and kind of one object, or of a list of them.
func (f format) typeOf(k *kind, list bool) (version, name string) {
	version, name = k.groupVersion(), k.Name
	if f == jsonMeta || f == protoMeta {
		version, name = "meta.k8s.io/v1", "PartialObjectMetadata"
	}
	if list {
		name += "List"
	}
	return version, name
}

// buffers are for answers; they grow to the size of the largest part that is
// written at once.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// borrow calls use with an empty buffer, which use returns for the next one.
func borrow(use func(buf []byte) []byte) {
	b := buffers.Get().(*[]byte)
	*b = use((*b)[:0])
	buffers.Put(b)
}

var zippers = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return w }}

func zip(data []byte) []byte {
	var out bytes.Buffer
	w := zippers.Get().(*gzip.Writer)
	w.Reset(&out)
	_, _ = w.Write(data) // into memory
	_ = w.Close()
	zippers.Put(w)
	return out.Bytes()
}

// page is one answer to a list request.
type page struct {
	kind    *kind
	at      int64
	entries []*entry
	chunks  []*chunk // of entries, where they are a whole snapshot
	meta    metav1.ListMeta
}

// flushAt is the size in bytes from which a part of an answer is written.
const flushAt = 256 << 10

// appendItem writes item i as it stands in a list.
func (c *Server) appendItem(dst []byte, p *page, e *entry, f format) []byte {
	item := func(dst []byte) []byte {
		if p.kind.usage != nil {
			return p.kind.usage(dst, e, p.at, f, c.keep)
		}
		return e.append(dst, f, c.keep)
	}
	if !f.proto() {
		return item(dst)
	}
	// The length precedes the item and is not known yet: reserve the longest
	// possible varint, then close the gap.
	const room = 5
	from := len(dst)
	dst = item(append(dst, 0, 0, 0, 0, 0, 0))
	n := len(dst) - from - 1 - room
	dst[from] = 2<<3 | 2
	used := binary.PutUvarint(dst[from+1:from+1+room], uint64(n))
	copy(dst[from+1+used:], dst[from+1+room:])
	return dst[:from+1+used+n]
}

// opening is the part of a list before its items. items is their length in
// protobuf.
func (p *page) opening(dst []byte, f format, items int) []byte {
	version, name := f.typeOf(p.kind, true)
	if !f.proto() {
		dst = append(dst, `{"kind":"`...)
		dst = append(dst, name...)
		dst = append(dst, `","apiVersion":"`...)
		dst = append(dst, version...)
		dst = append(dst, `","metadata":`...)
		meta, err := json.Marshal(p.meta)
		if err != nil {
			panic(err) // strings and a number
		}
		dst = append(dst, meta...)
		return append(dst, `,"items":[`...)
	}
	meta, err := p.meta.Marshal()
	if err != nil {
		panic(err)
	}
	head := field(nil, 1, meta)
	dst = unknown(dst, version, name, len(head)+items)
	return append(dst, head...)
}

// closing is the part of a list after its items.
func closing(f format) string {
	if f.proto() {
		return "\x1a\x00\x22\x00" // contentEncoding and contentType of runtime.Unknown
	}
	return "]}\n"
}

// field appends a length-delimited protobuf field.
func field[T []byte | string](dst []byte, number int, value T) []byte {
	dst = append(dst, byte(number<<3|2))
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}

// unknown appends the envelope of Kubernetes' protobuf up to its raw content,
// which has the given length and is to follow, with closing after it.
func unknown(dst []byte, version, name string, length int) []byte {
	dst = append(dst, "k8s\x00"...)
	dst = field(dst, 1, field(field(nil, 1, version), 2, name))
	dst = append(dst, 2<<3|2)
	return binary.AppendUvarint(dst, uint64(length))
}

// single writes one object as the answer to a get.
func (c *Server) single(dst []byte, k *kind, e *entry, t int64, f format) []byte {
	p := &page{kind: k, at: t}
	version, name := f.typeOf(k, false)
	var item []byte
	if k.usage != nil {
		item = k.usage(nil, e, p.at, f, c.keep)
	} else {
		item = e.append(nil, f, c.keep)
	}
	switch f {
	case jsonMeta:
		return append(append(dst, item...), '\n')
	case jsonFull:
		dst = append(dst, `{"kind":"`+name+`","apiVersion":"`+version+`",`...)
		return append(append(dst, item[1:]...), '\n')
	}
	dst = unknown(dst, version, name, len(item))
	return append(append(dst, item...), closing(f)...)
}

// itemsLength is the length of all items in protobuf.
func (c *Server) itemsLength(p *page, f format, scratch []byte) int {
	total := 0
	for _, e := range p.entries {
		n := 0
		if p.kind.usage != nil {
			n = len(p.kind.usage(scratch[:0], e, p.at, f, c.keep))
		} else {
			n = e.protoSize(f, scratch, c.keep)
		}
		total += 1 + n + uvarintLen(uint64(n))
	}
	return total
}

func uvarintLen(x uint64) int {
	n := 1
	for ; x >= 0x80; x >>= 7 {
		n++
	}
	return n
}

// writeItems writes the items in parts of about flushAt bytes, each begun with
// what is in buf.
func (c *Server) writeItems(w io.Writer, p *page, f format, buf []byte) ([]byte, error) {
	for i, e := range p.entries {
		if i > 0 && !f.proto() {
			buf = append(buf, ',')
		}
		buf = c.appendItem(buf, p, e, f)
		if len(buf) >= flushAt {
			if _, err := w.Write(buf); err != nil {
				return buf, err
			}
			buf = buf[:0]
		}
	}
	buf = append(buf, closing(f)...)
	_, err := w.Write(buf)
	return buf, err
}

// zipped returns chunk i's items compressed, a comma before them if they are
// not the first of a JSON list.
func (c *Server) zipped(p *page, i int, f format) []byte {
	ch := p.chunks[i]
	if b := ch.gzip[f].Load(); b != nil {
		return *b
	}
	var raw []byte
	for j, e := range ch.entries {
		if i+j > 0 && !f.proto() {
			raw = append(raw, ',')
		}
		raw = c.appendItem(raw, p, e, f)
	}
	b := zip(raw)
	ch.gzip[f].Store(&b)
	return b
}

func (k *kind) groupVersion() string {
	if k.Group == "" {
		return k.Version
	}
	return k.Group + "/" + k.Version
}

// secondsString writes a duration as Kubernetes' metrics do: "15.25s".
func secondsString(dst []byte, milliseconds int64) []byte {
	return append(strconv.AppendFloat(dst, float64(milliseconds)/1000, 'f', -1, 64), 's')
}
