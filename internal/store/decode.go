package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

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
	if !footerFits(body) {
		return nil, fmt.Errorf("table %s: %w (no footer at its end)", t.name, ErrCorrupt)
	}
	file, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)),
		parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(16<<10))
	if err != nil {
		return nil, fmt.Errorf("table %s: %w (%v)", t.name, ErrCorrupt, err)
	}
	if v, _ := file.Lookup("schema_version"); v != SchemaVersion {
		return nil, fmt.Errorf("table %s: schema version %q, this program reads %q: use the k8s-monitor that wrote it, or a newer one", t.name, v, SchemaVersion)
	}
	leaves, err := t.match(file.Root())
	if err != nil {
		return nil, err
	}
	claimed := file.NumRows()
	if claimed < 0 || claimed > maxRows {
		return nil, fmt.Errorf("table %s: %w (it claims %d rows)", t.name, ErrCorrupt, claimed)
	}
	// Whole memory at once for what a file of this size can well hold; what is
	// beyond is given as values come, never on the word of the footer.
	rows = make([]T, 0, min(int(claimed), max(rowsPerBlock, len(body))))
	for _, group := range file.RowGroups() {
		if rows, err = t.decodeGroup(rows, group, leaves); err != nil {
			return nil, fmt.Errorf("table %s: %w (%v)", t.name, ErrCorrupt, err)
		}
	}
	if int64(len(rows)) != claimed {
		return nil, fmt.Errorf("table %s: %w (it claims %d rows and holds %d)", t.name, ErrCorrupt, claimed, len(rows))
	}
	return rows, nil
}

// footerFits reports whether body ends in a footer's length, and is that long.
// The library would ask for up to 4 GiB of memory before it finds out.
func footerFits(body []byte) bool {
	const magic = "PAR1"
	end := len(body) - 4 - len(magic)
	return end >= len(magic) && string(body[end+4:]) == magic &&
		int64(binary.LittleEndian.Uint32(body[end:])) <= int64(end-len(magic))
}

// match finds each column of the table in the file: its index, or -1 for an
// optional one that the file is too old to have.
func (t *Table[T]) match(root *parquet.Column) ([]int, error) {
	leaves := make([]int, len(t.columns))
	found := root.Columns()
	for i := range t.columns {
		c := &t.columns[i]
		at := slices.IndexFunc(found, func(f *parquet.Column) bool { return f.Name() == c.name })
		switch {
		case at < 0 && c.optional:
			leaves[i] = -1
			continue
		case at < 0:
			return nil, &SchemaError{t.name, c.name, "no such column", c.want}
		}
		if has := describe(found[at]); has != c.want {
			return nil, &SchemaError{t.name, c.name, has, c.want}
		}
		leaves[i] = found[at].Index()
	}
	return leaves, nil
}

// describe is what has to agree: presence, physical and logical type. A signed
// integer of the physical type's own width is the same with and without the
// logical type that says so.
func describe(n parquet.Node) string {
	presence := "required "
	switch {
	case n.Optional():
		presence = "optional "
	case n.Repeated():
		presence = "repeated "
	}
	if !n.Leaf() {
		return presence + "group"
	}
	kind, logical := n.Type().Kind().String(), n.Type().String()
	if logical == kind || logical == "INT(32,true)" || logical == "INT(64,true)" {
		return presence + kind
	}
	return presence + kind + " " + logical
}

// decodeGroup appends a row group's rows, block by block.
func (t *Table[T]) decodeGroup(rows []T, group parquet.RowGroup, leaves []int) ([]T, error) {
	chunks := group.ColumnChunks()
	cursors := make([]cursor, 0, len(t.columns))
	defer func() {
		for i := range cursors {
			cursors[i].close()
		}
	}()
	for i, leaf := range leaves {
		if leaf >= 0 {
			cursors = append(cursors, cursor{column: &t.columns[i], pages: chunks[leaf].Pages()})
		}
	}
	for left := group.NumRows(); left > 0; {
		start, n := len(rows), int(min(left, rowsPerBlock))
		left -= int64(n)
		rows = slices.Grow(rows, n)[:start+n]
		clear(rows[start:])
		b := blockOf(rows[start:])
		for i := range cursors {
			if err := cursors[i].read(b); err != nil {
				return nil, fmt.Errorf("column %s: %w", cursors[i].column.name, err)
			}
		}
	}
	for i := range cursors {
		if !cursors[i].atEnd() {
			return nil, fmt.Errorf("column %s: %w", cursors[i].column.name, errors.New("more values than rows"))
		}
	}
	return rows, nil
}
