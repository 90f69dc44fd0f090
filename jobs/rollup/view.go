package rollup

import (
	"time"

	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// view is the newest sample as the report shows it, with what each pod's GPUs do.
type view struct {
	at      time.Time
	pods    []usage.Pod
	nodes   []usage.Node
	gpus    []usage.GPU
	states  map[podKey]state
	engines map[podKey]enginePoint
	byNode  map[string]*usage.Node
	gpuUtil map[string]usage.Opt[float64] // by node, mean over its devices
}

// newView takes the last instant of a snapshot, of about so many pods. The
// earlier ones serve to see whether tokens moved.
func newView(in streams, pods int) (*view, error) {
	v := &view{pods: make([]usage.Pod, 0, pods), states: map[podKey]state{}, engines: map[podKey]enginePoint{}, byNode: map[string]*usage.Node{}, gpuUtil: map[string]usage.Opt[float64]{}}
	for _, t := range in.instants {
		if t.After(v.at) {
			v.at = t
		}
	}
	now := func(t time.Time) bool { return t.Equal(v.at) }
	nodes, err := in.nodes()
	if err == nil {
		err = each(nodes, func(n *usage.Node) {
			if now(n.TS) {
				v.nodes = append(v.nodes, *n)
			}
		})
	}
	if err != nil {
		return nil, err
	}
	for i := range v.nodes {
		v.byNode[v.nodes[i].Node] = &v.nodes[i]
	}
	if err := v.readGPUs(in); err != nil {
		return nil, err
	}
	engines, err := in.engines()
	if err != nil {
		return nil, err
	}
	readings := map[string]reading{}
	err = each(engines, func(e *usage.Engine) {
		if point := readEngine(e, readings); now(e.TS) {
			v.engines[podKey{e.Namespace, e.Pod}] = point
		}
	})
	if err != nil {
		return nil, err
	}
	rows, err := in.pods()
	if err != nil {
		return nil, err
	}
	defer rows.start()()
	groups := map[groupKey]usage.Opt[bool]{}
	err = each(rows, func(p *usage.Pod) {
		if !now(p.TS) {
			return
		}
		v.pods = append(v.pods, *p)
		if group, ok := groupOf(p); ok {
			groups[group] = either(groups[group], v.engines[podKey{p.Namespace, p.Pod}].works)
		}
	})
	for i := range v.pods {
		p := &v.pods[i]
		k := podKey{p.Namespace, p.Pod}
		works := v.engines[k].works
		if group, ok := groupOf(p); ok && !works.Present() {
			works = groups[group]
		}
		if s := podState(p, works); s != holdsNone {
			v.states[k] = s
		}
	}
	return v, err
}

func (v *view) readGPUs(in streams) error {
	gpus, err := in.gpus()
	if err != nil {
		return err
	}
	sums, counts := map[string]float64{}, map[string]float64{}
	err = each(gpus, func(g *usage.GPU) {
		if !g.TS.Equal(v.at) {
			return
		}
		v.gpus = append(v.gpus, *g)
		if u, ok := g.UtilPercent.Get(); ok {
			sums[g.Node] += u
			counts[g.Node]++
		}
	})
	for node, n := range counts {
		v.gpuUtil[node] = usage.Some(sums[node] / n)
	}
	return err
}

// summary is the figures of the cards; the day's statistics give the idle
// GPU-hours since midnight UTC.
func (v *view) summary(day report.StatisticsData) report.ClusterSummary {
	s := report.ClusterSummary{TotalNodes: len(v.nodes)}
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
		switch p.Engine {
		case usage.VLLM:
			s.VLLMPods++
		case usage.SGLang:
			s.SGLangPods++
		}
		st := v.states[podKey{p.Namespace, p.Pod}]
		if st != holdsNone {
			s.HeldGPUs += int(p.GPURequest)
		} else if !p.Node.Present() {
			s.PendingGPUs += int(p.GPURequest)
		}
		if st == idleHeld {
			s.IdleGPUs += int(p.GPURequest)
		}
	}
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

func (v *view) podsByEngine() map[string]int {
	counts := map[string]int{"none": 0, usage.VLLM: 0, usage.SGLang: 0}
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
func (v *view) stateName(k podKey) usage.Opt[string] {
	return usage.SomeUnless(v.states[k].String(), "")
}

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
	k := podKey{p.Namespace, p.Pod}
	cpu, memory := v.shares(p)
	e := v.engines[k]
	return report.Pod{
		Name: p.Pod, Namespace: p.Namespace, NodeName: p.Node, ModelType: p.Engine, Model: p.Model, ModelPath: p.ModelPath,
		Role: p.Role, ReplicaGroup: p.ReplicaGroup, IdentifiedBy: p.IdentifiedBy, OwnerKind: p.OwnerKind, Owner: p.Owner,
		Phase: p.Phase, Reason: p.Reason, Ready: p.Ready, Restarts: p.Restarts, CreationTime: p.CreatedAt, StartTime: p.StartedAt, Image: p.Image,
		CPUUsagePercent: cpu.Percent, CPUBasis: basisName(cpu.Basis), CPUUsageMillicores: p.CPUUsageMillicores,
		CPURequest: p.CPURequestMillicores, CPULimit: p.CPULimitMillicores,
		MemoryUsagePercent: memory.Percent, MemoryBasis: basisName(memory.Basis), MemoryUsageBytes: p.MemoryUsageBytes,
		MemoryRequest: p.MemoryRequestBytes, MemoryLimit: p.MemoryLimitBytes,
		GPUUsagePercent: p.GPUUtilPercent, GPURequest: p.GPURequest, GPUMemoryUsedBytes: p.GPUMemoryUsedBytes,
		GPUMemoryTotalBytes: p.GPUMemoryTotalBytes, GPUPowerWatts: p.GPUPowerWatts, GPUAttribution: p.GPUAttribution,
		GPUState: v.stateName(k), RequestsRunning: e.running, RequestsWaiting: e.waiting, KVCacheUsageRatio: e.kv,
	}
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
