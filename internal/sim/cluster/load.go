package cluster

import (
	"math"

	"github.com/company/k8s-resource-monitor/internal/sim/chance"
)

// Load is a number per workload and instant: 1 is full capacity, more means a
// queue. A curve holds one value every four minutes for four weeks, noise and
// interruptions included; it is linear in between and repeats. It also holds the
// integrals up to each value, so a counter at any instant is the difference of two
// look-ups and never decreases.
const (
	step     = 240      // seconds between knots
	knots    = 28 * 360 // four weeks
	lap      = step * knots
	firstLap = 1577664000 // Monday 2019-12-30, UTC
	Day      = 86400
)

// load is what a workload does at one instant.
type load struct {
	demand float64 // 0 idle, 1 full, above 1 saturated
	busy   float64 // the part of the capacity in use, at most 1
}

// work is the integral of a load since firstLap, in seconds.
type work struct {
	Busy  float64 // seconds at full capacity
	slow  float64 // the part of them that was done under pressure
	queue float64 // seconds × demand above what can be served
}

type knot struct {
	demand float64
	sum    work
}

// curve is a load over four weeks; the last knot equals the first of the next
// lap.
type curve struct{ knots []knot }

// rhythm describes the demand for a workload.
type rhythm struct {
	peak    float64 // demand at the height of a working day
	night   float64 // share of the peak that remains at night
	zone    int     // hours that its users are ahead of UTC
	weekend float64 // share of a working day that is left on Saturday and Sunday
}

// window is an interruption of each day, in seconds after midnight UTC.
type window struct{ from, to int64 }

func (w window) covers(second int64) bool { return second >= w.from && second <= w.to }

// newCurve draws a rhythm. Demand is zero in each of off, and where only is
// set, zero outside it.
func newCurve(seed uint64, r rhythm, off []window, only *window) *curve {
	c := &curve{make([]knot, knots+1)}
	for i := range c.knots {
		c.knots[i].demand = r.demand(seed, int64(i%knots)*step, off, only)
	}
	for i := 1; i < len(c.knots); i++ {
		a, b := c.knots[i-1].rate(), c.knots[i].rate()
		s := c.knots[i-1].sum
		c.knots[i].sum = work{
			Busy:  s.Busy + step*(a.Busy+b.Busy)/2,
			slow:  s.slow + step*(a.slow+b.slow)/2,
			queue: s.queue + step*(a.queue+b.queue)/2,
		}
	}
	return c
}

func (r rhythm) demand(seed uint64, second int64, off []window, only *window) float64 {
	if only != nil && !only.covers(second%Day) {
		return 0
	}
	for _, w := range off {
		if w.covers(second % Day) {
			return 0
		}
	}
	if r.peak == 0 {
		return 0
	}
	local := second + int64(r.zone)*3600 + lap
	hour := float64(local%Day) / 3600
	bump := func(at, width float64) float64 { d := (hour - at) / width; return math.Exp(-d * d) }
	shape := min(1, bump(10.8, 2.4)+bump(15.4, 2.7)+0.45*bump(20.8, 2))
	shape = r.night + (1-r.night)*shape
	if weekday := local / Day % 7; weekday >= 5 {
		shape *= r.weekend
	}
	// Slow noise over 20 minutes, fast noise from knot to knot, and in three of a
	// hundred hours a third more load, as when an evaluation runs.
	slow, at := second/1200, float64(second%1200)/1200
	noise := 0.16*((1-at)*chance.Unit(chance.Hash(seed, 1, uint64(slow)))+at*chance.Unit(chance.Hash(seed, 1, uint64(slow+1)))-0.5) +
		0.08*(chance.Unit(chance.Hash(seed, 2, uint64(second)))-0.5)
	if chance.Unit(chance.Hash(seed, 3, uint64(second/3600))) < 0.03 {
		shape *= 1.3
	}
	return max(0, r.peak*shape*(1+noise))
}

// rate is the derivative of work at a knot.
func (k knot) rate() work {
	b := min(k.demand, 1)
	return work{Busy: b, slow: b * b * b * b, queue: max(0, k.demand-1)}
}

func (c *curve) find(t float64) (a, b *knot, at, laps float64) {
	t -= firstLap
	laps = math.Floor(t / lap)
	x := (t - laps*lap) / step
	i := min(int(x), knots-1)
	return &c.knots[i], &c.knots[i+1], x - float64(i), laps
}

// at returns the load at Unix time t. Between knots busy is interpolated on its
// own, not as min(demand, 1): its integral is computed like that.
func (c *curve) at(t float64) load {
	a, b, at, _ := c.find(t)
	return load{
		demand: a.demand + at*(b.demand-a.demand),
		busy:   min(a.demand, 1) + at*(min(b.demand, 1)-min(a.demand, 1)),
	}
}

// until returns the integrals from firstLap to Unix time t.
func (c *curve) until(t float64) work {
	a, b, at, laps := c.find(t)
	ra, rb, all := a.rate(), b.rate(), c.knots[knots].sum
	part := func(sum, from, to, lapSum float64) float64 {
		return laps*lapSum + sum + step*at*(from+at*(to-from)/2)
	}
	return work{
		Busy:  part(a.sum.Busy, ra.Busy, rb.Busy, all.Busy),
		slow:  part(a.sum.slow, ra.slow, rb.slow, all.slow),
		queue: part(a.sum.queue, ra.queue, rb.queue, all.queue),
	}
}

// Between returns the work from Unix time from to t, none if t is earlier.
func (c *curve) Between(from, t float64) work {
	if t <= from {
		return work{}
	}
	a, b := c.until(from), c.until(t)
	return work{max(0, b.Busy-a.Busy), max(0, b.slow-a.slow), max(0, b.queue-a.queue)}
}
