package publish

import (
	"context"
	"time"

	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/committed"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// view is the newest sample as the report shows it, with what each pod's GPUs
// are doing.
type view struct {
	at      time.Time
	pods    []usage.Pod
	nodes   []usage.Node
	gpus    []usage.GPU
	states  map[usage.PodName]activity.State
	engines map[usage.PodName]usage.Engine
	byNode  map[string]*usage.Node
	gpuUtil map[string]usage.Opt[float64] // by node, mean over its devices
}

// readView reads the newest instant of a snapshot. working is what the engine of
// a pod says of its work, by pod UID.
func (p *Publisher) readView(ctx context.Context, minute []*committed.Source, working func(podUID string) usage.Opt[bool]) (*view, error) {
	all := committed.Instants(minute)
	newest := all[len(all)-1]
	instants, err := p.reader().InstantsOf(ctx, minute, newest.Equal)
	if err != nil {
		return nil, err
	}
	now := instants[0]
	v := &view{
		at: newest, nodes: now.Nodes, gpus: now.GPUs,
		states: map[usage.PodName]activity.State{}, engines: map[usage.PodName]usage.Engine{},
		byNode: map[string]*usage.Node{}, gpuUtil: map[string]usage.Opt[float64]{},
	}
	for i := range v.nodes {
		v.byNode[v.nodes[i].Node] = &v.nodes[i]
	}
	v.averageGPUs()
	for _, e := range now.Engines {
		v.engines[e.Name()] = e
	}
	v.pods = make([]usage.Pod, 0, committed.RowsPerInstant(minute, usage.Pods))
	if err := now.Pods(ctx, func(p *usage.Pod) { v.pods = append(v.pods, *p) }); err != nil {
		return nil, err
	}
	v.states = activity.OfAll(v.pods, working)
	return v, nil
}

// averageGPUs computes the mean utilisation of each node's devices.
func (v *view) averageGPUs() {
	sums, counts := map[string]float64{}, map[string]float64{}
	for i := range v.gpus {
		if u, ok := v.gpus[i].UtilPercent.Get(); ok {
			sums[v.gpus[i].Node] += u
			counts[v.gpus[i].Node]++
		}
	}
	for node, n := range counts {
		v.gpuUtil[node] = usage.Some(sums[node] / n)
	}
}

// summary is the figures of the cards; the day's statistics give the idle
// GPU-hours since midnight UTC.
func (v *view) summary(day report.StatisticsData) report.ClusterSummary {
	s := report.ClusterSummary{TotalNodes: len(v.nodes), ByEngine: map[string]int{}}
	for _, e := range usage.EngineNames {
		s.ByEngine[e.Name] = 0
	}
	var cpu, memory, cpuOf, memoryOf usage.Opt[int64]
	for i := range v.nodes {
		n := &v.nodes[i]
		if n.Ready {
			s.ReadyNodes++
		}
		s.TotalGPUs += int(n.GPUAllocatable)
		if n.CPUUsageMillicores.Present() { // a node without usage counts in neither part nor whole
			cpu, cpuOf = usage.Add(cpu, n.CPUUsageMillicores), usage.Add(cpuOf, usage.Some(n.CPUAllocatableMillicores))
		}
		if n.MemoryUsageBytes.Present() {
			memory, memoryOf = usage.Add(memory, n.MemoryUsageBytes), usage.Add(memoryOf, usage.Some(n.MemoryAllocatableBytes))
		}
	}
	s.AvgCPU, s.AvgMemory = usage.Percent(cpu, cpuOf), usage.Percent(memory, memoryOf)
	for i := range v.pods {
		p := &v.pods[i]
		if p.Ended() {
			continue
		}
		s.TotalPods++
		if p.Engine != usage.NoEngine {
			s.ByEngine[p.Engine]++
		}
		st := v.states[p.Name()]
		if st != activity.HoldsNone {
			s.HeldGPUs += int(p.GPURequest)
		} else if !p.Node.Present() {
			s.PendingGPUs += int(p.GPURequest)
		}
		if st == activity.IdleHeld {
			s.IdleGPUs += int(p.GPURequest)
		}
	}
	s.VLLMPods, s.SGLangPods = s.ByEngine[usage.VLLM], s.ByEngine[usage.SGLang]
	var sum, n float64
	for i := range v.gpus {
		if u, ok := v.gpus[i].UtilPercent.Get(); ok {
			sum, n = sum+u, n+1
		}
	}
	if n > 0 {
		s.AvgGPU = usage.Some(sum / n)
	}
	midnight := v.at.Truncate(24 * time.Hour)
	for i, h := range day.HourStarts {
		if !h.Before(midnight) {
			s.IdleToday = usage.Add(s.IdleToday, day.ClusterAll.GPUHoursIdleHeld[i])
		}
	}
	return s
}

// podsByEngine counts all pods, also those that have ended, and those of none.
func (v *view) podsByEngine() map[string]int {
	counts := map[string]int{"none": 0}
	for _, e := range usage.EngineNames {
		counts[e.Name] = 0
	}
	for i := range v.pods {
		if e := v.pods[i].Engine; e != usage.NoEngine {
			counts[e]++
		} else {
			counts["none"]++
		}
	}
	return counts
}

// stateName is what a pod's GPUs do, absent where it holds none.
func (v *view) stateName(name usage.PodName) usage.Opt[string] { return v.states[name].Name() }

// shares are a pod's percents with their bases.
func (v *view) shares(p *usage.Pod) (cpu, memory usage.Share) {
	var cpuOf, memoryOf usage.Opt[int64]
	name, _ := p.Node.Get()
	if n := v.byNode[name]; n != nil {
		cpuOf, memoryOf = usage.Some(n.CPUAllocatableMillicores), usage.Some(n.MemoryAllocatableBytes)
	}
	return p.CPUShare(cpuOf), p.MemoryShare(memoryOf)
}

func basisName(b usage.Opt[usage.Basis]) usage.Opt[string] {
	name, _ := b.Get()
	return usage.SomeUnless(string(name), "")
}

// podDocument is a pod as the API gives it.
func (v *view) podDocument(p *usage.Pod) report.Pod {
	k := p.Name()
	cpu, memory := v.shares(p)
	e := v.engines[k]
	doc := report.Pod{
		CPUUsagePercent: cpu.Percent, CPUBasis: basisName(cpu.Basis),
		MemoryUsagePercent: memory.Percent, MemoryBasis: basisName(memory.Basis), GPUState: v.stateName(k),
		RequestsRunning: e.RequestsRunning, RequestsWaiting: e.RequestsWaiting, KVCacheUsageRatio: e.KVCacheUsageRatio,
	}
	copyFields(&doc, p)
	return doc
}

// nodeDocuments are the nodes as the API gives them, by name.
func (v *view) nodeDocuments() []report.Node {
	nodes := make([]report.Node, len(v.nodes))
	for i := range v.nodes {
		n := &v.nodes[i]
		nodes[i] = report.Node{
			Name: n.Node, Ready: n.Ready, Unschedulable: n.Unschedulable, Roles: n.Roles, Pressure: n.Pressure,
			InstanceType: n.InstanceType, Zone: n.Zone, KubeletVersion: n.KubeletVersion, CreationTime: n.CreatedAt,
			CPUUsagePercent:    usage.Percent(n.CPUUsageMillicores, usage.Some(n.CPUAllocatableMillicores)),
			CPUUsageMillicores: n.CPUUsageMillicores, CPURequestedMillicores: n.CPURequestedMillicores,
			CPUAllocatable: n.CPUAllocatableMillicores, CPUCapacity: n.CPUCapacityMillicores,
			MemoryUsagePercent: usage.Percent(n.MemoryUsageBytes, usage.Some(n.MemoryAllocatableBytes)),
			MemoryUsageBytes:   n.MemoryUsageBytes, MemoryRequestedBytes: n.MemoryRequestedBytes,
			MemoryAllocatable: n.MemoryAllocatableBytes, MemoryCapacity: n.MemoryCapacityBytes,
			PodsRunning: n.PodsRunning, PodsAllocatable: n.PodsAllocatable, GPUProduct: n.GPUProduct,
			GPURequested: n.GPURequested, GPUAllocatable: n.GPUAllocatable, GPUUsagePercent: v.gpuUtil[n.Node],
		}
	}
	return nodes
}
