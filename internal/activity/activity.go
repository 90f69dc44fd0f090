// Package activity says what the GPUs that a pod holds are doing. It is the one
// definition that hourly statistics, the report, alert rules and the SQL views
// share. It holds no thresholds of alerts and reads no files.
//
// # The states
//
//	active     requests are running or tokens moved, or, where no engine says,
//	           GPU utilisation is above usage.BusyPercent
//	idle_held  the pod is ready and measured, and does nothing
//	loading    the pod is not ready
//	unknown    the pod is ready, and no source says whether it works
//
// A pod holds its GPUs while it is on a node and has not ended. What its engine
// says comes before utilisation: a server that waits for requests keeps its
// cards' memory full, and drivers report a few percent on an idle card. In a
// replica of several pods one engine speaks for all of them.
package activity

import (
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// State is what the GPUs that a pod holds are doing.
type State int

// The states. Every allocated GPU-hour is in exactly one of the last four.
const (
	HoldsNone State = iota // the pod holds no GPUs
	Active
	IdleHeld
	Loading
	Unknown
)

// States are the states of a pod that holds GPUs.
var States = [...]State{Active, IdleHeld, Loading, Unknown}

// String is the state's name in JSON, SQL and alert rules; "" for HoldsNone.
func (s State) String() string {
	if s == HoldsNone {
		return ""
	}
	return usage.GPUStates[s-Active]
}

// Name is the state's name, absent for HoldsNone.
func (s State) Name() usage.Opt[string] { return usage.SomeUnless(s.String(), "") }

// Of is the state of one pod. working is what the engine of its replica says
// (see Replicas), absent where none says anything.
func Of(p *usage.Pod, working usage.Opt[bool]) State {
	switch {
	case p.GPURequest <= 0 || !p.Node.Present() || p.Ended():
		return HoldsNone
	case !p.Ready:
		return Loading
	}
	if w, ok := working.Get(); ok {
		return activeIf(w)
	}
	util, ok := p.GPUUtilPercent.Get()
	if !ok {
		return Unknown
	}
	return activeIf(util > usage.BusyPercent)
}

func activeIf(working bool) State {
	if working {
		return Active
	}
	return IdleHeld
}

// Replica names a replica of several pods.
type Replica struct{ Namespace, Group string }

// ReplicaOf is the replica that a pod is a part of; ok is false for a pod that
// is a replica by itself.
func ReplicaOf(p *usage.Pod) (r Replica, ok bool) {
	group, ok := p.ReplicaGroup.Get()
	return Replica{p.Namespace, group}, ok
}

// Replicas is what the engine of each replica of several pods says at one
// instant: true while it works.
type Replicas map[Replica]usage.Opt[bool]

// Add adds what the engine of one of the replica's pods says. The replica works
// if one of its engines does.
func (r Replicas) Add(replica Replica, says usage.Opt[bool]) {
	if working, ok := r[replica].Get(); ok && working || !says.Present() {
		return
	}
	r[replica] = says
}

// Working is what the engine of a pod's replica says; own is what the pod's own
// engine says, which comes first.
func (r Replicas) Working(p *usage.Pod, own usage.Opt[bool]) usage.Opt[bool] {
	if replica, ok := ReplicaOf(p); ok && !own.Present() {
		return r[replica]
	}
	return own
}

// OfAll is the state of each pod of one instant that holds GPUs. working is what
// a pod's own engine says, by pod UID; within a replica it speaks for all pods
// that have no engine of their own.
func OfAll(pods []usage.Pod, working func(podUID string) usage.Opt[bool]) map[usage.PodName]State {
	replicas := Replicas{}
	for i := range pods {
		if r, ok := ReplicaOf(&pods[i]); ok {
			replicas.Add(r, working(pods[i].PodUID))
		}
	}
	states := map[usage.PodName]State{}
	for i := range pods {
		p := &pods[i]
		if s := Of(p, replicas.Working(p, working(p.PodUID))); s != HoldsNone {
			states[p.Name()] = s
		}
	}
	return states
}
