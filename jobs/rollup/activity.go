package rollup

import (
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// state is what the GPUs that a pod holds are doing.
type state int

// The states. Every GPU-hour that is allocated is in exactly one of the last four.
const (
	holdsNone    state = iota
	active             // requests running or tokens moved, else utilisation above busyPercent
	idleHeld           // ready and measured, without work
	loading            // the pod is not ready
	unknownState       // ready, and no source says whether it works
)

// busyPercent is the GPU utilisation above which a pod without engine metrics
// counts as working. Drivers report a few percent on an idle card.
const busyPercent = 5

// String is the state's name in JSON; holdsNone is "".
func (s state) String() string {
	return [...]string{"", "active", "idle_held", "loading", "unknown"}[s]
}

// holds reports whether the pod holds GPUs: it is on a node and has not ended.
func holds(p *usage.Pod) bool { return p.GPURequest > 0 && p.Node.Present() && !p.Ended() }

// podState classifies one pod row; works is what its replica's engine says.
func podState(p *usage.Pod, works usage.Opt[bool]) state {
	if !holds(p) {
		return holdsNone
	}
	if !p.Ready {
		return loading
	}
	if w, ok := works.Get(); ok {
		if w {
			return active
		}
		return idleHeld
	}
	util, ok := p.GPUUtilPercent.Get()
	switch {
	case !ok:
		return unknownState
	case util > busyPercent:
		return active
	}
	return idleHeld
}

// replica is the key of the replica that a pod belongs to: its group, or
// itself. A group's engine metrics come from its leader and speak for all.
func replica(p *usage.Pod) podKey {
	if group, ok := p.ReplicaGroup.Get(); ok {
		return podKey{p.Namespace, "group/" + group}
	}
	return podKey{p.Namespace, p.Pod}
}

// groupWork finds what each multi-pod replica's engine says at each instant,
// for the pods of the group that have no metrics of their own.
func groupWork(pods []usage.Pod, points map[podKey]map[int64]enginePoint) map[podKey]map[int64]usage.Opt[bool] {
	work := map[podKey]map[int64]usage.Opt[bool]{}
	for i := range pods {
		p := &pods[i]
		if !p.ReplicaGroup.Present() {
			continue
		}
		point, ok := points[podKey{p.Namespace, p.Pod}][p.TS.UnixMilli()]
		w, known := point.works.Get()
		if !ok || !known {
			continue
		}
		k := replica(p)
		if work[k] == nil {
			work[k] = map[int64]usage.Opt[bool]{}
		}
		before, _ := work[k][p.TS.UnixMilli()].Get()
		work[k][p.TS.UnixMilli()] = usage.Some(w || before)
	}
	return work
}

// worksAt is what the replica's engine says of the pod at its row's instant.
func worksAt(p *usage.Pod, points map[podKey]map[int64]enginePoint, groups map[podKey]map[int64]usage.Opt[bool]) usage.Opt[bool] {
	if point, ok := points[podKey{p.Namespace, p.Pod}][p.TS.UnixMilli()]; ok && point.works.Present() {
		return point.works
	}
	if p.ReplicaGroup.Present() {
		return groups[replica(p)][p.TS.UnixMilli()]
	}
	return usage.Opt[bool]{}
}
