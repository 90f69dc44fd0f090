package store

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// cursor reads one column chunk from its first row to its last. It holds one
// page at a time, decoded.
type cursor struct {
	column *column
	pages  parquet.Pages
	page   parquet.Page

	// What is left of the page: rows, their levels if the column is optional,
	// and, in the one of these that the column's kind names, the values.
	rows    int
	levels  []byte
	strings []string
	ints    []int32
	bigints []int64
	doubles []float64
	bools   []bool
	times   []time.Time

	texts []string // the strings of the chunk's one dictionary
	space []string // where a page's strings are put, page after page
}

// read writes the column's next values to the rows of the block.
func (c *cursor) read(b block) error {
	for done := 0; done < b.rows; {
		if c.rows == 0 {
			if err := c.next(); err != nil {
				return err
			}
		}
		n := min(b.rows-done, c.rows)
		switch c.column.kind {
		case kindString:
			c.strings = scatter(c.column, b, done, n, c.levels, c.strings)
		case kindInt:
			c.ints = scatter(c.column, b, done, n, c.levels, c.ints)
		case kindBigint:
			c.bigints = scatter(c.column, b, done, n, c.levels, c.bigints)
		case kindDouble:
			c.doubles = scatter(c.column, b, done, n, c.levels, c.doubles)
		case kindBoolean:
			c.bools = scatter(c.column, b, done, n, c.levels, c.bools)
		case kindTimestamp:
			c.times = scatter(c.column, b, done, n, c.levels, c.times)
		}
		if c.levels != nil {
			c.levels = c.levels[n:]
		}
		c.rows -= n
		done += n
	}
	return nil
}

// next decodes the next page.
func (c *cursor) next() error {
	parquet.Release(c.page)
	c.page = nil
	page, err := c.pages.ReadPage()
	if errors.Is(err, io.EOF) {
		return errors.New("fewer values than rows")
	}
	if err != nil {
		return err
	}
	c.page, c.rows = page, int(page.NumValues())
	if c.column.optional {
		if c.levels = page.DefinitionLevels(); len(c.levels) != c.rows {
			return fmt.Errorf("a page has %d values and %d levels", c.rows, len(c.levels))
		}
	}
	switch c.column.kind {
	case kindString:
		c.strings = c.texted(page)
	case kindInt:
		c.ints = plain(page, (*encoding.Values).Int32)
	case kindBigint:
		c.bigints = plain(page, (*encoding.Values).Int64)
	case kindDouble:
		c.doubles = plain(page, (*encoding.Values).Double)
	case kindBoolean:
		data := page.Data()
		bits := data.Boolean()
		c.bools = make([]bool, 8*len(bits))
		for i := range c.bools {
			c.bools[i] = bits[i/8]>>(i%8)&1 != 0
		}
	case kindTimestamp:
		millis := plain(page, (*encoding.Values).Int64)
		c.times = make([]time.Time, len(millis))
		for i, m := range millis {
			c.times[i] = time.UnixMilli(m).UTC()
		}
	}
	return nil
}

// plain is the page's values. Numbers that some other writer put into a
// dictionary are looked up.
func plain[V any](page parquet.Page, values func(*encoding.Values) []V) []V {
	data := page.Data()
	dictionary := page.Dictionary()
	if dictionary == nil {
		return values(&data)
	}
	entries := dictionary.Page().Data()
	all := values(&entries)
	found := make([]V, 0, page.NumValues())
	for _, i := range data.Int32() {
		found = append(found, all[i])
	}
	return found
}

// texted is the page's strings. Those of a dictionary share its memory, so a
// string that repeats is held once.
func (c *cursor) texted(page parquet.Page) []string {
	data := page.Data()
	dictionary := page.Dictionary()
	if dictionary == nil {
		return split(&data)
	}
	if c.texts == nil {
		entries := dictionary.Page().Data()
		c.texts = split(&entries)
	}
	indexes := data.Int32()
	c.space = slices.Grow(c.space[:0], len(indexes))
	for _, i := range indexes {
		c.space = append(c.space, c.texts[i])
	}
	return c.space
}

// split cuts the page's bytes, copied once, into its strings.
func split(values *encoding.Values) []string {
	data, offsets := values.ByteArray()
	text := string(data)
	texts := make([]string, max(len(offsets), 1)-1)
	for i := range texts {
		texts[i] = text[offsets[i]:offsets[i+1]]
	}
	return texts
}

// atEnd reports whether the chunk holds no more rows.
func (c *cursor) atEnd() bool {
	if c.rows > 0 {
		return false
	}
	page, err := c.pages.ReadPage()
	parquet.Release(page)
	return errors.Is(err, io.EOF)
}

func (c *cursor) close() {
	parquet.Release(c.page)
	c.pages.Close()
}
