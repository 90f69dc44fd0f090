package snapshot

import (
	"cmp"
	"iter"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// samples is everything that a run measured. Pods are many, so they are kept
// in pieces and made rows of one after the other.
type samples struct {
	taken   []time.Time
	pods    [][]sampledPod // of each sample taken, by namespace and name
	nodes   []usage.Node
	gpus    []usage.GPU
	engines []usage.Engine
	gaps    []usage.Gap
}

// sampledPod is one pod in one sample.
type sampledPod struct {
	pod   *kube.Pod
	usage kube.Usage
	more  *measured // nil of most pods
}

// measured is what exporters and engines say of a pod.
type measured struct {
	engine                       string // that answered
	model                        usage.Opt[string]
	utilPercent, powerWatts      usage.Opt[float64]
	memoryUsedBytes, memoryBytes usage.Opt[int64]
	attribution                  usage.Opt[string]
}

// row is the pod's row at the sample's instant.
func (p *sampledPod) row(ts time.Time) usage.Pod {
	row := p.pod.Row()
	row.TS = ts
	row.CPUUsageMillicores, row.MemoryUsageBytes = p.usage.CPUMillicores, p.usage.MemoryBytes
	if m := p.more; m != nil {
		row.Engine, row.Model = cmp.Or(m.engine, row.Engine), cmp.Or(row.Model, m.model)
		row.GPUUtilPercent, row.GPUPowerWatts = m.utilPercent, m.powerWatts
		row.GPUMemoryUsedBytes, row.GPUMemoryTotalBytes, row.GPUAttribution = m.memoryUsedBytes, m.memoryBytes, m.attribution
	}
	return row
}

// holder is the name of a pod that holds a GPU.
type holder struct{ namespace, pod string }

// sampledPods are the pods of a sample, those with GPUs with the figures of
// their GPUs, and those whose engine answered with what it says it is: a server
// whose specification does not name its model names it itself, and in an image
// of another engine it says which it is.
func sampledPods(cluster *kube.Cluster, gpus []usage.GPU, engines map[*usage.PodDetail]*answer[usage.Engine]) []sampledPod {
	holders := map[holder]bool{}
	for _, g := range gpus {
		if pod, ok := g.Pod.Get(); ok {
			namespace, _ := g.Namespace.Get()
			holders[holder{namespace, pod}] = true
		}
	}
	pods := make([]sampledPod, len(cluster.Pods))
	var whose []*sampledPod // the pods that have to do with GPUs
	for i, p := range cluster.Pods {
		s := &pods[i]
		*s = sampledPod{pod: p, usage: cluster.Usage[i]}
		if p.Detail != nil {
			if a := engines[p.Detail]; a != nil && a.err == nil {
				s.more = &measured{engine: a.said.Engine, model: a.said.Model}
			}
		}
		if p.GPURequest() > 0 || holders[holder{p.Namespace(), p.Name()}] {
			whose = append(whose, s)
		}
	}
	rows := make([]usage.Pod, len(whose))
	for i, s := range whose {
		rows[i] = s.pod.Row()
	}
	gpu.Attribute(rows, gpus)
	for i, s := range whose {
		if s.more == nil {
			s.more = &measured{}
		}
		row := &rows[i]
		s.more.utilPercent, s.more.powerWatts, s.more.attribution = row.GPUUtilPercent, row.GPUPowerWatts, row.GPUAttribution
		s.more.memoryUsedBytes, s.more.memoryBytes = row.GPUMemoryUsedBytes, row.GPUMemoryTotalBytes
	}
	return pods
}

// podCount is the number of rows of podRows.
func (s *samples) podCount() (n int) {
	for _, pods := range s.pods {
		n += len(pods)
	}
	return n
}

// podRows are the pod rows of all samples in the table's order. The row is
// valid until the next one.
func (s *samples) podRows() iter.Seq[*usage.Pod] {
	return func(yield func(*usage.Pod) bool) {
		left := append([][]sampledPod(nil), s.pods...)
		for {
			first := -1
			for i, pods := range left {
				if len(pods) > 0 && (first < 0 || compareNames(pods[0].pod, left[first][0].pod) < 0) {
					first = i
				}
			}
			if first < 0 {
				return
			}
			row := left[first][0].row(s.taken[first])
			left[first] = left[first][1:]
			if !yield(&row) {
				return
			}
		}
	}
}

func compareNames(a, b *kube.Pod) int {
	if a == b {
		return 0
	}
	return cmp.Or(strings.Compare(a.Namespace(), b.Namespace()), strings.Compare(a.Name(), b.Name()))
}
