package publish

import (
	"time"

	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const (
	podsInOneObject = 20_000 // up to which all pods are one object
	podsInAChunk    = 10_000 // about which a larger cluster's pods are cut
)

// podChunks cuts the pods where a namespace ends; a namespace that is larger
// than a chunk is cut within.
func (v *view) podChunks() [][]usage.Pod {
	if len(v.pods) == 0 {
		return nil
	}
	if len(v.pods) <= podsInOneObject {
		return [][]usage.Pod{v.pods}
	}
	var chunks [][]usage.Pod
	start, boundary := 0, 0
	for i := 1; i <= len(v.pods); i++ {
		if i == len(v.pods) {
			return append(chunks, v.pods[start:])
		}
		if v.pods[i].Namespace != v.pods[i-1].Namespace {
			boundary = i
		}
		if i-start >= podsInAChunk {
			cut := i
			if boundary > start {
				cut = boundary
			}
			chunks = append(chunks, v.pods[start:cut])
			start = cut
		}
	}
	return chunks
}

// dictionary builds a column of strings.
type dictionary struct {
	column report.Strings
	index  map[string]int32
}

func newDictionary(rows int) *dictionary {
	return &dictionary{report.Strings{Dictionary: []string{}, Indexes: make([]int32, 0, rows)}, map[string]int32{}}
}

func (d *dictionary) add(s string) {
	i, ok := d.index[s]
	if !ok {
		i = int32(len(d.column.Dictionary))
		d.index[s] = i
		d.column.Dictionary = append(d.column.Dictionary, s)
	}
	d.column.Indexes = append(d.column.Indexes, i)
}

func (d *dictionary) addOpt(o usage.Opt[string]) {
	if s, ok := o.Get(); ok {
		d.add(s)
		return
	}
	d.column.Indexes = append(d.column.Indexes, -1)
}

// plain and nullable make a column of strings from rows.
func plain[T any](rows []T, get func(*T) string) report.Strings {
	d := newDictionary(len(rows))
	for i := range rows {
		d.add(get(&rows[i]))
	}
	return d.column
}

func nullable[T any](rows []T, get func(*T) usage.Opt[string]) report.Strings {
	d := newDictionary(len(rows))
	for i := range rows {
		d.addOpt(get(&rows[i]))
	}
	return d.column
}

// numbers makes a column of numbers from rows.
func numbers[T, V any](rows []T, get func(*T) V) []V {
	column := make([]V, len(rows))
	for i := range rows {
		column[i] = get(&rows[i])
	}
	return column
}

func wide(o usage.Opt[int32]) usage.Opt[int64] {
	if v, ok := o.Get(); ok {
		return usage.Some(int64(v))
	}
	return usage.Opt[int64]{}
}

func millis(t time.Time) usage.Opt[int64] { return usage.Some(t.UnixMilli()) }

func (v *view) podsData(stamp report.Stamp, rows []usage.Pod) report.PodsData {
	// Documents hold what a pod's columns need, so that the page and the API
	// cannot disagree.
	docs := make([]report.Pod, len(rows))
	for i := range rows {
		docs[i] = v.podDocument(&rows[i])
	}
	type pod = report.Pod
	return report.PodsData{
		Stamp: stamp, Count: len(docs),
		Namespace:            plain(docs, func(p *pod) string { return p.Namespace }),
		Pod:                  plain(docs, func(p *pod) string { return p.Name }),
		Node:                 nullable(docs, func(p *pod) usage.Opt[string] { return p.NodeName }),
		OwnerKind:            nullable(docs, func(p *pod) usage.Opt[string] { return p.OwnerKind }),
		Owner:                nullable(docs, func(p *pod) usage.Opt[string] { return p.Owner }),
		Phase:                plain(docs, func(p *pod) string { return p.Phase }),
		Reason:               nullable(docs, func(p *pod) usage.Opt[string] { return p.Reason }),
		Ready:                numbers(docs, func(p *pod) bool { return p.Ready }),
		Restarts:             numbers(docs, func(p *pod) usage.Opt[int64] { return usage.Some(int64(p.Restarts)) }),
		CreatedAt:            numbers(docs, func(p *pod) usage.Opt[int64] { return millis(p.CreationTime) }),
		Image:                plain(docs, func(p *pod) string { return p.Image }),
		ModelType:            plain(docs, func(p *pod) string { return p.ModelType }),
		Model:                nullable(docs, func(p *pod) usage.Opt[string] { return p.Model }),
		Role:                 nullable(docs, func(p *pod) usage.Opt[string] { return p.Role }),
		ReplicaGroup:         nullable(docs, func(p *pod) usage.Opt[string] { return p.ReplicaGroup }),
		IdentifiedBy:         nullable(docs, func(p *pod) usage.Opt[string] { return p.IdentifiedBy }),
		CPUUsagePercent:      numbers(docs, func(p *pod) usage.Opt[float64] { return p.CPUUsagePercent }),
		CPUBasis:             nullable(docs, func(p *pod) usage.Opt[string] { return p.CPUBasis }),
		CPUUsageMillicores:   numbers(docs, func(p *pod) usage.Opt[int64] { return p.CPUUsageMillicores }),
		CPURequestMillicores: numbers(docs, func(p *pod) usage.Opt[int64] { return p.CPURequest }),
		CPULimitMillicores:   numbers(docs, func(p *pod) usage.Opt[int64] { return p.CPULimit }),
		MemoryUsagePercent:   numbers(docs, func(p *pod) usage.Opt[float64] { return p.MemoryUsagePercent }),
		MemoryBasis:          nullable(docs, func(p *pod) usage.Opt[string] { return p.MemoryBasis }),
		MemoryUsageBytes:     numbers(docs, func(p *pod) usage.Opt[int64] { return p.MemoryUsageBytes }),
		MemoryRequestBytes:   numbers(docs, func(p *pod) usage.Opt[int64] { return p.MemoryRequest }),
		MemoryLimitBytes:     numbers(docs, func(p *pod) usage.Opt[int64] { return p.MemoryLimit }),
		GPURequest:           numbers(docs, func(p *pod) usage.Opt[int64] { return usage.Some(int64(p.GPURequest)) }),
		GPUUsagePercent:      numbers(docs, func(p *pod) usage.Opt[float64] { return p.GPUUsagePercent }),
		GPUMemoryUsedBytes:   numbers(docs, func(p *pod) usage.Opt[int64] { return p.GPUMemoryUsedBytes }),
		GPUMemoryTotalBytes:  numbers(docs, func(p *pod) usage.Opt[int64] { return p.GPUMemoryTotalBytes }),
		GPUPowerWatts:        numbers(docs, func(p *pod) usage.Opt[float64] { return p.GPUPowerWatts }),
		GPUAttribution:       nullable(docs, func(p *pod) usage.Opt[string] { return p.GPUAttribution }),
		GPUState:             nullable(docs, func(p *pod) usage.Opt[string] { return p.GPUState }),
		RequestsRunning:      numbers(docs, func(p *pod) usage.Opt[int64] { return p.RequestsRunning }),
		RequestsWaiting:      numbers(docs, func(p *pod) usage.Opt[int64] { return p.RequestsWaiting }),
		KVCacheUsageRatio:    numbers(docs, func(p *pod) usage.Opt[float64] { return p.KVCacheUsageRatio }),
	}
}

func (v *view) gpusData(stamp report.Stamp) report.GPUsData {
	type gpu = usage.GPU
	m := v.gpuMap(stamp)
	return report.GPUsData{
		Stamp: stamp, Count: m.Count,
		Node:               m.Node,
		GPUIndex:           numbers(v.gpus, func(g *gpu) usage.Opt[int64] { return usage.Some(int64(g.GPUIndex)) }),
		Product:            plain(v.gpus, func(g *gpu) string { return g.GPUProduct }),
		MIGProfile:         nullable(v.gpus, func(g *gpu) usage.Opt[string] { return g.MIGProfile }),
		MIGInstance:        numbers(v.gpus, func(g *gpu) usage.Opt[int64] { return wide(g.MIGInstance) }),
		Namespace:          nullable(v.gpus, func(g *gpu) usage.Opt[string] { return g.Namespace }),
		Pod:                nullable(v.gpus, func(g *gpu) usage.Opt[string] { return g.Pod }),
		ShareCount:         numbers(v.gpus, func(g *gpu) usage.Opt[int64] { return usage.Some(int64(g.ShareCount)) }),
		State:              m.State,
		UtilPercent:        m.UtilPercent,
		MemoryUsedBytes:    numbers(v.gpus, func(g *gpu) usage.Opt[int64] { return g.MemoryUsedBytes }),
		MemoryTotalBytes:   numbers(v.gpus, func(g *gpu) usage.Opt[int64] { return g.MemoryTotalBytes }),
		PowerWatts:         numbers(v.gpus, func(g *gpu) usage.Opt[float64] { return g.PowerWatts }),
		TemperatureCelsius: numbers(v.gpus, func(g *gpu) usage.Opt[int64] { return wide(g.TemperatureCelsius) }),
		XIDLast:            numbers(v.gpus, func(g *gpu) usage.Opt[int64] { return wide(g.XIDLast) }),
	}
}

func (v *view) gpuMap(stamp report.Stamp) report.GPUMap {
	type gpu = usage.GPU
	return report.GPUMap{
		Stamp: stamp, Count: len(v.gpus),
		Node: plain(v.gpus, func(g *gpu) string { return g.Node }),
		State: nullable(v.gpus, func(g *gpu) usage.Opt[string] {
			namespace, held := g.Namespace.Get()
			pod, _ := g.Pod.Get()
			if !held {
				return usage.Opt[string]{}
			}
			return v.stateName(usage.PodName{Namespace: namespace, Pod: pod})
		}),
		UtilPercent: numbers(v.gpus, func(g *gpu) usage.Opt[float64] { return g.UtilPercent }),
	}
}
