// Package committed reads what snapshots have committed. It lists manifests,
// joins what nodes reported of their own GPUs (NVML) with the cluster's snapshot
// of the same minute, and gives each table's rows in order, key by key or
// instant by instant. Every job that reads raw/ or samples/ reads through it.
// It does not know what the rows are used for, and writes nothing.
//
// A snapshot exists once its manifest does. What lies in raw/ without a
// manifest is the rest of a run that was killed, and is never read.
package committed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
)

// parallelReads bounds the manifests that are fetched at once.
const parallelReads = 16

// Reader reads the snapshots of one cluster.
type Reader struct {
	Bucket  bucket.Bucket
	Cluster string
}

// Snapshot is a committed snapshot as a listing shows it.
type Snapshot struct {
	At   time.Time // the run's scheduled instant
	Node string    // the node whose GPUs alone it holds; "": the cluster's snapshot
	Name string    // of the manifest
	ETag string    // of the manifest; another one means that the snapshot was taken again
}

// List lists the snapshots of [from, to) in order of time; those of nodes come
// before the cluster's of the same instant. It makes a request an hour, or a
// request a day where that is fewer.
func (r Reader) List(ctx context.Context, from, to time.Time) ([]Snapshot, error) {
	step, prefix := time.Hour, func(t time.Time) string { return layout.HourPrefix(layout.ManifestTable, r.Cluster, t) }
	if to.Sub(from) > 6*time.Hour {
		step = 24 * time.Hour
		prefix = func(t time.Time) string { return layout.DayPrefix(layout.Raw, layout.ManifestTable, r.Cluster, t) }
	}
	var found []Snapshot
	for t := from.UTC().Truncate(step); t.Before(to); t = t.Add(step) {
		some, err := r.list(ctx, prefix(t))
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return slices.DeleteFunc(found, func(s Snapshot) bool { return s.At.Before(from) || !s.At.Before(to) }), nil
}

// Newest is the cluster's newest snapshot up to an instant; ok is false if there
// is none. It lists all manifests that are kept: ask only when List, of the time
// in which it should be, finds none.
func (r Reader) Newest(ctx context.Context, upTo time.Time) (newest Snapshot, ok bool, err error) {
	all, err := r.list(ctx, layout.TablePrefix(layout.Raw, layout.ManifestTable, r.Cluster))
	for _, s := range all {
		if s.Node == "" && !s.At.After(upTo) {
			newest, ok = s, true
		}
	}
	return newest, ok, err
}

func (r Reader) list(ctx context.Context, prefix string) ([]Snapshot, error) {
	var found []Snapshot
	for info, err := range r.Bucket.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("list manifests: %w", err)
		}
		if o, ok := layout.Parse(info.Name); ok && o.Tier == layout.Manifest {
			found = append(found, Snapshot{o.Time, o.Node, info.Name, info.ETag})
		}
	}
	return found, nil
}

// ByMinute groups snapshots in order of time by their instant: the cluster's and
// those of its nodes.
func ByMinute(snapshots []Snapshot) (minutes [][]Snapshot) {
	for _, s := range snapshots {
		if n := len(minutes); n > 0 && minutes[n-1][0].At.Equal(s.At) {
			minutes[n-1] = append(minutes[n-1], s)
			continue
		}
		minutes = append(minutes, []Snapshot{s})
	}
	return minutes
}

// Open reads the manifests of snapshots. Snapshots of nodes have to be given
// together with the cluster's of the same instant, as List gives them.
func (r Reader) Open(ctx context.Context, snapshots []Snapshot) ([]*Source, error) {
	sources := make([]*Source, len(snapshots))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallelReads)
	for i, s := range snapshots {
		group.Go(func() error {
			object, err := r.Bucket.Get(groupCtx, s.Name)
			if err != nil {
				return err
			}
			m, err := report.ParseManifest(s.Name, object.Body)
			if err != nil {
				return err
			}
			sources[i] = &Source{Snapshot: s, Manifest: m, Instants: m.SampledAt, objects: map[string]string{}}
			for _, o := range m.Objects {
				sources[i].objects[o.Table] = o.Name
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return sources, r.joinNodes(ctx, sources)
}

// Instants are the instants at which the sources sampled the cluster, in order.
func Instants(sources []*Source) (all []time.Time) {
	for _, s := range sources {
		if s.Node == "" {
			all = append(all, s.Instants...)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}
