package store

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go/format"
)

// maxRows is the most rows that one file may claim. An hour of 150,000 pods at
// two samples a minute is 18 million.
const maxRows = 1 << 26

// Reader reads one file's rows, in its order. It holds the bytes of one row
// group and a page of each column. Of an object it asks for the next row group
// when it is in the last page of each, so that the answers to many readers
// are on their way at once. It is used by one goroutine.
type Reader[T any] struct {
	table  *Table[T]
	name   string                                 // of the object, "" if there is none
	size   int64                                  // of the file
	fetch  func(start, end int64) ([]byte, error) // reads the file
	footer *footer
	chunks []int       // the number of each column among the file's, -1 where it is not read
	group  int         // the next row group
	left   int         // rows of the group that is being read
	ahead  chan loaded // the next group, if it is on its way
	err    error
	*decoder
}

// decoder is the memory of a file that is being read. For a small file it is
// more than the rows.
type decoder struct {
	cursors []cursor
	scratch scratch
}

// forget lets go of what was read.
func (d *decoder) forget() {
	for i := range d.cursors {
		d.cursors[i].open(nil, nil)
		d.cursors[i].text = textReader{}
	}
	clear(d.scratch.texts[:])
}

// smallFile is how much memory of pages is kept for the next file.
const smallFile = 256 << 10

// held is the memory of pages.
func (d *decoder) held() (bytes int) {
	for i := range d.cursors {
		bytes += cap(d.cursors[i].space)
	}
	return bytes
}

// scratch is memory that the columns use one after the other.
type scratch struct {
	levels  [rowsPerBlock]uint64
	ids     [rowsPerBlock]uint64
	numbers [rowsPerBlock]int64
	texts   [rowsPerBlock]string
	ints    [rowsPerBlock]int32
	bools   [rowsPerBlock]bool
	times   [rowsPerBlock]time.Time

	prefixes, suffixes [rowsPerBlock]int64
	ends               [rowsPerBlock]int
	text               []byte

	header format.PageHeader
	thrift *thriftReader
}

// NewReader begins to read a file. Bytes that are not a whole Parquet file are
// ErrCorrupt, columns that are not the table's a *SchemaError.
func (t *Table[T]) NewReader(body []byte) (*Reader[T], error) {
	size := int64(len(body))
	n, err := footerSize(body, size)
	if err != nil {
		return nil, t.corrupt(err)
	}
	r := &Reader[T]{table: t, size: size, fetch: func(start, end int64) ([]byte, error) { return body[start:end], nil }}
	if err := r.begin(body[size-n:]); err != nil {
		return nil, err
	}
	return r, nil
}

// begin reads the footer.
func (r *Reader[T]) begin(end []byte) error {
	t := r.table
	f, err := readFooter(end)
	if err != nil {
		return t.corrupt(err)
	}
	switch {
	case f.version() == "":
		return fmt.Errorf("table %s: not a file that k8s-monitor wrote: it has no schema_version", t.name)
	case f.version() != SchemaVersion:
		return fmt.Errorf("table %s: schema version %q, this program reads %q: use the k8s-monitor that wrote it, or a newer one",
			t.name, f.version(), SchemaVersion)
	}
	if r.chunks, err = t.match(f); err != nil {
		return err
	}
	if err := f.checkGroups(); err != nil {
		return t.corrupt(err)
	}
	d, ok := t.decoders.Get().(*decoder)
	if !ok {
		d = &decoder{cursors: make([]cursor, len(t.columns)), scratch: scratch{thrift: newThriftReader()}}
	}
	r.footer, r.decoder = f, d
	return nil
}

// only leaves out the columns that are not named.
func (r *Reader[T]) only(names []string) {
	for i := range r.chunks {
		if !slices.Contains(names, r.table.columns[i].name) {
			r.chunks[i] = -1
		}
	}
}

func (t *Table[T]) corrupt(err error) error {
	return fmt.Errorf("table %s: %w (%v)", t.name, ErrCorrupt, err)
}

// Rows is how many rows the file says that it has. Read is who finds out.
func (r *Reader[T]) Rows() int { return int(r.footer.Rows) }

// Read fills rows, whatever they held, and reports how many. It fills all of
// them unless the file ends or is ErrCorrupt; after the last row it is io.EOF.
func (r *Reader[T]) Read(rows []T) (int, error) {
	done := 0
	for done < len(rows) && r.err == nil {
		if r.left == 0 {
			r.err = r.next()
			continue
		}
		n := min(len(rows)-done, r.left, rowsPerBlock)
		if r.err = r.read(rows[done : done+n]); r.err == nil {
			done += n
		}
	}
	if r.err != nil {
		r.Close()
	}
	if r.err == io.EOF && done > 0 {
		return done, nil
	}
	return done, r.err
}

// Close lets go of what the reader holds. It has to be called of one that is
// not read to its end, and may be of any.
func (r *Reader[T]) Close() {
	if r.decoder != nil {
		r.forget()
		if r.decoder.held() < smallFile { // the next reader of a large one makes its own
			r.table.decoders.Put(r.decoder)
		}
		r.decoder = nil
	}
	if r.err == nil {
		r.err = fmt.Errorf("table %s: the reader is closed", r.table.name)
	}
}

// next begins the next row group, after it has seen that the last one held no
// more values than rows.
func (r *Reader[T]) next() error {
	r.forget()
	if r.group == len(r.footer.Groups) {
		return io.EOF
	}
	g := &r.footer.Groups[r.group]
	if r.ahead == nil {
		r.load(g)
	}
	l := <-r.ahead
	r.ahead = nil
	if l.err != nil {
		return l.err
	}
	r.group++
	r.left = int(g.Rows)
	for i, at := range r.chunks {
		if at >= 0 {
			r.cursors[i].open(&r.table.columns[i], l.pages[i])
		}
	}
	return nil
}

// corrupt is the error of a column.
func (r *Reader[T]) corrupt(c *column, err error) error {
	return named(r.name, r.table.corrupt(fmt.Errorf("column %s: %w", c.name, err)))
}

func (r *Reader[T]) read(rows []T) error {
	clear(rows) // where they are zero already, this still pays: it brings them into the processor's cache
	r.left -= len(rows)
	b, ended := blockOf(rows), true
	for i, at := range r.chunks {
		if at < 0 {
			continue
		}
		c := &r.cursors[i]
		err := c.read(b, &r.scratch)
		ended = ended && len(c.b) == 0
		if err == nil && r.left == 0 && !c.atEnd() {
			err = errors.New("more values than rows")
		}
		if err != nil {
			return r.corrupt(c.column, err)
		}
	}
	if ended && r.name != "" && r.ahead == nil && r.group < len(r.footer.Groups) {
		r.load(&r.footer.Groups[r.group])
	}
	return nil
}

// Decode reads a file's rows, as a Reader does.
func (t *Table[T]) Decode(body []byte) ([]T, error) {
	r, err := t.NewReader(body)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// Whole memory at once for what a file of this size can well hold; what is
	// beyond is given as values come, never on the word of the footer.
	rows := make([]T, min(r.Rows(), max(rowsPerBlock, len(body))))
	for done := 0; ; {
		n, err := r.Read(rows[done:])
		done += n
		switch {
		case err == io.EOF || err == nil && done == r.Rows():
			return rows[:done], nil
		case err != nil:
			return nil, err
		}
		more := min(r.Rows()-done, max(done, rowsPerBlock))
		rows = append(rows, make([]T, more)...)
	}
}
