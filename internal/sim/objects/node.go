package objects

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/company/k8s-resource-monitor/internal/sim/chance"
	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// heartbeat is how often a node's object changes when nothing happens, in
// seconds.
const heartbeat = 300

func nodeUID(n *cluster.Node) types.UID {
	return types.UID(chance.UUID(chance.Hash(chance.Key(n.Name), uint64(n.Created))))
}

// nodeChanged is when the node's object last changed before t, and when it will
// next.
func nodeChanged(n *cluster.Node, t int64) (at, until int64) {
	_, beat := cluster.Last(t, int64(n.Index%heartbeat), heartbeat)
	away, since, until := n.AwayAt(t)
	if away {
		return since, until
	}
	return max(beat, since), min(until, beat+heartbeat)
}

// newNode builds the node as the API server shows it at t.
func newNode(n *cluster.Node, t int64) *corev1.Node {
	gpu := n.Spec.GPU
	at, _ := nodeChanged(n, t)
	labels := map[string]string{
		"kubernetes.io/hostname": n.Name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
		"node.kubernetes.io/instance-type": gpu.Machine, "topology.kubernetes.io/region": "ap-northeast-2",
		"topology.kubernetes.io/zone": "ap-northeast-2" + string("abc"[n.Index%3]),
	}
	switch {
	case n.Control:
		labels["node-role.kubernetes.io/control-plane"] = ""
	case gpu == cluster.NoGPU:
		labels["node-role.kubernetes.io/worker"] = ""
	default:
		labels["node-role.kubernetes.io/gpu"] = ""
		labels["nvidia.com/gpu.present"] = "true"
		labels["nvidia.com/gpu.product"] = gpu.Label
		labels["nvidia.com/gpu.count"] = strconv.Itoa(n.Spec.Count)
		labels["nvidia.com/gpu.memory"] = strconv.Itoa(gpu.Memory)
		labels["nvidia.com/gpu.replicas"] = "1"
		labels["nvidia.com/mig.strategy"] = "mixed"
		labels["nvidia.com/mig.capable"] = strconv.FormatBool(gpu != cluster.L40S)
	}
	capacity := quantities(n.Cores()*1000, int64(gpu.RAMGiB)<<10, 0, "")
	allocatable := quantities(n.Cores()*1000-500, int64(gpu.RAMGiB)<<10-3072, 0, "")
	for _, list := range []corev1.ResourceList{capacity, allocatable} {
		list[corev1.ResourcePods] = *resource.NewQuantity(110, resource.DecimalSI)
		for name, count := range n.GPUs() {
			list[corev1.ResourceName(name)] = *resource.NewQuantity(int64(count), resource.DecimalSI)
		}
	}
	for name, count := range n.GPUs() {
		if name != cluster.WholeGPU {
			labels[name+".count"] = strconv.Itoa(count)
		}
	}
	o := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, UID: nodeUID(n), ResourceVersion: Version(at), CreationTimestamp: stamp(n.Created),
			Labels:      labels,
			Annotations: map[string]string{"node.alpha.kubernetes.io/ttl": "0"}},
		Spec: corev1.NodeSpec{ProviderID: "aws:///ap-northeast-2" + string("abc"[n.Index%3]) + "/i-0" +
			chance.Suffix(chance.Hash(chance.Key(n.Name)), 12)},
		Status: corev1.NodeStatus{Capacity: capacity, Allocatable: allocatable,
			Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: n.IP}, {Type: corev1.NodeHostName, Address: n.Name}},
			NodeInfo: corev1.NodeSystemInfo{MachineID: chance.Suffix(chance.Hash(chance.Key(n.Name), 1), 12), KernelVersion: "6.8.0-1040-aws",
				OSImage:                 "Ubuntu 24.04.3 LTS",
				ContainerRuntimeVersion: "containerd://2.1.5", KubeletVersion: "v1.34.2", OperatingSystem: "linux", Architecture: "amd64"}},
	}
	if gpu != cluster.NoGPU {
		o.Spec.Taints = []corev1.Taint{{Key: cluster.WholeGPU, Value: "present", Effect: corev1.TaintEffectNoSchedule}}
	}
	setConditions(n, o, t, at)
	return o
}

func setConditions(n *cluster.Node, o *corev1.Node, t, at int64) {
	away, since, _ := n.AwayAt(t)
	since = max(since, n.Created)
	for _, c := range []corev1.NodeCondition{
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory",
			Message: "kubelet has sufficient memory available"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure",
			Message: "kubelet has no disk pressure"},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID",
			Message: "kubelet has sufficient PID available"},
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
	} {
		c.LastHeartbeatTime, c.LastTransitionTime = stamp(at), stamp(since)
		if away {
			c.Status, c.Reason, c.Message = corev1.ConditionUnknown, "NodeStatusUnknown", "Kubelet stopped posting node status."
		}
		o.Status.Conditions = append(o.Status.Conditions, c)
	}
	if away {
		added := stamp(since)
		for _, effect := range []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute} {
			o.Spec.Taints = append(o.Spec.Taints, corev1.Taint{Key: "node.kubernetes.io/unreachable", Effect: effect, TimeAdded: &added})
		}
	}
}
