package rollup

import (
	"cmp"
	"slices"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// series is one measure of one key: a value an instant, absent where nothing
// was measured. Members of the key are added up at their instant; mean divides
// by what was added, total does not.
type series struct {
	sum   []float64 // by instant
	count []float64 // weight of what was added; 0: absent
}

// add adds a member's value at instant i with weight w.
func (s *series) add(instants, i int, v, w float64) {
	if s.sum == nil {
		s.sum, s.count = make([]float64, instants), make([]float64, instants)
	}
	s.sum[i] += v * w
	s.count[i] += w
}

// addOpt adds v if it is present.
func addOpt[T usage.Number](s *series, instants, i int, v usage.Opt[T], w float64) {
	if x, ok := v.Get(); ok {
		s.add(instants, i, float64(x), w)
	}
}

// total summarises the sums over the hour, mean the weighted means.
func (s *series) total(tl *timeline) usage.Distribution { return s.distribution(tl, false) }
func (s *series) mean(tl *timeline) usage.Distribution  { return s.distribution(tl, true) }

// distribution is the time-weighted mean, the exact time-weighted percentiles
// and the maximum. A percentile is the smallest measured value such that it
// and the smaller ones stand for at least that share of the measured time.
func (s *series) distribution(tl *timeline, mean bool) usage.Distribution {
	type point struct{ value, hours float64 }
	var points []point
	var hours, weighted float64
	for i, n := range s.count {
		if n == 0 || tl.hours[i] == 0 {
			continue
		}
		v := s.sum[i]
		if mean {
			v /= n
		}
		points = append(points, point{v, tl.hours[i]})
		hours += tl.hours[i]
		weighted += v * tl.hours[i]
	}
	if len(points) == 0 {
		return usage.Distribution{}
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.value, b.value) })
	percentile := func(share float64) usage.Opt[float64] {
		// The tolerance keeps a rounding error in the sum of weights from
		// pushing an exact share to the next value.
		want := share*hours - 1e-9
		covered := 0.0
		for _, p := range points {
			if covered += p.hours; covered >= want {
				return usage.Some(p.value)
			}
		}
		return usage.Some(points[len(points)-1].value)
	}
	return usage.Distribution{
		Avg: usage.Some(weighted / hours),
		P50: percentile(0.50),
		P95: percentile(0.95),
		Max: usage.Some(points[len(points)-1].value),
	}
}
