package rollup

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// readHours reads one hourly table's objects of several hours, side by side;
// an hour without an object has no rows.
func readHours[T any](ctx context.Context, j *Job, table *store.Table[T], hours []time.Time) ([][]T, error) {
	return readNamed(ctx, j, table, hours, func(hour time.Time) string {
		return layout.Object{Tier: layout.Hourly, Table: table.Name(), Cluster: j.Cluster, Time: hour}.Name()
	})
}

// readNamed reads one object an hour.
func readNamed[T any](ctx context.Context, j *Job, table *store.Table[T], hours []time.Time, name func(time.Time) string) ([][]T, error) {
	out := make([][]T, len(hours))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelReads)
	for i, hour := range hours {
		group.Go(func() error {
			rows, err := table.Read(ctx, j.Bucket, name(hour))
			if errors.Is(err, bucket.ErrNotExist) {
				return nil
			}
			out[i] = rows
			return err
		})
	}
	return out, group.Wait()
}

// lastHours are the n hours up to and with the one of t.
func lastHours(t time.Time, n int) []time.Time {
	hours := make([]time.Time, n)
	for i := range hours {
		hours[i] = hourOf(t).Add(time.Duration(i-n+1) * time.Hour)
	}
	return hours
}

// weekDigest is what statistics-168.json was made from: the hour it ends in,
// and the closed hours as they were last computed. So the open hour's part is
// as of that hour's first run, and the document is not made anew each minute.
func (j *Job) weekDigest(saved *savedState, at time.Time) string {
	var closed []string
	for hour, digest := range saved.Hours {
		if hour < hourOf(at).Format(time.RFC3339) {
			closed = append(closed, hour+digest)
		}
	}
	slices.Sort(closed)
	return contentHash([]byte(hourOf(at).Format(time.RFC3339) + strings.Join(closed, "\n")))
}

// readStatistics makes the statistics document of the last n hours.
func (j *Job) readStatistics(ctx context.Context, stamp report.Stamp, n int) (report.StatisticsData, error) {
	hours := lastHours(stamp.SampledAt, n)
	doc := report.StatisticsData{Stamp: stamp, Hours: n, HourStarts: hours}
	clusters, err := readHours(ctx, j, store.ClusterHours, hours)
	if err != nil {
		return doc, err
	}
	models, err := readHours(ctx, j, store.ModelHours, hours)
	if err != nil {
		return doc, err
	}
	namespaces, err := readHours(ctx, j, store.NamespaceHours, hours)
	if err != nil {
		return doc, err
	}
	nodes, err := readHours(ctx, j, store.NodeHours, hours)
	if err != nil {
		return doc, err
	}
	doc.NodesSeen = make(report.Ints, n)
	for i, rows := range nodes {
		doc.NodesSeen[i] = usage.SomeUnless(int64(len(rows)), 0)
	}
	doc.ClusterAll = newSeries(n)
	for i, rows := range clusters {
		for _, r := range rows {
			setSeries(&doc.ClusterAll, i, &r.Statistics)
		}
	}
	doc.Models = []report.ModelStatistics{}
	for k, lines := range byKey(models, func(r *usage.ModelHour) (modelKey, *usage.Statistics) {
		return modelKey{r.Namespace, r.Engine, r.Model}, &r.Statistics
	}) {
		doc.Models = append(doc.Models, report.ModelStatistics{Namespace: k.namespace, ModelType: k.engine, Model: k.model,
			Total: totals(lines), Series: seriesOf(lines)})
	}
	doc.Namespaces = []report.NamespaceStatistics{}
	for k, lines := range byKey(namespaces, func(r *usage.NamespaceHour) (string, *usage.Statistics) { return r.Namespace, &r.Statistics }) {
		doc.Namespaces = append(doc.Namespaces, report.NamespaceStatistics{Namespace: k, Total: totals(lines), Series: seriesOf(lines)})
	}
	doc.Nodes = []report.NodeStatistics{}
	products := map[string]usage.Opt[string]{}
	for k, lines := range byKey(nodes, func(r *usage.NodeHour) (string, *usage.Statistics) {
		products[r.Node] = r.GPUProduct
		return r.Node, &r.Statistics
	}) {
		doc.Nodes = append(doc.Nodes, report.NodeStatistics{Node: k, Total: totals(lines), Series: seriesOf(lines)})
	}
	for i := range doc.Nodes {
		doc.Nodes[i].GPUProduct = products[doc.Nodes[i].Node]
	}
	slices.SortFunc(doc.Models, func(a, b report.ModelStatistics) int {
		return cmp.Or(-compareHours(a.Total, b.Total), strings.Compare(a.Model, b.Model), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.ModelType, b.ModelType))
	})
	slices.SortFunc(doc.Namespaces, func(a, b report.NamespaceStatistics) int {
		return cmp.Or(-compareHours(a.Total, b.Total), strings.Compare(a.Namespace, b.Namespace))
	})
	slices.SortFunc(doc.Nodes, func(a, b report.NodeStatistics) int { return strings.Compare(a.Node, b.Node) })
	return doc, nil
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

