package statistics

import (
	"cmp"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

var hour = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

const interval = 30 * time.Second

// instants are the instants of an hour with gaps.
func instants(r *rand.Rand) []time.Time {
	var out []time.Time
	for at := hour.Add(time.Duration(r.IntN(20)) * time.Second); at.Before(hour.Add(time.Hour)); {
		out = append(out, at)
		at = at.Add(interval + time.Duration(r.IntN(3)-1)*time.Second)
		if r.IntN(10) == 0 {
			at = at.Add(time.Duration(r.IntN(600)) * time.Second)
		}
	}
	return out
}

// reading is what a key had at an instant; absent values are NaN.
type reading struct {
	at     time.Time
	values [values]float64
	tokens int64
}

func readings(r *rand.Rand) []reading {
	var out []reading
	for _, at := range instants(r) {
		if r.IntN(8) == 0 {
			continue // the key was not there
		}
		x := reading{at: at, tokens: int64(r.IntN(1000))}
		for v := range values {
			x.values[v] = math.NaN()
			if r.IntN(6) > 0 {
				x.values[v] = math.Round(1000 * math.Exp(3*r.NormFloat64()))
			}
		}
		out = append(out, x)
	}
	return out
}

// appendTo appends the readings whose instants lie in the batch.
func appendTo(f *Aggregate, timeline *Timeline, all []reading) {
	t := NewSeries(timeline)
	for _, x := range all {
		i := timeline.Index(x.at, -1)
		if i < 0 {
			continue
		}
		t.MarkSeen(i)
		for v := range values {
			if !math.IsNaN(x.values[v]) {
				t.Add(v, i, x.values[v], 1)
			}
		}
		t.PromptTokens = usage.Add(t.PromptTokens, usage.Some(x.tokens))
	}
	f.Append(timeline, t)
}

// An hour that is appended in any number of batches, encoded and decoded between
// them, equals the hour that is appended at once.
func TestBatchesAddUp(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		at, all := instants(r), readings(r)
		for _, x := range all {
			at = append(at, x.at)
		}
		slices.SortFunc(at, time.Time.Compare)
		last := hour.Add(-time.Duration(r.IntN(90)) * time.Second)
		var begun Aggregate
		begun.pending = pending{has: 1 << CPU, at: [values]float64{CPU: 5}}

		whole := begun
		timeline := NewTimeline(hour, interval, last, at)
		appendTo(&whole, timeline, all)

		parts, batch := begun, timeline
		for left, before := at, last; len(left) > 0; {
			n := 1 + r.IntN(len(left))
			if n < len(left) && left[n].Equal(left[n-1]) {
				n++
			}
			n = min(n, len(left))
			batch = NewTimeline(hour, interval, before, left[:n])
			appendTo(&parts, batch, all)
			before, left = batch.Last(), left[n:]
			var w Writer
			parts.Encode(&w)
			parts.Decode(NewReader(w))
		}
		closed := seed%2 == 0
		if got, want := parts.Finish(batch, closed), whole.Finish(timeline, closed); got != want {
			t.Fatalf("seed %d: in batches\n%+v\nat once\n%+v", seed, got, want)
		}
	}
}

// Means and maxima are exact, and percentiles at most 0.8 % above those of all
// values sorted.
func TestDistribution(t *testing.T) {
	type span struct {
		value  float64
		millis int64
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		all := readings(r)
		var at []time.Time
		for _, x := range all {
			at = append(at, x.at)
		}
		timeline := NewTimeline(hour, interval, time.Time{}, at)
		var f Aggregate
		appendTo(&f, timeline, all)
		s := f.Finish(timeline, true)

		var spans []span
		total, weighted, most := int64(0), 0.0, 0.0
		for i, x := range all {
			until := x.at.Add(2 * interval)
			if i+1 < len(all) && all[i+1].at.Before(until) {
				until = all[i+1].at
			}
			if end := hour.Add(time.Hour); until.After(end) {
				until = end
			}
			if v := x.values[CPU]; !math.IsNaN(v) {
				ms := until.Sub(x.at).Milliseconds()
				spans = append(spans, span{v, ms})
				total, weighted, most = total+ms, weighted+v*float64(ms), max(most, v)
			}
		}
		slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.value, b.value) })
		exact := func(share float64) float64 {
			covered := int64(0)
			for _, x := range spans {
				if covered += x.millis; float64(covered) >= share*float64(total) {
					return x.value
				}
			}
			return most
		}
		d := s.CPUUsageMillicores
		for _, c := range []struct {
			what      string
			got       usage.Opt[float64]
			want, far float64
		}{{"avg", d.Avg, weighted / float64(total), 1e-12}, {"max", d.Max, most, 0}, {"p50", d.P50, exact(0.5), 0.0081}, {"p95", d.P95, exact(0.95), 0.0081}} {
			got, ok := c.got.Get()
			if !ok || got < c.want*(1-1e-12) || got > c.want*(1+c.far)+1e-300 {
				t.Fatalf("seed %d: %s is %v, want %v", seed, c.what, got, c.want)
			}
		}
	}
}

