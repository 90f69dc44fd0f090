package sim

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// heartbeat is how often a node's object changes when nothing happens, in
// seconds.
const heartbeat = 300

func (n *node) uid() types.UID { return types.UID(uuid(hash(key(n.name), uint64(n.created)))) }

// changed is when the node's object last changed before t, and when it will
// next.
func (n *node) changed(t int64) (at, until int64) {
	_, beat := last(t, int64(n.index%heartbeat), heartbeat)
	away, since, until := n.awayAt(t)
	if away {
		return since, until
	}
	return max(beat, since), min(until, beat+heartbeat)
}

// object builds the node as the API server shows it at t.
func (n *node) object(t int64) *corev1.Node {
	gpu := n.spec.gpu
	at, _ := n.changed(t)
	labels := map[string]string{
		"kubernetes.io/hostname": n.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
		"node.kubernetes.io/instance-type": gpu.machine, "topology.kubernetes.io/region": "ap-northeast-2",
		"topology.kubernetes.io/zone": "ap-northeast-2" + string("abc"[n.index%3]),
	}
	switch {
	case n.control:
		labels["node-role.kubernetes.io/control-plane"] = ""
	case gpu == none:
		labels["node-role.kubernetes.io/worker"] = ""
	default:
		labels["node-role.kubernetes.io/gpu"] = ""
		labels["nvidia.com/gpu.present"] = "true"
		labels["nvidia.com/gpu.product"] = gpu.label
		labels["nvidia.com/gpu.count"] = strconv.Itoa(n.spec.count)
		labels["nvidia.com/gpu.memory"] = strconv.Itoa(gpu.memory)
		labels["nvidia.com/gpu.replicas"] = "1"
		labels["nvidia.com/mig.strategy"] = "mixed"
		labels["nvidia.com/mig.capable"] = strconv.FormatBool(gpu != l40s)
	}
	capacity := quantities(n.cores()*1000, int64(gpu.ramGiB)<<10, 0, "")
	allocatable := quantities(n.cores()*1000-500, int64(gpu.ramGiB)<<10-3072, 0, "")
	for _, list := range []corev1.ResourceList{capacity, allocatable} {
		list[corev1.ResourcePods] = *resource.NewQuantity(110, resource.DecimalSI)
		for name, count := range n.gpus() {
			list[corev1.ResourceName(name)] = *resource.NewQuantity(int64(count), resource.DecimalSI)
		}
	}
	for name, count := range n.gpus() {
		if name != wholeGPU {
			labels[name+".count"] = strconv.Itoa(count)
		}
	}
	o := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.name, UID: n.uid(), ResourceVersion: version(at), CreationTimestamp: stamp(n.created), Labels: labels,
			Annotations: map[string]string{"node.alpha.kubernetes.io/ttl": "0"}},
		Spec: corev1.NodeSpec{ProviderID: "aws:///ap-northeast-2" + string("abc"[n.index%3]) + "/i-0" + suffix(hash(key(n.name)), 12)},
		Status: corev1.NodeStatus{Capacity: capacity, Allocatable: allocatable,
			Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: n.ip}, {Type: corev1.NodeHostName, Address: n.name}},
			NodeInfo: corev1.NodeSystemInfo{MachineID: suffix(hash(key(n.name), 1), 12), KernelVersion: "6.8.0-1040-aws", OSImage: "Ubuntu 24.04.3 LTS",
				ContainerRuntimeVersion: "containerd://2.1.5", KubeletVersion: "v1.34.2", OperatingSystem: "linux", Architecture: "amd64"}},
	}
	if gpu != none {
		o.Spec.Taints = []corev1.Taint{{Key: wholeGPU, Value: "present", Effect: corev1.TaintEffectNoSchedule}}
	}
	n.conditions(o, t, at)
	return o
}

func (n *node) conditions(o *corev1.Node, t, at int64) {
	away, since, _ := n.awayAt(t)
	since = max(since, n.created)
	for _, c := range []corev1.NodeCondition{
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure", Message: "kubelet has no disk pressure"},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "kubelet has sufficient PID available"},
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

// cores is the number of the node's CPUs.
func (n *node) cores() int64 { return int64(n.spec.gpu.cpus) }

// gpus counts the node's devices by resource name.
func (n *node) gpus() map[string]int {
	counts := map[string]int{}
	for _, d := range n.devices {
		counts[d.resource]++
	}
	return counts
}
