package alert

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const (
	// lookBackSlack is added to the longest time of a rule: the newest sample of a run may be this much older
	// than the run, and a rule's time is to fit between samples.
	lookBackSlack = 10 * time.Minute

	longestRun = 2 * time.Minute // of samples that one manifest commits
)

// samples evaluates what was committed since the newest instant that the state
// knows, up to at and as far back as the longest time of a rule needs.
func (j *Job) samples(ctx context.Context, s *state, at time.Time, e *evaluation) error {
	window := lookBackSlack
	for _, r := range j.Rules {
		window = max(window, r.For.Duration+lookBackSlack)
	}
	after := latest(at.Add(-window), s.SampledAt)
	names, err := manifests(ctx, j.Bucket, j.Cluster, after.Add(-longestRun), at)
	if err != nil {
		return err
	}
	if len(names) == 0 && s.SampledAt.IsZero() { // how old is the newest that there is?
		prefix := layout.TablePrefix(layout.Raw, layout.ManifestTable, j.Cluster)
		if names, err = manifestsBelow(ctx, j.Bucket, prefix, time.Time{}, at); err != nil {
			return err
		}
		names = slices.DeleteFunc(names, ofNode)
		names = names[max(0, len(names)-1):]
	}
	for _, names := range byInstant(names) {
		m, err := readSnapshot(ctx, j.Bucket, names)
		if err != nil {
			return err
		}
		if err := instants(ctx, j.Bucket, m, latest(after, s.SampledAt), at, e.rows, e.sample); err != nil {
			return err
		}
		for _, ts := range m.SampledAt {
			if ts.After(s.SampledAt) && !ts.After(at) {
				s.SampledAt, s.IntervalSeconds = ts.UTC(), m.IntervalSeconds
			}
		}
	}
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// manifests returns the names of the manifests of [from, at], oldest first.
func manifests(ctx context.Context, b bucket.Bucket, cluster string, from, at time.Time) ([]string, error) {
	var names []string
	for hour := from.UTC().Truncate(time.Hour); !hour.After(at); hour = hour.Add(time.Hour) {
		found, err := manifestsBelow(ctx, b, layout.HourPrefix(layout.ManifestTable, cluster, hour), from, at)
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	return names, nil
}

func manifestsBelow(ctx context.Context, b bucket.Bucket, prefix string, from, at time.Time) ([]string, error) {
	var names []string
	for info, err := range b.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("list manifests: %w", err)
		}
		if o, ok := layout.Parse(info.Name); ok && o.Tier == layout.Manifest && !o.Time.Before(from) && !o.Time.After(at) {
			names = append(names, info.Name)
		}
	}
	return names, nil
}

// readSnapshot reads the manifests of one instant as one: the cluster's, and
// those of nodes that read their own GPUs. Without the cluster's there is
// nothing to look at yet.
func readSnapshot(ctx context.Context, b bucket.Bucket, names []string) (whole report.Manifest, err error) {
	var nodes []report.ManifestObject
	for _, name := range names {
		object, err := b.Get(ctx, name)
		if err != nil {
			return report.Manifest{}, err
		}
		m, err := report.ParseManifest(name, object.Body)
		if err != nil {
			return report.Manifest{}, err
		}
		if ofNode(name) {
			nodes = append(nodes, m.Objects...)
		} else {
			whole = m
		}
	}
	whole.Objects = append(whole.Objects, nodes...)
	return whole, nil
}

// byInstant cuts the sorted names of manifests where their instants change.
func byInstant(names []string) (groups [][]string) {
	var last time.Time
	for _, name := range names {
		o, _ := layout.Parse(name)
		if len(groups) == 0 || !o.Time.Equal(last) {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], name)
		last = o.Time
	}
	return groups
}

