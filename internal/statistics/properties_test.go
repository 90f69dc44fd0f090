package statistics

import (
	"math/rand/v2"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// somePods are series of whole numbers, as GPUs and counters are, at instants that
// they have in part.
func somePods(r *rand.Rand, timeline *Timeline) []*Series {
	pods := make([]*Series, 2+r.IntN(8))
	for p := range pods {
		pods[p] = NewSeries(timeline)
		for i := range timeline.Len() {
			if r.IntN(5) == 0 {
				continue
			}
			pods[p].MarkSeen(i)
			state := []Value{GPUsActive, GPUsIdleHeld, GPUsLoading, GPUsUnknown}[r.IntN(4)]
			pods[p].Add(state, i, float64(1+r.IntN(8)), 1)
			pods[p].Add(CPU, i, float64(r.IntN(4000)), 1)
		}
		if r.IntN(3) > 0 {
			pods[p].PromptTokens, pods[p].Restarts = usage.Some(r.Int64N(1000)), usage.Some(r.Int64N(3))
		}
	}
	return pods
}

func hourOfAll(timeline *Timeline, pods []*Series) usage.Statistics {
	key := NewSeries(timeline)
	for _, p := range pods {
		key.AddMember(p, All)
	}
	var a Aggregate
	a.Append(timeline, key)
	return a.Finish(timeline, true)
}

// The order in which members are added does not matter to whole numbers, and a
// member that is added twice counts twice.
func TestMemberOrder(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 4))
		timeline := NewTimeline(hour, interval, hour, instants(r))
		pods := somePods(r, timeline)
		want := hourOfAll(timeline, pods)
		r.Shuffle(len(pods), func(i, j int) { pods[i], pods[j] = pods[j], pods[i] })
		if got := hourOfAll(timeline, pods); got != want {
			t.Fatalf("seed %d: shuffled\n%+v\nwant\n%+v", seed, got, want)
		}
		doubled := hourOfAll(timeline, append(pods, pods...))
		if got := usage.Add(want.GPUHoursAllocated, want.GPUHoursAllocated); doubled.GPUHoursAllocated != got {
			t.Fatalf("seed %d: twice the pods have %v GPU-hours, want %v", seed, doubled.GPUHoursAllocated, got)
		}
	}
}

// However pods are divided among keys, the keys' GPU-hours, tokens and restarts
// add up to those of all pods: in milliseconds × GPUs nothing is lost.
func TestConservation(t *testing.T) {
	millis := func(h usage.Opt[float64]) float64 {
		v, _ := h.Get()
		return v * millisPerHour
	}
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 6))
		timeline := NewTimeline(hour, interval, hour, instants(r))
		pods := somePods(r, timeline)
		keys := make([][]*Series, 3)
		var counters Counters
		for _, p := range pods {
			counters.Add(&p.Counters)
			k := r.IntN(len(keys))
			keys[k] = append(keys[k], p)
		}
		var total Total
		for _, members := range keys {
			s := hourOfAll(timeline, members)
			total.Add(&s)
		}
		got, want := total.Statistics(), hourOfAll(timeline, pods)
		for name, pair := range map[string][2]usage.Opt[float64]{
			"active":    {got.GPUHoursActive, want.GPUHoursActive},
			"idle":      {got.GPUHoursIdleHeld, want.GPUHoursIdleHeld},
			"loading":   {got.GPUHoursLoading, want.GPUHoursLoading},
			"unknown":   {got.GPUHoursUnknown, want.GPUHoursUnknown},
			"allocated": {got.GPUHoursAllocated, want.GPUHoursAllocated},
		} {
			if diff := millis(pair[0]) - millis(pair[1]); diff > 1e-3 || diff < -1e-3 { // of whole milliseconds
				t.Fatalf("seed %d: %s GPU-hours of the keys %v, of all %v", seed, name, pair[0], pair[1])
			}
		}
		if got.PromptTokens != counters.PromptTokens || got.Restarts != counters.Restarts {
			t.Fatalf("seed %d: %v tokens and %v restarts, want %+v", seed, got.PromptTokens, got.Restarts, counters)
		}
	}
}
