package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

// footer is what a file says of itself, as far as a reader needs it: fields of
// format.FileMetaData that are not here would take memory for nothing while
// sixty files are open.
type footer struct {
	Schema   []element         `thrift:"2,required"` // the root, then the columns
	Rows     int64             `thrift:"3,required"`
	Groups   []group           `thrift:"4,required"`
	Metadata []format.KeyValue `thrift:"5,optional"`
}

// group is a row group, of format.RowGroup.
type group struct {
	Chunks []columnChunk `thrift:"1,required"`
	Rows   int64         `thrift:"3,required"`
}

// columnChunk is of format.ColumnChunk.
type columnChunk struct {
	Info chunkInfo `thrift:"3,required"`
}

// chunkInfo is a column chunk as the footer states it, of format.ColumnMetaData.
type chunkInfo struct {
	Physical   format.Type             `thrift:"1,required"`
	Path       []string                `thrift:"3,required"`
	Codec      format.CompressionCodec `thrift:"4,required"`
	Values     int64                   `thrift:"5,required"`
	Size       int64                   `thrift:"7,required"`
	Data       int64                   `thrift:"9,required"`
	Dictionary int64                   `thrift:"11,optional"`
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

// readFooter reads a footer, with its trailer. It asks for no more memory than
// the footer's own bytes account for, a few hundred for each.
func readFooter(body []byte) (*footer, error) {
	f := &footer{}
	if _, err := newThriftReader().read(body[:len(body)-trailerBytes], f); err != nil {
		return nil, err
	}
	if len(f.Schema) == 0 || int(f.Schema[0].Children) != len(f.Schema)-1 {
		return nil, errFooter
	}
	return f, nil
}

// columns are the elements of the file's columns.
func (f *footer) columns() []element { return f.Schema[1:] }

// version is the file's schema_version, "" if it has none.
func (f *footer) version() string {
	for _, pair := range f.Metadata {
		if pair.Key == "schema_version" {
			return pair.Value
		}
	}
	return ""
}

// checkGroups refuses row groups that do not have a chunk of each column, or
// not as many rows as the file.
func (f *footer) checkGroups() error {
	rows := int64(0)
	for _, g := range f.Groups {
		if len(g.Chunks) != len(f.columns()) || g.Rows < 0 || g.Rows > maxRows {
			return errFooter
		}
		rows += g.Rows
	}
	if rows != f.Rows || rows > maxRows {
		return fmt.Errorf("it claims %d rows and its row groups %d", f.Rows, rows)
	}
	return nil
}

// match finds each column of the table in the file: its number there, or -1 for
// an optional one that the file is too old to have.
func (t *Table[T]) match(f *footer) ([]int, error) {
	numbers, columns := make([]int, len(t.columns)), f.columns()
	for i := range t.columns {
		c := &t.columns[i]
		at := i // where it is in a file of this version
		if i >= len(columns) || columns[i].Name != c.name {
			at = slices.IndexFunc(columns, func(e element) bool { return e.Name == c.name })
		}
		switch {
		case at < 0 && c.optional:
			numbers[i] = -1
			continue
		case at < 0:
			return nil, &SchemaError{t.name, c.name, "no such column", c.want}
		case !columns[at].is(c):
			return nil, &SchemaError{t.name, c.name, columns[at].String(), c.want}
		}
		numbers[i] = at
	}
	return numbers, nil
}

// span is where the chunk's bytes begin and end in the file.
func (c *chunkInfo) span() (start, end int64) {
	start = c.Data
	if c.Dictionary > 0 && c.Dictionary < start {
		start = c.Dictionary
	}
	return start, start + c.Size
}

// check refuses a chunk that is not the column's, or not in the file.
func (c *chunkInfo) check(column *column, rows, fileSize int64) error {
	start, _ := c.span()
	switch {
	case c.Physical != column.kind.physical() || len(c.Path) != 1 || c.Path[0] != column.name:
		return errors.New("another column's pages")
	case c.Values != rows:
		return fmt.Errorf("%d values for %d rows", c.Values, rows)
	case start < 0 || c.Size < 0 || start > fileSize || c.Size > fileSize-start:
		return errors.New("pages beyond the file's end")
	case c.Codec != format.Zstd:
		return fmt.Errorf("codec %v is not supported", c.Codec)
	}
	return nil
}
