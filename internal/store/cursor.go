package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/parquet-go/parquet-go/format"
)

// cursor reads one column chunk from its first value to its last, page by page.
type cursor struct {
	column *column
	b      []byte // the pages that are not read yet

	rows     int  // that are left of the page
	leveled  bool // levels says which of them have a value
	levels   runReader
	encoding format.Encoding
	values   []byte    // PLAIN: what is left of them
	ids      runReader // a dictionary's, or booleans
	delta    deltaReader
	text     textReader

	texts   []string // the dictionary
	numbers []int64
	space   []byte // of the page's bytes, and of the dictionary's before it
}

// open begins to read a chunk. Memory from the chunk before is used again.
func (c *cursor) open(column *column, pages []byte) {
	clear(c.texts)
	*c = cursor{column: column, b: pages, texts: c.texts[:0], numbers: c.numbers[:0], space: c.space,
		delta: deltaReader{space: c.delta.space}, text: c.text}
}

// atEnd reports whether the chunk holds no more values.
func (c *cursor) atEnd() bool { return c.rows == 0 && len(c.b) == 0 }

// read writes the column's next values to the rows of the block, which are no
// more than a scratch holds.
func (c *cursor) read(b block, s *scratch) error {
	for b.rows > 0 {
		for c.rows == 0 {
			if len(c.b) == 0 {
				return errors.New("fewer values than rows")
			}
			if err := c.next(s); err != nil {
				return err
			}
		}
		n, err := c.some(b.part(min(b.rows, c.rows)), s)
		if err != nil {
			return err
		}
		c.rows -= n
		b = b.after(n)
	}
	return nil
}

// some reads values of one page, for the first rows of the block, and reports
// for how many.
func (c *cursor) some(b block, s *scratch) (n int, err error) {
	if !c.leveled {
		return b.rows, c.present(b, s)
	}
	level, n := c.levels.long(b.rows)
	switch {
	case level > 1:
		return 0, errLevel(level)
	case n > 0 && level == 0:
		return n, nil
	case n > 0:
		return n, c.present(b.part(n), s)
	}
	b = b.part(min(b.rows, shortRows))
	levels := s.levels[:b.rows]
	if err := c.levels.read(levels); err != nil {
		return 0, err
	}
	for _, l := range levels {
		level = max(level, l)
		n += int(l & 1)
	}
	if level > 1 {
		return 0, errLevel(level)
	}
	return b.rows, c.each(b, levels, n, s)
}

func errLevel(level uint64) error {
	return fmt.Errorf("level %d of a column that has two", level)
}

// shortRows is how many rows are read at once where there is no long run.
const shortRows = 64

// present reads values for all rows of the block.
func (c *cursor) present(b block, s *scratch) error {
	if c.encoding != format.RLEDictionary {
		return c.each(b, nil, b.rows, s)
	}
	for b.rows > 0 {
		id, n := c.ids.long(b.rows)
		var err error
		if n > 0 {
			err = c.repeat(b.part(n), id)
		} else {
			n = min(b.rows, shortRows)
			err = c.each(b.part(n), nil, n, s)
		}
		if err != nil {
			return err
		}
		b = b.after(n)
	}
	return nil
}

// repeat gives all rows of the block the dictionary's value of that number.
func (c *cursor) repeat(b block, id uint64) error {
	if id >= uint64(len(c.texts)+len(c.numbers)) {
		return c.errEntry(id)
	}
	if c.column.kind == kindString {
		spread(c.column, b, c.texts[id])
		return nil
	}
	switch v := c.numbers[id]; c.column.kind {
	case kindInt:
		spread(c.column, b, int32(v))
	case kindTimestamp:
		spread(c.column, b, time.UnixMilli(v).UTC())
	default: // a double's bits too; booleans have no dictionary
		spread(c.column, b, v)
	}
	return nil
}

func (c *cursor) errEntry(id uint64) error {
	return fmt.Errorf("entry %d of a dictionary of %d", id, len(c.texts)+len(c.numbers))
}

// each reads n values for the rows of the block whose level is not 0, or for
// all if there are no levels.
func (c *cursor) each(b block, levels []uint64, n int, s *scratch) error {
	if n == 0 {
		return nil
	}
	if c.column.kind == kindString {
		if err := c.readTexts(s.texts[:n], s); err != nil {
			return err
		}
		scatter(c.column, b, levels, s.texts[:n])
		return nil
	}
	if err := c.readNumbers(s.numbers[:n], s); err != nil {
		return err
	}
	c.column.setNumbers(b, levels, s.numbers[:n], s)
	return nil
}

func (c *cursor) readTexts(dst []string, s *scratch) error {
	if c.encoding != format.RLEDictionary {
		return c.text.read(dst, s)
	}
	return lookUp(c, dst, c.texts, s)
}

func (c *cursor) readNumbers(dst []int64, s *scratch) error {
	switch {
	case c.encoding == format.RLEDictionary:
		return lookUp(c, dst, c.numbers, s)
	case c.encoding == format.DeltaBinaryPacked:
		return c.delta.read(dst)
	case c.column.kind == kindBoolean:
		ids := s.ids[:len(dst)]
		if err := c.ids.read(ids); err != nil {
			return err
		}
		for i, id := range ids {
			dst[i] = int64(id)
		}
		return nil
	}
	return c.plain(dst)
}

// plain reads PLAIN numbers.
func (c *cursor) plain(dst []int64) error {
	size := 8
	if c.column.kind == kindInt {
		size = 4
	}
	if len(dst) > len(c.values)/size {
		return errShort
	}
	b := c.values
	for i := range dst {
		if size == 4 {
			dst[i] = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
		} else {
			dst[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
	c.values = b[size*len(dst):]
	return nil
}

// lookUp reads values by their number in the dictionary.
func lookUp[V any](c *cursor, dst, dictionary []V, s *scratch) error {
	ids := s.ids[:len(dst)]
	if err := c.ids.read(ids); err != nil {
		return err
	}
	for i, id := range ids {
		if id >= uint64(len(dictionary)) {
			return c.errEntry(id)
		}
		dst[i] = dictionary[id]
	}
	return nil
}
