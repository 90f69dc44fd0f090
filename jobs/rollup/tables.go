package rollup

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/store"
)

// batchRows is how many rows are given to a writer at once.
const batchRows = 256

// batch collects rows for a writer that is faster with many at once.
type batch[T any] struct {
	write func([]T) error
	rows  []T
}

func (b *batch[T]) add(row *T) error {
	if b.rows = append(b.rows, *row); len(b.rows) < batchRows {
		return nil
	}
	return b.flush()
}

func (b *batch[T]) flush() error {
	if len(b.rows) == 0 {
		return nil
	}
	err := b.write(b.rows)
	b.rows = b.rows[:0]
	return err
}

// errNoRows ends the writing of an object that would have no rows.
var errNoRows = errors.New("no rows")

// createOrDelete streams a table's object into the bucket. If no row is
// written, the object that an earlier run may have left is deleted.
func createOrDelete[T any](ctx context.Context, j *Job, table *store.Table[T], name string, rows func(write func([]T) error) error) error {
	err := table.Create(ctx, j.Bucket, name, store.Metadata{Cluster: j.Cluster}, func(w *store.Writer[T]) error {
		wrote := false
		err := rows(func(some []T) error { wrote = true; return w.Write(some) })
		if err == nil && !wrote {
			return errNoRows
		}
		return err
	})
	if errors.Is(err, errNoRows) {
		return j.Bucket.Delete(ctx, name)
	}
	return err
}

// write has the group write a table's object, or delete the one that an earlier
// run with rows left.
func write[T any](ctx context.Context, group *errgroup.Group, j *Job, table *store.Table[T], name string, rows []T) {
	group.Go(func() error {
		if len(rows) == 0 {
			return j.Bucket.Delete(ctx, name)
		}
		_, err := table.Write(ctx, j.Bucket, name, rows, store.Metadata{Cluster: j.Cluster})
		return err
	})
}
