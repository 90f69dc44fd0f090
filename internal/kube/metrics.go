package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Usage is what metrics.k8s.io says of a pod or a node: CPU averaged over the
// last window of its provider (10 to 30 s with metrics-server), memory as the
// working set at its end.
type Usage struct {
	CPUMillicores usage.Opt[int64]
	MemoryBytes   usage.Opt[int64]
}

// addUp sums what the containers of a pod use, or gives what a node does. A sum
// that lacks a container is not the pod's: a resource that one of them does not
// name is absent.
func addUp(lists ...corev1.ResourceList) (u Usage) {
	cpuKnown, memoryKnown := len(lists) > 0, len(lists) > 0
	var nanocores, bytes int64
	for _, list := range lists {
		cpu, ok := list[corev1.ResourceCPU]
		cpuKnown = cpuKnown && ok
		nanocores += cpu.ScaledValue(resource.Nano)
		memory, ok := list[corev1.ResourceMemory]
		memoryKnown = memoryKnown && ok
		bytes += memory.Value()
	}
	if cpuKnown {
		u.CPUMillicores = usage.Some((nanocores + 500_000) / 1_000_000) // to the nearest
	}
	if memoryKnown {
		u.MemoryBytes = usage.Some(bytes)
	}
	return u
}

// measurements are what pods use, by namespace and name.
type measurements map[usage.PodName]measured

type measured struct {
	Usage
	at int64 // the end of its window, in Unix seconds
}

// of returns the usage of the pods listed. PodMetrics bears no UID, so what was
// measured before the pod started is of another pod of the same name.
func (m measurements) of(pods []*Pod) []Usage {
	all := make([]Usage, len(pods))
	for i, p := range pods {
		found, ok := m[usage.PodName{Namespace: p.shared.Namespace, Pod: p.name}]
		if ok && (p.started == 0 || found.at >= p.started/1000) {
			all[i] = found.Usage
		}
	}
	return all
}

// listPodMetrics reads what the pods of the namespace use, all where it is "".
func (c *Client) listPodMetrics(ctx context.Context, namespace string, into measurements) error {
	var lists []corev1.ResourceList
	nothing := func() {} // a list that begins anew says the same of the same pods
	return c.list(ctx, metricsPods, namespace, nothing, func(item []byte) error {
		var m metricsv1beta1.PodMetrics
		if err := decode(item, &m); err != nil {
			return err
		}
		lists = lists[:0]
		for i := range m.Containers {
			lists = append(lists, m.Containers[i].Usage)
		}
		into[usage.PodName{Namespace: intern(m.Namespace), Pod: m.Name}] = measured{addUp(lists...), m.Timestamp.Unix()}
		return nil
	})
}

// listNodeMetrics reads what the nodes use, by name.
func (c *Client) listNodeMetrics(ctx context.Context) (map[string]Usage, error) {
	found := map[string]Usage{}
	err := c.list(ctx, metricsNodes, "", func() { clear(found) }, func(item []byte) error {
		var m metricsv1beta1.NodeMetrics
		if err := decode(item, &m); err != nil {
			return err
		}
		found[m.Name] = addUp(m.Usage)
		return nil
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
