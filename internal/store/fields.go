package store

import (
	"cmp"
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

// compare orders two rows by the table's sort order, absent before present.
func (t *Table[T]) compare(a, b *T) int {
	p, q := block{unsafe.Pointer(a), 0, 1}, block{unsafe.Pointer(b), 0, 1}
	for i := range t.keys {
		c := &t.keys[i]
		if c.optional {
			x, y := *field[bool](p, 0, c.present), *field[bool](q, 0, c.present)
			if x != y {
				return int(b2i(x) - b2i(y))
			}
			if !x {
				continue
			}
		}
		order := 0
		switch c.kind {
		case kindString:
			order = strings.Compare(*field[string](p, 0, c.value), *field[string](q, 0, c.value))
		case kindInt:
			order = cmp.Compare(*field[int32](p, 0, c.value), *field[int32](q, 0, c.value))
		case kindTimestamp:
			order = field[time.Time](p, 0, c.value).Compare(*field[time.Time](q, 0, c.value))
		default:
			panic("store: a " + c.kind.String() + " is no key") // a mistake in the table's declaration
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

// levels appends, for each row of the block, 1 where the column's value is
// present and 0 where it is absent, and reports how many are present.
func (c *column) levels(b block, runs []run) ([]run, int) {
	count := 0
	for r := range b.rows {
		if *field[bool](b, r, c.present) {
			count++
		}
	}
	switch count {
	case 0:
		return push(runs, 0, b.rows), 0
	case b.rows:
		return push(runs, 1, b.rows), count
	}
	for r := range b.rows {
		level := uint32(0)
		if *field[bool](b, r, c.present) {
			level = 1
		}
		runs = push(runs, level, 1)
	}
	return runs, count
}

// texts appends the column's strings that are present. They are not copied.
func (c *column) texts(b block, dst []string) []string {
	return values[string](c, b, dst)
}

// numbers appends the column's values that are present, a double as its bits
// and a time as its milliseconds.
func (c *column) numbers(b block, dst []int64) []int64 {
	switch c.kind {
	case kindInt:
		return integers[int32](c, b, dst)
	case kindBoolean:
		return integers[uint8](c, b, dst)
	case kindTimestamp:
		for r := range b.rows {
			if !c.optional || *field[bool](b, r, c.present) {
				dst = append(dst, field[time.Time](b, r, c.value).UnixMilli())
			}
		}
		return dst
	}
	return values[int64](c, b, dst)
}

func values[V any](c *column, b block, dst []V) []V {
	for r := range b.rows {
		if !c.optional || *field[bool](b, r, c.present) {
			dst = append(dst, *field[V](b, r, c.value))
		}
	}
	return dst
}

func integers[V int32 | uint8](c *column, b block, dst []int64) []int64 {
	for r := range b.rows {
		if !c.optional || *field[bool](b, r, c.present) {
			dst = append(dst, int64(*field[V](b, r, c.value)))
		}
	}
	return dst
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
