package kube

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Labels that name a node's properties, the first that is there wins.
var (
	instanceTypeLabels = []string{corev1.LabelInstanceTypeStable, corev1.LabelInstanceType}
	zoneLabels         = []string{corev1.LabelTopologyZone, corev1.LabelFailureDomainBetaZone}
	gpuProductLabels   = []string{"nvidia.com/gpu.product", "cloud.google.com/gke-accelerator", "amd.com/gpu.product-name"}
)

const (
	rolePrefix = "node-role.kubernetes.io/"
	roleLabel  = "kubernetes.io/role"
)

// decodeNode decodes a node and reduces it to its row, as far as the node
// itself tells: what pods request and use is added to a copy.
func decodeNode(item []byte) (usage.Node, error) {
	var node corev1.Node
	if err := decode(item, &node); err != nil {
		return usage.Node{}, err
	}
	return reduceNode(&node), nil
}

func reduceNode(n *corev1.Node) usage.Node {
	row := usage.Node{
		Node:           intern(n.Name),
		Unschedulable:  n.Spec.Unschedulable,
		Roles:          roles(n.Labels),
		InstanceType:   firstLabel(n.Labels, instanceTypeLabels),
		Zone:           firstLabel(n.Labels, zoneLabels),
		KubeletVersion: intern(n.Status.NodeInfo.KubeletVersion),
		CreatedAt:      n.CreationTimestamp.UTC(),
		GPUProduct:     firstLabel(n.Labels, gpuProductLabels),
	}
	row.CPUCapacityMillicores, _ = cpuMillicores(n.Status.Capacity)
	row.MemoryCapacityBytes, _ = memoryBytes(n.Status.Capacity)
	row.CPUAllocatableMillicores, _ = cpuMillicores(n.Status.Allocatable)
	row.MemoryAllocatableBytes, _ = memoryBytes(n.Status.Allocatable)
	row.PodsAllocatable = int32(n.Status.Allocatable.Pods().Value())
	gpus, _ := gpuCount(n.Status.Allocatable)
	row.GPUAllocatable = int32(gpus)
	var pressure []string
	for _, c := range n.Status.Conditions {
		switch {
		case c.Type == corev1.NodeReady:
			row.Ready = c.Status == corev1.ConditionTrue // Unknown, of a lost kubelet, is not ready
		case strings.HasSuffix(string(c.Type), "Pressure") && c.Status == corev1.ConditionTrue:
			pressure = append(pressure, string(c.Type))
		}
	}
	slices.Sort(pressure)
	row.Pressure = strings.Join(pressure, ",")
	return row
}

func roles(labels map[string]string) string {
	var list []string
	for k, v := range labels {
		if role, ok := strings.CutPrefix(k, rolePrefix); ok && role != "" {
			list = append(list, role)
		} else if k == roleLabel && v != "" {
			list = append(list, v)
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ",")
}

func firstLabel(labels map[string]string, names []string) usage.Opt[string] {
	for _, name := range names {
		if v := labels[name]; v != "" {
			return usage.Some(intern(v))
		}
	}
	return usage.Opt[string]{}
}

// addPods fills in what the pods request of each node.
func addPods(nodes []usage.Node, pods []*Pod) {
	byName := make(map[string]*usage.Node, len(nodes))
	for i := range nodes {
		byName[nodes[i].Node] = &nodes[i]
	}
	for _, p := range pods {
		n := byName[p.node.Value()]
		if n == nil || p.shared.Ended() {
			continue
		}
		cpu, _ := p.shared.CPURequestMillicores.Get() // a pod that requests none adds none
		memory, _ := p.shared.MemoryRequestBytes.Get()
		n.CPURequestedMillicores += cpu
		n.MemoryRequestedBytes += memory
		n.GPURequested += p.gpusAlone
		if p.shared.Phase == string(corev1.PodRunning) {
			n.PodsRunning++
		}
	}
}
