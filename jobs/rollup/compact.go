package rollup

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/committed"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// compact writes a settled hour's rows as one object a table in samples/. If
// sources are given, all of the hour's, their pods are written already.
func (h *hours) compact(ctx context.Context, w work, sources []*committed.Source) error {
	r := h.reader()
	podsWritten := sources != nil
	if !podsWritten {
		var err error
		if sources, err = r.Open(ctx, w.own); err != nil {
			return err
		}
		old, err := r.Samples(ctx, w.hour, time.Time{}, sources)
		if err != nil {
			return err
		}
		if old != nil {
			sources = append(sources, old)
		}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(2) // a merge holds a block of rows of each source
	if !podsWritten {
		group.Go(func() error { return h.compactPodsOf(groupCtx, w.hour, sources) })
	}
	group.Go(func() error { return compactTable(groupCtx, h, w.hour, store.GPUs, sources, r.GPUs) })
	nodes := func(ctx context.Context, s []*committed.Source) (*store.Merger[usage.Node], error) {
		return r.Nodes(ctx, s)
	}
	group.Go(func() error { return compactTable(groupCtx, h, w.hour, store.Nodes, sources, nodes) })
	group.Go(func() error { return compactTable(groupCtx, h, w.hour, store.Engines, sources, r.Engines) })
	group.Go(func() error { return compactTable(groupCtx, h, w.hour, store.Gaps, sources, r.Gaps) })
	return group.Wait()
}

func (h *hours) compactPodsOf(ctx context.Context, hour time.Time, sources []*committed.Source) error {
	pods, err := h.reader().Pods(ctx, sources)
	if err != nil {
		return err
	}
	defer pods.Prefetch()()
	return h.compactPods(ctx, hour, func(write func([]usage.Pod) error) error { return copyAll(pods, write) })
}

// compactPods writes the pods that rows gives to write as the hour's object.
func (h *hours) compactPods(ctx context.Context, hour time.Time, rows func(write func([]usage.Pod) error) error) error {
	return createOrDelete(ctx, h.Job, store.Pods, h.samplesName(usage.Pods, hour), rows)
}

func compactTable[T any](ctx context.Context, h *hours, hour time.Time, table *store.Table[T], sources []*committed.Source,
	open func(context.Context, []*committed.Source) (*store.Merger[T], error)) error {
	rows, err := open(ctx, sources)
	if err != nil {
		return err
	}
	return createOrDelete(ctx, h.Job, table, h.samplesName(table.Name(), hour), func(write func([]T) error) error {
		return copyAll(rows, write)
	})
}

func copyAll[T any](from *store.Merger[T], write func([]T) error) error {
	for rows := from.Next(); rows != nil; rows = from.Next() {
		if err := write(rows); err != nil {
			return err
		}
	}
	return from.Err()
}

func (h *hours) samplesName(table string, hour time.Time) string {
	return layout.Object{Tier: layout.Samples, Table: table, Cluster: h.Cluster, Time: hour}.Name()
}
