package store

import (
	"encoding/binary"
	"math/bits"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// A page is cut where it holds this many values, equal neighbours counted
	// once, or this many bytes of strings. Pages are what a reader holds of a
	// column, and with the page index skips or fetches.
	pageValues = 4_096
	pageBytes  = 96 << 10
	// valuesToTry is how many values show what the others will be like.
	valuesToTry = 512
	// A dictionary that has grown beyond these takes no more pages.
	dictionaryEntries = 1 << 16
	dictionaryBytes   = 4 << 20
)

// chunk is one column of the row group that is being written: the pages that
// are full, encoded, and the values of the one that is not.
//
// # Which encoding
//
// Booleans are bits. Any other column begins with a dictionary, and its first
// page decides. A dictionary stays if each entry stands for 4 numbers or 16
// strings, or if strings recur apart from their neighbours, such as the nodes
// of pods. Otherwise strings become DELTA_BYTE_ARRAY, which makes nothing of
// one that equals its neighbour, doubles PLAIN, and integers PLAIN or
// DELTA_BINARY_PACKED, whichever makes the first page smaller. So the encoding
// is a function of the values alone.
type chunk struct {
	column *column

	// The page that is being filled.
	rows    int
	count   int // of rows with a value
	levels  []run
	ids     []run   // values by dictionary entry, or of booleans
	numbers []int64 // without a dictionary
	texts   textWriter

	coded   bool            // values go to the dictionary
	direct  format.Encoding // of integers without one
	entries dictionary

	pages []page
	out   []byte // the pages
	size  int    // of them, were they not compressed
	used  uint   // encodings, by bit
}

// page is what the page index says of a page.
type page struct {
	offset, size    int // in the chunk's pages
	firstRow, nulls int
	bounds          bounds
}

// workspace is memory that the columns use one after the other.
type workspace struct {
	numbers []stretch[int64]
	texts   []stretch[string]
	levels  []byte
	values  []byte

	compressed []byte
}

// reset empties the chunk for the next row group.
func (c *chunk) reset() {
	c.coded, c.direct = c.column.kind != kindBoolean, -1
	c.entries.reset()
	clear(c.pages) // their bounds are strings of rows
	c.pages, c.out, c.size, c.used = c.pages[:0], c.out[:0], 0, 0
}

// add adds the block's values of the column.
func (c *chunk) add(b block, s *workspace) {
	n := b.rows
	c.rows += n
	if c.column.optional {
		c.levels, n = c.column.levels(b, c.levels)
	}
	if n == 0 {
		return
	}
	c.count += n
	if c.column.kind == kindString {
		s.texts = c.column.texts(b, n == b.rows, s.texts[:0])
		for _, v := range s.texts {
			if c.coded {
				c.ids = push(c.ids, c.entries.text(v.value), v.count)
			} else {
				c.texts.add(v.value, v.count)
			}
		}
		return
	}
	s.numbers = c.column.numbers(b, n == b.rows, s.numbers[:0])
	for _, v := range s.numbers {
		switch {
		case c.column.kind == kindBoolean:
			c.ids = push(c.ids, uint32(v.value), v.count)
		case c.coded:
			c.ids = push(c.ids, c.entries.number(v.value), v.count)
		default:
			for range v.count {
				c.numbers = append(c.numbers, v.value)
			}
		}
	}
}

// cut ends the page if it is full. A dictionary of strings none of which recur,
// or of numbers few of which do, is given up before that.
func (c *chunk) cut(row int, s *workspace) {
	if c.coded && len(c.pages) == 0 && len(c.ids) >= valuesToTry && !c.pays() &&
		(len(c.entries.texts) == len(c.ids) || 2*len(c.entries.numbers) > c.count) {
		c.uncode()
	}
	values := max(len(c.ids), len(c.numbers), len(c.levels))
	if values >= pageValues || len(c.texts.data) >= pageBytes || len(c.texts.prefixes) >= 4*pageValues {
		c.end(row, s)
	}
}

// pays reports whether the dictionary is worth its bytes, by its first page.
func (c *chunk) pays() bool {
	if c.column.kind != kindString {
		return 4*len(c.entries.numbers) <= c.count
	}
	entries := len(c.entries.texts)
	return 16*entries <= c.count || len(c.ids) >= valuesToTry/8 && 3*entries <= 2*len(c.ids)
}

