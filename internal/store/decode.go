package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/parquet-go/parquet-go"
)

// maxRows is the most rows that one file may claim. An hour of 150,000 pods at
// two samples a minute is 18 million.
const maxRows = 1 << 26

// Decode reads a file's rows, in its order. Bytes that are not a whole Parquet
// file are ErrCorrupt, columns that are not the table's a *SchemaError.
func (t *Table[T]) Decode(body []byte) (rows []T, err error) {
	// The library checks less than a file from outside can get wrong, and
	// panics on what it did not expect.
	defer func() {
		if p := recover(); p != nil {
			rows, err = nil, fmt.Errorf("table %s: %w (%v)", t.name, ErrCorrupt, p)
		}
	}()
	file, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)),
		parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(16<<10))
	if err != nil {
		return nil, fmt.Errorf("table %s: %w (%v)", t.name, ErrCorrupt, err)
	}
	if v, _ := file.Lookup("schema_version"); v != SchemaVersion {
		return nil, fmt.Errorf("table %s: schema version %q, this program reads %q: use the k8s-monitor that wrote it, or a newer one", t.name, v, SchemaVersion)
	}
	leaves, err := t.match(file.Schema())
	if err != nil {
		return nil, err
	}
	if n := file.NumRows(); n < 0 || n > maxRows {
		return nil, fmt.Errorf("table %s: %w (it claims %d rows)", t.name, ErrCorrupt, n)
	}
	for _, group := range file.RowGroups() {
		if rows, err = t.decodeGroup(rows, group, leaves); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return rows, nil
}

// match finds each column of the table in the file: its index, or -1 for an
// optional one that the file is too old to have.
func (t *Table[T]) match(schema *parquet.Schema) ([]int, error) {
	leaves := make([]int, len(t.columns))
	for i := range t.columns {
		c := &t.columns[i]
		want, _ := t.schema.Lookup(c.name)
		found, ok := schema.Lookup(c.name)
		switch {
		case !ok && c.optional:
			leaves[i] = -1
			continue
		case !ok:
			return nil, &SchemaError{t.name, c.name, "no such column", describe(want.Node)}
		case describe(found.Node) != describe(want.Node):
			return nil, &SchemaError{t.name, c.name, describe(found.Node), describe(want.Node)}
		}
		leaves[i] = found.ColumnIndex
	}
	return leaves, nil
}

// describe is what has to agree: presence, physical and logical type.
func describe(n parquet.Node) string {
	presence := "required"
	switch {
	case n.Optional():
		presence = "optional"
	case n.Repeated():
		presence = "repeated"
	}
	if !n.Leaf() {
		return presence + " group"
	}
	switch n.Type().Kind() {
	case parquet.Int32, parquet.Double, parquet.Boolean:
		return presence + " " + n.Type().Kind().String()
	}
	return presence + " " + n.Type().Kind().String() + " " + n.Type().String()
}

// decodeGroup appends a row group's rows. Rows are made as the first column's
// values come, never on the word of the footer alone.
func (t *Table[T]) decodeGroup(rows []T, group parquet.RowGroup, leaves []int) ([]T, error) {
	chunks := group.ColumnChunks()
	start, total := len(rows), int(group.NumRows())
	values := make([]parquet.Value, rowsPerWrite)
	if n := min(total, rowsPerGroup); cap(rows)-start < n {
		rows = append(make([]T, 0, start+n), rows...)
	}
	for i := range t.columns {
		if leaves[i] < 0 {
			continue
		}
		c := &t.columns[i]
		strings := map[string]string{}
		intern := func(b []byte) string {
			s, ok := strings[string(b)]
			if !ok {
				s = string(b)
				strings[s] = s
			}
			return s
		}
		row := start
		err := readChunk(chunks[leaves[i]], values, func(v parquet.Value) error {
			if row == start+total {
				return errors.New("more values than rows")
			}
			if row == len(rows) {
				var empty T
				rows = append(rows, empty)
			}
			c.set(unsafe.Pointer(&rows[row]), v, intern)
			row++
			return nil
		})
		if err == nil && row != start+total {
			err = fmt.Errorf("%d values for %d rows", row-start, total)
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w (%v)", c.name, ErrCorrupt, err)
		}
	}
	return rows, nil
}

// readChunk yields a column chunk's values in order.
func readChunk(chunk parquet.ColumnChunk, values []parquet.Value, yield func(parquet.Value) error) error {
	pages := chunk.Pages()
	defer pages.Close()
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		err = readPage(page, values, yield)
		parquet.Release(page)
		if err != nil {
			return err
		}
	}
}

func readPage(page parquet.Page, values []parquet.Value, yield func(parquet.Value) error) error {
	reader := page.Values()
	for {
		n, err := reader.ReadValues(values)
		for _, v := range values[:n] {
			if err := yield(v); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return errors.New("a page that ends nowhere")
		}
	}
}
