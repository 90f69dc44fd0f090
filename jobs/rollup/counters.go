package rollup

import (
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// increase is how much a counter grew from one reading to the next. A smaller
// reading means that the counter began anew from zero in between. It is absent
// where either reading is: growth across an unknown is not attributed.
func increase[T usage.Number](before, now usage.Opt[T]) usage.Opt[T] {
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

// growth is what the engine counters of one or many pods grew by.
type growth struct {
	promptTokens, generationTokens, requests, preemptions usage.Opt[int64]
	prefixQueries, prefixHits                             usage.Opt[int64]
	ttftCount, interTokenCount, e2eCount                  usage.Opt[int64]
	ttftSum, interTokenSum, e2eSum                        usage.Opt[float64]
}

// engineGrowth is the growth from one row of a pod's engine to the next.
func engineGrowth(before, now *usage.Engine) growth {
	return growth{
		promptTokens:     increase(before.PromptTokensTotal, now.PromptTokensTotal),
		generationTokens: increase(before.GenerationTokensTotal, now.GenerationTokensTotal),
		requests:         increase(before.RequestsTotal, now.RequestsTotal),
		preemptions:      increase(before.PreemptionsTotal, now.PreemptionsTotal),
		prefixQueries:    increase(before.PrefixCacheQueriesTotal, now.PrefixCacheQueriesTotal),
		prefixHits:       increase(before.PrefixCacheHitsTotal, now.PrefixCacheHitsTotal),
		ttftCount:        increase(before.TTFTSecondsCount, now.TTFTSecondsCount),
		interTokenCount:  increase(before.InterTokenSecondsCount, now.InterTokenSecondsCount),
		e2eCount:         increase(before.E2ESecondsCount, now.E2ESecondsCount),
		ttftSum:          increase(before.TTFTSecondsSum, now.TTFTSecondsSum),
		interTokenSum:    increase(before.InterTokenSecondsSum, now.InterTokenSecondsSum),
		e2eSum:           increase(before.E2ESecondsSum, now.E2ESecondsSum),
	}
}

func (g *growth) add(o growth) {
	g.promptTokens = usage.Add(g.promptTokens, o.promptTokens)
	g.generationTokens = usage.Add(g.generationTokens, o.generationTokens)
	g.requests = usage.Add(g.requests, o.requests)
	g.preemptions = usage.Add(g.preemptions, o.preemptions)
	g.prefixQueries = usage.Add(g.prefixQueries, o.prefixQueries)
	g.prefixHits = usage.Add(g.prefixHits, o.prefixHits)
	g.ttftCount = usage.Add(g.ttftCount, o.ttftCount)
	g.interTokenCount = usage.Add(g.interTokenCount, o.interTokenCount)
	g.e2eCount = usage.Add(g.e2eCount, o.e2eCount)
	g.ttftSum = usage.Add(g.ttftSum, o.ttftSum)
	g.interTokenSum = usage.Add(g.interTokenSum, o.interTokenSum)
	g.e2eSum = usage.Add(g.e2eSum, o.e2eSum)
}

// tokens is the growth of prompt and generation tokens together.
func (g *growth) tokens() usage.Opt[int64] { return usage.Add(g.promptTokens, g.generationTokens) }

// mean is sum ÷ count, absent where nothing was counted.
func mean(sum usage.Opt[float64], count usage.Opt[int64]) usage.Opt[float64] {
	s, ok := sum.Get()
	n, ok2 := count.Get()
	if !ok || !ok2 || n == 0 {
		return usage.Opt[float64]{}
	}
	return usage.Some(s / float64(n))
}

// podKey names a pod across tables that do not all know its UID.
type podKey struct{ namespace, pod string }

// enginePoint is what an engine row says at one instant.
type enginePoint struct {
	running, waiting usage.Opt[int64]
	kv               usage.Opt[float64]
	growth           growth // since the pod's previous row
	works            usage.Opt[bool]
}

// enginePoints reads the rows, ordered by (namespace, pod, ts), into points by
// pod and instant. A row from before the hour only serves as the start of the
// next one's growth. Growth belongs to the instant at which it was seen.
func enginePoints(rows []usage.Engine) map[podKey]map[int64]enginePoint {
	points := map[podKey]map[int64]enginePoint{}
	last := map[string]*usage.Engine{} // by pod UID: a pod made anew under its old name starts anew
	for i := range rows {
		e := &rows[i]
		p := enginePoint{running: e.RequestsRunning, waiting: e.RequestsWaiting, kv: e.KVCacheUsageRatio}
		if before := last[e.PodUID]; before != nil {
			p.growth = engineGrowth(before, e)
		}
		last[e.PodUID] = e
		p.works = works(p)
		k := podKey{e.Namespace, e.Pod}
		if points[k] == nil {
			points[k] = map[int64]enginePoint{}
		}
		points[k][e.TS.UnixMilli()] = p
	}
	return points
}

// works says whether an engine did work in the interval before the point:
// absent where neither its queue nor its counters tell.
func works(p enginePoint) usage.Opt[bool] {
	running, haveRunning := p.running.Get()
	tokens, haveTokens := p.growth.tokens().Get()
	if !haveRunning && !haveTokens {
		return usage.Opt[bool]{}
	}
	return usage.Some(running > 0 || tokens > 0)
}

// energyGrowth is the growth of each card's energy counter, by instant: once a
// card however many MIG instances repeat it, and with the pod that holds it
// where exactly one does. The key "" is a card that no single pod holds.
type energyPoint struct {
	node        string
	pod         podKey
	millijoules int64
	ts          time.Time
}

// energyPoints reads rows ordered by (node, gpu_index, mig_instance, ts).
func energyPoints(rows []usage.GPU) []energyPoint {
	type reading struct {
		energy usage.Opt[int64]
		ts     time.Time
	}
	last := map[string]reading{} // by card
	var points []energyPoint
	for i := range rows {
		g := &rows[i]
		before, seen := last[g.GPUUUID]
		if seen && !g.TS.After(before.ts) {
			continue // another MIG instance of a card that has been read
		}
		last[g.GPUUUID] = reading{g.EnergyMillijoulesTotal, g.TS}
		grown, ok := increase(before.energy, g.EnergyMillijoulesTotal).Get()
		if !ok {
			continue
		}
		p := energyPoint{node: g.Node, millijoules: grown, ts: g.TS}
		if ns, held := g.Namespace.Get(); held && !g.MIGInstance.Present() && g.ShareCount == 1 {
			name, _ := g.Pod.Get()
			p.pod = podKey{ns, name}
		}
		points = append(points, p)
	}
	return points
}
