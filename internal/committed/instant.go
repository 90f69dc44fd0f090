package committed

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Instant is all that was committed of one instant. The small tables are in
// memory; pods are read on demand.
type Instant struct {
	TS       time.Time
	Interval time.Duration // between two samples
	Nodes    []usage.Node
	GPUs     []usage.GPU
	Engines  []usage.Engine

	reader Reader
	minute []*Source
}

// InstantsOf are the instants of one minute's sources that wanted accepts, in
// order of time: the cluster's snapshot and those of its nodes. Without the
// cluster's snapshot there are none yet.
func (r Reader) InstantsOf(ctx context.Context, minute []*Source, wanted func(time.Time) bool) ([]Instant, error) {
	var instants []Instant
	for _, ts := range Instants(minute) {
		if wanted(ts) {
			instants = append(instants, Instant{TS: ts, reader: r, minute: minute})
		}
	}
	if len(instants) == 0 {
		return nil, nil
	}
	for _, s := range minute {
		if s.Node == "" {
			for i := range instants {
				instants[i].Interval = time.Duration(s.Manifest.IntervalSeconds) * time.Second
			}
		}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return readInto(groupCtx, r, minute, store.Nodes, instants, func(i *Instant) *[]usage.Node { return &i.Nodes })
	})
	group.Go(func() error {
		return readInto(groupCtx, r, minute, store.GPUs, instants, func(i *Instant) *[]usage.GPU { return &i.GPUs })
	})
	group.Go(func() error {
		return readInto(groupCtx, r, minute, store.Engines, instants, func(i *Instant) *[]usage.Engine { return &i.Engines })
	})
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("read what the snapshot of %s committed: %w", minute[0].At.UTC().Format(time.RFC3339), err)
	}
	return instants, nil
}

// readInto sorts a table's rows into the instants that they are of. It may run
// beside others of its kind, each with a field of the instants of its own.
func readInto[T any](ctx context.Context, r Reader, minute []*Source, table *store.Table[T], instants []Instant,
	rows func(*Instant) *[]T) error {
	m, err := merge(ctx, r, minute, table, nil)
	if err != nil {
		return err
	}
	return m.Each(func(row *T) {
		for i := range instants {
			if instants[i].TS.Equal(table.Time(row)) {
				list := rows(&instants[i])
				*list = append(*list, *row)
			}
		}
	})
}

// Pods calls do with each pod of the instant, ordered by (namespace, pod). The
// row is valid during the call only. Where columns are named, only these are
// read; "ts", "namespace" and "pod" have to be among them.
func (i *Instant) Pods(ctx context.Context, do func(*usage.Pod), columns ...string) error {
	pods, err := i.reader.Pods(ctx, i.minute, columns...)
	if err != nil {
		return err
	}
	stop := pods.Prefetch()
	defer stop()
	return pods.Each(func(p *usage.Pod) {
		if p.TS.Equal(i.TS) {
			do(p)
		}
	})
}
