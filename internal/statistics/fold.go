package statistics

import (
	"reflect"
	"slices"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Fold is one key's hour so far. The zero Fold is an hour without instants.
type Fold struct {
	Counters
	samples int32
	sums    [values]integral
	bins    [values]distribution
	tail    tail
}

// tail is what the key has at the newest instant, whose time is not known yet.
type tail struct {
	has uint32 // a bit a value
	at  [values]float64
}

// Take adds the next run of instants. The track is nil for a key that was not
// seen at any of them.
func (f *Fold) Take(t *Track, run *Timeline) {
	if run.Len() == 0 {
		return
	}
	next := tail{}
	last := run.Len() - 1
	for v := range values {
		hint := 0
		if f.tail.has>>v&1 == 1 {
			hint = f.add(v, f.tail.at[v], run.stands[0], hint)
		}
		if t == nil || t.series[v].there == nil {
			continue
		}
		s := &t.series[v]
		if v.is(asSum) {
			for i := range last + 1 {
				if x, ok := s.at(i); ok {
					f.sums[v].total += x
					f.sums[v].millis++
				}
			}
			continue
		}
		for i := range last {
			if x, ok := s.at(i); ok {
				hint = f.add(v, x, run.stands[i+1], hint)
			}
		}
		if x, ok := s.at(last); ok {
			next.has |= 1 << v
			next.at[v] = x
		}
	}
	f.tail = next
	if t != nil {
		f.samples += t.samples
		f.Counters.Add(&t.Counters)
	}
}

// add adds time of a value.
func (f *Fold) add(v Value, x float64, millis int64, hint int) int {
	if millis == 0 {
		return hint
	}
	f.sums[v].total += x * float64(millis)
	f.sums[v].millis += millis
	if v.is(asDistribution) {
		hint = f.bins[v].add(x, millis, hint)
	}
	return hint
}

// Begin makes of the fold of one hour that of the next, into which the newest
// instant still stands.
func (f *Fold) Begin() { *f = Fold{tail: f.tail, bins: f.emptied()} }

// emptied are the bins' memory without bins.
func (f *Fold) emptied() [values]distribution {
	for v := range f.bins {
		f.bins[v] = f.bins[v][:0]
	}
	return f.bins
}

// Reset makes the fold an hour without instants; the memory is kept.
func (f *Fold) Reset() { *f = Fold{bins: f.emptied()} }

// Empty reports whether the hour holds nothing of the key; what only stands at
// the newest instant has no time yet and does not count.
func (f *Fold) Empty() bool {
	return f.samples == 0 && f.Counters == Counters{} && f.sums == [values]integral{}
}

// Stands reports whether the key was there at the newest instant.
func (f *Fold) Stands() bool { return f.tail.has != 0 }

// Statistics are the key's figures of the hour, after the last run of instants
// that it took. The newest instant gets its time, so the fold takes no more.
func (f *Fold) Statistics(run *Timeline, closed bool) usage.Statistics {
	rest := run.rest(closed)
	for v := range values {
		if f.tail.has>>v&1 == 1 {
			f.add(v, f.tail.at[v], rest, 0)
		}
	}
	f.tail = tail{}
	s := usage.Statistics{
		Samples:              f.samples,
		ExpectedSamples:      run.expected(closed),
		TTFTSecondsAvg:       Ratio(f.sums[TTFTSeconds].sum(), f.TTFTCount, 1),
		InterTokenSecondsAvg: Ratio(f.sums[InterTokenSeconds].sum(), f.InterTokenCount, 1),
		E2ESecondsAvg:        Ratio(f.sums[E2ESeconds].sum(), f.E2ECount, 1),
	}
	f.fillColumns(&s)
	f.fillGPUHours(&s)
	fillRatios(&s)
	return s
}

// fillColumns fills the columns of the declared values and of the counters.
func (f *Fold) fillColumns(s *usage.Statistics) {
	row := reflect.ValueOf(s).Elem()
	for v, field := range valueFields {
		switch declared[v].kind {
		case asDistribution:
			*at[usage.Distribution](row, field) = f.distribution(Value(v))
		case asMean:
			*at[usage.Opt[float64]](row, field) = f.sums[v].mean()
		case asHours:
			*at[usage.Opt[float64]](row, field) = f.sums[v].hours()
		}
	}
	for i, n := range f.Counters.each() {
		if field := counterFields[i]; field >= 0 {
			*at[usage.Opt[int64]](row, field) = *n
		}
	}
}

// fillGPUHours splits the hours; a state without time is zero where any other
// has some. A key that held no GPU has no GPU-hours rather than zero of them.
func (f *Fold) fillGPUHours(s *usage.Statistics) {
	free := s.GPUHoursUnallocated
	held := f.sums[GPUsActive].total + f.sums[GPUsIdleHeld].total + f.sums[GPUsLoading].total + f.sums[GPUsUnknown].total
	states := [...]*usage.Opt[float64]{&s.GPUHoursActive, &s.GPUHoursIdleHeld, &s.GPUHoursLoading, &s.GPUHoursUnknown}
	if !free.Present() && !slices.ContainsFunc(states[:], func(h *usage.Opt[float64]) bool { return h.Present() }) {
		return
	}
	for _, h := range states {
		*h = usage.Add(usage.Some(0.0), *h)
	}
	s.GPUHoursAllocated = usage.Some(held / millisPerHour)
	if free.Present() {
		s.GPUHoursTotal = usage.Some((held + f.sums[GPUsFree].total) / millisPerHour)
	}
}
