package store

import (
	"bytes"
	"fmt"
	"io"
	"unsafe"

	"github.com/parquet-go/parquet-go"
)

const (
	// rowsPerGroup is how many rows a row group holds: large enough to compress
	// well and few enough that readers can work on groups side by side.
	rowsPerGroup = 122_880
	// rowsPerWrite is how many values go to a column at once.
	rowsPerWrite = 1024
	// pageBytes is the size at which a page is cut. Pages are what a reader
	// with the page index skips or fetches.
	pageBytes = 64 << 10
)

// newWriter makes a writer of one file. It is not used again for another: a
// writer that is reset leaves the columns' paths out of the second footer
// (parquet-go v0.32.0). What is costly to make, the compressor, is shared.
func (t *Table[T]) newWriter(out io.Writer, m Metadata) *parquet.GenericWriter[any] {
	sorting := make([]parquet.SortingColumn, len(t.sorted))
	for i, name := range t.sorted {
		sorting[i] = parquet.Ascending(name)
	}
	return parquet.NewGenericWriter[any](out, t.schema,
		parquet.CreatedBy("k8s-monitor", "v"+SchemaVersion, "0"),
		parquet.Compression(&t.compression),
		parquet.PageBufferSize(pageBytes),
		parquet.DataPageStatistics(false), // the page index has them
		parquet.SortingWriterConfig(parquet.SortingColumns(sorting...)),
		parquet.KeyValueMetadata("schema_version", SchemaVersion),
		parquet.KeyValueMetadata("table", t.name),
		parquet.KeyValueMetadata("cluster", m.Cluster),
	)
}

// Encode writes rows as one Parquet file. They must be in the table's order;
// rows out of order are an error, because readers rely on it.
func (t *Table[T]) Encode(rows []T, m Metadata) ([]byte, error) {
	for i := 1; i < len(rows); i++ {
		if t.compare(rows[i-1], rows[i]) > 0 {
			return nil, fmt.Errorf("table %s: row %d is out of order: sort rows by %v before they are encoded", t.name, i, t.sorted)
		}
	}
	var out bytes.Buffer
	w := t.newWriter(&out, m)
	values := make([]parquet.Value, 0, min(rowsPerWrite, len(rows)))
	for len(rows) > 0 {
		group := rows[:min(rowsPerGroup, len(rows))]
		rows = rows[len(group):]
		if err := t.encodeGroup(w, values, group); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("table %s: %w", t.name, err)
	}
	return out.Bytes(), nil
}

func (t *Table[T]) encodeGroup(w *parquet.GenericWriter[any], values []parquet.Value, rows []T) error {
	for i, columnWriter := range w.ColumnWriters() {
		c := &t.columns[i]
		for from := 0; from < len(rows); from += rowsPerWrite {
			values := values[:0]
			for r := from; r < min(from+rowsPerWrite, len(rows)); r++ {
				values = append(values, c.get(unsafe.Pointer(&rows[r]), i))
			}
			if _, err := columnWriter.WriteRowValues(values); err != nil {
				return fmt.Errorf("column %s: %w", c.name, err)
			}
		}
	}
	return w.Flush()
}
