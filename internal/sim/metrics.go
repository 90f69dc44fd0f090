package sim

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// metrics-server's resolution: usage is the average of a window that ended at
// a multiple of it.
const resolution = 15

// used is what the pod uses, in millicores and bytes. ok is false where
// metrics-server has no two readings of every container.
func (s *slot) used(st state, now int64) (millicores, bytes int64, ok bool) {
	if !st.runs() || now-st.started < 2*resolution {
		return 0, 0, false
	}
	at := now - now%resolution
	busy := s.loadAt(st, float64(at)).busy
	if s.w.engine == nil && st.phase == ready {
		busy = min(1, s.curve.at(float64(at)).busy)
	}
	noise := 0.96 + 0.08*unit(hash(s.id, 11, uint64(at)))
	between := func(use [2]int64) float64 { return float64(use[0]) + busy*float64(use[1]-use[0]) }
	return int64(noise * between(s.w.cpuUse)), int64((0.99 + noise/100) * between(s.w.memUse) * (1 << 20)), true
}

func usageList(millicores, bytes int64) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewScaledQuantity(millicores*1_000_000, resource.Nano),
		corev1.ResourceMemory: *resource.NewQuantity(bytes>>10<<10, resource.BinarySI),
	}
}

func (c *Cluster) podMetricsItems(now int64) []item {
	items := make([]item, 0, len(c.slots))
	for _, s := range c.slots {
		st := s.at(now)
		millicores, bytes, ok := s.used(st, now)
		if st.phase == gone || !ok {
			continue
		}
		name := s.podName(st.inc)
		items = append(items, item{namespace: s.w.namespace, name: name, object: func() object {
			m := &metricsv1beta1.PodMetrics{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.w.namespace, CreationTimestamp: stamp(now), Labels: s.labels()},
				Timestamp: stamp(now - now%resolution), Window: metav1.Duration{Duration: resolution * time.Second}}
			for i, container := range s.w.containerNames() {
				cpu, memory := millicores, bytes
				if i > 0 {
					cpu, memory = 3, 24<<20 // a sidecar does little
				}
				m.Containers = append(m.Containers, metricsv1beta1.ContainerMetrics{Name: container, Usage: usageList(cpu, memory)})
			}
			return m
		}})
	}
	return sorted(items)
}

func (c *Cluster) nodeMetricsItems(now int64) []item {
	var items []item
	for _, n := range c.nodes {
		if away, _, _ := n.awayAt(now); away {
			continue
		}
		items = append(items, item{name: n.name, object: func() object {
			cpu, memory := n.cores()*6, int64(n.spec.gpu.ramGiB)<<30/64 // the system's own
			for _, s := range n.slots {
				if m, b, ok := s.used(s.at(now), now); ok {
					cpu, memory = cpu+m, memory+b
				}
			}
			return &metricsv1beta1.NodeMetrics{ObjectMeta: metav1.ObjectMeta{Name: n.name, CreationTimestamp: stamp(now)},
				Timestamp: stamp(now - now%resolution), Window: metav1.Duration{Duration: resolution * time.Second}, Usage: usageList(cpu, memory)}
		}})
	}
	return sorted(items)
}
