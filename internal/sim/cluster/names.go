package cluster

import (
	"cmp"
	"strconv"

	"github.com/company/k8s-resource-monitor/internal/sim/chance"
)

// PodName is the name of the slot's pod, as its controller would choose it.
func (s *Slot) PodName(inc int64) string {
	w := s.Workload
	random := chance.Suffix(chance.Hash(s.ID, chance.Key("pod"), uint64(inc)), 5)
	switch w.Kind {
	case "Deployment":
		return w.ReplicaSet(inc) + "-" + random
	case "DaemonSet":
		return w.Name + "-" + random
	case "CronJob":
		return w.Job(inc) + "-" + random
	case "StatefulSet":
		return w.Name + "-" + strconv.Itoa(s.Index)
	case "LeaderWorkerSet":
		name := w.Name + "-" + strconv.Itoa(s.Index/w.Group)
		if i := s.Index % w.Group; i > 0 {
			name += "-" + strconv.Itoa(i)
		}
		return name
	}
	return w.Name + "-" + s.Node.Name
}

// TemplateHash is the pod-template-hash of a Deployment's inc-th template.
func (w *Workload) TemplateHash(inc int64) string {
	return chance.Suffix(chance.Hash(w.Slots[0].ID, chance.Key("template"), uint64(inc)), 10)
}

// ReplicaSet is the name of the ReplicaSet of a Deployment's inc-th template.
func (w *Workload) ReplicaSet(inc int64) string { return w.Name + "-" + w.TemplateHash(inc) }

// Job is the name of a CronJob's run: its time in minutes.
func (w *Workload) Job(inc int64) string {
	return w.Name + "-" + strconv.FormatInt((inc*w.Every+w.Offset)/60, 10)
}

// ContainerNames are those of the slot's pod, the one that does the work first.
func (w *Workload) ContainerNames() []string {
	names := []string{cmp.Or(w.container, "main")}
	if w.Sidecar != "" {
		names = append(names, "sidecar")
	}
	return names
}

// Port is where the pod serves metrics, 0 if it serves none.
func (s *Slot) Port() int {
	switch {
	case s.Workload.Engine != nil:
		return s.Workload.Engine.Port
	case s.Workload.Name == Exporter:
		return 9400
	}
	return 0
}
