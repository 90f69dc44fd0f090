package hour

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/committed"
	"github.com/company/k8s-resource-monitor/internal/committed/committedtest"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const interval = 30 * time.Second

var midnight = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

// aggregation is one over a sample that is committed as a snapshot.
func aggregation(t *testing.T, s *State, in usage.Sample) *Aggregation {
	t.Helper()
	r := committed.Reader{Bucket: bucket.Mem(), Cluster: "c"}
	a := &Aggregation{Interval: interval, State: s, Reader: r}
	if len(in.Nodes) == 0 {
		return a
	}
	at := s.Hour.Add(time.Minute)
	committedtest.Put(t, r.Bucket, committedtest.Encode(t, "c", at, interval, in))
	snapshots, err := r.List(t.Context(), at, at.Add(time.Minute))
	if err == nil {
		a.Sources, err = r.Open(t.Context(), snapshots)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// table is an hour's rows with the pods.
type table struct {
	Rows
	Pods []usage.PodHour
}

// compute merges a sample into the state and gives the hour's tables.
func compute(t *testing.T, s *State, closed bool, prices Prices, in usage.Sample) (out table) {
	t.Helper()
	a := aggregation(t, s, in)
	a.Prices, a.Closed = prices, closed
	err := a.Run(t.Context(), func(p *usage.PodHour) error { out.Pods = append(out.Pods, *p); return nil })
	if err != nil {
		t.Fatal(err)
	}
	out.Rows = a.Rows()
	return out
}

// fleet is a random cluster from half an hour before midnight to an hour after:
// missed samples, pods that come, go and move, engines and cards whose counters
// restart, cards in MIG instances, replicas of several pods.
func fleet(r *rand.Rand) (all usage.Sample) {
	maybe := func(v float64) usage.Opt[float64] {
		if r.IntN(4) == 0 {
			return usage.Opt[float64]{}
		}
		return usage.Some(v)
	}
	count := func(v int64) usage.Opt[int64] {
		if r.IntN(6) == 0 {
			return usage.Opt[int64]{}
		}
		return usage.Some(v)
	}
	total := int64(0)
	for k := -60; k < 120; k++ {
		if r.IntN(8) == 0 {
			continue
		}
		ts := midnight.Add(time.Duration(k)*interval + time.Duration(r.IntN(5))*time.Second)
		if r.IntN(40) == 0 {
			total = 0
		}
		total += int64(r.IntN(100))
		for n := range 3 {
			if r.IntN(20) == 0 {
				continue
			}
			node := string(rune('a' + n))
			all.Nodes = append(
				all.Nodes,
				usage.Node{TS: ts, Node: node, GPUAllocatable: 8, GPUProduct: usage.Some("H100"), PodsRunning: int32(r.IntN(9)),
					CPUAllocatableMillicores: 8000, CPUUsageMillicores: count(int64(r.IntN(8000))), CPURequestedMillicores: 5000},
			)
			for card := range 2 {
				g := usage.GPU{
					TS:          ts,
					Node:        node,
					GPUIndex:    int32(card),
					GPUUUID:     fmt.Sprint(node, card),
					UtilPercent: maybe(float64(r.IntN(100))),
					PowerWatts: maybe(
						300,
					),
					EnergyMillijoulesTotal: count(total),
					ShareCount:             1,
					Namespace:              usage.Some("x"),
					Pod:                    usage.Some("p0"),
				}
				if card == 1 {
					g.MIGInstance = usage.Some[int32](1)
					all.GPUs = append(all.GPUs, g)
					g.MIGInstance = usage.Some[int32](2)
				}
				all.GPUs = append(all.GPUs, g)
			}
		}
		for n := range 8 {
			if r.IntN(6) == 0 {
				continue
			}
			p := usage.Pod{
				TS:                   ts,
				Namespace:            string(rune('x' + n%2)),
				Pod:                  fmt.Sprint("p", n),
				PodUID:               fmt.Sprint("u", n, k > 20 && n == 3),
				Phase:                []string{"Running", "Running", "Pending", "Succeeded"}[r.IntN(4)],
				Ready:                r.IntN(3) > 0,
				GPURequest:           int32(r.IntN(4)),
				CPUUsageMillicores:   count(int64(r.IntN(4000))),
				CPURequestMillicores: usage.Some[int64](1000),
				Restarts:             int32(total % 7),
				GPUUtilPercent:       maybe(float64(r.IntN(20))),
				OwnerKind:            usage.Some("Deployment"),
				Owner:                usage.Some(fmt.Sprint("d", n%3)),
			}
			if r.IntN(4) > 0 {
				p.Node = usage.Some(string(rune('a' + n%4))) // 'd' is no node of the list
			}
			if n > 3 {
				p.Engine, p.Model = usage.VLLM, usage.Some(fmt.Sprint("m", n%2))
			}
			if n > 5 {
				p.ReplicaGroup = usage.Some("g")
			}
			all.Pods = append(all.Pods, p)
			if n > 4 && n < 7 && r.IntN(8) > 0 {
				all.Engines = append(
					all.Engines,
					usage.Engine{TS: ts, Namespace: p.Namespace, Pod: p.Pod, PodUID: p.PodUID, Engine: usage.VLLM,
						RequestsRunning: count(
							int64(r.IntN(3)),
						), GenerationTokensTotal: count(total), TTFTSecondsSum: maybe(float64(total) / 7), TTFTSecondsCount: count(total / 3)},
				)
			}
		}
	}
	committedtest.Sort(&all)
	return all
}

// An hour that is aggregated in several runs, each from the checkpoint of the one
// before, is the hour that is aggregated at once.
func TestRunsAddUp(t *testing.T) {
	prices := Prices{GPUHour: map[string]float64{"H100": 2}, CPUCoreHour: usage.Some(0.1)}
	merge := func(s *State, in usage.Sample) {
		a := aggregation(t, s, in)
		a.Prices = prices
		if err := a.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		in := fleet(r)
		early, in := committedtest.Split(in, midnight)
		begun := NewState(midnight.Add(-time.Hour))
		merge(begun, early)
		first := begun.Checkpoint()

		state := func(c Checkpoint) *State {
			s, err := c.State()
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		parts := state(first).Next()
		for left := in; len(left.Nodes) > 0; {
			var some usage.Sample
			some, left = committedtest.Split(left, in.Nodes[r.IntN(len(in.Nodes))].TS)
			merge(parts, some)
			parts = state(parts.Checkpoint())
			if r.IntN(4) == 0 {
				merge(parts, left)
				left = usage.Sample{}
			}
		}
		whole := state(first).Next()
		merge(whole, in)
		if !reflect.DeepEqual(parts.Checkpoint(), whole.Checkpoint()) {
			t.Fatalf("seed %d: the state of the parts differs from that of the whole", seed)
		}
		closed := seed%2 == 0
		a, b := compute(t, parts, closed, prices, usage.Sample{}), compute(t, whole, closed, prices, usage.Sample{})
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d: the parts give\n%.2000v\nthe whole\n%.2000v", seed, a, b)
		}
		if len(b.Pods) < 8 || len(b.Models) == 0 || len(b.Nodes) < 3 || len(b.Cluster) != 1 {
			t.Fatalf("seed %d: too few rows: %.2000v", seed, b)
		}
	}
}

func TestConservation(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 30 {
		var in usage.Sample
		for k := range 130 {
			if r.IntN(8) == 0 {
				continue // a missed sample
			}
			ts := midnight.Add(time.Duration(k-4) * interval)
			for n := range 3 {
				in.Nodes = append(in.Nodes, usage.Node{TS: ts, Node: string(rune('a' + n)), GPUAllocatable: int32(r.IntN(2) * 8)})
			}
			for p := range 6 {
				if r.IntN(5) == 0 {
					continue
				}
				pod := usage.Pod{TS: ts, Namespace: string(rune('x' + p%2)), Pod: string(rune('p' + p)), PodUID: string(rune('p' + p)),
					Phase: []string{"Running", "Pending", "Succeeded"}[r.IntN(3)], Ready: r.IntN(2) == 0, GPURequest: int32(r.IntN(4))}
				if r.IntN(4) > 0 {
					pod.Node = usage.Some(string(rune('a' + p%4))) // 'd' is no node of the list
				}
				if r.IntN(3) == 0 {
					pod.GPUUtilPercent = usage.Some(r.Float64() * 10)
				}
				in.Pods = append(in.Pods, pod)
			}
		}
		committedtest.Sort(&in)
		before, in := committedtest.Split(in, midnight)
		state := NewState(midnight.Add(-time.Hour))
		if err := aggregation(t, state, before).Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		out := compute(t, state.Next(), r.IntN(2) == 0, Prices{}, in)
		sum := func(n int, get func(i int) *usage.Statistics) (allocated, parts, total float64) {
			for i := range n {
				s := get(i)
				a, _ := s.GPUHoursAllocated.Get()
				allocated += a
				for _, o := range []usage.Opt[float64]{s.GPUHoursActive, s.GPUHoursIdleHeld, s.GPUHoursLoading, s.GPUHoursUnknown} {
					v, _ := o.Get()
					parts += v
				}
				v, _ := s.GPUHoursTotal.Get()
				total += v
			}
			return allocated, parts, total
		}
		equal := func(what string, a, b float64) {
			if math.Abs(a-b) > 1e-9 {
				t.Errorf("%s: %v and %v", what, a, b)
			}
		}
		pods, podParts, _ := sum(len(out.Pods), func(i int) *usage.Statistics { return &out.Pods[i].Statistics })
		names, _, _ := sum(len(out.Namespaces), func(i int) *usage.Statistics { return &out.Namespaces[i].Statistics })
		works, _, _ := sum(len(out.Workloads), func(i int) *usage.Statistics { return &out.Workloads[i].Statistics })
		nodes, nodeParts, nodeTotal := sum(len(out.Nodes), func(i int) *usage.Statistics { return &out.Nodes[i].Statistics })
		cluster, _, total := sum(len(out.Cluster), func(i int) *usage.Statistics { return &out.Cluster[i].Statistics })
		equal("pods and their states", pods, podParts)
		equal("pods and namespaces", pods, names)
		equal("pods and workloads", pods, works)
		equal("pods and nodes", pods, nodes)
		equal("nodes and their states", nodes, nodeParts)
		equal("pods and the cluster", pods, cluster)
		_ = nodeTotal
		if total < cluster-1e-9 {
			t.Errorf("the cluster holds %v of %v GPU-hours", cluster, total)
		}
	}
}
