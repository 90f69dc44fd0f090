package rows

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

// Node makes a node's row, as far as the node itself tells: without what pods
// request and use.
func Node(n *corev1.Node) usage.Node {
	row := usage.Node{
		Node:           n.Name,
		Unschedulable:  n.Spec.Unschedulable,
		Roles:          roles(n.Labels),
		InstanceType:   firstLabel(n.Labels, instanceTypeLabels),
		Zone:           firstLabel(n.Labels, zoneLabels),
		KubeletVersion: n.Status.NodeInfo.KubeletVersion,
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
			return usage.Some(v)
		}
	}
	return usage.Opt[string]{}
}
