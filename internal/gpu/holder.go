package gpu

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// holder is a container that holds a device.
type holder struct{ namespace, pod, container string }

// holders are the containers that hold one device, each once.
type holders []holder

// add takes in a container that may be among them already: one container may
// hold several shares of a device.
func (h *holders) add(one holder) {
	if !slices.Contains(*h, one) {
		*h = append(*h, one)
	}
}

// fill writes the holders into a device's row: share_count says how many there
// are, and namespace, pod and container name the first of them in that order.
// Without any the columns are NULL and the device is free.
func (h holders) fill(row *usage.GPU) {
	row.ShareCount = int32(len(h))
	if len(h) == 0 {
		return
	}
	first := slices.MinFunc(h, func(a, b holder) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.pod, b.pod), cmp.Compare(a.container, b.container))
	})
	row.Namespace, row.Pod, row.Container = usage.Some(first.namespace), usage.Some(first.pod), usage.Some(first.container)
}

// String is the container as messages name it.
func (h holder) String() string {
	return fmt.Sprintf("container %s of pod %s", quote(h.container), quote(h.namespace+"/"+h.pod))
}
