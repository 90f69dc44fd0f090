package kube

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Cluster is the cluster at one instant. No row bears a ts.
type Cluster struct {
	Pods     []*usage.PodDetail // by namespace and name; rows lack usage, engine and GPU figures
	Nodes    []usage.Node       // by name
	PodUsage map[Name]Usage     // of the pods that were measured
	Gaps     []usage.Gap        // what could not be read, and why
}

// Sample reads the cluster: all namespaces, or those named. A sum over some
// namespaces is not the cluster's: with namespaces given, the requested
// figures and the running pods of the nodes cover these namespaces alone.
//
// A pod or node list that fails is an error. What else fails is a gap: usage
// is absent without metrics.k8s.io, and a pod is named by its ReplicaSet or
// Job where these cannot be listed.
func (c *Client) Sample(ctx context.Context, namespaces []string) (*Cluster, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(namespaces) == 0 {
		namespaces = []string{""} // all of them
	}
	namespaces = slices.Compact(slices.Sorted(slices.Values(namespaces)))

	var (
		sample        = &Cluster{}
		pods          []*podFacts
		podMetrics    = map[Name]measured{}
		nodeMetrics   map[string]Usage
		podsErr       error
		nodesErr      error
		group, listen = errgroup.WithContext(ctx)
	)
	group.Go(func() (err error) {
		pods, err = c.listPods(listen, namespaces)
		return err
	})
	group.Go(func() (err error) {
		sample.Nodes, err = c.listNodes(listen)
		return err
	})
	group.Go(func() error {
		for _, namespace := range namespaces {
			podsErr = cmp.Or(podsErr, c.listPodMetrics(listen, namespace, podMetrics))
		}
		return nil
	})
	group.Go(func() error {
		nodeMetrics, nodesErr = c.listNodeMetrics(listen)
		return nil
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, err := range [...]error{podsErr, nodesErr} {
		if err != nil {
			sample.Gaps = append(sample.Gaps, metricsGap(err))
		}
	}
	sample.Gaps = append(sample.Gaps, c.resolveOwners(ctx, namespaces, pods)...)
	if err := ctx.Err(); err != nil {
		return nil, err // what is missing for this reason is no gap
	}
	slices.SortFunc(sample.Gaps, usage.CompareGaps)
	sample.Gaps = slices.Compact(sample.Gaps) // pods and nodes lack the same thing for the same reason

	sample.Pods = make([]*usage.PodDetail, len(pods))
	for i, p := range pods {
		sample.Pods[i] = cmp.Or(p.resolved, p.detail)
	}
	slices.SortFunc(sample.Pods, func(a, b *usage.PodDetail) int {
		return cmp.Or(strings.Compare(a.Row.Namespace, b.Row.Namespace), strings.Compare(a.Row.Pod, b.Row.Pod))
	})
	sample.PodUsage = join(sample.Pods, podMetrics)
	addPods(sample.Nodes, sample.Pods)
	for i := range sample.Nodes {
		n := &sample.Nodes[i]
		u := nodeMetrics[n.Node] // absent for a node without metrics
		n.CPUUsageMillicores, n.MemoryUsageBytes = u.CPUMillicores, u.MemoryBytes
	}
	return sample, nil
}

func (c *Client) listPods(ctx context.Context, namespaces []string) (pods []*podFacts, err error) {
	c.pods.begin()
	for _, namespace := range namespaces {
		before := len(pods)
		err := c.list(ctx, corePods, namespace, func() { pods = pods[:before] }, func(i item) error {
			p, err := c.pods.reduce(i, reducePodItem)
			pods = append(pods, p)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	c.pods.end()
	return pods, nil
}

func (c *Client) listNodes(ctx context.Context) (nodes []usage.Node, err error) {
	c.nodes.begin()
	err = c.list(ctx, coreNodes, "", func() { nodes = nodes[:0] }, func(i item) error {
		n, err := c.nodes.reduce(i, reduceNodeItem)
		if err == nil {
			nodes = append(nodes, *n) // a copy, which gets figures of its own
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	c.nodes.end()
	slices.SortFunc(nodes, func(a, b usage.Node) int { return strings.Compare(a.Node, b.Node) })
	return nodes, nil
}
