package store

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/parquet-go/parquet-go/format"
)

// pageHeader is what the header of a data page or dictionary says.
type pageHeader struct {
	kind         format.PageType
	size, stored int64 // of the page after the header: decompressed, and in the file
	checked      bool  // the header has a checksum
	checksum     int64
	details      format.PageType // the kind of page that the fields below are of
	values       int64
	encoding     format.Encoding
	rows         int64 // these of a data page
	levelBytes   int64
	uncompressed bool
}

// readPageHeader reads a header.
func readPageHeader(r *thriftReader) (h pageHeader) {
	r.fields(func(id int, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			h.kind = format.PageType(r.int())
		case id == 2 && kind == thriftI32:
			h.size = r.int()
		case id == 3 && kind == thriftI32:
			h.stored = r.int()
		case id == 4 && kind == thriftI32:
			h.checked, h.checksum = true, r.int()
		case id == 7 && kind == thriftStruct:
			h.readDictionaryHeader(r)
		case id == 8 && kind == thriftStruct:
			h.readDataHeader(r)
		default:
			return false
		}
		return true
	})
	return h
}

func (h *pageHeader) readDictionaryHeader(r *thriftReader) {
	h.details = format.DictionaryPage
	r.fields(func(id int, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			h.values = r.int()
		case id == 2 && kind == thriftI32:
			h.encoding = format.Encoding(r.int())
		default:
			return false
		}
		return true
	})
}

func (h *pageHeader) readDataHeader(r *thriftReader) {
	h.details = format.DataPageV2
	r.fields(func(id int, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			h.values = r.int()
		case id == 3 && kind == thriftI32:
			h.rows = r.int()
		case id == 4 && kind == thriftI32:
			h.encoding = format.Encoding(r.int())
		case id == 5 && kind == thriftI32:
			h.levelBytes = r.int()
		case id == 7 && (kind == thriftTrue || kind == thriftFalse):
			h.uncompressed = kind == thriftFalse
		default:
			return false
		}
		return true
	})
}

// next begins the next page. A dictionary is read on the way.
func (c *cursor) next() error {
	r := thriftReader{b: c.b}
	h := readPageHeader(&r)
	if r.bad || h.details != h.kind || h.stored < 0 || h.stored > int64(len(r.b)) || h.values < 0 || h.values > maxRows {
		return errThrift
	}
	body := r.b[:h.stored]
	c.b = r.b[h.stored:]
	if h.checked && h.checksum != int64(checksum(body)) {
		return errors.New("a page's bytes are not those that were written: its checksum differs")
	}
	switch h.kind {
	case format.DictionaryPage:
		return c.readDictionary(h, body)
	case format.DataPageV2:
		return c.readDataPage(h, body)
	}
	return fmt.Errorf("a page of type %v is not supported", h.kind)
}

// readDataPage makes ready to read a data page: levels, then values.
func (c *cursor) readDataPage(h pageHeader, body []byte) error {
	if h.rows != h.values || h.levelBytes < 0 || h.levelBytes > h.stored || h.levelBytes > h.size {
		return errThrift
	}
	c.rows, c.encoding, c.leveled = int(h.values), h.encoding, c.column.optional
	levels, values := body[:h.levelBytes], body[h.levelBytes:]
	if h.uncompressed {
		c.space = append(c.space[:0], values...)
	} else {
		var err error
		if c.space, err = decompress(c.space, values, int(h.size-h.levelBytes)); err != nil {
			return err
		}
	}
	if len(c.b) == 0 { // nothing of the row group is needed any more
		levels = bytes.Clone(levels)
	}
	c.levels = runReader{b: levels, width: 1}
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
func (c *cursor) readDictionary(h pageHeader, body []byte) error {
	if len(c.texts)+len(c.numbers) > 0 {
		return errors.New("a second dictionary")
	}
	if h.encoding != format.Plain {
		return fmt.Errorf("a dictionary in encoding %v is not supported", h.encoding)
	}
	// Its page is often much larger than the others, and is copied at once.
	space, ok := dictionarySpace.Get().(*[]byte)
	if !ok {
		space = new([]byte)
	}
	values, err := decompress(*space, body, int(h.size))
	if err != nil {
		return err
	}
	*space = values
	defer dictionarySpace.Put(space)
	if c.column.kind == kindString {
		c.texts, err = plainTexts(c.texts, values, int(h.values))
		return err
	}
	if h.values > int64(len(values)) {
		return errShort
	}
	c.values, c.numbers = values, append(c.numbers, make([]int64, h.values)...)
	return c.plain(c.numbers)
}
