package store

import (
	"bytes"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

const (
	// rowsPerGroup is how many rows a row group holds: large enough to compress
	// well and few enough that readers can work on groups side by side.
	rowsPerGroup = 122_880
	// rowsPerBlock is how many rows go through all columns at once: few enough
	// to stay in the processor's cache meanwhile.
	rowsPerBlock = 1024
	// pageBytes is the size at which a page is cut. Pages are what a reader
	// with the page index skips or fetches.
	pageBytes = 64 << 10
	// rowsToPool is the largest file whose writer is kept for the next one. What
	// a writer has grown to is cleared before each file, so after a large one it
	// would slow the small ones down.
	rowsToPool = 4096
)

// encoder is a writer and its scratch space. They cost more to make than a
// small file takes to write.
type encoder struct {
	writer *parquet.GenericWriter[any]
	out    bytes.Buffer
	values []parquet.Value
}

// newEncoder makes the encoder of the table's files.
func (t *Table[T]) newEncoder() *encoder {
	sorting := make([]parquet.SortingColumn, len(t.sorted))
	for i, name := range t.sorted {
		sorting[i] = parquet.Ascending(name)
		if c := t.column(name); c.optional {
			sorting[i] = parquet.NullsFirst(sorting[i])
		}
	}
	return &encoder{
		values: make([]parquet.Value, rowsPerBlock),
		writer: parquet.NewGenericWriter[any](io.Discard, t.schema,
			parquet.CreatedBy("k8s-monitor", "v"+SchemaVersion, "0"),
			parquet.Compression(&t.compression),
			parquet.PageBufferSize(pageBytes),
			parquet.DataPageStatistics(false), // the page index has them
			parquet.SortingWriterConfig(parquet.SortingColumns(sorting...)),
			parquet.KeyValueMetadata("schema_version", SchemaVersion),
			parquet.KeyValueMetadata("table", t.name),
			parquet.KeyValueMetadata("cluster", ""),
		),
	}
}

// reset makes the encoder ready for the next file. The writer shares the
// columns' paths and the sort order with the footer that it wrote last, and
// would blank them with it (parquet-go v0.32.0), so they are taken out first.
func (e *encoder) reset() {
	groups := e.writer.File().Metadata().RowGroups
	for i := range groups {
		groups[i].SortingColumns = nil
		for j := range groups[i].Columns {
			groups[i].Columns[j].MetaData.PathInSchema = nil
		}
	}
	e.out.Reset()
	e.writer.Reset(&e.out)
}

// Encode writes rows as one Parquet file. They must be in the table's order;
// rows out of order are an error, because readers rely on it. Timestamps are
// cut to the millisecond.
func (t *Table[T]) Encode(rows []T, m Metadata) ([]byte, error) {
	e, ok := t.encoders.Get().(*encoder)
	if !ok {
		e = t.newEncoder()
	}
	e.reset()
	e.writer.SetKeyValueMetadata("cluster", m.Cluster)
	if err := t.encode(e, rows); err != nil {
		return nil, fmt.Errorf("table %s: %w", t.name, err)
	}
	if len(rows) > rowsToPool {
		return e.out.Bytes(), nil
	}
	body := bytes.Clone(e.out.Bytes())
	clear(e.values) // they point into the rows
	t.encoders.Put(e)
	return body, nil
}

func (t *Table[T]) encode(e *encoder, rows []T) error {
	for start := 0; start < len(rows); {
		end := min(start+rowsPerBlock, len(rows))
		for i := max(start, 1); i < end; i++ {
			if t.compare(rows[i-1], rows[i]) > 0 {
				return fmt.Errorf("row %d is out of order: sort rows by %v before they are encoded", i, t.sorted)
			}
		}
		b := blockOf(rows[start:end])
		for i, w := range e.writer.ColumnWriters() {
			values := e.values[:b.rows]
			t.columns[i].gather(b, i, values)
			if _, err := w.WriteRowValues(values); err != nil {
				return fmt.Errorf("column %s: %w", t.columns[i].name, err)
			}
		}
		if start = end; start%rowsPerGroup == 0 {
			if err := e.writer.Flush(); err != nil {
				return err
			}
		}
	}
	return e.writer.Close()
}
