package store

import (
	"context"
	"errors"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const (
	// mergeBlockRows is how many rows of each object a merge holds.
	mergeBlockRows = 256
	// parallelOpens bounds the objects that a merge opens at once.
	parallelOpens = 16
)

// MergeInput is one object that a merge reads.
type MergeInput[T any] struct {
	Name string
	// MayBeMissing treats an object that does not exist as one without rows.
	MayBeMissing bool
	// Edit is called with each block of rows that was read. It may change rows in
	// place and returns those to keep, in the same order and in the same memory.
	// Nil keeps all.
	Edit func(rows []T) []T
}

// Merger merges objects that are each sorted in the table's order. It gives the
// rows key by key: all rows of one pod, in order of time, then those of the next
// pod. Of several rows with the same key and time, as after a clock that was set
// back, the one of the earlier input counts; a table that keeps several rows a
// key and time (Gaps) keeps them all. Memory: one block of rows of each object,
// and the rows of one key. It is used by one goroutine.
type Merger[T any] struct {
	table    *Table[T]
	inputs   []*mergeInput[T]
	group    []T
	err      error
	prefetch *prefetcher[T]
}

// Merge opens objects side by side and begins to merge them. Where columns are
// named, only these are read (the key columns and the time must be among them).
// No object at all is a merge without rows.
func (t *Table[T]) Merge(ctx context.Context, b bucket.Bucket, inputs []MergeInput[T], columns ...string) (*Merger[T], error) {
	m := &Merger[T]{table: t, inputs: make([]*mergeInput[T], len(inputs))}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallelOpens)
	for i, input := range inputs {
		m.inputs[i] = &mergeInput[T]{edit: input.Edit}
		group.Go(func() error {
			r, err := t.Open(ctx, b, input.Name, columns...)
			if errors.Is(err, bucket.ErrNotExist) && input.MayBeMissing {
				return nil
			}
			if err != nil {
				return err
			}
			return errors.Join(m.inputs[i].open(r), groupCtx.Err())
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return m, nil
}

// Next returns the rows of the next key in order of time. They are valid until
// the next call. It returns nil at the end, or after an error: see Err.
func (m *Merger[T]) Next() []T {
	if m.prefetch != nil {
		return m.prefetch.next()
	}
	return m.next()
}

// Err is the error that ended the merge early, nil if there was none.
func (m *Merger[T]) Err() error { return m.err }

// Each calls do with every row that is left.
func (m *Merger[T]) Each(do func(*T)) error {
	for rows := m.Next(); rows != nil; rows = m.Next() {
		for i := range rows {
			do(&rows[i])
		}
	}
	return m.err
}

func (m *Merger[T]) next() []T {
	first, ok := m.least()
	if !ok {
		return nil
	}
	m.group = m.group[:0]
	sorted := true
	for _, in := range m.inputs {
		for len(in.rows) > 0 {
			n := 0
			for n < len(in.rows) && m.table.Compare(&in.rows[n], &first) == 0 {
				n++
			}
			if k := len(m.group); n > 0 && k > 0 && m.table.Time(&in.rows[0]).Before(m.table.Time(&m.group[k-1])) {
				sorted = false
			}
			m.group = append(m.group, in.rows[:n]...)
			if in.rows = in.rows[n:]; len(in.rows) > 0 {
				break
			}
			if m.err = in.fill(); m.err != nil {
				return nil
			}
		}
	}
	byTime := func(a, b T) int { return m.table.Time(&a).Compare(m.table.Time(&b)) }
	if !sorted {
		slices.SortStableFunc(m.group, byTime)
	}
	if m.table.name != usage.Gaps && m.hasDuplicates() {
		m.group = slices.CompactFunc(m.group, func(a, b T) bool { return byTime(a, b) == 0 })
	}
	return m.group
}

// least returns a copy of the first row in order, and drops inputs that ended.
func (m *Merger[T]) least() (least T, ok bool) {
	var first *T
	left := m.inputs[:0]
	for _, in := range m.inputs {
		if m.err == nil {
			m.err = in.fill()
		}
		if len(in.rows) == 0 {
			continue
		}
		left = append(left, in)
		if first == nil || m.table.Compare(&in.rows[0], first) < 0 {
			first = &in.rows[0]
		}
	}
	m.inputs = left
	if first == nil || m.err != nil {
		return least, false
	}
	return *first, true // its block may be overwritten
}

// hasDuplicates reports whether two rows of the group have the same time. Rows
// are large: comparing them through CompactFunc copies each one.
func (m *Merger[T]) hasDuplicates() bool {
	for i := 1; i < len(m.group); i++ {
		if m.table.Time(&m.group[i]).Equal(m.table.Time(&m.group[i-1])) {
			return true
		}
	}
	return false
}

// mergeInput reads one object a block at a time.
type mergeInput[T any] struct {
	reader *Reader[T] // nil at the end
	edit   func([]T) []T
	block  []T
	rows   []T // of the block, those not merged yet
}

// open begins to read. A small object is read whole and closed, so that of many
// small objects (one a node, as with NVML) only the rows are held.
func (in *mergeInput[T]) open(r *Reader[T]) error {
	in.reader = r
	if r.Rows() > mergeBlockRows {
		return nil
	}
	in.block = make([]T, max(1, r.Rows()))
	err := in.fill()
	r.Close()
	in.reader = nil
	return err
}

// fill reads the next block if no row is left. At the end there is none.
func (in *mergeInput[T]) fill() error {
	for len(in.rows) == 0 && in.reader != nil {
		if in.block == nil {
			in.block = make([]T, mergeBlockRows)
		}
		n, err := in.reader.Read(in.block)
		if err == io.EOF {
			in.reader, in.block = nil, nil
			return nil
		}
		if err != nil {
			return err
		}
		if in.rows = in.block[:n]; in.edit != nil {
			in.rows = in.edit(in.rows)
		}
	}
	return nil
}
