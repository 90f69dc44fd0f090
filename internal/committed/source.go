package committed

import (
	"context"
	"slices"
	"time"

	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Source is what one snapshot committed, or what an hour's objects in samples/
// hold beside the snapshots that are still there.
type Source struct {
	Snapshot
	Manifest report.Manifest // zero for samples/
	Instants []time.Time     // whose rows the source gives

	objects map[string]string          // by table
	samples *samplesFilter             // nil for a snapshot
	joined  map[podInstant]*gpuFigures // see joinNodes
}

// samplesFilter says which rows of samples/ count: those of instants that no
// snapshot holds. Instants are in Unix milliseconds.
type samplesFilter struct{ wanted, inSnapshots map[int64]bool }

// IsSnapshot tells a snapshot from what samples/ holds.
func (s *Source) IsSnapshot() bool { return s.samples == nil }

// InHour reports whether the source has instants of the hour.
func (s *Source) InHour(hour time.Time) bool {
	return slices.ContainsFunc(s.Instants, func(t time.Time) bool { return t.UTC().Truncate(time.Hour).Equal(hour) })
}

// InHour are the sources that have instants of the hour.
func InHour(hour time.Time, sources []*Source) []*Source {
	return slices.DeleteFunc(slices.Clone(sources), func(s *Source) bool { return !s.InHour(hour) })
}

// Samples is what the hour's objects in samples/ hold from an instant on and the
// snapshots do not, nil if that is nothing. With it, an hour whose raw objects
// were pruned, wholly or in part, loses nothing when it is computed again.
func (r Reader) Samples(ctx context.Context, hour, from time.Time, snapshots []*Source) (*Source, error) {
	filter := &samplesFilter{wanted: map[int64]bool{}, inSnapshots: map[int64]bool{}}
	s := &Source{objects: map[string]string{}, samples: filter}
	for _, table := range store.RawTables {
		s.objects[table] = layout.Object{Tier: layout.Samples, Table: table, Cluster: r.Cluster, Time: hour}.Name()
	}
	s.Name = s.objects[usage.Nodes]
	for _, t := range Instants(snapshots) {
		filter.inSnapshots[t.UnixMilli()] = true
	}
	// Every sample has rows of nodes, so they tell which instants there are.
	inputs := []store.MergeInput[usage.Node]{{Name: s.Name, MayBeMissing: true}}
	nodes, err := store.Nodes.Merge(ctx, r.Bucket, inputs, "ts", "node")
	if err != nil {
		return nil, err
	}
	err = nodes.Each(func(n *usage.Node) {
		ms := n.TS.UnixMilli()
		if !filter.inSnapshots[ms] && !filter.wanted[ms] && !n.TS.Before(from) {
			filter.wanted[ms] = true
			s.Instants = append(s.Instants, n.TS)
		}
	})
	if err != nil || len(s.Instants) == 0 {
		return nil, err
	}
	return s, nil
}

// Pods merges the sources' pods, with the GPU figures that their nodes reported.
// Where columns are named, only these are read.
func (r Reader) Pods(ctx context.Context, sources []*Source, columns ...string) (*store.Merger[usage.Pod], error) {
	return merge(ctx, r, sources, store.Pods, func(s *Source) func([]usage.Pod) []usage.Pod {
		if s.joined == nil {
			return nil
		}
		return s.fillGPUs
	}, columns...)
}

// Nodes merges the sources' nodes. Where columns are named, only these are read.
func (r Reader) Nodes(ctx context.Context, sources []*Source, columns ...string) (*store.Merger[usage.Node], error) {
	return merge(ctx, r, sources, store.Nodes, nil, columns...)
}

// GPUs merges the sources' GPUs.
func (r Reader) GPUs(ctx context.Context, sources []*Source) (*store.Merger[usage.GPU], error) {
	return merge(ctx, r, sources, store.GPUs, nil)
}

// Engines merges the sources' engines.
func (r Reader) Engines(ctx context.Context, sources []*Source) (*store.Merger[usage.Engine], error) {
	return merge(ctx, r, sources, store.Engines, nil)
}

// Gaps merges the sources' gaps.
func (r Reader) Gaps(ctx context.Context, sources []*Source) (*store.Merger[usage.Gap], error) {
	return merge(ctx, r, sources, store.Gaps, nil)
}

// merge opens a table of all sources. A source without an object of the table
// has none of its rows.
func merge[T any](ctx context.Context, r Reader, sources []*Source, table *store.Table[T], edit func(*Source) func([]T) []T,
	columns ...string) (*store.Merger[T], error) {
	var inputs []store.MergeInput[T]
	for _, s := range sources {
		name := s.objects[table.Name()]
		if name == "" {
			continue
		}
		input := store.MergeInput[T]{Name: name}
		if edit != nil {
			input.Edit = edit(s)
		}
		if filter := s.samples; filter != nil {
			input.MayBeMissing = true // the hour had no rows of this table
			input.Edit = func(rows []T) []T {
				return slices.DeleteFunc(rows, func(row T) bool { return !filter.keeps(table.Name(), table.Time(&row)) })
			}
		}
		inputs = append(inputs, input)
	}
	return table.Merge(ctx, r.Bucket, inputs, columns...)
}

// keeps reports whether a row of samples/ counts. A gap may be of a sample that
// was not taken, whose instant no row of nodes has: it counts unless a snapshot
// has it.
func (f *samplesFilter) keeps(table string, ts time.Time) bool {
	if table == usage.Gaps {
		return !f.inSnapshots[ts.UnixMilli()]
	}
	return f.wanted[ts.UnixMilli()]
}

// RowsPerInstant is about how many rows of a table the cluster's snapshot among
// the sources has at each instant.
func RowsPerInstant(minute []*Source, table string) int {
	rows := 0
	for _, s := range minute {
		if s.Node != "" {
			continue
		}
		for _, o := range s.Manifest.Objects {
			if o.Table == table {
				rows = o.Rows / max(1, len(s.Manifest.SampledAt))
			}
		}
	}
	return rows
}
