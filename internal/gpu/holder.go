package gpu

import (
	"cmp"
	"slices"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Holder is a container that holds a device.
type Holder struct{ Namespace, Pod, Container string }

// Holders are the containers that hold one device, each once.
type Holders []Holder

// Add takes in a container that may be among them already: one container may
// hold several shares of a device.
func (h *Holders) Add(one Holder) {
	if !slices.Contains(*h, one) {
		*h = append(*h, one)
	}
}

// Fill writes the holders into a device's row: share_count says how many there
// are, and namespace, pod and container name the first of them in that order.
// Without any the columns are NULL and the device is free.
func (h Holders) Fill(row *usage.GPU) {
	row.ShareCount = int32(len(h))
	if len(h) == 0 {
		return
	}
	first := slices.MinFunc(h, func(a, b Holder) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.Container, b.Container))
	})
	row.Namespace, row.Pod, row.Container = usage.Some(first.Namespace), usage.Some(first.Pod), usage.Some(first.Container)
}
