// Package statistics computes the hourly figures of one key: a pod, a model, a
// node, the cluster. It holds the arithmetic and knows neither rows nor files:
// jobs/rollup reads the samples and stores the results.
//
// # Aggregation
//
// A Timeline is a batch of sample instants. A Series holds the values that a key
// had at these instants, and what its counters grew by. An Aggregate is the key's
// hour so far: a Series is appended to it for each batch, in order of time.
//
// A sample is weighted by the time until the next one, at most two intervals;
// what lies beyond is a gap and counts for nothing. The weight of the newest
// sample is therefore not known until the next batch, or until the hour ends: the
// Aggregate keeps it as pending. At the end of an hour NextHour carries it over,
// as its time may reach into the next hour.
//
// # Why the bytes are equal
//
// An Aggregate is the same, bit by bit, whether an hour was appended in one batch
// or in sixty, and whether or not it was encoded and decoded in between:
//
//   - weights are whole milliseconds that follow from the instants alone;
//   - sums of floating-point numbers always run in order of time, and within an
//     instant in the order in which members are added, which is that of their names;
//   - a bin of a distribution holds whole milliseconds and the largest of its
//     values, for which order does not matter;
//   - counters are whole numbers.
//
// So an open hour grows by each minute's snapshot, and a closed hour can be
// computed again from all of its snapshots with the same result.
package statistics

import (
	"slices"
	"time"
)

// Timeline is a batch of sample instants of one hour, and their weights. It
// continues where an earlier batch, of this hour or the hour before, ended.
type Timeline struct {
	start, end int64 // of the hour, in Unix milliseconds, as are all times here
	interval   int64
	previous   int64 // the newest instant before the batch; noInstant: none
	at         []int64
	weights    []int64 // weights[i] is for how much of the hour the instant before at[i] stands
}

const noInstant = -1 << 62

// NewTimeline makes the batch of those instants, given in any order, that lie in
// the hour and after previous, the newest instant of an earlier batch; zero: none.
func NewTimeline(hour time.Time, interval time.Duration, previous time.Time, instants []time.Time) *Timeline {
	t := &Timeline{start: hour.UnixMilli(), end: hour.Add(time.Hour).UnixMilli(), interval: interval.Milliseconds(), previous: noInstant}
	if !previous.IsZero() {
		t.previous = previous.UnixMilli()
	}
	for _, instant := range instants {
		if ms := instant.UnixMilli(); ms >= t.start && ms < t.end && ms > t.previous {
			t.at = append(t.at, ms)
		}
	}
	slices.Sort(t.at)
	t.at = slices.Compact(t.at)
	t.weights = make([]int64, len(t.at))
	from := t.previous
	for i, next := range t.at {
		t.weights[i] = t.within(from, min(next, from+2*t.interval))
		from = next
	}
	return t
}

// within is how many milliseconds between two instants lie in the hour.
func (t *Timeline) within(from, until int64) int64 {
	return max(0, min(until, t.end)-max(from, t.start))
}

// Len is the number of instants.
func (t *Timeline) Len() int { return len(t.at) }

// Last is the newest instant of the batch, or else of the batches before it;
// zero: there is none.
func (t *Timeline) Last() time.Time {
	if last := t.last(); last != noInstant {
		return time.UnixMilli(last).UTC()
	}
	return time.Time{}
}

func (t *Timeline) last() int64 {
	if n := len(t.at); n > 0 {
		return t.at[n-1]
	}
	return t.previous
}

// Index is the position of an instant in the batch, or -1. It looks at hint
// first, as rows come in order of time.
func (t *Timeline) Index(instant time.Time, hint int) int {
	ms := instant.UnixMilli()
	if hint >= 0 && hint < len(t.at) && t.at[hint] == ms {
		return hint
	}
	if i, ok := slices.BinarySearch(t.at, ms); ok {
		return i
	}
	return -1
}

// pendingWeight is the weight of the newest instant when no other is known yet:
// one interval in an open hour, as the next sample is due then, and two in a
// closed one, as none will follow.
func (t *Timeline) pendingWeight(closed bool) int64 {
	last := t.last()
	if last == noInstant {
		return 0
	}
	if closed {
		return t.within(last, last+2*t.interval)
	}
	return t.within(last, last+t.interval)
}

// expected is how many samples the hour should hold, up to its newest instant if
// it is open.
func (t *Timeline) expected(closed bool) int32 {
	end := t.end
	if last := t.last(); !closed && last != noInstant {
		end = min(end, max(t.start, last+t.interval))
	}
	return int32((end - t.start + t.interval - 1) / t.interval)
}
