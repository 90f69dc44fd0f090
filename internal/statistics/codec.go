package statistics

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Writer encodes numbers and texts for the state that is kept between runs, each
// in as few bytes as possible. There is no type information: a Reader has to read
// the same types in the same order.
type Writer []byte

// Count appends a number that is not negative.
func (w *Writer) Count(n int) { *w = binary.AppendUvarint(*w, uint64(n)) }

// Int appends a whole number.
func (w *Writer) Int(n int64) { *w = binary.AppendVarint(*w, n) }

// Text appends a string.
func (w *Writer) Text(s string) { w.Count(len(s)); *w = append(*w, s...) }

// TextAfter appends a string as its difference from the one before it: in a
// sorted list most begin alike.
func (w *Writer) TextAfter(before, s string) {
	n := 0
	for n < len(before) && n < len(s) && before[n] == s[n] {
		n++
	}
	w.Count(n)
	w.Text(s[n:])
}

// Float appends a number, exactly. Whole numbers, which are most, take few bytes,
// all others nine.
func (w *Writer) Float(x float64) {
	if n := int64(x); float64(n) == x && n > -1<<52 && n < 1<<52 && (n != 0 || !math.Signbit(x)) {
		*w = binary.AppendUvarint(*w, (uint64(n<<1)^uint64(n>>63))<<1)
		return
	}
	*w = binary.AppendUvarint(*w, 1)
	*w = binary.LittleEndian.AppendUint64(*w, math.Float64bits(x))
}

// Bool appends a byte, 0 or 1.
func (w *Writer) Bool(b bool) {
	n := byte(0)
	if b {
		n = 1
	}
	*w = append(*w, n)
}

// OptInt appends whether there is a number, and the number.
func (w *Writer) OptInt(o usage.Opt[int64]) {
	n, ok := o.Get()
	if w.Bool(ok); ok {
		w.Int(n)
	}
}

// OptFloat appends whether there is a number, and the number.
func (w *Writer) OptFloat(o usage.Opt[float64]) {
	x, ok := o.Get()
	if w.Bool(ok); ok {
		w.Float(x)
	}
}

// Reader decodes what a Writer encoded. After the first error it returns zero
// values; Err tells.
type Reader struct {
	b   []byte
	err error
}

// NewReader reads b.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

var errCorrupt = errors.New("the encoded state ends early or holds an impossible number")

// Err is the first error: the bytes are not what a Writer encodes.
func (r *Reader) Err() error { return r.err }

// More reports whether bytes are left and no error occurred.
func (r *Reader) More() bool { return len(r.b) > 0 && r.err == nil }

func (r *Reader) fail() { r.b, r.err = nil, errCorrupt }

func (r *Reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// Count reads the number of elements that follow, each of a byte or more: a count
// that the remaining bytes cannot hold is an error, before memory is reserved.
func (r *Reader) Count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

// Int reads a whole number.
func (r *Reader) Int() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// Text reads a string.
func (r *Reader) Text() string {
	n := r.Count()
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// TextAfter reads a string that follows another. A string that begins the one
// before it shares its memory.
func (r *Reader) TextAfter(before string) string {
	n := r.uvarint()
	if n > uint64(len(before)) {
		r.fail()
		return ""
	}
	rest := r.Count()
	if rest == 0 {
		return before[:n]
	}
	s := before[:n] + string(r.b[:rest])
	r.b = r.b[rest:]
	return s
}

// Float reads a number.
func (r *Reader) Float() float64 {
	n := r.uvarint()
	if n&1 == 0 {
		n >>= 1
		return float64(int64(n>>1) ^ -int64(n&1))
	}
	if len(r.b) < 8 {
		r.fail()
		return 0
	}
	x := math.Float64frombits(binary.LittleEndian.Uint64(r.b))
	r.b = r.b[8:]
	return x
}

// Bool reads a byte that Bool wrote.
func (r *Reader) Bool() bool {
	if len(r.b) == 0 {
		r.fail()
		return false
	}
	b := r.b[0]
	r.b = r.b[1:]
	return b == 1
}

// OptInt reads a number, if there is one.
func (r *Reader) OptInt() (o usage.Opt[int64]) {
	if r.Bool() {
		o = usage.Some(r.Int())
	}
	return o
}

// OptFloat reads a number, if there is one.
func (r *Reader) OptFloat() (o usage.Opt[float64]) {
	if r.Bool() {
		o = usage.Some(r.Float())
	}
	return o
}

// Rest is the bytes that are left.
func (r *Reader) Rest() []byte { return r.b }
