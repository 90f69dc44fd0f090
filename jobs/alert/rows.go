package alert

import (
	"slices"
	"time"

	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// rows holds one row of each kind, filled again for every subject, and the view
// through which rules see it.
type rows struct {
	pod      podRow
	node     nodeRow
	gpu      gpuRow
	model    modelRow
	snapshot snapshotRow

	onPod, onNode, onGPU, onModel, onSnapshot view
}

func newRows(rules []Rule, t report.Thresholds) *rows {
	r := &rows{}
	r.onPod, r.onNode, r.onGPU = newView(&r.pod, t), newView(&r.node, t), newView(&r.gpu, t)
	r.onModel, r.onSnapshot = newView(&r.model, t), newView(&r.snapshot, t)
	for i := range rules {
		v := r.view(rules[i].On)
		v.rules = append(v.rules, &rules[i])
	}
	return r
}

// view is that of a kind, nil if there is no such kind.
func (r *rows) view(kind string) *view {
	return map[string]*view{onPod: &r.onPod, onNode: &r.onNode, onGPU: &r.onGPU, onModel: &r.onModel, onSnapshot: &r.onSnapshot}[kind]
}

func (r *rows) hasRule(kind, name string) bool {
	v := r.view(kind)
	return v != nil && slices.ContainsFunc(v.rules, func(r *Rule) bool { return r.Name == name })
}

// podRow is what a rule on pods sees. Percents are of the first of limit,
// request and the node's allocatable that is known; the basis says which.
type podRow struct {
	usage.Pod
	CPUPercent       usage.Opt[float64]     `column:"cpu_percent"`
	CPUBasis         usage.Opt[usage.Basis] `column:"cpu_basis"`
	CPUWhole         usage.Opt[int64]       `column:"cpu_whole_millicores"` // what 100 percent is
	MemoryPercent    usage.Opt[float64]     `column:"memory_percent"`
	MemoryBasis      usage.Opt[usage.Basis] `column:"memory_basis"`
	MemoryWhole      usage.Opt[int64]       `column:"memory_whole_bytes"`
	GPUMemoryPercent usage.Opt[float64]     `column:"gpu_memory_percent"`
	GPUState         usage.Opt[string]      `column:"gpu_state"` // what the GPUs that it holds are doing
}

// set fills the row. node is nil where the pod's node is not known.
func (r *podRow) set(p *usage.Pod, node *usage.Node, gpuState usage.Opt[string]) {
	var cpuWhole, memoryWhole usage.Opt[int64]
	if node != nil {
		cpuWhole, memoryWhole = usage.Some(node.CPUAllocatableMillicores), usage.Some(node.MemoryAllocatableBytes)
	}
	cpu, memory := p.CPUShare(cpuWhole), p.MemoryShare(memoryWhole)
	*r = podRow{*p, cpu.Percent, cpu.Basis, cpu.Whole, memory.Percent, memory.Basis, memory.Whole,
		usage.Percent(p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes), gpuState}
}

// nodeRow is what a rule on nodes sees. Percents are of allocatable.
type nodeRow struct {
	usage.Node
	CPUPercent    usage.Opt[float64] `column:"cpu_percent"`
	MemoryPercent usage.Opt[float64] `column:"memory_percent"`
}

func (r *nodeRow) set(n *usage.Node) {
	*r = nodeRow{*n, usage.Percent(n.CPUUsageMillicores, usage.Some(n.CPUAllocatableMillicores)),
		usage.Percent(n.MemoryUsageBytes, usage.Some(n.MemoryAllocatableBytes))}
}

// gpuRow is what a rule on GPUs sees.
type gpuRow struct {
	usage.GPU
	GPUMemoryPercent usage.Opt[float64] `column:"gpu_memory_percent"`
}

func (r *gpuRow) set(g *usage.GPU) {
	*r = gpuRow{*g, usage.Percent(g.MemoryUsedBytes, g.MemoryTotalBytes)}
}

// modelRow is what a rule on models sees: the pods of a namespace that serve
// one model. Requests are summed and the cache ratio is the fullest one; each
// is absent where no pod reports it.
type modelRow struct {
	TS                time.Time          `column:"ts"`
	Namespace         string             `column:"namespace"`
	Model             string             `column:"model"`
	Engine            string             `column:"engine"`
	Pods              int32              `column:"pods"` // that have not ended
	PodsReady         int32              `column:"pods_ready"`
	RequestsRunning   usage.Opt[int64]   `column:"requests_running"`
	RequestsWaiting   usage.Opt[int64]   `column:"requests_waiting"`
	KVCacheUsageRatio usage.Opt[float64] `column:"kv_cache_usage_ratio"`
}

// add counts a pod. engine is nil where its engine reports nothing.
func (r *modelRow) add(p *usage.Pod, engine *usage.Engine) {
	r.Pods++
	if p.Ready {
		r.PodsReady++
	}
	if engine == nil {
		return
	}
	r.RequestsRunning = usage.Add(r.RequestsRunning, engine.RequestsRunning)
	r.RequestsWaiting = usage.Add(r.RequestsWaiting, engine.RequestsWaiting)
	if ratio, ok := engine.KVCacheUsageRatio.Get(); ok {
		fullest, _ := r.KVCacheUsageRatio.Get() // 0 where there is none: ratios are not negative
		r.KVCacheUsageRatio = usage.Some(max(fullest, ratio))
	}
}

// snapshotRow is what a rule on the snapshot itself sees, once a run.
type snapshotRow struct {
	SampledAt       usage.Opt[time.Time] `column:"sampled_at"` // the newest committed sample
	AgeSeconds      usage.Opt[float64]   `column:"age_seconds"`
	IntervalSeconds usage.Opt[int64]     `column:"interval_seconds"` // between samples
	AgeIntervals    usage.Opt[float64]   `column:"age_intervals"`    // see usage.AgeIntervals
}

func (r *snapshotRow) set(at, sampledAt time.Time, interval time.Duration) {
	*r = snapshotRow{}
	if !sampledAt.IsZero() && interval > 0 {
		age := at.Sub(sampledAt)
		*r = snapshotRow{SampledAt: usage.Some(sampledAt), AgeSeconds: usage.Some(age.Seconds()),
			IntervalSeconds: usage.Some(int64(interval / time.Second)),
			AgeIntervals:    usage.Some(usage.AgeIntervals(age, interval))}
	}
}
