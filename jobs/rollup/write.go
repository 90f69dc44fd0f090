package rollup

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// writeHourly folds the sources into the state, writes the hour's statistics,
// and returns the state. Nothing is written if a source cannot be read.
func (h *hourRoller) writeHourly(ctx context.Context, state *hourState, sources []*source, closed bool, keep func([]usage.Pod) error) (*encodedHour, error) {
	p := pass{prices: h.Prices, state: state, closed: closed, in: h.streams(ctx, within(state.hour, sources)), keep: keep}
	out := &hourRows{}
	var encoded encodedHour
	var serving []usage.PodHour
	recent := state.hour.After(h.now.Add(-horizon))
	name := func(table string) string { return h.hourlyName(table)(state.hour) }
	err := store.PodHours.Create(ctx, h.Bucket, name(usage.Pods), store.Metadata{Cluster: h.Cluster}, func(w *store.Writer[usage.PodHour]) error {
		b := batch[usage.PodHour]{write: w.Write}
		out.pod = func(row *usage.PodHour) error {
			if row.Engine != usage.NoEngine && recent {
				serving = append(serving, *row)
			}
			return b.add(row)
		}
		if err := p.fold(h.Interval, out); err != nil {
			return err
		}
		for _, s := range sources {
			if s.want == nil {
				state.folded = append(state.folded, folded{s.name, s.etag})
			}
		}
		encoded = state.encode()
		p.finish(out)
		return b.end()
	})
	if err != nil && !errors.Is(err, errNoRows) {
		return nil, err
	}
	if errors.Is(err, errNoRows) {
		err = h.Bucket.Delete(ctx, name(usage.Pods))
	}
	if err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	write(ctx, group, h.Job, store.PodHours, h.servingName(state.hour), serving)
	write(ctx, group, h.Job, store.ModelHours, name(usage.Models), out.models)
	write(ctx, group, h.Job, store.WorkloadHours, name(usage.Workloads), out.workloads)
	write(ctx, group, h.Job, store.NamespaceHours, name(usage.Namespaces), out.namespaces)
	write(ctx, group, h.Job, store.NodeHours, name(usage.Nodes), out.nodes)
	write(ctx, group, h.Job, store.ClusterHours, name(usage.Cluster), out.cluster)
	return &encoded, group.Wait()
}

// writeSamples writes the hour's rows as one object a table. Given sources, all
// of the hour's, their pods are written already.
func (h *hourRoller) writeSamples(ctx context.Context, hour time.Time, sources []*source) error {
	podsWritten := sources != nil
	if !podsWritten {
		var err error
		if sources, err = h.sources(ctx, h.byHour[hour]); err != nil {
			return err
		}
		old, err := h.samplesSource(ctx, hour, time.Time{}, sources)
		if err != nil {
			return err
		}
		if old != nil {
			sources = append(sources, old)
		}
	}
	podsOf := func() error {
		if podsWritten {
			return nil
		}
		m, err := h.openPods(ctx, sources)
		if err != nil {
			return err
		}
		defer m.start()()
		return compactFrom(ctx, h.Job, hour, store.Pods, m)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	group.Go(podsOf)
	group.Go(func() error { return compactTable(ctx, h.Job, hour, sources, store.GPUs, gpuOrder) })
	group.Go(func() error { return compactTable(ctx, h.Job, hour, sources, store.Nodes, nodeOrder) })
	group.Go(func() error { return compactTable(ctx, h.Job, hour, sources, store.Engines, engineOrder) })
	group.Go(func() error { return compactTable(ctx, h.Job, hour, sources, store.Gaps, gapOrder) })
	return group.Wait()
}

func compactTable[T any](ctx context.Context, j *Job, hour time.Time, sources []*source, table *store.Table[T], o order[T]) error {
	m, err := open(ctx, j, sources, table, o)
	if err != nil {
		return err
	}
	return compactFrom(ctx, j, hour, table, m)
}

// compactFrom merges a table's sorted runs into one object.
func compactFrom[T any](ctx context.Context, j *Job, hour time.Time, table *store.Table[T], m *merger[T]) error {
	return compact(ctx, j, hour, table, func(keep func([]T) error) error {
		for rows := m.next(); rows != nil; rows = m.next() {
			if err := keep(rows); err != nil {
				return err
			}
		}
		return m.err
	})
}

// compact writes the rows that rows gives to keep, in the table's order, as the
// hour's object in samples/. A table without rows has none.
func compact[T any](ctx context.Context, j *Job, hour time.Time, table *store.Table[T], rows func(keep func([]T) error) error) error {
	name := layout.Object{Tier: layout.Samples, Table: table.Name(), Cluster: j.Cluster, Time: hour}.Name()
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

// errNoRows ends the writing of an object that would have no rows.
var errNoRows = errors.New("no rows")

// batch gathers rows for a writer that likes many at once.
type batch[T any] struct {
	write func([]T) error
	rows  []T
	some  bool
}

func (b *batch[T]) add(row *T) error {
	b.some = true
	if b.rows = append(b.rows, *row); len(b.rows) < blockRows {
		return nil
	}
	return b.flush()
}

func (b *batch[T]) flush() error {
	err := b.write(b.rows)
	b.rows = b.rows[:0]
	return err
}

// end writes what is left; errNoRows if there never was a row.
func (b *batch[T]) end() error {
	if !b.some {
		return errNoRows
	}
	return b.flush()
}

// write has the group write a table's object, or remove the one that earlier,
// fuller rows left.
func write[T any](ctx context.Context, group *errgroup.Group, j *Job, table *store.Table[T], name string, rows []T) {
	group.Go(func() error {
		if len(rows) == 0 {
			return j.Bucket.Delete(ctx, name)
		}
		_, err := table.Write(ctx, j.Bucket, name, rows, store.Metadata{Cluster: j.Cluster})
		return err
	})
}
