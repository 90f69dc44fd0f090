package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// ranged counts the parts that are read of a bucket's objects.
type ranged struct {
	bucket.Bucket
	parts, bytes int
}

func (r *ranged) GetRange(ctx context.Context, name string, of bucket.Range) (bucket.Part, error) {
	p, err := r.Bucket.GetRange(ctx, name, of)
	r.parts, r.bytes = r.parts+1, r.bytes+len(p.Body)
	return p, err
}

func put(t testing.TB, b bucket.Bucket, name string, body []byte) {
	t.Helper()
	if _, err := b.Put(t.Context(), name, body, bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

// rest reads what is left of a file.
func rest[T any](r *Reader[T]) (all []T, err error) {
	for rows := make([]T, 700); ; {
		n, err := r.Read(rows)
		all = append(all, rows[:n]...)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// TestOpen: a small object is one request, a large one a request a row group
// and one or two for its footer, and the rows are those of the file.
func TestOpen(t *testing.T) {
	b := &ranged{Bucket: bucket.Mem()}
	for _, n := range []int{0, 1, 300, 20_000, 100_000} {
		rows := fleet(n, 1)
		body := encode(t, Pods, rows, "c")
		put(t, b, "x.parquet", body)
		b.parts, b.bytes = 0, 0
		r, err := Pods.Open(t.Context(), b, "x.parquet")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := rest(r); err != nil || !slices.Equal(got, rows) || r.Rows() != n {
			t.Errorf("%d rows: read %d others, %v", n, len(got), err)
		}
		most := 1
		if len(body) > tailBytes {
			most = 2 + len(open(t, body).RowGroups())
		}
		if b.parts > most || b.bytes > len(body)+tailBytes {
			t.Errorf("%d rows: %d requests for %d bytes of %d, want at most %d", n, b.parts, b.bytes, len(body), most)
		}
		r.Close()
		if _, err := r.Read(make([]usage.Pod, 1)); err != io.EOF {
			t.Errorf("after the end: %v", err)
		}
	}
	r, err := Pods.Open(t.Context(), b, "x.parquet")
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	if _, err := r.Read(make([]usage.Pod, 1)); err == nil || err == io.EOF {
		t.Errorf("a closed reader: %v", err)
	}
}

// asked tells which parts are asked for.
type asked struct {
	bucket.Bucket
	parts chan bucket.Range
}

func (a asked) GetRange(ctx context.Context, name string, r bucket.Range) (bucket.Part, error) {
	a.parts <- r
	return a.Bucket.GetRange(ctx, name, r)
}

// TestReadsAhead: the next row group is asked for before the last row of this
// one is read, and not before its last page.
func TestReadsAhead(t *testing.T) {
	rows := fleet(2*rowsPerGroup, 1)
	b := asked{bucket.Mem(), make(chan bucket.Range, 10)}
	put(t, b, "x", encode(t, Pods, rows, "c"))
	r, err := Pods.Open(t.Context(), b, "x")
	if err != nil {
		t.Fatal(err)
	}
	got := make([]usage.Pod, len(rows))
	read := func(from, to int) {
		t.Helper()
		if n, err := r.Read(got[from:to]); n != to-from || err != nil {
			t.Fatalf("rows %d to %d: %d, %v", from, to, n, err)
		}
	}
	read(0, rowsPerGroup/2)
	if n := len(b.parts); n != 2 { // the footer and the row group
		t.Errorf("%d requests for half a row group, want 2", n)
	}
	<-b.parts
	<-b.parts
	read(rowsPerGroup/2, rowsPerGroup-1)
	if next := <-b.parts; next.Start == 0 {
		t.Errorf("asked for %+v", next)
	}
	read(rowsPerGroup-1, len(rows))
	if n := len(b.parts); n != 0 || !slices.Equal(got, rows) {
		t.Errorf("%d more requests, or other rows", n)
	}
}

// TestReadNamesTheObject: every error does, and says what helps.
func TestReadNamesTheObject(t *testing.T) {
	const name = "raw/x.parquet"
	b := bucket.Mem()
	check := func(what string, err error, is error, says string) {
		t.Helper()
		if !errors.Is(err, is) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	opened := func() error {
		r, err := Pods.Open(t.Context(), b, name)
		if err == nil {
			_, err = rest(r)
		}
		return err
	}
	_, err := Pods.Read(t.Context(), b, name)
	check("no object", err, bucket.ErrNotExist, "")
	check("no object, opened", opened(), bucket.ErrNotExist, "")

	body, err := Pods.Write(t.Context(), b, name, randomRows(Pods, 2000, rand.New(rand.NewPCG(3, 4))), Metadata{Cluster: "c"})
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(body)
	flipped[len(magic)] ^= 0xff // a page header
	for _, body := range [][]byte{{}, body[:3], body[:100], body[:len(body)/2], body[:len(body)-1], flipped} {
		put(t, b, name, body)
		_, err := Pods.Read(t.Context(), b, name)
		check("damaged", err, ErrCorrupt, "delete this object")
		check("damaged, opened", opened(), ErrCorrupt, "delete this object")
	}
	put(t, b, name, encode(t, Gaps, nil, "c"))
	var schema *SchemaError
	if err := opened(); !errors.As(err, &schema) || !strings.HasPrefix(err.Error(), name+": ") {
		t.Errorf("another table: %v", err)
	}

	put(t, b, name, encode(t, Pods, fleet(100_000, 1), "c"))
	r, err := Pods.Open(t.Context(), b, name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]usage.Pod, 1)); err != nil {
		t.Fatal(err)
	}
	put(t, b, name, body)
	_, err = rest(r)
	check("replaced", err, bucket.ErrPrecondition, "run again")
}

// TestCreate writes the same bytes as Encode up to a row group, the same rows in
// larger groups above, and nothing after an error.
func TestCreate(t *testing.T) {
	b, rows := bucket.Mem(), fleet(rowsPerGroup, 1)
	write := func(w *Writer[usage.Pod]) error { return w.Write(rows) }
	if err := Pods.Create(t.Context(), b, "x.parquet", Metadata{Cluster: "c"}, write); err != nil {
		t.Fatal(err)
	}
	o, err := b.Get(t.Context(), "x.parquet")
	if err != nil || !bytes.Equal(o.Body, encode(t, Pods, rows, "c")) {
		t.Errorf("other bytes than Encode's, %v", err)
	}
	many := fleet(rowsPerLargeGroup+1, 1)
	if err := Pods.Create(t.Context(), b, "large.parquet", Metadata{Cluster: "c"}, func(w *Writer[usage.Pod]) error { return w.Write(many) }); err != nil {
		t.Fatal(err)
	}
	r, err := Pods.Open(t.Context(), b, "large.parquet")
	if err != nil || len(r.footer.Groups) != 2 {
		t.Fatalf("row groups %+v, %v", r.footer.Groups, err)
	}
	r.Close()
	if got, err := Pods.Read(t.Context(), b, "large.parquet"); err != nil || !slices.Equal(got, many) {
		t.Errorf("other rows than were written, %v", err)
	}
	failed := errors.New("no more")
	for name, fails := range map[string]func(w *Writer[usage.Pod]) error{
		"write fails": func(w *Writer[usage.Pod]) error { w.Write(rows); return failed },
		"overlooked":  func(w *Writer[usage.Pod]) error { w.Write([]usage.Pod{rows[9], rows[0]}); return nil },
	} {
		err := Pods.Create(t.Context(), b, "z.parquet", Metadata{}, fails)
		if err == nil || !strings.Contains(err.Error(), "z.parquet") ||
			!errors.Is(err, failed) && !strings.Contains(err.Error(), "out of order") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := b.Get(t.Context(), "z.parquet"); !errors.Is(err, bucket.ErrNotExist) {
			t.Errorf("%s: the object is there, %v", name, err)
		}
	}
}

// full takes so many bytes.
type full int

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), int(*f))
	if *f -= full(n); n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// TestWriterStops: what cannot be written is an error, at once and ever after.
func TestWriterStops(t *testing.T) {
	rows := fleet(100_000, 1)
	for _, room := range []full{0, 100, 1 << 20} {
		w := Pods.NewWriter(&room, Metadata{})
		w.Write(rows)
		if err := w.Close(); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%v", err)
		}
	}
}
