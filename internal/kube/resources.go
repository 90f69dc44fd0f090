package kube

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

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

func gpuCount(l corev1.ResourceList) (n int64, ok bool) {
	for name, q := range l {
		if gpuResources[name] || strings.HasPrefix(string(name), migPrefix) {
			n += q.Value() // devices or instances
			ok = true
		}
	}
	return n, ok
}

// amount reads one resource of a list and whether the list names it.
type amount func(corev1.ResourceList) (int64, bool)

// gpuRequest is a container's. A GPU's request equals its limit, and a pod
// that no server has completed may state the limit alone.
func gpuRequest(r corev1.ResourceRequirements) (int64, bool) {
	if n, ok := gpuCount(r.Requests); ok {
		return n, true
	}
	return gpuCount(r.Limits)
}

func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// effectiveRequest is what the scheduler sets aside for the pod: the larger of
// what runs together (containers and native sidecars) and the peak while init
// containers run, or the request of the pod as a whole where it has one; and
// the runtime's overhead. Absent where nothing of the pod requests any.
func effectiveRequest(spec *corev1.PodSpec, of func(corev1.ResourceRequirements) (int64, bool), overhead amount) usage.Opt[int64] {
	var together, sidecars, peak int64
	present := false
	for i := range spec.InitContainers {
		n, ok := of(spec.InitContainers[i].Resources)
		present = present || ok
		if isSidecar(&spec.InitContainers[i]) {
			sidecars += n // runs on beside the init containers after it
			peak = max(peak, sidecars)
		} else {
			peak = max(peak, sidecars+n)
		}
	}
	for i := range spec.Containers {
		n, ok := of(spec.Containers[i].Resources)
		present = present || ok
		together += n
	}
	total := max(together+sidecars, peak)
	if spec.Resources != nil {
		if n, ok := of(*spec.Resources); ok {
			total, present = n, true
		}
	}
	if n, ok := overhead(spec.Overhead); ok {
		total += n
		present = true
	}
	if !present {
		return usage.Opt[int64]{}
	}
	return usage.Some(total)
}

// effectiveLimit is the limit of all that runs together, against which usage
// is measured: the pod's own where it has one, else the sum over containers
// and native sidecars, absent unless each of them has one. Init containers
// that end and the runtime's overhead are not in what metrics.k8s.io measures
// and so not in here.
func effectiveLimit(spec *corev1.PodSpec, of amount) usage.Opt[int64] {
	if spec.Resources != nil {
		if n, ok := of(spec.Resources.Limits); ok {
			return usage.Some(n)
		}
	}
	total := int64(0)
	for i := range spec.InitContainers {
		if !isSidecar(&spec.InitContainers[i]) {
			continue
		}
		n, ok := of(spec.InitContainers[i].Resources.Limits)
		if !ok {
			return usage.Opt[int64]{}
		}
		total += n
	}
	for i := range spec.Containers {
		n, ok := of(spec.Containers[i].Resources.Limits)
		if !ok {
			return usage.Opt[int64]{}
		}
		total += n
	}
	if len(spec.Containers) == 0 {
		return usage.Opt[int64]{}
	}
	return usage.Some(total)
}

// request lifts an amount to the requests of a container.
func request(of amount) func(corev1.ResourceRequirements) (int64, bool) {
	return func(r corev1.ResourceRequirements) (int64, bool) { return of(r.Requests) }
}

// noOverhead is the overhead of resources that a runtime takes none of.
func noOverhead(corev1.ResourceList) (int64, bool) { return 0, false }
