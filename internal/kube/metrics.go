package kube

import (
	"context"
	"fmt"
	"hash/maphash"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Usage is what metrics.k8s.io says of a pod or a node: CPU averaged over the
// last window of its provider (10 to 30 s with metrics-server), memory as the
// working set at its end.
type Usage struct {
	CPUMillicores usage.Opt[int64]
	MemoryBytes   usage.Opt[int64]
}

// reading is one PodMetrics or NodeMetrics: the sum over what it lists. The
// sum is absent where one of them does not name the resource, because a sum
// that lacks a container is not the pod's.
type reading struct {
	namespace, name  []byte // valid as long as the item
	at               int64  // end of its window, in Unix milliseconds
	nanocores, bytes int64
	lists            int
	noCPU, noMemory  bool
}

func (r *reading) usage() (u Usage) {
	if r.lists > 0 && !r.noCPU {
		u.CPUMillicores = usage.Some((r.nanocores + 500_000) / 1_000_000) // nanocores → millicores, to the nearest
	}
	if r.lists > 0 && !r.noMemory {
		u.MemoryBytes = usage.Some(r.bytes)
	}
	return u
}

// measurements are the readings of the pods, by a hash of their names: these
// are in memory once, with the pods. Two of a million pods have the same hash
// less than once in ten million samples.
type measurements struct {
	seed    maphash.Seed
	byPod   ordered[measured]
	scratch []byte
}

type measured struct {
	Usage
	at int64 // Unix seconds
}

// newMeasurements has room for so many pods, and for more.
func newMeasurements(pods int) *measurements {
	return &measurements{seed: maphash.MakeSeed(), byPod: ordered[measured]{entries: make([]entry[measured], 0, pods)}}
}

func hashOf[S []byte | string](m *measurements, namespace, name S) uint64 {
	m.scratch = append(append(append(m.scratch[:0], namespace...), '/'), name...)
	return maphash.Bytes(m.seed, m.scratch)
}

// of returns the usage of the pods listed. PodMetrics bears no UID, so a
// reading that ended before the pod started is another pod's of the same name.
func (m *measurements) of(pods []*Pod) []Usage {
	all := make([]Usage, len(pods))
	for i, p := range pods {
		r, ok := m.byPod.find(hashOf(m, p.shared.namespace, p.name))
		if ok && (p.started == 0 || r.at >= p.started/1000) {
			all[i] = r.Usage
		}
	}
	return all
}

// listPodMetrics reads what the pods of the namespace use, all where it is "".
func (c *Client) listPodMetrics(ctx context.Context, namespace string, into *measurements) error {
	before := len(into.byPod.entries)
	return c.list(ctx, metricsPods, namespace, func() { into.byPod.entries = into.byPod.entries[:before] }, func(i item) error {
		r, err := readMetrics(i, ofPod)
		if err == nil {
			into.byPod.add(hashOf(into, r.namespace, r.name), measured{r.usage(), r.at / 1000})
		}
		return err
	})
}

// listNodeMetrics reads what the nodes use, by name.
func (c *Client) listNodeMetrics(ctx context.Context) (map[string]Usage, error) {
	found := map[string]Usage{}
	err := c.list(ctx, metricsNodes, "", func() { clear(found) }, func(i item) error {
		r, err := readMetrics(i, ofNode)
		if err == nil {
			found[string(r.name)] = r.usage()
		}
		return err
	})
	return found, err
}

// metricsGap says why usage is missing and what mends it.
func metricsGap(err error) usage.Gap {
	reason := err.Error()
	switch {
	case apierrors.IsNotFound(err):
		reason = "metrics.k8s.io is not served: install metrics-server (kubectl apply -f " +
			"https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml)"
	case apierrors.IsServiceUnavailable(err):
		reason = "metrics.k8s.io is registered and does not answer: look at metrics-server " +
			"(kubectl get apiservice v1beta1.metrics.k8s.io; kubectl -n kube-system logs deploy/metrics-server)"
	case apierrors.IsForbidden(err):
		reason = fmt.Sprintf("the account may not read metrics.k8s.io: add the rule "+
			"{apiGroups: [metrics.k8s.io], resources: [pods, nodes], verbs: [get, list]} to its ClusterRole: %v", err)
	}
	return usage.Gap{Source: "metrics-server", Target: metricsPods.group, Reason: reason}
}
