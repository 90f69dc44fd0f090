package statistics

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Writer appends numbers and texts, each as short as it can be.
type Writer []byte

// Count appends a number that is not negative.
func (w *Writer) Count(n int) { *w = binary.AppendUvarint(*w, uint64(n)) }

// Int appends a whole number.
func (w *Writer) Int(n int64) { *w = binary.AppendVarint(*w, n) }

// Text appends a text.
func (w *Writer) Text(s string) { w.Count(len(s)); *w = append(*w, s...) }

// TextAfter appends a text that is much like the one before it.
func (w *Writer) TextAfter(before, s string) {
	n := 0
	for n < len(before) && n < len(s) && before[n] == s[n] {
		n++
	}
	w.Count(n)
	w.Text(s[n:])
}

// Float appends a number: a whole one shortly, any other bit by bit.
func (w *Writer) Float(x float64) {
	if n := int64(x); float64(n) == x && n > -1<<52 && n < 1<<52 && (n != 0 || !math.Signbit(x)) {
		*w = binary.AppendUvarint(*w, (uint64(n<<1)^uint64(n>>63))<<1)
		return
	}
	*w = binary.AppendUvarint(*w, 1)
	*w = binary.LittleEndian.AppendUint64(*w, math.Float64bits(x))
}

// Bool appends yes or no.
func (w *Writer) Bool(yes bool) {
	b := byte(0)
	if yes {
		b = 1
	}
	*w = append(*w, b)
}

// OptInt appends a number or its absence.
func (w *Writer) OptInt(o usage.Opt[int64]) {
	n, ok := o.Get()
	if w.Bool(ok); ok {
		w.Int(n)
	}
}

// OptFloat appends a number or its absence.
func (w *Writer) OptFloat(o usage.Opt[float64]) {
	x, ok := o.Get()
	if w.Bool(ok); ok {
		w.Float(x)
	}
}

// Reader reads what a Writer appended. After the first error it gives zeros.
type Reader struct {
	b   []byte
	err error
}

// NewReader reads b.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

var errShort = errors.New("it ends within a value or holds what cannot be")

// Err is the first error: bytes that no Writer appended.
func (r *Reader) Err() error { return r.err }

// More reports whether there is anything left to read.
func (r *Reader) More() bool { return len(r.b) > 0 && r.err == nil }

func (r *Reader) fail() { r.b, r.err = nil, errShort }

func (r *Reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// Count reads a count of things, each of which takes a byte or more.
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

// Text reads a text.
func (r *Reader) Text() string {
	n := r.Count()
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// TextAfter reads a text that stands after another. What is wholly alike shares
// its memory.
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

// Bool reads yes or no.
func (r *Reader) Bool() bool {
	if len(r.b) == 0 {
		r.fail()
		return false
	}
	b := r.b[0]
	r.b = r.b[1:]
	return b == 1
}

// OptInt reads a number or its absence.
func (r *Reader) OptInt() (o usage.Opt[int64]) {
	if r.Bool() {
		o = usage.Some(r.Int())
	}
	return o
}

// OptFloat reads a number or its absence.
func (r *Reader) OptFloat() (o usage.Opt[float64]) {
	if r.Bool() {
		o = usage.Some(r.Float())
	}
	return o
}

// Rest is what is left.
func (r *Reader) Rest() []byte { return r.b }

// Encode appends the fold.
func (f *Fold) Encode(w *Writer) {
	w.Count(int(f.samples))
	has := uint64(f.tail.has)
	*w = binary.AppendUvarint(*w, has)
	for v := range values {
		if has>>v&1 == 1 {
			w.Float(f.tail.at[v])
		}
	}
	has = 0
	for v := range values {
		if f.sums[v].millis > 0 {
			has |= 1 << v
		}
	}
	*w = binary.AppendUvarint(*w, has)
	for v := range values {
		if has>>v&1 == 0 {
			continue
		}
		if v.is(asDistribution) {
			f.bins[v].encode(w)
			if sum, constant := f.bins[v].constant(); constant && sum == f.sums[v] {
				w.Bool(true)
				continue
			}
			w.Bool(false)
		}
		w.Float(f.sums[v].total)
		w.Int(f.sums[v].millis)
	}
	f.Counters.Encode(w)
}

// encode appends the bins: values as differences, and values and times in units
// of what divides all of them, such as pages and the interval between samples.
// That is two or three bytes a bin, and states are mostly bins.
func (d distribution) encode(w *Writer) {
	w.Count(len(d))
	unit, whole, fractions := int64(0), int64(0), false
	for _, b := range d {
		unit = divisor(b.millis, unit)
		n := int64(b.value)
		fractions = fractions || float64(n) != b.value || n < 0 || n >= 1<<52
		whole = divisor(n, whole)
	}
	if fractions {
		whole = 0 // values stand as they are
	}
	w.Int(unit)
	w.Int(whole)
	before := int64(0)
	for _, b := range d {
		w.Int(b.millis / max(1, unit))
		if whole == 0 {
			w.Float(b.value)
			continue
		}
		n := int64(b.value) / whole
		w.Int(n - before)
		before = n
	}
}

// decode reads bins into the memory of d.
func (d distribution) decode(r *Reader) distribution {
	d = d[:0]
	count, unit, whole, before := r.Count(), r.Int(), r.Int(), int64(0)
	for range count {
		b := bin{millis: r.Int() * max(1, unit)}
		if whole == 0 {
			b.value = r.Float()
		} else {
			before += r.Int()
			b.value = float64(before * whole)
		}
		b.index = binOf(b.value)
		d = append(d, b)
	}
	return d
}

// divisor is the greatest common divisor.
func divisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Encode appends the counters.
func (c *Counters) Encode(w *Writer) {
	has := uint64(0)
	for i, n := range c.each() {
		if n.Present() {
			has |= 1 << i
		}
	}
	*w = binary.AppendUvarint(*w, has)
	for _, n := range c.each() {
		if n, ok := n.Get(); ok {
			w.Int(n)
		}
	}
}

// Decode makes of f the fold that was appended; its memory is kept.
func (f *Fold) Decode(r *Reader) {
	f.Reset()
	f.samples = int32(r.uvarint())
	f.tail.has = uint32(r.uvarint())
	for v := range values {
		if f.tail.has>>v&1 == 1 {
			f.tail.at[v] = r.Float()
		}
	}
	has := r.uvarint()
	for v := range values {
		if has>>v&1 == 0 {
			continue
		}
		if v.is(asDistribution) {
			f.bins[v] = f.bins[v].decode(r)
			if constant := r.Bool(); constant {
				f.sums[v], _ = f.bins[v].constant()
				continue
			}
		}
		f.sums[v] = integral{total: r.Float(), millis: r.Int()}
	}
	f.Counters.Decode(r)
}

// Decode makes of c the counters that were appended.
func (c *Counters) Decode(r *Reader) {
	*c = Counters{}
	has := r.uvarint()
	for i, n := range c.each() {
		if has>>i&1 == 1 {
			*n = usage.Some(r.Int())
		}
	}
}
