package rollup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/gpu"
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

// readManifest reads one snapshot's manifest.
func (j *Job) readManifest(ctx context.Context, name string) (report.Manifest, error) {
	var m report.Manifest
	object, err := j.Bucket.Get(ctx, name)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(object.Body, &m); err != nil {
		return m, fmt.Errorf("%s: not a manifest (%w): delete it, and that minute counts as a gap", name, err)
	}
	if m.Version != report.Version {
		return m, fmt.Errorf("%s: manifest version %d, this program reads %d: use the k8s-monitor that wrote it, or a newer one", name, m.Version, report.Version)
	}
	return m, nil
}

// readSnapshots reads the rows of the committed snapshots, in order, and the
// instants that they took.
func (j *Job) readSnapshots(ctx context.Context, snapshots []committed) (rows, map[int64]bool, error) {
	manifests := make([]report.Manifest, len(snapshots))
	parts := make([]rows, len(snapshots))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelReads)
	for i, s := range snapshots {
		group.Go(func() (err error) {
			if manifests[i], err = j.readManifest(ctx, s.name); err != nil {
				return err
			}
			for _, o := range manifests[i].Objects {
				if err := parts[i].read(ctx, j.Bucket, o.Table, o.Name); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return rows{}, nil, err
	}
	instants := map[int64]bool{}
	for _, m := range manifests {
		for _, t := range m.SampledAt {
			instants[t.UnixMilli()] = true
		}
	}
	all := rows{
		pods:    collect(parts, func(r *rows) []usage.Pod { return r.pods }, comparePods),
		nodes:   collect(parts, func(r *rows) []usage.Node { return r.nodes }, compareNodes),
		gpus:    collect(parts, func(r *rows) []usage.GPU { return r.gpus }, compareGPUs),
		engines: collect(parts, func(r *rows) []usage.Engine { return r.engines }, compareEngines),
		gaps:    collect(parts, func(r *rows) []usage.Gap { return r.gaps }, compareGaps),
	}
	gpu.AttributeLater(all.pods, all.gpus)
	return all, instants, nil
}

// The orders of the tables, by pointers: rows are hundreds of bytes.
func comparePods(a, b *usage.Pod) int       { return usage.ComparePods(*a, *b) }
func compareNodes(a, b *usage.Node) int     { return usage.CompareNodes(*a, *b) }
func compareGPUs(a, b *usage.GPU) int       { return usage.CompareGPUs(*a, *b) }
func compareEngines(a, b *usage.Engine) int { return usage.CompareEngines(*a, *b) }
func compareGaps(a, b *usage.Gap) int       { return usage.CompareGaps(*a, *b) }

// collect merges one table of all parts, each of which is in the table's order.
// Of rows that compare equal, those of the earlier part come first.
func collect[T any](parts []rows, table func(*rows) []T, compare func(a, b *T) int) []T {
	total := 0
	var runs [][]T // a heap: no run begins before the one at half its place
	for i := range parts {
		if run := table(&parts[i]); len(run) > 0 {
			runs = append(runs, run)
			total += len(run)
		}
	}
	order := make([]int, len(runs)) // of the runs by part, for rows that compare equal
	for i := range order {
		order[i] = i
	}
	before := func(i, j int) bool {
		c := compare(&runs[i][0], &runs[j][0])
		return c < 0 || c == 0 && order[i] < order[j]
	}
	sink := func(i int) {
		for {
			least := i
			for _, child := range [...]int{2*i + 1, 2*i + 2} {
				if child < len(runs) && before(child, least) {
					least = child
				}
			}
			if least == i {
				return
			}
			runs[i], runs[least], order[i], order[least] = runs[least], runs[i], order[least], order[i]
			i = least
		}
	}
	for i := len(runs)/2 - 1; i >= 0; i-- {
		sink(i)
	}
	out := make([]T, 0, total)
	for len(runs) > 0 {
		out = append(out, runs[0][0])
		if runs[0] = runs[0][1:]; len(runs[0]) == 0 {
			last := len(runs) - 1
			runs[0], order[0] = runs[last], order[last]
			runs, order = runs[:last], order[:last]
		}
		sink(0)
	}
	return out
}

// read adds the rows of one object of a raw table. A table that this program
// does not know was added by a newer one, and is passed over.
func (r *rows) read(ctx context.Context, b bucket.Bucket, table, name string) (err error) {
	var part rows
	switch table {
	case usage.Pods:
		part.pods, err = store.Pods.Read(ctx, b, name)
	case usage.Nodes:
		part.nodes, err = store.Nodes.Read(ctx, b, name)
	case usage.GPUs:
		part.gpus, err = store.GPUs.Read(ctx, b, name)
	case usage.Engines:
		part.engines, err = store.Engines.Read(ctx, b, name)
	case usage.Gaps:
		part.gaps, err = store.Gaps.Read(ctx, b, name)
	}
	r.append(part)
	return err
}

func (r *rows) append(o rows) {
	r.pods = append(r.pods, o.pods...)
	r.nodes = append(r.nodes, o.nodes...)
	r.gpus = append(r.gpus, o.gpus...)
	r.engines = append(r.engines, o.engines...)
	r.gaps = append(r.gaps, o.gaps...)
}

// merge joins two sets of sorted tables.
func (r rows) merge(o rows) rows {
	return rows{
		pods:    merge(r.pods, o.pods, comparePods),
		nodes:   merge(r.nodes, o.nodes, compareNodes),
		gpus:    merge(r.gpus, o.gpus, compareGPUs),
		engines: merge(r.engines, o.engines, compareEngines),
		gaps:    merge(r.gaps, o.gaps, compareGaps),
	}
}

// merge joins two sorted tables into one.
func merge[T any](a, b []T, compare func(a, b *T) int) []T {
	if len(a) == 0 {
		return b
	}
	out := make([]T, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if compare(&a[0], &b[0]) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// filter keeps the rows whose instant is wanted.
func (r *rows) filter(want func(ts time.Time) bool) rows {
	return rows{
		pods:    keep(r.pods, func(p *usage.Pod) bool { return want(p.TS) }),
		nodes:   keep(r.nodes, func(n *usage.Node) bool { return want(n.TS) }),
		gpus:    keep(r.gpus, func(g *usage.GPU) bool { return want(g.TS) }),
		engines: keep(r.engines, func(e *usage.Engine) bool { return want(e.TS) }),
		gaps:    keep(r.gaps, func(g *usage.Gap) bool { return want(g.TS) }),
	}
}

func keep[T any](in []T, want func(*T) bool) []T {
	var out []T
	for i := range in {
		if want(&in[i]) {
			out = append(out, in[i])
		}
	}
	return out
}

// loadHour reads one hour's rows, in order: what the raw snapshots took, and
// from samples/ the instants that raw no longer holds. So an hour whose raw
// objects were pruned, wholly or in part, loses nothing when it is rebuilt.
func (j *Job) loadHour(ctx context.Context, hour time.Time, snapshots []committed, withSamples bool) (rows, error) {
	all, instants, err := j.readSnapshots(ctx, snapshots)
	if err != nil {
		return rows{}, err
	}
	if withSamples {
		var old rows
		for _, table := range store.RawTables {
			name := layout.Object{Tier: layout.Samples, Table: table, Cluster: j.Cluster, Time: hour}.Name()
			if err := old.read(ctx, j.Bucket, table, name); err != nil && !errors.Is(err, bucket.ErrNotExist) {
				return rows{}, err
			}
		}
		all = all.merge(old.filter(func(ts time.Time) bool { return !instants[ts.UnixMilli()] }))
	}
	// Rows of a snapshot that ran over the hour's end belong to the next hour's
	// statistics and to this hour's object; compute goes by ts.
	return all, nil
}

// writeSamples writes the hour's rows as one object a table. A table without
// rows has no object.
func (j *Job) writeSamples(ctx context.Context, hour time.Time, r rows) error {
	name := func(table string) string {
		return layout.Object{Tier: layout.Samples, Table: table, Cluster: j.Cluster, Time: hour}.Name()
	}
	return errors.Join(
		write(ctx, j, store.Pods, name(usage.Pods), r.pods),
		write(ctx, j, store.Nodes, name(usage.Nodes), r.nodes),
		write(ctx, j, store.GPUs, name(usage.GPUs), r.gpus),
		write(ctx, j, store.Engines, name(usage.Engines), r.engines),
		write(ctx, j, store.Gaps, name(usage.Gaps), r.gaps))
}

// writeHourly writes the hour's statistics. Tables are written whole, so the
// order matters to nobody but a reader that joins them.
func (j *Job) writeHourly(ctx context.Context, hour time.Time, t tables) error {
	name := func(table string) string {
		return layout.Object{Tier: layout.Hourly, Table: table, Cluster: j.Cluster, Time: hour}.Name()
	}
	return errors.Join(
		write(ctx, j, store.ModelHours, name(usage.Models), t.models),
		write(ctx, j, store.WorkloadHours, name(usage.Workloads), t.workloads),
		write(ctx, j, store.NamespaceHours, name(usage.Namespaces), t.namespaces),
		write(ctx, j, store.NodeHours, name(usage.Nodes), t.nodes),
		write(ctx, j, store.PodHours, name(usage.Pods), t.pods),
		write(ctx, j, store.ClusterHours, name(usage.Cluster), t.cluster))
}

// write writes a table's object, or removes the one that earlier, fuller rows left.
func write[T any](ctx context.Context, j *Job, table *store.Table[T], name string, rows []T) error {
	if len(rows) == 0 {
		return j.Bucket.Delete(ctx, name)
	}
	_, err := table.Write(ctx, j.Bucket, name, rows, store.Metadata{Cluster: j.Cluster})
	return err
}

// hourOf is the hour that an instant lies in.
func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// digest of what an hour's figures were computed from: equal digests, equal figures.
func digestOf(snapshots []committed, rest ...string) string {
	var b strings.Builder
	for _, s := range snapshots {
		fmt.Fprintf(&b, "%s %s\n", s.name, s.etag)
	}
	return contentHash([]byte(b.String() + strings.Join(rest, "\n")))
}
