package rows

import (
	"math"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// gpuResources are the extended resources that count whole GPUs, or shares of
// them under a name of their own; migPrefix opens those that count MIG
// instances.
var gpuResources = map[corev1.ResourceName]bool{
	"nvidia.com/gpu":        true,
	"nvidia.com/gpu.shared": true,
	"amd.com/gpu":           true,
	"gpu.intel.com/i915":    true,
	"gpu.intel.com/xe":      true,
	"habana.ai/gaudi":       true,
}

const migPrefix = "nvidia.com/mig-"

func cpuMillicores(l corev1.ResourceList) (int64, bool) {
	q, ok := l[corev1.ResourceCPU]
	return q.MilliValue(), ok // cores → millicores, rounded up
}

func memoryBytes(l corev1.ResourceList) (int64, bool) {
	q, ok := l[corev1.ResourceMemory]
	return q.Value(), ok // bytes
}

func isGPU(name corev1.ResourceName) bool {
	return gpuResources[name] || strings.HasPrefix(string(name), migPrefix)
}

func gpuCount(l corev1.ResourceList) (n int64, ok bool) {
	for name, q := range l {
		if isGPU(name) {
			n += q.Value() // devices or instances
			ok = true
		}
	}
	return n, ok
}

// amount reads one resource of a list and whether the list names it.
type amount func(corev1.ResourceList) (int64, bool)

// of reads the amount of a list as a column: absent where the list does not name it.
func (read amount) of(l corev1.ResourceList) usage.Opt[int64] {
	if n, ok := read(l); ok {
		return usage.Some(n)
	}
	return usage.Opt[int64]{}
}

// podRequests are what the scheduler sets aside for the pod, by the library that it uses itself. While a container is
// resized in place, that is the largest of what the spec asks for, what the node has allocated and what is in force.
func podRequests(p *corev1.Pod) corev1.ResourceList {
	return resourcehelper.PodRequests(p, resourcehelper.PodResourcesOptions{
		UseStatusResources: true,
		// A cluster without this feature leaves the fields that it is about empty.
		InPlacePodLevelResourcesVerticalScalingEnabled: true,
	})
}

// completeGPURequests adds the GPU requests that only a limit states, as the API server does when a pod is created:
// a manifest that no server has seen may lack them.
func completeGPURequests(spec *corev1.PodSpec) {
	for _, containers := range [...][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			r := &containers[i].Resources
			if _, ok := gpuCount(r.Requests); ok {
				continue
			}
			for name, quantity := range r.Limits {
				if !isGPU(name) {
					continue
				}
				if r.Requests == nil {
					r.Requests = corev1.ResourceList{}
				}
				r.Requests[name] = quantity
			}
		}
	}
}

func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// podLimit is the limit that usage is measured against: the pod's own where it has one, else the sum over its containers
// and native sidecars, absent unless each of them has one. Limits in force come before those in the spec, which a node
// may not have applied yet, or cannot apply. Init containers that end and the runtime's overhead are not part of what
// metrics.k8s.io measures and so not of this sum.
func podLimit(p *corev1.Pod, read amount) usage.Opt[int64] {
	if own := p.Spec.Resources; own != nil {
		if n, ok := read(limitsInForce(own.Limits, p.Status.Resources)); ok {
			return usage.Some(n)
		}
	}
	total, containers := int64(0), 0
	for _, list := range [...]struct {
		containers []corev1.Container
		statuses   []corev1.ContainerStatus
		init       bool
	}{{p.Spec.InitContainers, p.Status.InitContainerStatuses, true}, {p.Spec.Containers, p.Status.ContainerStatuses, false}} {
		for i := range list.containers {
			c := &list.containers[i]
			if list.init && !isSidecar(c) {
				continue
			}
			n, ok := read(limitsInForce(c.Resources.Limits, statusResources(list.statuses, c.Name)))
			if !ok {
				return usage.Opt[int64]{}
			}
			containers++
			if total += n; total < 0 {
				total = math.MaxInt64 // each may be as large, meaning no limit
			}
		}
	}
	if containers == 0 {
		return usage.Opt[int64]{}
	}
	return usage.Some(total)
}

// limitsInForce are the limits that the kubelet reports, or the spec's where it reports none.
func limitsInForce(spec corev1.ResourceList, status *corev1.ResourceRequirements) corev1.ResourceList {
	if status != nil && status.Limits != nil {
		return status.Limits
	}
	return spec
}

// statusResources are the resources of a container that are in force, nil if the kubelet reports none.
func statusResources(statuses []corev1.ContainerStatus, container string) *corev1.ResourceRequirements {
	for i := range statuses {
		if statuses[i].Name == container {
			return statuses[i].Resources
		}
	}
	return nil
}
