package statistics

import "github.com/company/k8s-resource-monitor/internal/usage"

// Counters are whole numbers that only grow until they restart: readings of them,
// or by how much they grew. What is unknown is absent.
type Counters struct {
	PromptTokens, GenerationTokens, Requests, Preemptions usage.Opt[int64]
	PrefixCacheQueries, PrefixCacheHits                   usage.Opt[int64]
	TTFTCount, InterTokenCount, E2ECount                  usage.Opt[int64]
	Energy                                                usage.Opt[int64] // millijoules
	Restarts                                              usage.Opt[int64]
}

// each lists the counters in the order in which they are encoded.
func (c *Counters) each() [11]*usage.Opt[int64] {
	return [...]*usage.Opt[int64]{&c.PromptTokens, &c.GenerationTokens, &c.Requests, &c.Preemptions, &c.PrefixCacheQueries,
		&c.PrefixCacheHits, &c.TTFTCount, &c.InterTokenCount, &c.E2ECount, &c.Energy, &c.Restarts}
}

// counterNames are the columns that the counters fill, or the counts by which an
// average divides. The order is that of each.
var counterNames = [...]string{"prompt_tokens", "generation_tokens", "requests", "preemptions", "prefix_cache_queries",
	"prefix_cache_hits", "ttft_seconds_count", "inter_token_seconds_count", "e2e_seconds_count", "energy_millijoules", "restarts"}

// Add adds the growth of others.
func (c *Counters) Add(o *Counters) {
	if *o == (Counters{}) {
		return
	}
	sums := c.each()
	for i, n := range o.each() {
		*sums[i] = usage.Add(*sums[i], *n)
	}
}

// Since is the growth from an earlier reading to c.
func (c *Counters) Since(before *Counters) (growth Counters) {
	now, then := c.each(), before.each()
	for i, n := range growth.each() {
		*n = Increase(*then[i], *now[i])
	}
	return growth
}

// Tokens is the growth of prompt and generation tokens together.
func (c *Counters) Tokens() usage.Opt[int64] { return usage.Add(c.PromptTokens, c.GenerationTokens) }

// Increase is how much a counter grew from one reading to the next. A smaller
// reading means that the counter restarted from zero in between. The increase is
// absent where either reading is: growth across an unknown is not attributed.
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
