package store

import (
	"math/bits"

	"github.com/parquet-go/parquet-go/format"
)

// place appends the chunk's pages to the file, and to the page index what it
// says of them. It fills in the footer's entry, whose places in the page index
// count from where that will begin.
func (e *encoder) place(c *chunk, rows int, entry *format.ColumnChunk) {
	start := e.at()
	m := &entry.MetaData
	if c.entries.len() > 0 {
		var n int
		e.out, n = c.entries.appendPage(e.out, c.column.kind, e.space)
		c.size += n
		c.used |= 1 << format.Plain
		m.DictionaryPageOffset = int64(start)
	}
	data := e.at()
	e.out = append(e.out, c.out...)

	for used := c.used; used != 0; used &= used - 1 {
		m.Encoding = append(m.Encoding, format.Encoding(bits.TrailingZeros(used)))
	}
	m.Type, m.PathInSchema, m.Codec, m.NumValues = c.column.kind.physical(), c.column.path, format.Zstd, int64(rows)
	m.TotalUncompressedSize, m.TotalCompressedSize, m.DataPageOffset = int64(c.size), int64(e.at()-start), int64(data)
	m.Statistics = c.statistics()
	if e.rows >= rowsPerBlock { // else no column has a second page
		entry.ColumnIndexOffset, entry.ColumnIndexLength = c.appendColumnIndex(&e.columnIndex)
		entry.OffsetIndexOffset, entry.OffsetIndexLength = c.appendOffsetIndex(&e.offsetIndex, data)
		e.indexed = e.indexed || len(c.pages) > 1
	}
}

// statistics are the chunk's absent values and bounds.
func (c *chunk) statistics() (s format.Statistics) {
	var all bounds
	for i := range c.pages {
		all.join(c.pages[i].bounds)
		s.NullCount += int64(c.pages[i].nulls)
	}
	if least, most, ok := all.encode(c.column.kind); ok {
		s.MinValue, s.MaxValue = least, most
	}
	return s
}

// appendOffsetIndex appends where the chunk's pages are.
func (c *chunk) appendOffsetIndex(index *[]byte, data int) (at int64, size int32) {
	var o format.OffsetIndex
	for _, page := range c.pages {
		o.PageLocations = append(o.PageLocations, format.PageLocation{
			Offset: int64(data + page.offset), CompressedPageSize: int32(page.size), FirstRowIndex: int64(page.firstRow)})
	}
	return appendIndex(index, &o)
}

// appendColumnIndex appends what the chunk's pages hold, unless one of them
// has values and no bounds.
func (c *chunk) appendColumnIndex(index *[]byte) (at int64, size int32) {
	o := format.ColumnIndex{BoundaryOrder: c.order()}
	for i := range c.pages {
		page := &c.pages[i]
		least, most, ok := page.bounds.encode(c.column.kind)
		if !ok && page.bounds.some {
			return 0, 0
		}
		o.NullPages = append(o.NullPages, !page.bounds.some)
		o.MinValues, o.MaxValues = append(o.MinValues, least), append(o.MaxValues, most)
		o.NullCounts = append(o.NullCounts, int64(page.nulls))
	}
	return appendIndex(index, &o)
}

func appendIndex(index *[]byte, v any) (at int64, size int32) {
	start := len(*index)
	*index = appendThrift(*index, v)
	return int64(start), int32(len(*index) - start)
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
