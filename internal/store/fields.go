package store

import (
	"time"
	"unsafe"

	"github.com/parquet-go/parquet-go"
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

// field is the field at the offset in row i.
func field[V any](b block, i int, offset uintptr) *V {
	return (*V)(unsafe.Add(b.first, uintptr(i)*b.bytes+offset))
}

// gather fills values, one for each row of the block, with what column number
// i holds. Strings are not copied: the values live no longer than the rows.
func (c *column) gather(b block, i int, values []parquet.Value) {
	switch c.kind {
	case kindString:
		for r := range values {
			s := *field[string](b, r, c.value)
			values[r] = parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s)))
		}
	case kindInt:
		for r := range values {
			values[r] = parquet.Int32Value(*field[int32](b, r, c.value))
		}
	case kindBigint:
		for r := range values {
			values[r] = parquet.Int64Value(*field[int64](b, r, c.value))
		}
	case kindDouble:
		for r := range values {
			values[r] = parquet.DoubleValue(*field[float64](b, r, c.value))
		}
	case kindBoolean:
		for r := range values {
			values[r] = parquet.BooleanValue(*field[bool](b, r, c.value))
		}
	case kindTimestamp:
		for r := range values {
			values[r] = parquet.Int64Value(field[time.Time](b, r, c.value).UnixMilli())
		}
	}
	if !c.optional {
		return
	}
	null := parquet.Value{}.Level(0, 0, i)
	for r := range values {
		if *field[bool](b, r, c.present) {
			values[r] = values[r].Level(0, 1, i)
		} else {
			values[r] = null
		}
	}
}

// scatter writes n values of a column to the rows of the block from row start,
// and returns the values that it did not use. Where a level is 0 the value is
// absent and not among the values; without levels all are present. The rows
// have to be zero, so that what is not written is absent.
func scatter[V any](c *column, b block, start, n int, levels []byte, values []V) []V {
	if levels == nil {
		for i, v := range values[:n] {
			*field[V](b, start+i, c.value) = v
		}
		return values[n:]
	}
	used := 0
	for i, level := range levels[:n] {
		if level != 0 {
			*field[V](b, start+i, c.value) = values[used]
			*field[bool](b, start+i, c.present) = true
			used++
		}
	}
	return values[used:]
}
