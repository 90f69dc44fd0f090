package publish

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// hourlyName names a table's objects in hourly/.
func (p *Publisher) hourlyName(table string) func(time.Time) string {
	return func(hour time.Time) string {
		return layout.Object{Tier: layout.Hourly, Table: table, Cluster: p.Cluster, Time: hour}.Name()
	}
}

// modelKey identifies a model of the hourly table.
type modelKey struct{ namespace, engine, model string }

// lastHours are the n hours up to and with the one of t.
func lastHours(t time.Time, n int) []time.Time {
	hours := make([]time.Time, n)
	for i := range hours {
		hours[i] = t.UTC().Truncate(time.Hour).Add(time.Duration(i-n+1) * time.Hour)
	}
	return hours
}

// readStatistics makes the statistics document of the last n hours, of nodes
// only if it is to.
func (p *Publisher) readStatistics(ctx context.Context, stamp report.Stamp, n int, ofNodes bool) (report.StatisticsData, error) {
	hours := lastHours(stamp.SampledAt, n)
	doc := report.StatisticsData{Stamp: stamp, Hours: n, HourStarts: hours, NodesSeen: make(report.Ints, n), ClusterAll: newSeries(n),
		Models: []report.ModelStatistics{}, Namespaces: []report.NamespaceStatistics{}, Nodes: []report.NodeStatistics{}}
	cluster, err := readLines(ctx, p, store.ClusterHours, hours, p.hourlyName(usage.Cluster),
		func(r *usage.ClusterHour) (struct{}, *usage.Statistics) {
			return struct{}{}, &r.Statistics
		})
	if err != nil {
		return doc, err
	}
	if l := cluster[struct{}{}]; l != nil {
		doc.ClusterAll = l.series
	}
	models, err := readLines(ctx, p, store.ModelHours, hours, p.hourlyName(usage.Models),
		func(r *usage.ModelHour) (modelKey, *usage.Statistics) {
			return modelKey{r.Namespace, r.Engine, r.Model}, &r.Statistics
		})
	if err != nil {
		return doc, err
	}
	for k, l := range models {
		doc.Models = append(doc.Models, report.ModelStatistics{
			Namespace: k.namespace, ModelType: k.engine, Model: k.model, Total: l.sums(), Series: l.series,
		})
	}
	namespaces, err := readLines(ctx, p, store.NamespaceHours, hours, p.hourlyName(usage.Namespaces),
		func(r *usage.NamespaceHour) (string, *usage.Statistics) {
			return r.Namespace, &r.Statistics
		})
	if err != nil {
		return doc, err
	}
	for k, l := range namespaces {
		doc.Namespaces = append(doc.Namespaces, report.NamespaceStatistics{Namespace: k, Total: l.sums(), Series: l.series})
	}
	if !ofNodes {
		if err := p.countNodes(ctx, hours, doc.NodesSeen); err != nil {
			return doc, err
		}
	} else {
		products := map[string]usage.Opt[string]{}
		nodes, err := readLines(ctx, p, store.NodeHours, hours, p.hourlyName(usage.Nodes),
			func(r *usage.NodeHour) (string, *usage.Statistics) {
				products[r.Node] = r.GPUProduct
				return r.Node, &r.Statistics
			})
		if err != nil {
			return doc, err
		}
		for k, l := range nodes {
			doc.Nodes = append(doc.Nodes, report.NodeStatistics{Node: k, GPUProduct: products[k], Total: l.sums(), Series: l.series})
			for i, coverage := range l.series.Coverage {
				if coverage.Present() {
					doc.NodesSeen[i] = usage.Add(doc.NodesSeen[i], usage.Some[int64](1))
				}
			}
		}
	}
	slices.SortFunc(doc.Models, func(a, b report.ModelStatistics) int {
		return cmp.Or(-compareHours(a.Total, b.Total), strings.Compare(a.Model, b.Model), strings.Compare(a.Namespace, b.Namespace),
			strings.Compare(a.ModelType, b.ModelType))
	})
	slices.SortFunc(doc.Namespaces, func(a, b report.NamespaceStatistics) int {
		return cmp.Or(-compareHours(a.Total, b.Total), strings.Compare(a.Namespace, b.Namespace))
	})
	slices.SortFunc(doc.Nodes, func(a, b report.NodeStatistics) int { return strings.Compare(a.Node, b.Node) })
	return doc, nil
}

// countNodes counts the nodes that each hour knew, by the ends of the objects alone.
func (p *Publisher) countNodes(ctx context.Context, hours []time.Time, counts report.Ints) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelRequests)
	for i, hour := range hours {
		group.Go(func() error {
			rows, err := store.NodeHours.Open(ctx, p.Bucket, p.hourlyName(usage.Nodes)(hour), "hour")
			if errors.Is(err, bucket.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			defer rows.Close()
			counts[i] = usage.SomeUnless(int64(rows.Rows()), 0)
			return nil
		})
	}
	return group.Wait()
}

// compareHours orders by GPU-hours, none below any.
func compareHours(a, b report.Totals) int {
	x, ok := a.GPUHoursAllocated.Get()
	if !ok {
		x = -1
	}
	y, ok := b.GPUHoursAllocated.Get()
	if !ok {
		y = -1
	}
	return cmp.Compare(x, y)
}

// readPodLines reads the last 24 hours of the model-serving pods.
func (p *Publisher) readPodLines(ctx context.Context, stamp report.Stamp) (map[usage.PodName]*line, error) {
	name := func(hour time.Time) string { return ServingName(p.Cluster, hour) }
	row := func(r *usage.PodHour) (usage.PodName, *usage.Statistics) {
		return usage.PodName{Namespace: r.Namespace, Pod: r.Pod}, &r.Statistics
	}
	lines, err := readLines(ctx, p, store.PodHours, lastHours(stamp.SampledAt, 24), name, row)
	for _, l := range lines {
		shortenSeries(&l.series)
	}
	return lines, err
}

// podHours is what the table of pods draws of each model server.
func (v *view) podHours(stamp report.Stamp, lines map[usage.PodName]*line) report.PodHours {
	var serving []usage.Pod
	doc := report.PodHours{Stamp: stamp, HourStarts: lastHours(stamp.SampledAt, 24), GPUUtil: []report.Floats{}}
	for i := range v.pods {
		l := lines[v.pods[i].Name()]
		if v.pods[i].Engine == usage.NoEngine || l == nil {
			continue
		}
		serving = append(serving, v.pods[i])
		doc.GPUUtil = append(doc.GPUUtil, l.series.GPUUtilPercentAvg)
	}
	fillColumns(&doc, serving)
	return doc
}

// histories makes the last 24 hours of each of the pods.
func histories(stamp report.Stamp, pods []report.Pod, lines map[usage.PodName]*line) []report.PodHistory {
	hours := lastHours(stamp.SampledAt, 24)
	var out []report.PodHistory
	for _, p := range pods {
		if !layout.ValidName(p.Namespace) || !layout.ValidName(p.Pod) {
			continue
		}
		history := newSeries(len(hours))
		if l := lines[usage.PodName{Namespace: p.Namespace, Pod: p.Pod}]; l != nil {
			history = l.series
		}
		out = append(out, report.PodHistory{Stamp: stamp, Pod: p, Hours: hours, History: history})
	}
	return out
}
