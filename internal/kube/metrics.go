package kube

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Name names a pod within the cluster.
type Name struct{ Namespace, Pod string }

// Usage is what metrics.k8s.io says of a pod or a node: CPU averaged over the
// last window of its provider (10 to 30 s with metrics-server), memory as the
// working set at its end.
type Usage struct {
	CPUMillicores usage.Opt[int64]
	MemoryBytes   usage.Opt[int64]
}

// measured is a Usage and the end of its window.
type measured struct {
	Usage
	at time.Time
}

// total adds up resource lists: absent where one of them does not name the
// resource, because a sum that lacks a container is not the pod's.
type total struct {
	nanocores, bytes int64
	lists            int
	noCPU, noMemory  bool
}

func (t *total) add(l corev1.ResourceList) {
	t.lists++
	cpu, ok := l[corev1.ResourceCPU]
	t.nanocores += cpu.ScaledValue(resource.Nano) // cores → nanocores
	t.noCPU = t.noCPU || !ok
	memory, ok := l[corev1.ResourceMemory]
	t.bytes += memory.Value() // bytes
	t.noMemory = t.noMemory || !ok
}

func (t *total) usage() (u Usage) {
	if t.lists > 0 && !t.noCPU {
		u.CPUMillicores = usage.Some((t.nanocores + 500_000) / 1_000_000) // nanocores → millicores, to the nearest
	}
	if t.lists > 0 && !t.noMemory {
		u.MemoryBytes = usage.Some(t.bytes)
	}
	return u
}

// listPodMetrics reads what the pods of the namespace use, all where it is "".
func (c *Client) listPodMetrics(ctx context.Context, namespace string, into map[Name]measured) error {
	found := map[Name]measured{}
	err := c.list(ctx, metricsPods, namespace, func() { clear(found) }, func(i item) error {
		var m metricsv1beta1.PodMetrics
		if err := decode(i, &m); err != nil {
			return err
		}
		var t total
		for _, container := range m.Containers {
			t.add(container.Usage)
		}
		found[Name{m.Namespace, m.Name}] = measured{t.usage(), m.Timestamp.UTC()}
		return nil
	})
	if err != nil {
		return err
	}
	for name, m := range found {
		into[name] = m
	}
	return nil
}

// listNodeMetrics reads what the nodes use, by name.
func (c *Client) listNodeMetrics(ctx context.Context) (map[string]Usage, error) {
	found := map[string]Usage{}
	err := c.list(ctx, metricsNodes, "", func() { clear(found) }, func(i item) error {
		var m metricsv1beta1.NodeMetrics
		if err := decode(i, &m); err != nil {
			return err
		}
		var t total
		t.add(m.Usage)
		found[m.Name] = t.usage()
		return nil
	})
	return found, err
}

// join returns the usage of the pods listed. PodMetrics bears no UID, so a
// reading that ended before the pod started is another pod's of the same name.
func join(pods []*usage.PodDetail, metrics map[Name]measured) map[Name]Usage {
	joined := make(map[Name]Usage, len(metrics))
	for _, p := range pods {
		name := Name{p.Row.Namespace, p.Row.Pod}
		m, ok := metrics[name]
		if started, known := p.Row.StartedAt.Get(); ok && !(known && m.at.Before(started)) {
			joined[name] = m.Usage
		}
	}
	return joined
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