// uncode takes the page's values out of the dictionary.
func (c *chunk) uncode() {
	for _, r := range c.ids {
		if c.column.kind == kindString {
			c.texts.add(c.entries.texts[r.value], int(r.count))
			continue
		}
		for range r.count {
			c.numbers = append(c.numbers, c.entries.numbers[r.value])
		}
	}
	c.coded, c.ids = false, c.ids[:0]
	c.entries.reset()
}

// end encodes the page, whose rows end before the row of that number.
func (c *chunk) end(row int, s *workspace) {
	if c.rows == 0 {
		return
	}
	if c.coded && len(c.pages) == 0 && !c.pays() {
		c.uncode()
	}
	p := page{offset: len(c.out), firstRow: row - c.rows, nulls: c.rows - c.count, bounds: c.bounds()}
	s.levels = s.levels[:0]
	if c.column.optional {
		s.levels = appendRuns(s.levels, c.levels, 1)
	}
	encoding := c.encode(s)
	compressed := s.compress(s.values)
	body := compressed
	if compressed == nil {
		body = s.values
	}
	c.used |= 1<<format.RLE | 1<<encoding

	start := len(c.out)
	data := format.DataPageHeaderV2{NumValues: int32(c.rows), NumNulls: int32(c.rows - c.count), NumRows: int32(c.rows),
		Encoding: encoding, DefinitionLevelsByteLength: int32(len(s.levels))}
	data.Statistics.NullCount = int64(data.NumNulls)
	data.IsCompressed.Set(compressed != nil)
	header := format.PageHeader{Type: format.DataPageV2, UncompressedPageSize: int32(len(s.levels) + len(s.values)),
		CompressedPageSize: int32(len(s.levels) + len(body)), CRC: checksum(s.levels, body), DataPageHeaderV2: thrift.New(data)}
	c.out = appendThrift(c.out, &header)
	c.size += len(c.out) - start + len(s.levels) + len(s.values)
	c.out = append(append(c.out, s.levels...), body...)
	p.size = len(c.out) - p.offset
	c.pages = append(c.pages, p)

	c.coded = c.coded && len(c.entries.texts)+len(c.entries.numbers) <= dictionaryEntries && c.entries.bytes <= dictionaryBytes
	c.rows, c.count, c.levels, c.ids, c.numbers = 0, 0, c.levels[:0], c.ids[:0], c.numbers[:0]
	c.texts.reset()
}

// encode puts the page's encoded values into s.values.
func (c *chunk) encode(s *workspace) format.Encoding {
	s.values = s.values[:0]
	switch {
	case c.count == 0:
		return format.Plain
	case c.column.kind == kindBoolean:
		s.values = appendBits(s.values, c.ids)
		return format.Plain
	case c.coded:
		width := max(1, bits.Len(uint(c.entries.len()-1)))
		s.values = appendRuns(append(s.values, byte(width)), c.ids, width)
		return format.RLEDictionary
	case c.column.kind == kindString:
		s.values = c.texts.encode(s.values)
		return format.DeltaByteArray
	case c.column.kind == kindDouble:
		c.direct = format.Plain
	case c.direct < 0:
		delta, plain := c.try(format.DeltaBinaryPacked, s), c.try(format.Plain, s)
		if c.direct = format.DeltaBinaryPacked; plain < delta {
			c.direct = format.Plain
		}
	}
	c.appendNumbers(c.numbers, c.direct, s)
	return c.direct
}

// try is how many bytes the first values of the page have with the encoding.
// Few values are not worth compressing to know.
func (c *chunk) try(encoding format.Encoding, s *workspace) int {
	c.appendNumbers(c.numbers[:min(len(c.numbers), 8*valuesToTry)], encoding, s)
	if c.count >= valuesToTry {
		if compressed := s.compress(s.values); compressed != nil {
			return len(compressed)
		}
	}
	return len(s.values)
}

func (c *chunk) appendNumbers(numbers []int64, encoding format.Encoding, s *workspace) {
	if encoding == format.DeltaBinaryPacked {
		s.values = appendDelta(s.values[:0], numbers, c.column.kind == kindInt)
		return
	}
	s.values = plainNumbers(s.values[:0], numbers, c.column.kind)
}

func plainNumbers(dst []byte, numbers []int64, k kind) []byte {
	for _, v := range numbers {
		if k == kindInt {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
		} else {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
		}
	}
	return dst
}