// instants calls yield with each instant that m commits and that lies in
// (after, at], oldest first. Only the tables that rules on the kinds look at
// are read.
func instants(ctx context.Context, b bucket.Bucket, m report.Manifest, after, at time.Time, rules *rows, yield func(instant)) error {
	var wanted []time.Time
	for _, ts := range m.SampledAt {
		if ts.After(after) && !ts.After(at) {
			wanted = append(wanted, ts)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	slices.SortFunc(wanted, time.Time.Compare)

	// Nodes are the basis of percents, and say which GPUs are gone.
	tables := map[string]bool{usage.Nodes: true}
	tables[usage.Pods] = len(rules.onPod.rules)+len(rules.onModel.rules) > 0
	tables[usage.GPUs] = len(rules.onGPU.rules) > 0 || tables[usage.Pods] && slices.ContainsFunc(m.Objects, func(o report.ManifestObject) bool { return ofNode(o.Name) }) // pods get their GPUs' figures
	tables[usage.Engines] = len(rules.onModel.rules) > 0

	var all usage.Sample
	group, ctx := errgroup.WithContext(ctx)
	for _, table := range []string{usage.Pods, usage.Nodes, usage.GPUs, usage.Engines} {
		if !tables[table] {
			continue
		}
		group.Go(func() error { // a table's objects one by one, so that no two write the same slice
			for _, o := range m.Objects {
				if o.Table != table {
					continue
				}
				if err := read(ctx, b, o, &all); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("read what the snapshot of %s committed: %w", m.At.UTC().Format(time.RFC3339), err)
	}
	gpu.AttributeLater(all.Pods, all.GPUs)
	for _, ts := range wanted {
		yield(instant{ts: ts, interval: time.Duration(m.IntervalSeconds) * time.Second, Sample: usage.Sample{
			Pods:    taken(all.Pods, ts, func(r *usage.Pod) time.Time { return r.TS }),
			Nodes:   taken(all.Nodes, ts, func(r *usage.Node) time.Time { return r.TS }),
			GPUs:    taken(all.GPUs, ts, func(r *usage.GPU) time.Time { return r.TS }),
			Engines: taken(all.Engines, ts, func(r *usage.Engine) time.Time { return r.TS }),
		}})
	}
	return nil
}

func read(ctx context.Context, b bucket.Bucket, o report.ManifestObject, into *usage.Sample) (err error) {
	switch o.Table {
	case usage.Pods:
		into.Pods, err = appended(into.Pods)(store.Pods.Read(ctx, b, o.Name))
	case usage.Nodes:
		into.Nodes, err = appended(into.Nodes)(store.Nodes.Read(ctx, b, o.Name))
	case usage.GPUs:
		into.GPUs, err = appended(into.GPUs)(store.GPUs.Read(ctx, b, o.Name))
	case usage.Engines:
		into.Engines, err = appended(into.Engines)(store.Engines.Read(ctx, b, o.Name))
	}
	return err
}

// ofNode reports whether an object or a manifest is of a node that read its own
// GPUs.
func ofNode(name string) bool {
	o, _ := layout.Parse(name)
	return o.Node != ""
}

// appended adds the rows of a read to those of the objects before it.
func appended[T any](rows []T) func([]T, error) ([]T, error) {
	return func(more []T, err error) ([]T, error) { return append(rows, more...), err }
}

// taken are the rows of one instant.
func taken[T any](rows []T, at time.Time, ts func(*T) time.Time) []T {
	var some []T
	for i := range rows {
		if ts(&rows[i]).Equal(at) {
			some = append(some, rows[i])
		}
	}
	return some
}

// instant is what was measured of all subjects at one sample.
type instant struct {
	ts       time.Time
	interval time.Duration
	usage.Sample
}

// sample evaluates every rule but those on the snapshot at one instant.
func (e *evaluation) sample(in instant) {
	s := e.begin(in.ts, in.interval, in.Nodes, in.GPUs, in.Engines)
	for i := range in.Pods {
		s.pod(&in.Pods[i], usage.Opt[string]{})
	}
	s.finish()
}
