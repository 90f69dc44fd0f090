package rollup

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// hoursAtOnce is how many hours of a table are read side by side, and held: of
// nodes an hour may have 5,000 rows of a kilobyte.
const hoursAtOnce = 8

// line is the hours of one key: their series, and what they add up to.
type line struct {
	series report.Series
	total  report.Totals
	energy usage.Opt[int64] // in mJ
}

// readLines reads a table's object of each hour and gives the line of each key;
// an hour without an object has no rows.
func readLines[T any, K comparable](ctx context.Context, j *Job, table *store.Table[T], hours []time.Time, name func(time.Time) string,
	key func(*T) (K, *usage.Statistics)) (map[K]*line, error) {
	lines := map[K]*line{}
	for from := 0; from < len(hours); from += hoursAtOnce {
		rows := make([][]T, min(hoursAtOnce, len(hours)-from))
		group, ctx := errgroup.WithContext(ctx)
		for i := range rows {
			group.Go(func() (err error) {
				rows[i], err = table.Read(ctx, j.Bucket, name(hours[from+i]))
				if errors.Is(err, bucket.ErrNotExist) {
					return nil
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		for i := range rows {
			for r := range rows[i] {
				k, s := key(&rows[i][r])
				if lines[k] == nil {
					lines[k] = &line{series: newSeries(len(hours))}
				}
				lines[k].add(from+i, s)
			}
		}
	}
	return lines, nil
}

// add adds an hour's figures; hours come in order.
func (l *line) add(hour int, s *usage.Statistics) {
	for _, c := range seriesColumns {
		(*c.values(&l.series))[hour] = c.get(s)
	}
	t := &l.total
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
	l.energy = usage.Add(l.energy, s.EnergyMillijoules)
}

// sums is what the hours add up to; ratios are of the sums.
func (l *line) sums() report.Totals {
	t := l.total
	t.EnergyKilowattHours = statistics.Ratio(l.energy, usage.Some(statistics.MillijoulesPerKilowattHour), 1)
	tokens := usage.Add(t.PromptTokens, t.GenerationTokens)
	t.TokensPerGPUHour = statistics.Ratio(tokens, t.GPUHoursAllocated, 1)
	t.TokensPerKWh = statistics.Ratio(tokens, t.EnergyKilowattHours, 1)
	return t
}

// seriesColumn is a column of a series, and the figure that it shows.
type seriesColumn struct {
	values func(*report.Series) *report.Floats
	get    func(*usage.Statistics) usage.Opt[float64]
}

var seriesColumns = func() []seriesColumn {
	type (
		rs    = report.Series
		list  = *report.Floats
		st    = usage.Statistics
		value = usage.Opt[float64]
	)
	count := func(get func(*st) usage.Opt[int64]) func(*st) value {
		return func(s *st) value { return statistics.Ratio(get(s), usage.Some(1.0), 1) }
	}
	return []seriesColumn{
		{func(s *rs) list { return &s.Coverage }, func(s *st) value {
			return statistics.Ratio(usage.Some(s.Samples), usage.Some(s.ExpectedSamples), 1)
		}},
		{func(s *rs) list { return &s.CPUUsageMillicoresAvg }, func(s *st) value { return s.CPUUsageMillicores.Avg }},
		{func(s *rs) list { return &s.CPUUsageMillicoresP95 }, func(s *st) value { return s.CPUUsageMillicores.P95 }},
		{func(s *rs) list { return &s.MemoryUsageBytesAvg }, func(s *st) value { return s.MemoryUsageBytes.Avg }},
		{func(s *rs) list { return &s.MemoryUsageBytesMax }, func(s *st) value { return s.MemoryUsageBytes.Max }},
		{func(s *rs) list { return &s.GPUUtilPercentAvg }, func(s *st) value { return s.GPUUtilPercent.Avg }},
		{func(s *rs) list { return &s.GPUUtilPercentP95 }, func(s *st) value { return s.GPUUtilPercent.P95 }},
		{func(s *rs) list { return &s.GPUPowerWattsAvg }, func(s *st) value { return s.GPUPowerWatts.Avg }},
		{func(s *rs) list { return &s.RequestsRunningAvg }, func(s *st) value { return s.RequestsRunning.Avg }},
		{func(s *rs) list { return &s.RequestsWaitingMax }, func(s *st) value { return s.RequestsWaiting.Max }},
		{func(s *rs) list { return &s.KVCacheUsageRatioP95 }, func(s *st) value { return s.KVCacheUsageRatio.P95 }},
		{func(s *rs) list { return &s.PodsAvg }, func(s *st) value { return s.Pods.Avg }},
		{func(s *rs) list { return &s.ReplicasAvg }, func(s *st) value { return s.Replicas.Avg }},
		{func(s *rs) list { return &s.GPUHoursAllocated }, func(s *st) value { return s.GPUHoursAllocated }},
		{func(s *rs) list { return &s.GPUHoursActive }, func(s *st) value { return s.GPUHoursActive }},
		{func(s *rs) list { return &s.GPUHoursIdleHeld }, func(s *st) value { return s.GPUHoursIdleHeld }},
		{func(s *rs) list { return &s.GPUHoursLoading }, func(s *st) value { return s.GPUHoursLoading }},
		{func(s *rs) list { return &s.GPUHoursUnknown }, func(s *st) value { return s.GPUHoursUnknown }},
		{func(s *rs) list { return &s.GPUHoursUnallocated }, func(s *st) value { return s.GPUHoursUnallocated }},
		{func(s *rs) list { return &s.PromptTokens }, count(func(s *st) usage.Opt[int64] { return s.PromptTokens })},
		{func(s *rs) list { return &s.GenerationTokens }, count(func(s *st) usage.Opt[int64] { return s.GenerationTokens })},
		{func(s *rs) list { return &s.Requests }, count(func(s *st) usage.Opt[int64] { return s.Requests })},
		{func(s *rs) list { return &s.TTFTSecondsAvg }, func(s *st) value { return s.TTFTSecondsAvg }},
		{func(s *rs) list { return &s.InterTokenSecondsAvg }, func(s *st) value { return s.InterTokenSecondsAvg }},
		{func(s *rs) list { return &s.EnergyKilowattHours }, func(s *st) value {
			return statistics.Ratio(s.EnergyMillijoules, usage.Some(statistics.MillijoulesPerKilowattHour), 1)
		}},
		{func(s *rs) list { return &s.TokensPerGPUHour }, func(s *st) value { return s.TokensPerGPUHour }},
		{func(s *rs) list { return &s.TokensPerKWh }, func(s *st) value { return s.TokensPerKilowattHour }},
		{func(s *rs) list { return &s.Cost }, func(s *st) value { return s.Cost }},
	}
}()

func newSeries(hours int) report.Series {
	var s report.Series
	for _, c := range seriesColumns {
		*c.values(&s) = make(report.Floats, hours)
	}
	return s
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
	for _, c := range seriesColumns {
		values := *c.values(s)
		for i, o := range values {
			if v, ok := o.Get(); ok && v != math.Trunc(v) {
				v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64) // it was just written
				values[i] = usage.Some(v)
			}
		}
	}
}
