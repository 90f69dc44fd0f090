package rollup

import (
	"slices"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// timeline is the sample instants that bear on one hour and how long each
// stands for. Every figure of the hour is weighted by it, for every key alike,
// so GPU-hours add up: what a node holds at an instant is held for as long
// whether it is counted by model, by namespace or by node.
type timeline struct {
	start, end time.Time     // the part of the hour that is known so far
	at         []time.Time   // ascending; those before start only reach into the hour
	hours      []float64     // weight of at[i], in hours, clipped to start and end
	index      map[int64]int // Unix milliseconds of at[i] → i
}

// newTimeline weighs the instants at which any node was sampled. An instant
// stands until the next one, at most two intervals; what is beyond is a gap
// and stands for nothing. The newest instant of an open hour stands for one
// interval, which is how long it takes for the next to be due.
func newTimeline(hour time.Time, interval time.Duration, closed bool, nodes []usage.Node) timeline {
	seen := map[int64]time.Time{}
	end := hour.Add(time.Hour)
	for i := range nodes {
		t := nodes[i].TS
		if t.Before(end) && !t.Before(hour.Add(-2*interval)) {
			seen[t.UnixMilli()] = t
		}
	}
	tl := timeline{start: hour, end: end, index: map[int64]int{}}
	for _, t := range seen {
		tl.at = append(tl.at, t)
	}
	slices.SortFunc(tl.at, time.Time.Compare)
	if n := len(tl.at); !closed && n > 0 {
		tl.end = minTime(end, maxTime(hour, tl.at[n-1].Add(interval)))
	}
	tl.hours = make([]float64, len(tl.at))
	for i, t := range tl.at {
		tl.index[t.UnixMilli()] = i
		until := t.Add(2 * interval)
		if i+1 < len(tl.at) {
			until = minTime(until, tl.at[i+1])
		}
		from, until := maxTime(t, tl.start), minTime(until, tl.end)
		if until.After(from) {
			tl.hours[i] = until.Sub(from).Hours()
		}
	}
	return tl
}

// of returns the index of the instant t, or -1 where t does not bear on the hour.
func (tl *timeline) of(t time.Time) int {
	if i, ok := tl.index[t.UnixMilli()]; ok {
		return i
	}
	return -1
}

// inside reports whether instant i lies within the hour.
func (tl *timeline) inside(i int) bool { return !tl.at[i].Before(tl.start) }

// expected is how many samples the known part of the hour should hold.
func (tl *timeline) expected(interval time.Duration) int32 {
	return int32((tl.end.Sub(tl.start) + interval - 1) / interval)
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
