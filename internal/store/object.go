package store

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// tailBytes are read of an object to begin with: the whole of a small one, and
// of most others the whole footer.
const tailBytes = 64 << 10

// Open begins to read an object: its footer now, and each row group shortly
// before its rows are wanted, all within the context. An object that is not
// there is bucket.ErrNotExist, one that is replaced before it is read to its
// end bucket.ErrPrecondition. Where columns are named, only they are read: the
// fields of the others stay zero.
func (t *Table[T]) Open(ctx context.Context, b bucket.Bucket, name string, columns ...string) (*Reader[T], error) {
	tail, err := b.GetRange(ctx, name, bucket.Range{Last: tailBytes})
	if err != nil {
		return nil, err
	}
	get := func(start, end int64) ([]byte, error) {
		if at := tail.Size - int64(len(tail.Body)); start >= at {
			return tail.Body[start-at : end-at], nil
		}
		p, err := b.GetRange(ctx, name, bucket.Range{Start: start, Bytes: end - start, IfMatch: tail.ETag})
		if errors.Is(err, bucket.ErrPrecondition) {
			err = fmt.Errorf("%w while it was read: run again", err)
		}
		return p.Body, err
	}
	n, err := footerSize(tail.Body, tail.Size)
	if err != nil {
		return nil, named(name, t.corrupt(err))
	}
	footer, err := get(tail.Size-n, tail.Size)
	if err != nil {
		return nil, err
	}
	r := &Reader[T]{table: t, name: name, size: tail.Size, fetch: get}
	if err := r.begin(footer); err != nil {
		return nil, named(name, err)
	}
	if len(columns) > 0 {
		r.only(columns)
	}
	if len(r.footer.Groups) > 0 {
		r.load(&r.footer.Groups[0])
	}
	return r, nil
}

// Read reads an object's rows, in the order of the file. An object that is not
// there is bucket.ErrNotExist.
func (t *Table[T]) Read(ctx context.Context, b bucket.Bucket, name string) ([]T, error) {
	object, err := b.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	rows, err := t.Decode(object.Body)
	return rows, named(name, err)
}

// named says of which object an error is and, if its bytes are at fault, what
// to do.
func named(name string, err error) error {
	switch {
	case err == nil || name == "":
		return err
	case errors.Is(err, ErrCorrupt):
		return fmt.Errorf("%s: %w: delete this object and its manifest; what it held then counts as a gap", name, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// Write encodes rows and puts them under name. It returns the encoded bytes.
func (t *Table[T]) Write(ctx context.Context, b bucket.Bucket, name string, rows []T, m Metadata) ([]byte, error) {
	body, err := t.Encode(rows, m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	_, err = b.Put(ctx, name, body, bucket.PutOptions{})
	return body, err
}

// Create writes an object whose rows write gives to its Writer: row groups,
// large ones, go to the bucket as they fill, and the object appears when all is
// written. An error of write leaves the bucket as it was.
func (t *Table[T]) Create(ctx context.Context, b bucket.Bucket, name string, m Metadata, write func(*Writer[T]) error) error {
	_, err := b.PutStream(ctx, name, func(file io.Writer) error {
		w := t.NewWriter(file, m)
		w.rowsPerGroup = rowsPerLargeGroup
		if err := write(w); err != nil {
			return err
		}
		return w.Close()
	})
	return err
}
