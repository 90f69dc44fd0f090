package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

// footer is what a file says of itself, as far as a reader needs it.
type footer struct {
	rows    int64
	version string
	columns []element
	groups  []group
}

type group struct {
	rows   int64
	chunks []chunkInfo
}

// chunkInfo is one column chunk as the footer states it.
type chunkInfo struct {
	physical               format.Type
	path                   []byte
	codec                  format.CompressionCodec
	values                 int64
	size, data, dictionary int64
}

var errFooter = errors.New("a footer that does not hold together")

// trailerBytes follow the footer: its size and the magic.
const trailerBytes = 4 + len(magic)

// footerSize is how many bytes the footer has that the file of that size ends
// with, its trailer with it. The tail is what is there of the file.
func footerSize(tail []byte, size int64) (int64, error) {
	end := len(tail) - trailerBytes
	if end < 0 || size < int64(trailerBytes+len(magic)) || string(tail[end+4:]) != magic {
		return 0, errors.New("no footer at its end")
	}
	n := int64(binary.LittleEndian.Uint32(tail[end:])) + int64(trailerBytes)
	if n > size-int64(len(magic)) {
		return 0, errors.New("no footer at its end")
	}
	return n, nil
}

// readFooter reads a footer, with its trailer. It asks for no memory that the
// footer's own bytes do not account for.
func readFooter(body []byte) (*footer, error) {
	r := &thriftReader{b: body[:len(body)-trailerBytes]}
	f := &footer{}
	var elements []element
	r.fields(func(id int, kind byte) bool {
		switch {
		case id == 2 && kind == thriftList:
			n, _ := r.elements()
			elements = make([]element, 0, min(n, 100))
			for i := 0; i < n && !r.bad; i++ {
				elements = append(elements, readElement(r))
			}
		case id == 3 && kind == thriftI64:
			f.rows = r.int()
		case id == 4 && kind == thriftList:
			n, _ := r.elements()
			for i := 0; i < n && !r.bad; i++ {
				f.groups = append(f.groups, readGroup(r, len(elements)))
			}
		case id == 5 && kind == thriftList:
			n, _ := r.elements()
			for i := 0; i < n && !r.bad; i++ {
				f.readPair(r)
			}
		default:
			return false
		}
		return true
	})
	if r.bad {
		return nil, errFooter
	}
	if len(elements) == 0 || elements[0].children != len(elements)-1 {
		return nil, errFooter
	}
	f.columns = elements[1:]
	return f, nil
}

// readPair reads one entry of the file's metadata.
func (f *footer) readPair(r *thriftReader) {
	var key, value []byte
	r.fields(func(id int, kind byte) bool {
		switch {
		case id == 1 && kind == thriftBinary:
			key = r.bytes()
		case id == 2 && kind == thriftBinary:
			value = r.bytes()
		default:
			return false
		}
		return true
	})
	if string(key) == "schema_version" {
		f.version = string(value)
	}
}

func readGroup(r *thriftReader, columns int) (g group) {
	r.fields(func(id int, kind byte) bool {
		switch {
		case id == 1 && kind == thriftList:
			n, _ := r.elements()
			g.chunks = make([]chunkInfo, 0, min(n, columns))
			for i := 0; i < n && !r.bad; i++ {
				var c chunkInfo
				r.fields(func(id int, kind byte) bool {
					if id == 3 && kind == thriftStruct {
						c.read(r)
						return true
					}
					return false
				})
				g.chunks = append(g.chunks, c)
			}
		case id == 3 && kind == thriftI64:
			g.rows = r.int()
		default:
			return false
		}
		return true
	})
	return g
}

func (c *chunkInfo) read(r *thriftReader) {
	r.fields(func(id int, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			c.physical = format.Type(r.int())
		case id == 3 && kind == thriftList:
			n, kind := r.elements()
			for i := 0; i < n && !r.bad && kind == thriftBinary; i++ {
				c.path = r.bytes()
			}
		case id == 4 && kind == thriftI32:
			c.codec = format.CompressionCodec(r.int())
		case id == 5 && kind == thriftI64:
			c.values = r.int()
		case id == 7 && kind == thriftI64:
			c.size = r.int()
		case id == 9 && kind == thriftI64:
			c.data = r.int()
		case id == 11 && kind == thriftI64:
			c.dictionary = r.int()
		default:
			return false
		}
		return true
	})
}

// checkGroups refuses row groups that do not have a chunk of each column, or
// not as many rows as the file.
func (f *footer) checkGroups() error {
	rows := int64(0)
	for _, g := range f.groups {
		if len(g.chunks) != len(f.columns) || g.rows < 0 || g.rows > maxRows {
			return errFooter
		}
		rows += g.rows
	}
	if rows != f.rows || rows > maxRows {
		return fmt.Errorf("it claims %d rows and its row groups %d", f.rows, rows)
	}
	return nil
}

// match finds each column of the table in the file: its number there, or -1 for
// an optional one that the file is too old to have.
func (t *Table[T]) match(f *footer) ([]int, error) {
	numbers := make([]int, len(t.columns))
	for i := range t.columns {
		c := &t.columns[i]
		at := i // where it is in a file of this version
		if i >= len(f.columns) || f.columns[i].name != c.name {
			at = slices.IndexFunc(f.columns, func(e element) bool { return e.name == c.name })
		}
		switch {
		case at < 0 && c.optional:
			numbers[i] = -1
			continue
		case at < 0:
			return nil, &SchemaError{t.name, c.name, "no such column", c.want}
		case f.columns[at] != c.element():
			return nil, &SchemaError{t.name, c.name, f.columns[at].String(), c.want}
		}
		numbers[i] = at
	}
	return numbers, nil
}

// span is where the chunk's bytes begin and end in the file.
func (c *chunkInfo) span() (start, end int64) {
	start = c.data
	if c.dictionary > 0 && c.dictionary < start {
		start = c.dictionary
	}
	return start, start + c.size
}

// check refuses a chunk that is not the column's, or not in the file.
func (c *chunkInfo) check(column *column, rows, fileSize int64) error {
	start, _ := c.span()
	switch {
	case c.physical != column.kind.physical() || string(c.path) != column.name:
		return errors.New("another column's pages")
	case c.values != rows:
		return fmt.Errorf("%d values for %d rows", c.values, rows)
	case start < 0 || c.size < 0 || start > fileSize || c.size > fileSize-start:
		return errors.New("pages beyond the file's end")
	case c.codec != format.Zstd:
		return fmt.Errorf("codec %v is not supported", c.codec)
	}
	return nil
}
