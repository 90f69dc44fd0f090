package statistics

import (
	"encoding/binary"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Encode appends the aggregate. The layout has no names or lengths in it and
// follows from the declared values and counters: see StateVersion.
func (a *Aggregate) Encode(w *Writer) {
	w.Count(int(a.samples))
	w.set(a.pending.has)
	for v := range values {
		if a.pending.has.Has(v) {
			w.Float(a.pending.at[v])
		}
	}
	measured := Set(0)
	for v := range values {
		if a.sums[v].millis > 0 {
			measured |= 1 << v
		}
	}
	w.set(measured)
	for v := range values {
		if !measured.Has(v) {
			continue
		}
		if v.is(asDistribution) {
			a.bins[v].encode(w)
			if sum, constant := a.bins[v].constant(); constant && sum == a.sums[v] {
				w.Bool(true)
				continue
			}
			w.Bool(false)
		}
		w.Float(a.sums[v].total)
		w.Int(a.sums[v].millis)
	}
	a.Counters.Encode(w)
}

// encode appends the bins: values as differences, and values and times divided by
// their greatest common divisor, such as the size of a page or the interval
// between samples. A state is mostly bins, and so each takes two or three bytes.
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
		whole = 0 // the values are written as they are
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

// decode reads bins and reuses the memory of d.
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

// Encode appends the counters that are present.
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

// Decode replaces a by the encoded aggregate and keeps the memory. Errors are the
// reader's.
func (a *Aggregate) Decode(r *Reader) {
	a.Reset()
	a.samples = int32(r.uvarint())
	a.pending.has = r.set()
	for v := range values {
		if a.pending.has.Has(v) {
			a.pending.at[v] = r.Float()
		}
	}
	measured := r.set()
	for v := range values {
		if !measured.Has(v) {
			continue
		}
		if v.is(asDistribution) {
			a.bins[v] = a.bins[v].decode(r)
			if constant := r.Bool(); constant {
				a.sums[v], _ = a.bins[v].constant()
				continue
			}
		}
		a.sums[v] = integral{total: r.Float(), millis: r.Int()}
	}
	a.Counters.Decode(r)
}

// Decode replaces c by the encoded counters. Errors are the reader's.
func (c *Counters) Decode(r *Reader) {
	*c = Counters{}
	has := r.uvarint()
	if has >= 1<<len(counterNames) {
		r.fail()
		return
	}
	for i, n := range c.each() {
		if has>>i&1 == 1 {
			*n = usage.Some(r.Int())
		}
	}
}

func (w *Writer) set(s Set) { *w = binary.AppendUvarint(*w, uint64(s)) }

func (r *Reader) set() Set {
	n := r.uvarint()
	if n > uint64(All) {
		r.fail()
		return 0
	}
	return Set(n)
}
