package rollup

import (
	"github.com/company/k8s-resource-monitor/internal/statistics"
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

// gpus is the value that counts GPUs in the state.
func (s state) gpus() statistics.Value {
	return [...]statistics.Value{statistics.GPUsFree, statistics.GPUsActive, statistics.GPUsIdleHeld, statistics.GPUsLoading, statistics.GPUsUnknown}[s]
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

// podKey names a pod across tables that do not all know its UID.
type podKey struct{ namespace, pod string }

// groupKey names a replica of several pods. Its engine's metrics come from its
// leader and speak for all.
type groupKey struct{ namespace, group string }

func groupOf(p *usage.Pod) (k groupKey, ok bool) {
	group, ok := p.ReplicaGroup.Get()
	return groupKey{p.Namespace, group}, ok
}

// either is what two pods of a group say together: it works if one does.
func either(a, b usage.Opt[bool]) usage.Opt[bool] {
	if x, ok := a.Get(); !ok || x {
		if ok {
			return a
		}
		return b
	}
	if y, ok := b.Get(); ok && y {
		return b
	}
	return a
}
