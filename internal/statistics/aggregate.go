package statistics

import (
	"reflect"
	"slices"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Aggregate is one key's hour so far. The zero Aggregate is an hour without
// samples.
type Aggregate struct {
	Counters
	samples int32
	sums    [values]integral
	bins    [values]distribution // of the values declared asDistribution
	pending pending
}

// pending is what the key had at the newest instant, whose weight is not known yet.
type pending struct {
	has Set
	at  [values]float64
}

// Append adds the next batch of samples. The series is nil for a key that has no
// sample in the batch.
func (a *Aggregate) Append(t *Timeline, s *Series) {
	if t.Len() == 0 {
		return
	}
	next := pending{}
	for v := range values {
		hint := 0
		if a.pending.has.Has(v) {
			hint = a.add(v, a.pending.at[v], t.weights[0], hint)
		}
		if s == nil || s.points[v].present == nil {
			continue
		}
		p := &s.points[v]
		if v.is(asSum) {
			a.addUnweighted(v, p, t.Len())
			continue
		}
		last := t.Len() - 1
		for i := range last {
			if x, ok := p.at(i); ok {
				hint = a.add(v, x, t.weights[i+1], hint)
			}
		}
		if x, ok := p.at(last); ok {
			next.has |= 1 << v
			next.at[v] = x
		}
	}
	a.pending = next
	if s != nil {
		a.samples += s.samples
		a.Counters.Add(&s.Counters)
	}
}

// add adds a value that was held for some time.
func (a *Aggregate) add(v Value, x float64, millis int64, hint int) int {
	if millis == 0 {
		return hint
	}
	a.sums[v].total += x * float64(millis)
	a.sums[v].millis += millis
	if v.is(asDistribution) {
		hint = a.bins[v].add(x, millis, hint)
	}
	return hint
}

// addUnweighted adds the values of all instants.
func (a *Aggregate) addUnweighted(v Value, p *points, instants int) {
	for i := range instants {
		if x, ok := p.at(i); ok {
			a.sums[v].total += x
			a.sums[v].millis++
		}
	}
}

// NextHour turns the aggregate of one hour into that of the next, into which the
// newest sample still reaches.
func (a *Aggregate) NextHour() { *a = Aggregate{pending: a.pending, bins: a.emptyBins()} }

// Reset makes the aggregate an hour without samples and keeps the memory.
func (a *Aggregate) Reset() { *a = Aggregate{bins: a.emptyBins()} }

// emptyBins is the memory of the bins, without any.
func (a *Aggregate) emptyBins() [values]distribution {
	for v := range a.bins {
		a.bins[v] = a.bins[v][:0]
	}
	return a.bins
}

// Empty reports whether the hour holds nothing of the key. A pending sample has no
// weight yet and does not count.
func (a *Aggregate) Empty() bool {
	return a.samples == 0 && a.Counters == Counters{} && a.sums == [values]integral{}
}

// HasPending reports whether the key has a sample at the newest instant.
func (a *Aggregate) HasPending() bool { return a.pending.has != 0 }

// Finish returns the key's figures of the hour, of which t is the last batch. It
// gives the pending sample its weight, so nothing can be appended afterwards.
func (a *Aggregate) Finish(t *Timeline, closed bool) usage.Statistics {
	weight := t.pendingWeight(closed)
	for v := range values {
		if a.pending.has.Has(v) {
			a.add(v, a.pending.at[v], weight, 0)
		}
	}
	a.pending = pending{}
	s := usage.Statistics{
		Samples:              a.samples,
		ExpectedSamples:      t.expected(closed),
		TTFTSecondsAvg:       Ratio(a.sums[TTFTSeconds].sum(), a.TTFTCount, 1),
		InterTokenSecondsAvg: Ratio(a.sums[InterTokenSeconds].sum(), a.InterTokenCount, 1),
		E2ESecondsAvg:        Ratio(a.sums[E2ESeconds].sum(), a.E2ECount, 1),
	}
	a.fillColumns(&s)
	a.fillGPUHours(&s)
	fillRatios(&s)
	return s
}

// fillColumns fills the columns of the declared values and of the counters.
func (a *Aggregate) fillColumns(s *usage.Statistics) {
	row := reflect.ValueOf(s).Elem()
	for v, field := range valueFields {
		switch declared[v].kind {
		case asDistribution:
			*at[usage.Distribution](row, field) = a.distribution(Value(v))
		case asMean:
			*at[usage.Opt[float64]](row, field) = a.sums[v].mean()
		case asHours:
			*at[usage.Opt[float64]](row, field) = a.sums[v].hours()
		}
	}
	for i, n := range a.Counters.each() {
		if field := counterFields[i]; field >= 0 {
			*at[usage.Opt[int64]](row, field) = *n
		}
	}
}

func (a *Aggregate) distribution(v Value) usage.Distribution {
	bins, sum := a.bins[v], a.sums[v]
	if len(bins) == 0 {
		return usage.Distribution{}
	}
	return usage.Distribution{
		Avg: sum.mean(),
		P50: bins.percentile(50, sum.millis),
		P95: bins.percentile(95, sum.millis),
		Max: usage.Some(bins[len(bins)-1].value),
	}
}

// fillGPUHours adds up the GPU-hours. A state without time is zero where another
// has some; a key that held no GPU has no GPU-hours rather than zero of them.
func (a *Aggregate) fillGPUHours(s *usage.Statistics) {
	states := [...]*usage.Opt[float64]{&s.GPUHoursActive, &s.GPUHoursIdleHeld, &s.GPUHoursLoading, &s.GPUHoursUnknown}
	free := s.GPUHoursUnallocated.Present()
	if !free && !slices.ContainsFunc(states[:], func(h *usage.Opt[float64]) bool { return h.Present() }) {
		return
	}
	for _, h := range states {
		*h = usage.Add(usage.Some(0.0), *h)
	}
	held := a.sums[GPUsActive].total + a.sums[GPUsIdleHeld].total + a.sums[GPUsLoading].total + a.sums[GPUsUnknown].total
	s.GPUHoursAllocated = usage.Some(held / millisPerHour)
	if free {
		s.GPUHoursTotal = usage.Some((held + a.sums[GPUsFree].total) / millisPerHour)
	}
}
