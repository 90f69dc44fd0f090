package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

const (
	// rowsPerGroup is how many rows a row group of an encoded file holds: few
	// enough that a merge can hold one of each of sixty files, with the
	// dictionaries of their names and UIDs. With four times as many a file is
	// 2 % smaller, and a rollup of 20,000 pods takes a third more memory.
	rowsPerGroup = 8_192
	// rowsPerLargeGroup is how many one of a created object holds, which no merge
	// reads: enough to compress well, and for readers to work side by side.
	rowsPerLargeGroup = 131_072
	// rowsPerBlock is how many rows go through all columns at once: few enough
	// to stay in the processor's cache meanwhile.
	rowsPerBlock = 512
	magic        = "PAR1"
)

// encoder is a file that is being written. Its memory costs more to make than
// a small file takes to write.
type encoder struct {
	chunks       []chunk
	space        *workspace
	out          []byte // what follows the bytes that were handed on
	handedOn     int
	rows         int
	rowsPerGroup int
	groups       []format.RowGroup // those that are full
	columnIndex  []byte
	offsetIndex  []byte
	indexed      bool // a chunk has several pages
}

// Writer writes one file, a run of rows at a time. It holds the encoded columns
// of the row group that is not full, and of the others what the footer says of
// them. It is used by one goroutine.
type Writer[T any] struct {
	*encoder
	file  io.Writer
	table *Table[T]
	meta  Metadata
	last  T // the row that was written last
	err   error
}

// NewWriter begins a file, which goes to w a row group at a time.
func (t *Table[T]) NewWriter(w io.Writer, m Metadata) *Writer[T] {
	e, ok := t.encoders.Get().(*encoder)
	if !ok {
		e = &encoder{chunks: make([]chunk, len(t.columns)), space: &workspace{}}
		for i := range e.chunks {
			e.chunks[i].column = &t.columns[i]
			e.chunks[i].reset()
		}
	}
	*e = encoder{chunks: e.chunks, space: e.space, rowsPerGroup: rowsPerGroup, out: append(e.out[:0], magic...),
		columnIndex: e.columnIndex[:0], offsetIndex: e.offsetIndex[:0]}
	return &Writer[T]{encoder: e, file: w, table: t, meta: m}
}

// Write adds rows. They must be in the table's order, also after those written
// before; rows out of order are an error, because readers rely on it.
// Timestamps are cut to the millisecond. The rows are not needed afterwards.
// How rows are spread over calls makes no difference to the file. After an
// error the file cannot be finished.
func (w *Writer[T]) Write(rows []T) error {
	for len(rows) > 0 && w.err == nil {
		n := min(len(rows), rowsPerBlock-w.rows%rowsPerBlock)
		w.err = w.write(rows[:n])
		rows = rows[n:]
	}
	return w.err
}

func (w *Writer[T]) write(rows []T) error {
	last := &w.last
	for i := range rows {
		if w.rows+i > 0 && w.table.compareRows(last, &rows[i]) > 0 {
			return fmt.Errorf("table %s: row %d is out of order: sort rows by %v before they are encoded", w.table.name, w.rows+i, w.table.sorted)
		}
		last = &rows[i]
	}
	w.last = *last
	b := blockOf(rows)
	for i := range w.chunks {
		w.chunks[i].add(b, w.space)
	}
	w.rows += len(rows)
	switch {
	case w.rows%w.rowsPerGroup == 0:
		w.endGroup(w.table.order)
		return w.handOn()
	case w.rows%rowsPerBlock == 0:
		for i := range w.chunks {
			w.chunks[i].cut(w.rows%w.rowsPerGroup, w.space)
		}
	}
	return nil
}

// handOn writes what is ready of the file.
func (w *Writer[T]) handOn() error {
	n, err := w.file.Write(w.out)
	w.handedOn, w.out = w.handedOn+n, w.out[:0]
	return err
}

// Close ends the file, which is none without it; it does not close what the
// file is written to. The writer is of no use afterwards.
func (w *Writer[T]) Close() error {
	if w.err != nil {
		return w.err
	}
	if w.rows%w.rowsPerGroup > 0 {
		w.endGroup(w.table.order)
	}
	w.out = w.table.appendFooter(w.out, w.encoder, w.meta)
	err := w.handOn()
	w.err = fmt.Errorf("table %s: the file is closed", w.table.name)
	clear(w.space.texts[:cap(w.space.texts)])
	w.table.encoders.Put(w.encoder)
	w.encoder = nil
	return err
}

// Encode writes rows as one Parquet file, as a Writer does.
func (t *Table[T]) Encode(rows []T, m Metadata) ([]byte, error) {
	var file bytes.Buffer
	w := t.NewWriter(&file, m)
	if err := w.Write(rows); err != nil {
		return nil, err
	}
	err := w.Close()
	return file.Bytes(), err
}

// endGroup writes the row group.
func (e *encoder) endGroup(order []format.SortingColumn) {
	start, rows := e.at(), (e.rows-1)%e.rowsPerGroup+1
	g := format.RowGroup{Columns: make([]format.ColumnChunk, len(e.chunks)), NumRows: int64(rows), SortingColumns: order,
		FileOffset: int64(start)}
	for i := range e.chunks {
		c := &e.chunks[i]
		c.end(rows, e.space)
		e.place(c, rows, &g.Columns[i])
		g.TotalByteSize += g.Columns[i].MetaData.TotalUncompressedSize
		c.reset()
	}
	g.TotalCompressedSize = int64(e.at() - start)
	e.groups = append(e.groups, g)
}

// at is how many bytes the file has.
func (e *encoder) at() int { return e.handedOn + len(e.out) }

// appendFooter appends what the file says of itself. A page index stands
// before it if it has anything to say, and then for all columns: readers
// expect all or none.
func (t *Table[T]) appendFooter(file []byte, e *encoder, m Metadata) []byte {
	columnIndex := int64(e.at())
	offsetIndex := columnIndex + int64(len(e.columnIndex))
	if e.indexed {
		file = append(append(file, e.columnIndex...), e.offsetIndex...)
	}
	for _, g := range e.groups {
		for i := range g.Columns {
			switch c := &g.Columns[i]; {
			case !e.indexed:
				c.OffsetIndexOffset, c.OffsetIndexLength, c.ColumnIndexOffset, c.ColumnIndexLength = 0, 0, 0, 0
			case c.ColumnIndexLength > 0:
				c.ColumnIndexOffset += columnIndex
				fallthrough
			default:
				c.OffsetIndexOffset += offsetIndex
			}
		}
	}
	start := len(file)
	file = appendThrift(file, &format.FileMetaData{
		Version:   2,
		Schema:    t.schema,
		NumRows:   int64(e.rows),
		RowGroups: e.groups,
		KeyValueMetadata: []format.KeyValue{
			{Key: "schema_version", Value: SchemaVersion}, {Key: "table", Value: t.name}, {Key: "cluster", Value: m.Cluster},
		},
		CreatedBy:    "k8s-monitor version v" + SchemaVersion + "(build 0)",
		ColumnOrders: slices.Repeat([]format.ColumnOrder{{Value: &format.TypeDefinedOrder{}}}, len(t.columns)),
	})
	file = binary.LittleEndian.AppendUint32(file, uint32(len(file)-start))
	return append(file, magic...)
}
