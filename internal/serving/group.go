package serving

import "github.com/company/k8s-resource-monitor/internal/usage"

// Labels that LeaderWorkerSet puts on the pods of a group.
const (
	lwsName        = "leaderworkerset.sigs.k8s.io/name"
	lwsGroupIndex  = "leaderworkerset.sigs.k8s.io/group-index"
	lwsWorkerIndex = "leaderworkerset.sigs.k8s.io/worker-index"
)

// groupRank is a pod's place in a multi-node group: "0" leads, "" is no group.
type groupRank string

func (r groupRank) worker() bool { return r != "" && r != "0" }

// lwsMember fills in the group of a LeaderWorkerSet's pod.
func lwsMember(d *usage.PodDetail, id *Identity) groupRank {
	name, index := d.Labels[lwsName], d.Labels[lwsGroupIndex]
	rank := groupRank(d.Labels[lwsWorkerIndex])
	if name == "" || index == "" || rank == "" {
		return ""
	}
	id.ReplicaGroup = usage.Some(name + "-" + index)
	id.Role = usage.Some("leader")
	if rank.worker() {
		id.Role = usage.Some("worker")
	}
	return rank
}