// byKey turns hours of rows into one line of hours a key, nil where the key
// has no row in an hour.
func byKey[T any, K comparable](hours [][]T, key func(*T) (K, *usage.Statistics)) map[K][]*usage.Statistics {
	lines := map[K][]*usage.Statistics{}
	for i := range hours {
		for r := range hours[i] {
			k, s := key(&hours[i][r])
			if lines[k] == nil {
				lines[k] = make([]*usage.Statistics, len(hours))
			}
			lines[k][i] = s
		}
	}
	return lines
}

// totals sums a key's hours; ratios are of the sums.
func totals(line []*usage.Statistics) report.Totals {
	var t report.Totals
	var energy usage.Opt[int64]
	for _, s := range line {
		if s == nil {
			continue
		}
		t.Samples += int64(s.Samples)
		t.ExpectedSamples += int64(s.ExpectedSamples)
		t.GPUHoursAllocated = usage.Add(t.GPUHoursAllocated, s.GPUHoursAllocated)
		t.GPUHoursActive = usage.Add(t.GPUHoursActive, s.GPUHoursActive)
		t.GPUHoursIdleHeld = usage.Add(t.GPUHoursIdleHeld, s.GPUHoursIdleHeld)
		t.GPUHoursLoading = usage.Add(t.GPUHoursLoading, s.GPUHoursLoading)
		t.GPUHoursUnknown = usage.Add(t.GPUHoursUnknown, s.GPUHoursUnknown)
		t.GPUHoursUnallocated = usage.Add(t.GPUHoursUnallocated, s.GPUHoursUnallocated)
		t.GPUHoursTotal = usage.Add(t.GPUHoursTotal, s.GPUHoursTotal)
		t.PromptTokens = usage.Add(t.PromptTokens, s.PromptTokens)
		t.GenerationTokens = usage.Add(t.GenerationTokens, s.GenerationTokens)
		t.Requests = usage.Add(t.Requests, s.Requests)
		t.Restarts = usage.Add(t.Restarts, s.Restarts)
		t.Cost = usage.Add(t.Cost, s.Cost)
		energy = usage.Add(energy, s.EnergyMillijoules)
	}
	t.EnergyKilowattHours = statistics.Ratio(energy, usage.Some(statistics.MillijoulesPerKilowattHour), 1)
	tokens := usage.Add(t.PromptTokens, t.GenerationTokens)
	t.TokensPerGPUHour = statistics.Ratio(tokens, t.GPUHoursAllocated, 1)
	t.TokensPerKWh = statistics.Ratio(tokens, t.EnergyKilowattHours, 1)
	return t
}

// columnsOf lists the series' columns with the figure that each shows.
func columnsOf(s *report.Series) []seriesColumn {
	count := func(get func(*usage.Statistics) usage.Opt[int64]) func(*usage.Statistics) usage.Opt[float64] {
		return func(st *usage.Statistics) usage.Opt[float64] { return statistics.Ratio(get(st), usage.Some(1.0), 1) }
	}
	type st = usage.Statistics
	type value = usage.Opt[float64]
	return []seriesColumn{
		{&s.Coverage, func(s *st) value {
			return statistics.Ratio(usage.Some(s.Samples), usage.Some(s.ExpectedSamples), 1)
		}},
		{&s.CPUUsageMillicoresAvg, func(s *st) value { return s.CPUUsageMillicores.Avg }},
		{&s.CPUUsageMillicoresP95, func(s *st) value { return s.CPUUsageMillicores.P95 }},
		{&s.MemoryUsageBytesAvg, func(s *st) value { return s.MemoryUsageBytes.Avg }},
		{&s.MemoryUsageBytesMax, func(s *st) value { return s.MemoryUsageBytes.Max }},
		{&s.GPUUtilPercentAvg, func(s *st) value { return s.GPUUtilPercent.Avg }},
		{&s.GPUUtilPercentP95, func(s *st) value { return s.GPUUtilPercent.P95 }},
		{&s.GPUPowerWattsAvg, func(s *st) value { return s.GPUPowerWatts.Avg }},
		{&s.RequestsRunningAvg, func(s *st) value { return s.RequestsRunning.Avg }},
		{&s.RequestsWaitingMax, func(s *st) value { return s.RequestsWaiting.Max }},
		{&s.KVCacheUsageRatioP95, func(s *st) value { return s.KVCacheUsageRatio.P95 }},
		{&s.PodsAvg, func(s *st) value { return s.Pods.Avg }},
		{&s.ReplicasAvg, func(s *st) value { return s.Replicas.Avg }},
		{&s.GPUHoursAllocated, func(s *st) value { return s.GPUHoursAllocated }},
		{&s.GPUHoursActive, func(s *st) value { return s.GPUHoursActive }},
		{&s.GPUHoursIdleHeld, func(s *st) value { return s.GPUHoursIdleHeld }},
		{&s.GPUHoursLoading, func(s *st) value { return s.GPUHoursLoading }},
		{&s.GPUHoursUnknown, func(s *st) value { return s.GPUHoursUnknown }},
		{&s.GPUHoursUnallocated, func(s *st) value { return s.GPUHoursUnallocated }},
		{&s.PromptTokens, count(func(s *st) usage.Opt[int64] { return s.PromptTokens })},
		{&s.GenerationTokens, count(func(s *st) usage.Opt[int64] { return s.GenerationTokens })},
		{&s.Requests, count(func(s *st) usage.Opt[int64] { return s.Requests })},
		{&s.TTFTSecondsAvg, func(s *st) value { return s.TTFTSecondsAvg }},
		{&s.InterTokenSecondsAvg, func(s *st) value { return s.InterTokenSecondsAvg }},
		{&s.EnergyKilowattHours, func(s *st) value {
			return statistics.Ratio(s.EnergyMillijoules, usage.Some(statistics.MillijoulesPerKilowattHour), 1)
		}},
		{&s.TokensPerGPUHour, func(s *st) value { return s.TokensPerGPUHour }},
		{&s.TokensPerKWh, func(s *st) value { return s.TokensPerKilowattHour }},
		{&s.Cost, func(s *st) value { return s.Cost }},
	}
}

