package serving

import (
	"github.com/company/k8s-resource-monitor/internal/serving/cmdline"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// What LeaderWorkerSet and KubeRay put on the pods of a group.
const (
	lwsName        = "leaderworkerset.sigs.k8s.io/name"
	lwsGroupIndex  = "leaderworkerset.sigs.k8s.io/group-index"
	lwsWorkerIndex = "leaderworkerset.sigs.k8s.io/worker-index"
	lwsSize        = "leaderworkerset.sigs.k8s.io/size" // an annotation
	rayCluster     = "ray.io/cluster"
	rayNodeType    = "ray.io/node-type"
)

// groupRank is a pod's place in a multi-node group: "0" leads, "" is no group.
type groupRank string

func (r groupRank) worker() bool { return r != "" && r != "0" }

// role is what the pod is in its group.
func (r groupRank) role() usage.Opt[string] {
	switch {
	case r == "":
		return usage.Opt[string]{}
	case r.worker():
		return usage.Some("worker")
	}
	return usage.Some("leader")
}

// lwsGroup is the group of a LeaderWorkerSet's pod.
func lwsGroup(d *usage.PodDetail) (name string, rank groupRank) {
	set, index, rank := d.Labels[lwsName], d.Labels[lwsGroupIndex], groupRank(d.Labels[lwsWorkerIndex])
	if set == "" || index == "" || rank == "" {
		return "", ""
	}
	return set + "-" + index, rank
}

// rayGroup is the group of a KubeRay cluster's pod.
func rayGroup(d *usage.PodDetail) (name string, rank groupRank) {
	switch name = d.Labels[rayCluster]; d.Labels[rayNodeType] {
	case "head":
		return name, "0"
	case "worker":
		return name, "1" // or another
	}
	return "", ""
}

// environment is what is known of a container's variables. LeaderWorkerSet's are
// set by its webhook or refer to labels and annotations.
func environment(d *usage.PodDetail, c *usage.Container) *cmdline.Environment {
	return cmdline.NewEnvironment(c.Env, func(name string) string {
		switch name {
		case "HOSTNAME":
			return d.Row.Pod
		case "LWS_WORKER_INDEX":
			return d.Labels[lwsWorkerIndex]
		case "LWS_GROUP_SIZE":
			return d.Annotations[lwsSize]
		}
		return ""
	})
}
