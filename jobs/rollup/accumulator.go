package rollup

import (
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// accumulator gathers one key's hour: a model's, a namespace's, a node's.
type accumulator struct {
	tl   *timeline
	seen []bool // by instant

	cpu, memory, gpuUtil, gpuMemory, gpuPower series
	running, waiting, kv, pods, replicas      series
	groups                                    map[groupAt]bool // replica groups already counted at an instant

	gpuHours [5]usage.Opt[float64] // by state; holdsNone is unallocated
	growth   growth
	energy   usage.Opt[int64]
	restarts usage.Opt[int64]
	cost     usage.Opt[float64]
	unpriced bool // something that costs has no price: the cost is unknown
}

type groupAt struct {
	group   podKey
	instant int
}

func newAccumulator(tl *timeline) *accumulator {
	return &accumulator{tl: tl, seen: make([]bool, len(tl.at)), groups: map[groupAt]bool{}}
}

func (a *accumulator) n() int { return len(a.tl.at) }

// see notes that the key was there at instant i.
func (a *accumulator) see(i int) { a.seen[i] = true }

// addUsage adds a pod's own figures at instant i.
func (a *accumulator) addUsage(i int, p *usage.Pod) {
	addOpt(&a.cpu, a.n(), i, p.CPUUsageMillicores, 1)
	addOpt(&a.memory, a.n(), i, p.MemoryUsageBytes, 1)
	if p.GPURequest > 0 {
		addOpt(&a.gpuUtil, a.n(), i, p.GPUUtilPercent, float64(p.GPURequest))
	}
	addOpt(&a.gpuMemory, a.n(), i, p.GPUMemoryUsedBytes, 1)
	addOpt(&a.gpuPower, a.n(), i, p.GPUPowerWatts, 1)
}

// addPod adds what every key but a node counts of a pod at instant i.
func (a *accumulator) addPod(i int, p *usage.Pod) {
	held, ready := 1.0, 0.0
	if p.Ended() {
		held = 0
	}
	a.pods.add(a.n(), i, held, 1)
	if p.Ready {
		ready = 1
		if k := (groupAt{replica(p), i}); p.ReplicaGroup.Present() {
			if a.groups[k] {
				ready = 0
			}
			a.groups[k] = true
		}
	}
	a.replicas.add(a.n(), i, ready, 1)
}

// addEngine adds the engine's gauges at instant i, and its growth where the
// instant lies within the hour.
func (a *accumulator) addEngine(i int, e *enginePoint) {
	addOpt(&a.running, a.n(), i, e.running, 1)
	addOpt(&a.waiting, a.n(), i, e.waiting, 1)
	addOpt(&a.kv, a.n(), i, e.kv, 1)
	if a.tl.inside(i) {
		a.growth.add(e.growth)
	}
}

// addGPUHours adds time of n GPUs in a state; holdsNone is unallocated.
func (a *accumulator) addGPUHours(s state, hours float64) {
	a.gpuHours[s] = usage.Add(a.gpuHours[s], usage.Some(hours))
}

// addCost adds a cost, or notes that one is unknown.
func (a *accumulator) addCost(c usage.Opt[float64]) {
	if !c.Present() {
		a.unpriced = true
	}
	a.cost = usage.Add(a.cost, c)
}

// statistics are the key's figures of the hour. A key that held no GPU has no
// GPU-hours rather than zero of them.
func (a *accumulator) statistics(interval time.Duration) usage.Statistics {
	var samples int32
	for i, s := range a.seen {
		if s && a.tl.inside(i) {
			samples++
		}
	}
	s := usage.Statistics{
		Samples:            samples,
		ExpectedSamples:    a.tl.expected(interval),
		CPUUsageMillicores: a.cpu.total(a.tl),
		MemoryUsageBytes:   a.memory.total(a.tl),
		GPUUtilPercent:     a.gpuUtil.mean(a.tl),
		GPUMemoryUsedBytes: a.gpuMemory.total(a.tl),
		GPUPowerWatts:      a.gpuPower.total(a.tl),
		RequestsRunning:    a.running.total(a.tl),
		RequestsWaiting:    a.waiting.total(a.tl),
		KVCacheUsageRatio:  a.kv.mean(a.tl),
		Pods:               a.pods.total(a.tl),
		Replicas:           a.replicas.total(a.tl),

		PromptTokens:       a.growth.promptTokens,
		GenerationTokens:   a.growth.generationTokens,
		Requests:           a.growth.requests,
		Preemptions:        a.growth.preemptions,
		PrefixCacheQueries: a.growth.prefixQueries,
		PrefixCacheHits:    a.growth.prefixHits,
		EnergyMillijoules:  a.energy,
		Restarts:           a.restarts,

		TTFTSecondsAvg:       mean(a.growth.ttftSum, a.growth.ttftCount),
		InterTokenSecondsAvg: mean(a.growth.interTokenSum, a.growth.interTokenCount),
		E2ESecondsAvg:        mean(a.growth.e2eSum, a.growth.e2eCount),
	}
	a.fillGPUHours(&s)
	s.TokensPerGPUHour = ratio(a.growth.tokens(), s.GPUHoursAllocated, 1)
	s.TokensPerKilowattHour = ratio(a.growth.tokens(), a.energy, millijoulesPerKilowattHour)
	if !a.unpriced {
		s.Cost = a.cost
	}
	return s
}

// fillGPUHours splits the hours; a state without time is zero where any other has some.
func (a *accumulator) fillGPUHours(s *usage.Statistics) {
	var allocated usage.Opt[float64]
	for _, st := range []state{active, idleHeld, loading, unknownState} {
		allocated = usage.Add(allocated, a.gpuHours[st])
	}
	unallocated := a.gpuHours[holdsNone]
	if total := usage.Add(allocated, unallocated); !total.Present() {
		return
	}
	zero := usage.Some(0.0)
	s.GPUHoursActive = usage.Add(zero, a.gpuHours[active])
	s.GPUHoursIdleHeld = usage.Add(zero, a.gpuHours[idleHeld])
	s.GPUHoursLoading = usage.Add(zero, a.gpuHours[loading])
	s.GPUHoursUnknown = usage.Add(zero, a.gpuHours[unknownState])
	s.GPUHoursAllocated = usage.Add(zero, allocated)
	if unallocated.Present() {
		s.GPUHoursUnallocated = unallocated
		s.GPUHoursTotal = usage.Add(s.GPUHoursAllocated, unallocated)
	}
}

// millijoulesPerKilowattHour is 1 kWh = 3.6 MJ.
const millijoulesPerKilowattHour = 3.6e9

// ratio is part ÷ whole × scale, absent where the whole is absent or zero.
func ratio[A, B usage.Number](part usage.Opt[A], whole usage.Opt[B], scale float64) usage.Opt[float64] {
	p, ok := part.Get()
	w, ok2 := whole.Get()
	if !ok || !ok2 || w == 0 {
		return usage.Opt[float64]{}
	}
	return usage.Some(float64(p) / float64(w) * scale)
}
