package statistics

import "github.com/company/k8s-resource-monitor/internal/usage"

// Value is something that a key has at an instant.
type Value int

// The values. Those before CPURequest are kept as distributions, the others
// only as sums over time. GPUUtil and KVCache are averaged over the members of a
// key, all others are added up.
const (
	CPU       Value = iota // millicores
	Memory                 // bytes
	GPUUtil                // percent
	GPUMemory              // bytes
	GPUPower               // watts
	RequestsRunning
	RequestsWaiting
	KVCache // ratio
	Pods    // that have not ended
	Replicas
	CPURequest    // millicores
	MemoryRequest // bytes
	GPUsFree      // devices, by what they do
	GPUsActive
	GPUsIdleHeld
	GPUsLoading
	GPUsUnknown
	Cost // an hour; NaN: something has no price
	values
)

const distributed = CPURequest

func (v Value) averaged() bool { return v == GPUUtil || v == KVCache }

// series is a value at each instant of a run.
type series struct {
	sum    []float64
	weight []float32 // of what was added; 0: absent
}

// Track is what one key had at the instants of one run, and what its counters
// grew by.
type Track struct {
	Counters
	instants int
	seen     []bool
	samples  int32
	series   [values]series
}

// NewTrack makes a track of the timeline's length without any value.
func NewTrack(t *Timeline) *Track {
	return &Track{instants: t.Len(), seen: make([]bool, t.Len())}
}

// Reset takes all values away; the memory is kept.
func (t *Track) Reset() {
	t.Counters, t.samples = Counters{}, 0
	clear(t.seen)
	for v := range t.series {
		clear(t.series[v].sum)
		clear(t.series[v].weight)
	}
}

// See notes that the key was there at instant i.
func (t *Track) See(i int) {
	if !t.seen[i] {
		t.seen[i] = true
		t.samples++
	}
}

// Add adds a member's value at instant i with a weight, which counts where
// values are averaged.
func (t *Track) Add(v Value, i int, x, weight float64) {
	s := &t.series[v]
	if s.sum == nil {
		s.sum, s.weight = make([]float64, t.instants), make([]float32, t.instants)
	}
	s.sum[i] += x * weight
	s.weight[i] += float32(weight)
}

// AddOpt adds x if it is there.
func AddOpt[T usage.Number](t *Track, v Value, i int, x usage.Opt[T]) {
	if x, ok := x.Get(); ok {
		t.Add(v, i, float64(x), 1)
	}
}

// Sum is what was added for a value at instant i.
func (t *Track) Sum(v Value, i int) float64 {
	if t.series[v].sum == nil {
		return 0
	}
	return t.series[v].sum[i]
}

// AddTrack adds the values and counters of a member that the key has. Whether
// it was seen is added too.
func (t *Track) AddTrack(o *Track) {
	t.Counters.Add(&o.Counters)
	for i, seen := range o.seen {
		if seen {
			t.See(i)
		}
	}
	for v := range o.series {
		t.addSeries(Value(v), &o.series[v])
	}
}

func (t *Track) addSeries(v Value, from *series) {
	if from.sum == nil {
		return
	}
	s := &t.series[v]
	if s.sum == nil {
		s.sum, s.weight = make([]float64, t.instants), make([]float32, t.instants)
	}
	sum, weight := s.sum[:len(from.sum)], s.weight[:len(from.sum)]
	for i, x := range from.sum {
		sum[i] += x
		weight[i] += from.weight[i]
	}
}

// at is the value at instant i, if there is one.
func (s *series) at(v Value, i int) (float64, bool) {
	w := s.weight[i]
	if w == 0 {
		return 0, false
	}
	if v.averaged() {
		return s.sum[i] / float64(w), true
	}
	return s.sum[i], true
}

// Counters are what counters grew by, absent where none was read twice.
type Counters struct {
	PromptTokens, GenerationTokens, Requests, Preemptions usage.Opt[int64]
	PrefixCacheQueries, PrefixCacheHits                   usage.Opt[int64]
	TTFTCount, InterTokenCount, E2ECount                  usage.Opt[int64]
	Energy                                                usage.Opt[int64] // millijoules
	Restarts                                              usage.Opt[int64]
	TTFTSum, InterTokenSum, E2ESum                        usage.Opt[float64] // seconds
}

// Add adds what others grew by.
func (c *Counters) Add(o *Counters) {
	for i, n := range o.counts() {
		mine := c.counts()[i]
		*mine = usage.Add(*mine, *n)
	}
	for i, n := range o.sums() {
		mine := c.sums()[i]
		*mine = usage.Add(*mine, *n)
	}
}

// counts and sums list the counters in an order that files keep.
func (c *Counters) counts() [11]*usage.Opt[int64] {
	return [...]*usage.Opt[int64]{&c.PromptTokens, &c.GenerationTokens, &c.Requests, &c.Preemptions, &c.PrefixCacheQueries,
		&c.PrefixCacheHits, &c.TTFTCount, &c.InterTokenCount, &c.E2ECount, &c.Energy, &c.Restarts}
}

func (c *Counters) sums() [3]*usage.Opt[float64] {
	return [...]*usage.Opt[float64]{&c.TTFTSum, &c.InterTokenSum, &c.E2ESum}
}

// Tokens is the growth of prompt and generation tokens together.
func (c *Counters) Tokens() usage.Opt[int64] { return usage.Add(c.PromptTokens, c.GenerationTokens) }
