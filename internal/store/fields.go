package store

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// This file is the only one that reads and writes rows through offsets. It
// makes a column one tight loop over rows, where reflection would cost more
// for each value than encoding it; the offsets come from the row type itself,
// in columnsOf, and every index is below the block's number of rows.

// block is a run of rows in memory, of any row type.
type block struct {
	first unsafe.Pointer
	bytes uintptr // of one row
	rows  int
}

func blockOf[T any](rows []T) block {
	var row T
	return block{unsafe.Pointer(unsafe.SliceData(rows)), unsafe.Sizeof(row), len(rows)}
}

// part is the first n rows of the block, and after the others.
func (b block) part(n int) block { return block{b.first, b.bytes, n} }

func (b block) after(n int) block {
	if n == b.rows {
		return block{} // no pointer beyond the rows
	}
	return block{unsafe.Add(b.first, uintptr(n)*b.bytes), b.bytes, b.rows - n}
}

// field is the field at the offset in row i.
func field[V any](b block, i int, offset uintptr) *V {
	return (*V)(unsafe.Add(b.first, uintptr(i)*b.bytes+offset))
}

// Compare orders two rows by the table's sort columns without the time: it is 0
// where both are of one pod, node, device or source. Absent comes before present.
func (t *Table[T]) Compare(a, b *T) int {
	p, q := unsafe.Pointer(a), unsafe.Pointer(b)
	for i := range t.keys {
		k := &t.keys[i]
		if k.kind == kindString {
			x, y := (*string)(unsafe.Add(p, k.value)), (*string)(unsafe.Add(q, k.value))
			if order := strings.Compare(*x, *y); order != 0 {
				return order
			}
			continue
		}
		if order := k.compareInts(p, q); order != 0 {
			return order
		}
	}
	return 0
}

// Time is when the row was sampled, or the begin of its hour: the last of the
// table's sort columns.
func (t *Table[T]) Time(row *T) time.Time {
	return *(*time.Time)(unsafe.Add(unsafe.Pointer(row), t.time.value))
}

// compareRows orders two rows as the table does: by Compare, then by Time.
func (t *Table[T]) compareRows(a, b *T) int {
	if order := t.Compare(a, b); order != 0 {
		return order
	}
	return t.Time(a).Compare(t.Time(b))
}

// Sort brings rows into the table's order, which Write asks for. Rows of equal
// keys and time stay in the order that they are in.
func (t *Table[T]) Sort(rows []T) {
	slices.SortStableFunc(rows, func(a, b T) int { return t.compareRows(&a, &b) })
}

// compareInts orders two rows by a column of 32-bit integers.
func (c *column) compareInts(a, b unsafe.Pointer) int {
	if c.optional {
		x, y := *(*bool)(unsafe.Add(a, c.present)), *(*bool)(unsafe.Add(b, c.present))
		if !x || !y {
			return int(b2i(x) - b2i(y))
		}
	}
	return cmp.Compare(*(*int32)(unsafe.Add(a, c.value)), *(*int32)(unsafe.Add(b, c.value)))
}

// levels appends, for each row of the block, 1 where the column's value is
// present and 0 where it is absent, and reports how many are present.
func (c *column) levels(b block, runs []run) ([]run, int) {
	count, from, here := 0, 0, *field[bool](b, 0, c.present)
	end := func(row int) {
		if here {
			count += row - from
		}
		runs = push(runs, uint32(b2i(here)), row-from)
		from, here = row, !here
	}
	for r := 1; r < b.rows; r++ {
		if *field[bool](b, r, c.present) != here {
			end(r)
		}
	}
	end(b.rows)
	return runs, count
}

// stretch is a value and how many rows have it, one after the other but for
// rows that have none. Most columns of most blocks are few stretches, and what
// would be done for each value is done for each of them.
type stretch[V any] struct {
	value V
	count int
}

// texts appends the column's strings that are present. They are not copied.
func (c *column) texts(b block, all bool, dst []stretch[string]) []stretch[string] {
	return stretches(c, b, all, dst, func(v string) string { return v })
}

// numbers appends the column's values that are present, a double as its bits
// and a time as its milliseconds.
func (c *column) numbers(b block, all bool, dst []stretch[int64]) []stretch[int64] {
	switch c.kind {
	case kindInt:
		return stretches(c, b, all, dst, func(v int32) int64 { return int64(v) })
	case kindBoolean:
		return stretches(c, b, all, dst, func(v uint8) int64 { return int64(v) })
	case kindTimestamp:
		return stretches(c, b, all, dst, time.Time.UnixMilli)
	}
	return stretches(c, b, all, dst, func(v int64) int64 { return v })
}

// stretches appends the values of type F at the column's place in the rows, as
// values of type V. With all, every row has one.
func stretches[F comparable, V any](c *column, b block, all bool, dst []stretch[V], as func(F) V) []stretch[V] {
	var last F
	count := 0
	for r := range b.rows {
		if !all && !*field[bool](b, r, c.present) {
			continue
		}
		v := field[F](b, r, c.value)
		if count > 0 && *v != last {
			dst = append(dst, stretch[V]{as(last), count})
			count = 0
		}
		last = *v // also if it is equal: strings that share memory are compared at once
		count++
	}
	return append(dst, stretch[V]{as(last), count})
}

// scatter writes a column's values to the rows of the block. Where a level is
// 0 the value is absent and not among the values; without levels all are
// present. The rows have to be zero, so that what is not written is absent.
func scatter[V any](c *column, b block, levels []uint64, values []V) {
	switch {
	case levels != nil:
		used := 0
		for i, level := range levels {
			if level != 0 {
				*field[V](b, i, c.value) = values[used]
				*field[bool](b, i, c.present) = true
				used++
			}
		}
	case c.optional:
		for i, v := range values {
			*field[V](b, i, c.value) = v
			*field[bool](b, i, c.present) = true
		}
	default:
		for i, v := range values {
			*field[V](b, i, c.value) = v
		}
	}
}

// spread gives all rows of the block the value.
func spread[V any](c *column, b block, v V) {
	for i := range b.rows {
		*field[V](b, i, c.value) = v
	}
	if c.optional {
		for i := range b.rows {
			*field[bool](b, i, c.present) = true
		}
	}
}

// setNumbers gives the rows of the block the values that numbers made.
func (c *column) setNumbers(b block, levels []uint64, numbers []int64, s *scratch) {
	switch c.kind {
	case kindInt:
		ints := s.ints[:len(numbers)]
		for i, v := range numbers {
			ints[i] = int32(v)
		}
		scatter(c, b, levels, ints)
	case kindBoolean:
		bools := s.bools[:len(numbers)]
		for i, v := range numbers {
			bools[i] = v != 0
		}
		scatter(c, b, levels, bools)
	case kindTimestamp:
		times := s.times[:len(numbers)]
		for i, v := range numbers {
			if i > 0 && v == numbers[i-1] {
				times[i] = times[i-1]
			} else {
				times[i] = time.UnixMilli(v).UTC()
			}
		}
		scatter(c, b, levels, times)
	default: // a double's bits too
		scatter(c, b, levels, numbers)
	}
}