type seriesColumn struct {
	values *report.Floats
	get    func(*usage.Statistics) usage.Opt[float64]
}

func newSeries(hours int) report.Series {
	var s report.Series
	for _, c := range columnsOf(&s) {
		*c.values = make(report.Floats, hours)
	}
	return s
}

func setSeries(s *report.Series, i int, from *usage.Statistics) {
	for _, c := range columnsOf(s) {
		(*c.values)[i] = c.get(from)
	}
}

// shorten rounds every series to the digits that a chart can show, which
// halves the document. Counts stay whole.
func shorten(doc *report.StatisticsData) {
	shortenSeries(&doc.ClusterAll)
	for i := range doc.Models {
		shortenSeries(&doc.Models[i].Series)
	}
	for i := range doc.Namespaces {
		shortenSeries(&doc.Namespaces[i].Series)
	}
	for i := range doc.Nodes {
		shortenSeries(&doc.Nodes[i].Series)
	}
}

func shortenSeries(s *report.Series) {
	for _, c := range columnsOf(s) {
		for i, o := range *c.values {
			if v, ok := o.Get(); ok && v != math.Trunc(v) {
				v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64) // it was just written
				(*c.values)[i] = usage.Some(v)
			}
		}
	}
}

func seriesOf(line []*usage.Statistics) report.Series {
	s := newSeries(len(line))
	for i, st := range line {
		if st != nil {
			setSeries(&s, i, st)
		}
	}
	return s
}

// podLines are the hours of pods, nil where a pod has no row in an hour.
type podLines map[podKey][]*usage.Statistics

// readPodLines reads the last 24 hours of the model-serving pods.
func (j *Job) readPodLines(ctx context.Context, stamp report.Stamp) (podLines, error) {
	rows, err := readNamed(ctx, j, store.PodHours, lastHours(stamp.SampledAt, 24), j.servingName)
	if err != nil {
		return nil, err
	}
	return byKey(rows, func(r *usage.PodHour) (podKey, *usage.Statistics) { return podKey{r.Namespace, r.Pod}, &r.Statistics }), nil
}

// podHours is what the table of pods draws of each model server.
func (v *view) podHours(stamp report.Stamp, lines podLines) report.PodHours {
	var serving []usage.Pod
	doc := report.PodHours{Stamp: stamp, HourStarts: lastHours(stamp.SampledAt, 24), GPUUtil: []report.Floats{}}
	for i := range v.pods {
		line := lines[podKey{v.pods[i].Namespace, v.pods[i].Pod}]
		if v.pods[i].Engine == usage.NoEngine || line == nil {
			continue
		}
		series := seriesOf(line)
		shortenSeries(&series)
		serving = append(serving, v.pods[i])
		doc.GPUUtil = append(doc.GPUUtil, series.GPUUtilPercentAvg)
	}
	doc.Namespace = plain(serving, func(p *usage.Pod) string { return p.Namespace })
	doc.Pod = plain(serving, func(p *usage.Pod) string { return p.Pod })
	return doc
}

// histories makes the last 24 hours of each of the pods.
func histories(stamp report.Stamp, pods []report.Pod, lines podLines) []report.PodHistory {
	hours := lastHours(stamp.SampledAt, 24)
	var out []report.PodHistory
	for _, p := range pods {
		if !layout.ValidName(p.Namespace) || !layout.ValidName(p.Name) {
			continue
		}
		line := lines[podKey{p.Namespace, p.Name}]
		if line == nil {
			line = make([]*usage.Statistics, len(hours))
		}
		history := seriesOf(line)
		shortenSeries(&history)
		out = append(out, report.PodHistory{Stamp: stamp, Pod: p, Hours: hours, History: history})
	}
	return out
}