func TestOpenHour(t *testing.T) {
	timeline := NewTimeline(hour, interval, time.Time{}, []time.Time{hour, hour.Add(30 * time.Second)})
	var f Aggregate
	series := NewSeries(timeline)
	for i := range 2 {
		series.MarkSeen(i)
		series.Add(GPUsActive, i, 4, 1)
		series.Add(Cost, i, 3, 1)
	}
	f.Append(timeline, series)
	closed := f
	s := f.Finish(timeline, false)
	if got := s.GPUHoursActive; got != usage.Some(4.0/60) || s.ExpectedSamples != 2 || s.Samples != 2 {
		t.Errorf("open: %v GPU-hours, %d of %d samples", got, s.Samples, s.ExpectedSamples)
	}
	s = closed.Finish(timeline, true)
	if got := s.GPUHoursActive; got != usage.Some(4*1.5/60) || s.ExpectedSamples != 120 || s.Cost != usage.Some(3*1.5/60) {
		t.Errorf("closed: %v GPU-hours, %d expected, cost %v", got, s.ExpectedSamples, s.Cost)
	}
}

// The newest sample of an hour counts in the next hour for the time that it
// reaches into it.
func TestNextHour(t *testing.T) {
	timeline := NewTimeline(hour, interval, time.Time{}, []time.Time{hour.Add(time.Hour - 10*time.Second)})
	var f Aggregate
	series := NewSeries(timeline)
	series.MarkSeen(0)
	series.Add(GPUsActive, 0, 1, 1)
	f.Append(timeline, series)
	f.NextHour()
	next := hour.Add(time.Hour)
	after := NewTimeline(next, interval, timeline.Last(), []time.Time{next.Add(20 * time.Second)})
	f.Append(after, nil)
	if s := f.Finish(after, true); s.GPUHoursActive != usage.Some(20.0/3600) || s.Samples != 0 {
		t.Errorf("%v GPU-hours, %d samples", s.GPUHoursActive, s.Samples)
	}
}

func TestUnknownPrice(t *testing.T) {
	timeline := NewTimeline(hour, interval, time.Time{}, []time.Time{hour, hour.Add(interval)})
	series := NewSeries(timeline)
	series.Add(Cost, 0, 1, 1)
	series.Add(Cost, 1, math.NaN(), 1)
	var f Aggregate
	f.Append(timeline, series)
	if s := f.Finish(timeline, true); s.Cost.Present() {
		t.Errorf("cost %v of something without a price", s.Cost)
	}
}

func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 3))
	for range 5 {
		all := readings(r)
		var aggregate Aggregate
		appendTo(&aggregate, NewTimeline(hour, interval, time.Time{}, []time.Time{all[0].at, all[1].at, all[2].at}), all)
		var w Writer
		aggregate.Encode(&w)
		f.Add([]byte(w))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var one, two Aggregate
		r := NewReader(b)
		if one.Decode(r); r.Err() != nil {
			return
		}
		var w Writer
		one.Encode(&w)
		again := NewReader(w)
		two.Decode(again)
		var w2 Writer
		two.Encode(&w2)
		if again.Err() != nil || again.More() || !reflect.DeepEqual(w, w2) {
			t.Errorf("%x reads back as %x: %v", []byte(w), []byte(w2), again.Err())
		}
	})
}

// A series to which members are added equals one to which their values are added.
func TestMembersAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	timeline := NewTimeline(hour, interval, time.Time{}, instants(r))
	for range 300 {
		whole, sum := NewSeries(timeline), NewSeries(timeline)
		member := NewSeries(timeline)
		for range r.IntN(4) {
			member.Reset()
			for v := range values {
				value, gaps := float64(r.IntN(3)), r.IntN(3)
				for i := range timeline.Len() {
					if gaps == 1 && r.IntN(4) == 0 || gaps == 2 {
						continue
					}
					if r.IntN(40) == 0 {
						value = float64(r.IntN(9))
					}
					member.Add(v, i, value, 2)
					whole.Add(v, i, value, 2)
				}
			}
			sum.AddValues(member, All)
		}
		for v := range values {
			for i := range timeline.Len() {
				a, ok := whole.points[v].at(i)
				b, ok2 := sum.points[v].at(i)
				if a != b || ok != ok2 {
					t.Fatalf("value %d at %d: %v (%v) of members, %v (%v) of all", v, i, b, ok2, a, ok)
				}
			}
		}
	}
}
