package statistics

import "github.com/company/k8s-resource-monitor/internal/usage"

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
		t.series[v].reset()
	}
}

// See notes that the key was there at instant i.
func (t *Track) See(i int) {
	if !t.seen[i] {
		t.seen[i] = true
		t.samples++
	}
}

// Len is how many instants the track has.
func (t *Track) Len() int { return t.instants }

// Seen reports whether the key was there at instant i.
func (t *Track) Seen(i int) bool { return t.seen[i] }

// Add adds a member's value at instant i with a weight, which counts where
// values are averaged.
func (t *Track) Add(v Value, i int, x, weight float64) {
	t.series[v].add(v, i, x, weight, t.instants)
}

// AddOpt adds x if it is there.
func AddOpt[T usage.Number](t *Track, v Value, i int, x usage.Opt[T]) {
	if x, ok := x.Get(); ok {
		t.Add(v, i, float64(x), 1)
	}
}

// Sum is what was added for a value at instant i, zero if nothing was.
func (t *Track) Sum(v Value, i int) float64 {
	x, _ := t.series[v].at(i)
	return x
}

// AddTrack adds some values of a member of the key.
func (t *Track) AddTrack(o *Track, which Set) {
	for v := range o.series {
		if which.Has(Value(v)) {
			t.series[v].addSeries(Value(v), &o.series[v], t.instants)
		}
	}
}

// SeeAll notes that the key was there wherever its member was.
func (t *Track) SeeAll(o *Track) {
	for i, seen := range o.seen {
		if seen {
			t.See(i)
		}
	}
}

// Counters are whole numbers that grow: what was read of them, or by how much
// they grew, absent where that is unknown.
type Counters struct {
	PromptTokens, GenerationTokens, Requests, Preemptions usage.Opt[int64]
	PrefixCacheQueries, PrefixCacheHits                   usage.Opt[int64]
	TTFTCount, InterTokenCount, E2ECount                  usage.Opt[int64]
	Energy                                                usage.Opt[int64] // millijoules
	Restarts                                              usage.Opt[int64]
}

// each lists the counters in an order that files keep.
func (c *Counters) each() [11]*usage.Opt[int64] {
	return [...]*usage.Opt[int64]{&c.PromptTokens, &c.GenerationTokens, &c.Requests, &c.Preemptions, &c.PrefixCacheQueries,
		&c.PrefixCacheHits, &c.TTFTCount, &c.InterTokenCount, &c.E2ECount, &c.Energy, &c.Restarts}
}

// counterNames are the columns that the counters end up in, or the counts by
// which an average divides. The order is that of each.
var counterNames = [...]string{"prompt_tokens", "generation_tokens", "requests", "preemptions", "prefix_cache_queries",
	"prefix_cache_hits", "ttft_seconds_count", "inter_token_seconds_count", "e2e_seconds_count", "energy_millijoules", "restarts"}

// Add adds what others grew by.
func (c *Counters) Add(o *Counters) {
	if *o == (Counters{}) {
		return
	}
	mine := c.each()
	for i, n := range o.each() {
		*mine[i] = usage.Add(*mine[i], *n)
	}
}

// Since is what the counters grew by from an earlier reading to the one at hand.
func (c *Counters) Since(before *Counters) (grown Counters) {
	now, then := c.each(), before.each()
	for i, n := range grown.each() {
		*n = Increase(*then[i], *now[i])
	}
	return grown
}

// Tokens is the growth of prompt and generation tokens together.
func (c *Counters) Tokens() usage.Opt[int64] { return usage.Add(c.PromptTokens, c.GenerationTokens) }

// Increase is how much a counter grew from one reading to the next. A smaller
// reading means that the counter began anew from zero in between. It is absent
// where either reading is: growth across an unknown is not attributed.
func Increase[T usage.Number](before, now usage.Opt[T]) usage.Opt[T] {
	b, ok := before.Get()
	n, ok2 := now.Get()
	switch {
	case !ok || !ok2:
		return usage.Opt[T]{}
	case n < b:
		return usage.Some(n)
	}
	return usage.Some(n - b)
}
