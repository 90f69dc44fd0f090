package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/parquet-go/parquet-go/format"
)

// pageHeader is a page as its header states it.
type pageHeader struct {
	kind                     format.PageType
	size, stored             int64 // decompressed, and in the file
	values, rows             int64
	encoding                 format.Encoding
	levelBytes, repeatBytes  int64 // version 2
	levelEncoding            format.Encoding
	uncompressed, known, two bool
	checked                  bool // the header has a checksum
	checksum                 int64
}

// readPageHeader reads a header and what it says of a page of that kind.
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
		case (id == 5 || id == 7 || id == 8) && kind == thriftStruct:
			h.known = true
			h.two = id == 8
			h.levelEncoding = format.RLE
			h.readDetails(r)
		default:
			return false
		}
		return true
	})
	return h
}

// readDetails reads the header of a data page, of either version, or of a
// dictionary. They number the same fields differently.
func (h *pageHeader) readDetails(r *thriftReader) {
	r.fields(func(id int, kind byte) bool {
		switch {
		case id == 7 && (kind == thriftTrue || kind == thriftFalse):
			h.uncompressed = kind == thriftFalse
			return true
		case kind != thriftI32:
			return false
		case id == 1:
			h.values = r.int()
			h.rows = h.values
		case id == 2 && !h.two, id == 4 && h.two:
			h.encoding = format.Encoding(r.int())
		case id == 3 && !h.two:
			h.levelEncoding = format.Encoding(r.int())
		case id == 3:
			h.rows = r.int()
		case id == 5:
			h.levelBytes = r.int()
		case id == 6:
			h.repeatBytes = r.int()
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
	if r.bad || h.stored < 0 || h.stored > int64(len(r.b)) || h.size < 0 || h.size > maxPageBytes || h.values < 0 || h.values > maxRows {
		return errThrift
	}
	body := r.b[:h.stored]
	c.b = r.b[h.stored:]
	if h.checked && h.checksum != int64(checksum(body)) {
		return errors.New("a page's bytes are not those that were written: its checksum differs")
	}
	switch {
	case h.kind == format.DictionaryPage && h.known:
		return c.readDictionary(h, body)
	case h.kind != format.DataPage && h.kind != format.DataPageV2:
		return nil // of no concern
	case !h.known || h.two != (h.kind == format.DataPageV2) || h.rows != h.values:
		return errThrift
	}
	c.rows, c.encoding, c.leveled = int(h.values), h.encoding, c.column.optional
	levels := []byte(nil)
	if h.two {
		if h.repeatBytes != 0 || h.levelBytes < 0 || h.levelBytes > h.stored || h.levelBytes > h.size {
			return errThrift
		}
		levels, body, h.size = body[:h.levelBytes], body[h.levelBytes:], h.size-h.levelBytes
	}
	values, err := c.decompress(h, body)
	if err != nil {
		return err
	}
	if c.leveled && !h.two {
		if h.levelEncoding != format.RLE {
			return fmt.Errorf("levels in encoding %v are not supported", h.levelEncoding)
		}
		if levels, values, err = counted(values); err != nil {
			return err
		}
	}
	if len(c.b) == 0 { // nothing of the row group is needed any more
		levels = bytes.Clone(levels)
	}
	c.levels = runReader{b: levels, width: 1}
	return c.begin(values)
}

// counted splits b behind the bytes whose number it begins with.
func counted(b []byte) (first, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errShort
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil, errShort
	}
	return b[4 : 4+n], b[4+n:], nil
}

func (c *cursor) decompress(h pageHeader, body []byte) ([]byte, error) {
	codec := c.codec
	if h.uncompressed && h.two {
		codec = format.Uncompressed
	}
	if len(body) == 0 && h.size == 0 {
		return nil, nil
	}
	out, err := decompress(codec, c.space, body, int(h.size))
	if err == nil {
		if codec == format.Uncompressed {
			out = append(c.space[:0], out...)
		}
		c.space = out
	}
	return out, err
}

// oldDictionary is how version 1 of the format names a dictionary, and ids of
// one. Some writers still do.
const oldDictionary format.Encoding = 2

// begin makes ready to read a data page's values.
func (c *cursor) begin(values []byte) error {
	c.values = values
	switch k := c.column.kind; {
	case len(values) == 0: // none of the rows has a value, or read finds out
		c.ids, c.delta, c.text.plain, c.text.prefixed, c.text.b = runReader{}, deltaReader{space: c.delta.space}, true, false, nil
		return nil
	case (c.encoding == format.RLEDictionary || c.encoding == oldDictionary) && k != kindBoolean:
		if values[0] > 32 {
			return errShort
		}
		c.encoding, c.ids = format.RLEDictionary, runReader{b: values[1:], width: int(values[0])}
		return nil
	case c.encoding == format.Plain && k == kindBoolean:
		c.ids = runReader{width: 1, left: 8 * len(values), packed: values}
		return nil
	case c.encoding == format.RLE && k == kindBoolean:
		runs, _, err := counted(values)
		c.ids = runReader{b: runs, width: 1}
		return err
	case c.encoding == format.Plain && k == kindString:
		return c.text.open(values, true, false)
	case c.encoding == format.Plain:
		return nil
	case c.encoding == format.DeltaLengthByteArray && k == kindString, c.encoding == format.DeltaByteArray && k == kindString:
		return c.text.open(values, false, c.encoding == format.DeltaByteArray)
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
	if h.encoding != format.Plain && h.encoding != oldDictionary {
		return fmt.Errorf("a dictionary in encoding %v is not supported", h.encoding)
	}
	// Its page is often much larger than the others, and is copied at once.
	space, ok := dictionarySpace.Get().(*[]byte)
	if !ok {
		space = new([]byte)
	}
	values, err := decompress(c.codec, *space, body, int(h.size))
	if err != nil {
		return err
	}
	if c.codec != format.Uncompressed {
		*space = values
	}
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
