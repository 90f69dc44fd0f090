package store

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/parquet-go/parquet-go/format"
)

// next begins the next page. A dictionary is read on the way.
func (c *cursor) next(s *scratch) error {
	h := &s.header
	*h = format.PageHeader{}
	n, err := s.thrift.read(c.b, h)
	if err != nil {
		return err
	}
	c.b = c.b[n:]
	if h.CompressedPageSize < 0 || int(h.CompressedPageSize) > len(c.b) {
		return errThrift
	}
	body := c.b[:h.CompressedPageSize]
	c.b = c.b[h.CompressedPageSize:]
	if h.CRC != 0 && h.CRC != checksum(body) {
		return errors.New("a page's bytes are not those that were written: its checksum differs")
	}
	switch dictionary, data := &h.DictionaryPageHeader, &h.DataPageHeaderV2; {
	case h.Type == format.DictionaryPage && dictionary.Valid:
		return c.readDictionary(&dictionary.V, body, int(h.UncompressedPageSize))
	case h.Type == format.DataPageV2 && data.Valid:
		return c.readDataPage(&data.V, body, int(h.UncompressedPageSize))
	}
	return fmt.Errorf("a page of type %v is not supported", h.Type)
}

// readDataPage makes ready to read a data page: levels, then values.
func (c *cursor) readDataPage(h *format.DataPageHeaderV2, body []byte, size int) error {
	levels := int(h.DefinitionLevelsByteLength)
	if h.NumRows < 0 || h.NumRows > maxRows || h.NumRows != h.NumValues || levels < 0 || levels > len(body) || levels > size {
		return errThrift
	}
	c.rows, c.encoding, c.leveled = int(h.NumRows), h.Encoding, c.column.optional
	if h.IsCompressed.Valid && !h.IsCompressed.V {
		c.space = append(c.space[:0], body[levels:]...)
	} else {
		var err error
		if c.space, err = decompress(c.space, body[levels:], size-levels); err != nil {
			return err
		}
	}
	c.levels = runReader{b: body[:levels], width: 1}
	if len(c.b) == 0 { // nothing of the row group is needed any more
		c.levels.b = bytes.Clone(c.levels.b)
	}
	return c.begin(c.space)
}

// begin makes ready to read a data page's values.
func (c *cursor) begin(values []byte) error {
	c.values = values
	switch k := c.column.kind; {
	case len(values) == 0: // none of the rows has a value, or whoever reads one finds out
		c.ids, c.delta, c.text.suffixes = runReader{}, deltaReader{space: c.delta.space}, deltaReader{space: c.text.suffixes.space}
		return nil
	case c.encoding == format.RLEDictionary && k != kindBoolean:
		if values[0] > 32 {
			return errShort
		}
		c.ids = runReader{b: values[1:], width: int(values[0])}
		return nil
	case c.encoding == format.Plain && k == kindBoolean:
		c.ids = runReader{width: 1, left: 8 * len(values), packed: values}
		return nil
	case c.encoding == format.Plain && k != kindString:
		return nil
	case c.encoding == format.DeltaByteArray && k == kindString:
		return c.text.open(values)
	case c.encoding == format.DeltaBinaryPacked && (k == kindInt || k == kindBigint || k == kindTimestamp):
		return c.delta.open(values, k == kindInt)
	}
	return fmt.Errorf("encoding %v of a %v is not supported", c.encoding, c.column.kind)
}

// dictionarySpace is of *[]byte, the memory of pages that hold a dictionary.
var dictionarySpace sync.Pool

// readDictionary reads the chunk's dictionary, of which there is one.
func (c *cursor) readDictionary(h *format.DictionaryPageHeader, body []byte, size int) error {
	if len(c.texts)+len(c.numbers) > 0 {
		return errors.New("a second dictionary")
	}
	if h.Encoding != format.Plain {
		return fmt.Errorf("a dictionary in encoding %v is not supported", h.Encoding)
	}
	// Its page is often much larger than the others, and is copied at once.
	space, ok := dictionarySpace.Get().(*[]byte)
	if !ok {
		space = new([]byte)
	}
	values, err := decompress(*space, body, size)
	if err != nil {
		return err
	}
	*space = values
	defer dictionarySpace.Put(space)
	n := int(h.NumValues)
	if n < 0 || n > len(values) {
		return errShort
	}
	if c.column.kind == kindString {
		c.texts, err = plainTexts(c.texts, values, n)
		return err
	}
	c.values, c.numbers = values, append(c.numbers, make([]int64, n)...)
	return c.plain(c.numbers)
}
