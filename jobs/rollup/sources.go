package rollup

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// parallelReads bounds the objects that are fetched at once.
const parallelReads = 16

// committed is one snapshot as the listing shows it.
type committed struct {
	at   time.Time
	node string // whose GPUs alone it is of; "": the cluster's
	name string
	etag string
}

// listCommitted lists the snapshots of the days from one instant to another,
// in order of time.
func (j *Job) listCommitted(ctx context.Context, from, to time.Time) ([]committed, error) {
	var found []committed
	for day := from.UTC().Truncate(24 * time.Hour); !day.After(to); day = day.Add(24 * time.Hour) {
		for info, err := range j.Bucket.List(ctx, layout.DayPrefix(layout.Raw, layout.ManifestTable, j.Cluster, day)) {
			if err != nil {
				return nil, err
			}
			o, ok := layout.Parse(info.Name)
			if ok && o.Tier == layout.Manifest && !o.Time.Before(from) && o.Time.Before(to) {
				found = append(found, committed{o.Time, o.Node, info.Name, info.ETag})
			}
		}
	}
	return found, nil
}

// source is some of an hour's rows: a snapshot, or the hour's objects in
// samples/, of which only the instants count that no snapshot holds.
type source struct {
	committed
	manifest report.Manifest   // of a snapshot
	objects  map[string]string // by table
	instants []time.Time
	want     map[int64]bool          // of samples/: the instants, in Unix milliseconds
	have     map[int64]bool          // of samples/: the instants that snapshots have
	later    map[podInstant]*podGPUs // what only the nodes' snapshots say of the pods
}

// sources reads the manifests of snapshots.
func (j *Job) sources(ctx context.Context, snapshots []committed) ([]*source, error) {
	out := make([]*source, len(snapshots))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallelReads)
	for i, c := range snapshots {
		group.Go(func() error {
			object, err := j.Bucket.Get(groupCtx, c.name)
			if err != nil {
				return err
			}
			m, err := report.ParseManifest(c.name, object.Body)
			if err != nil {
				return err
			}
			out[i] = &source{committed: c, manifest: m, objects: map[string]string{}, instants: m.SampledAt}
			for _, o := range m.Objects {
				out[i].objects[o.Table] = o.Name
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, j.attributeLater(ctx, out)
}

// instantsOf are the instants at which the cluster was sampled.
func instantsOf(sources []*source) (all []time.Time) {
	for _, s := range sources {
		if s.node == "" {
			all = append(all, s.instants...)
		}
	}
	return all
}

// samplesSource is what the hour's objects in samples/ hold from an instant on
// and the sources do not: nil if that is nothing. So an hour whose raw objects
// were pruned, wholly or in part, loses nothing when it is made again.
func (j *Job) samplesSource(ctx context.Context, hour, from time.Time, sources []*source) (*source, error) {
	s := &source{objects: map[string]string{}, want: map[int64]bool{}, have: map[int64]bool{}}
	for _, table := range store.RawTables {
		s.objects[table] = layout.Object{Tier: layout.Samples, Table: table, Cluster: j.Cluster, Time: hour}.Name()
	}
	s.name = s.objects[usage.Nodes]
	for _, t := range instantsOf(sources) {
		s.have[t.UnixMilli()] = true
	}
	nodes, err := open(ctx, j, []*source{{objects: s.objects}}, store.Nodes, nodeOrder, "ts", "node")
	if errors.Is(err, bucket.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = each(nodes, func(n *usage.Node) {
		if ms := n.TS.UnixMilli(); !s.have[ms] && !s.want[ms] && !n.TS.Before(from) {
			s.want[ms] = true
			s.instants = append(s.instants, n.TS)
		}
	})
	if err != nil || len(s.want) == 0 {
		return nil, err
	}
	return s, nil
}

// open opens a table of all sources, or of it only the columns that are named.
// Sources without an object of the table have none of its rows.
func open[T any](ctx context.Context, j *Job, sources []*source, table *store.Table[T], o order[T], columns ...string) (*merger[T], error) {
	runs := make([]*sortedRun[T], len(sources))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallelReads)
	for i, s := range sources {
		group.Go(func() error {
			runs[i] = &sortedRun[T]{}
			if s.objects[table.Name()] == "" {
				return nil
			}
			r, err := table.Open(ctx, j.Bucket, s.objects[table.Name()], columns...)
			if errors.Is(err, bucket.ErrNotExist) && s.want != nil {
				return nil // no rows of the table in that hour
			}
			if err != nil {
				return err
			}
			runs[i].read = r.Read
			switch {
			case s.want == nil:
			case o.gaps: // that of a sample that was not taken is of no instant
				runs[i].want = func(row *T) bool { return !s.have[o.ts(row).UnixMilli()] }
			default:
				runs[i].want = func(row *T) bool { return s.want[o.ts(row).UnixMilli()] }
			}
			if r.Rows() > blockRows {
				return groupCtx.Err()
			}
			// Such as a node's GPUs, of which there are many objects: rows alone are held.
			runs[i].block = make([]T, max(1, r.Rows()))
			err = runs[i].fill()
			runs[i].read = nil
			r.Close()
			return err
		})
	}
	return &merger[T]{order: o, runs: runs}, group.Wait()
}

// inHour reports whether the source has instants of the hour.
func (s *source) inHour(hour time.Time) bool {
	return slices.ContainsFunc(s.instants, func(t time.Time) bool { return hourOf(t).Equal(hour) })
}

// within are the sources that have instants of the hour.
func within(hour time.Time, sources []*source) []*source {
	return slices.DeleteFunc(slices.Clone(sources), func(s *source) bool { return !s.inHour(hour) })
}

// streams are the sources' rows.
func (j *Job) streams(ctx context.Context, sources []*source) streams {
	return streams{
		instants: instantsOf(sources),
		pods:     func() (*merger[usage.Pod], error) { return j.openPods(ctx, sources) },
		grouped: func() (*merger[usage.Pod], error) {
			return open(ctx, j, sources, store.Pods, podOrder, "ts", "namespace", "pod", "replica_group")
		},
		products: func() (*merger[usage.Node], error) {
			return open(ctx, j, sources, store.Nodes, nodeOrder, "ts", "node", "gpu_product")
		},
		nodes:   func() (*merger[usage.Node], error) { return open(ctx, j, sources, store.Nodes, nodeOrder) },
		gpus:    func() (*merger[usage.GPU], error) { return open(ctx, j, sources, store.GPUs, gpuOrder) },
		engines: func() (*merger[usage.Engine], error) { return open(ctx, j, sources, store.Engines, engineOrder) },
	}
}
