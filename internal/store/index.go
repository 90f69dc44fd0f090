package store

import (
	"encoding/binary"
	"math/bits"

	"github.com/parquet-go/parquet-go/format"
)

// written is a column chunk that is in the file.
type written struct {
	head                     []byte // the footer's entry: its fields up to the page index
	columnIndex, offsetIndex span
}

// span is a part of the page index.
type span struct{ start, size int }

// place appends the chunk's pages to the file, and to heads what the footer
// says of them. It returns the bytes that they would be, not compressed.
func (e *encoder) place(c *chunk, rows int) (size int) {
	start := e.at()
	size = c.size
	if c.entries.len() > 0 {
		var n int
		e.out, n = c.entries.appendPage(e.out, c.column.kind, e.space)
		size += n
		c.used |= 1 << format.Plain
	}
	data := e.at()
	e.out = append(e.out, c.out...)

	h := thriftWriter{b: e.heads}
	h.i64(2, start)
	h.open(3)
	h.i32(1, int(c.column.kind.physical()))
	h.list(2, thriftI32, bits.OnesCount(c.used))
	for used := c.used; used != 0; used &= used - 1 {
		h.b = binary.AppendVarint(h.b, int64(bits.TrailingZeros(used)))
	}
	h.list(3, thriftBinary, 1)
	h.element(c.column.name)
	h.i32(4, int(format.Zstd))
	h.i64(5, rows)
	h.i64(6, size)
	h.i64(7, e.at()-start)
	h.i64(9, data)
	if data > start {
		h.i64(11, start)
	}
	c.describe(&h)
	h.shut()
	w := written{head: h.b[len(e.heads):]}
	e.heads = h.b
	if e.rows >= rowsPerBlock { // else no column has a second page
		w.columnIndex = c.appendColumnIndex(&e.columnIndex)
		w.offsetIndex = c.appendOffsetIndex(&e.offsetIndex, data)
		e.indexed = e.indexed || len(c.pages) > 1
	}
	e.chunksWritten = append(e.chunksWritten, w)
	return size
}

// describe writes the chunk's statistics.
func (c *chunk) describe(h *thriftWriter) {
	var all bounds
	nulls := 0
	for i := range c.pages {
		all.join(c.pages[i].bounds)
		nulls += c.pages[i].nulls
	}
	h.open(12)
	h.i64(3, nulls)
	if least, most, ok := all.encode(c.column.kind); ok {
		h.text(5, most)
		h.text(6, least)
	}
	h.shut()
}

// appendOffsetIndex appends where the chunk's pages are.
func (c *chunk) appendOffsetIndex(index *[]byte, data int) span {
	h := thriftWriter{b: *index}
	h.list(1, thriftStruct, len(c.pages))
	for _, page := range c.pages {
		h.open(0)
		h.i64(1, data+page.offset)
		h.i32(2, page.size)
		h.i64(3, page.firstRow)
		h.shut()
	}
	h.shut()
	at := span{len(*index), len(h.b) - len(*index)}
	*index = h.b
	return at
}

// appendColumnIndex appends what the chunk's pages hold, unless one of them
// has values and no bounds.
func (c *chunk) appendColumnIndex(index *[]byte) span {
	k := c.column.kind
	type pair struct{ least, most string }
	pairs := make([]pair, len(c.pages))
	for i := range c.pages {
		var ok bool
		if pairs[i].least, pairs[i].most, ok = c.pages[i].bounds.encode(k); !ok && c.pages[i].bounds.some {
			return span{}
		}
	}
	h := thriftWriter{b: *index}
	h.list(1, thriftTrue, len(pairs))
	for _, page := range c.pages {
		if page.bounds.some {
			h.b = append(h.b, 0)
		} else {
			h.b = append(h.b, 1)
		}
	}
	h.list(2, thriftBinary, len(pairs))
	for _, pair := range pairs {
		h.element(pair.least)
	}
	h.list(3, thriftBinary, len(pairs))
	for _, pair := range pairs {
		h.element(pair.most)
	}
	h.i32(4, int(c.order()))
	h.list(5, thriftI64, len(pairs))
	for _, page := range c.pages {
		h.b = binary.AppendVarint(h.b, int64(page.nulls))
	}
	h.shut()
	at := span{len(*index), len(h.b) - len(*index)}
	*index = h.b
	return at
}

// order is how the bounds of the pages that have some follow on each other.
func (c *chunk) order() format.BoundaryOrder {
	up, down := true, true
	var last *bounds
	for i := range c.pages {
		b := &c.pages[i].bounds
		if !b.some {
			continue
		}
		if last != nil {
			up = up && last.least <= b.least && last.most <= b.most && last.leastText <= b.leastText && last.mostText <= b.mostText
			down = down && last.least >= b.least && last.most >= b.most && last.leastText >= b.leastText && last.mostText >= b.mostText
		}
		last = b
	}
	switch {
	case up:
		return format.Ascending
	case down:
		return format.Descending
	}
	return format.Unordered
}
