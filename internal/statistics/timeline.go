// Package statistics sums up the hour of one key: a pod, a model, a node. It
// holds the algebra and knows neither rows nor files.
//
// A Timeline is a run of sample instants. A Track holds what a key had at each
// of them. A Fold is the key's hour so far: it takes one track after the
// other, and taking two runs of instants one after the other is the same, bit
// by bit, as taking both at once. So an open hour grows by what is new, and a
// closed one can be made again from all.
package statistics

import (
	"slices"
	"time"
)

// Timeline is a run of sample instants of one hour, and how long each stands:
// until the next one, at most two intervals; what is beyond is a gap and stands
// for nothing. The run goes on where an earlier one of the hour, or of the hour
// before, ended. How long its own last instant stands is not known yet.
type Timeline struct {
	start, end int64 // of the hour, Unix milliseconds, as are all below
	interval   int64
	before     int64 // the last instant before the run; noInstant: none
	at         []int64
	stands     []int64 // before's time, then that of each instant but the last
}

const noInstant = -1 << 62

// NewTimeline is the run of the instants that lie in the hour, in any order,
// after the instant last, which is zero where there is none.
func NewTimeline(hour time.Time, interval time.Duration, last time.Time, instants []time.Time) *Timeline {
	t := &Timeline{start: hour.UnixMilli(), end: hour.Add(time.Hour).UnixMilli(), interval: interval.Milliseconds(), before: noInstant}
	if !last.IsZero() {
		t.before = last.UnixMilli()
	}
	for _, instant := range instants {
		if ms := instant.UnixMilli(); ms >= t.start && ms < t.end && ms > t.before {
			t.at = append(t.at, ms)
		}
	}
	slices.Sort(t.at)
	t.at = slices.Compact(t.at)
	t.stands = make([]int64, len(t.at))
	from := t.before
	for i, next := range t.at {
		t.stands[i] = t.within(from, min(next, from+2*t.interval))
		from = next
	}
	return t
}

// within is how much of the time from one instant to another the hour holds.
func (t *Timeline) within(from, until int64) int64 {
	return max(0, min(until, t.end)-max(from, t.start))
}

// Len is how many instants the run has.
func (t *Timeline) Len() int { return len(t.at) }

// Last is the newest instant, of the run or before it; zero where there is none.
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
	return t.before
}

// Index is the place of an instant in the run, or -1. Rows come in order of
// time, so the place is looked for at hint first.
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

// rest is how long the newest instant stands: in an open hour for one interval,
// which is when the next is due; in a closed one for two, as none will follow.
func (t *Timeline) rest(closed bool) int64 {
	last := t.last()
	if last == noInstant {
		return 0
	}
	if closed {
		return t.within(last, last+2*t.interval)
	}
	return t.within(last, last+t.interval)
}

// expected is how many samples the hour should hold, as far as it is known.
func (t *Timeline) expected(closed bool) int32 {
	end := t.end
	if last := t.last(); !closed && last != noInstant {
		end = min(end, max(t.start, last+t.interval))
	}
	return int32((end - t.start + t.interval - 1) / t.interval)
}
