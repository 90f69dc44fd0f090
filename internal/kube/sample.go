package kube

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Query says what to read.
type Query struct {
	Namespaces []string // nil: all
	Inspect    Inspect
	// Kept is told of every pod whose detail is kept, while pods are listed; of the
	// same pod twice if the list begins anew.
	Kept func(*usage.PodDetail)
	// Kubelets takes usage from the kubelets rather than from metrics.k8s.io.
	// What they counted up to the sample before is the base of CPU usage.
	Kubelets bool
	Before   CPUCounters
}

// Cluster is the cluster at one instant. No row bears a ts.
type Cluster struct {
	Pods  []*Pod       // by namespace and name; rows lack usage and GPU figures
	Usage []Usage      // of the pods, in their order: absent figures where a pod was not measured
	Nodes []usage.Node // by name
	Gaps  []usage.Gap  // what could not be read, and why
	CPU   CPUCounters  // what the kubelets counted, if they were asked
}

// Inspect looks at a pod and completes its row: what it serves, and the image
// that does. It returns whether the detail is of use after that. It is asked
// again when the pod changes, and by one goroutine at a time.
type Inspect func(*usage.PodDetail) (keep bool)

// Sample reads the cluster. A sum over some namespaces is not the cluster's:
// with namespaces given, the requested figures and the running pods of the
// nodes cover these namespaces alone.
//
// A pod or node list that fails is an error. What else fails is a gap: usage
// is absent without metrics.k8s.io, and a pod is named by its ReplicaSet or
// Job where these cannot be listed.
//
// A pod that has not changed since the last sample is handed out again, and
// its row may name an owner by then that was not known before.
func (c *Client) Sample(ctx context.Context, q Query) (*Cluster, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	namespaces := []string{""} // all of them
	if len(q.Namespaces) > 0 {
		namespaces = slices.Compact(slices.Sorted(slices.Values(q.Namespaces)))
	}

	known := c.pods.Len()
	var (
		sample        = &Cluster{}
		podMetrics    measurements
		nodeMetrics   map[string]Usage
		podsErr       error
		nodesErr      error
		group, listen = errgroup.WithContext(ctx)
	)
	group.Go(func() (err error) {
		sample.Pods, err = c.listPods(listen, namespaces, q)
		return err
	})
	group.Go(func() (err error) {
		sample.Nodes, err = c.listNodes(listen)
		return err
	})
	group.Go(func() error {
		if q.Kubelets {
			return nil
		}
		podMetrics = make(measurements, known)
		for _, namespace := range namespaces {
			podsErr = cmp.Or(podsErr, c.listPodMetrics(listen, namespace, podMetrics))
		}
		return nil
	})
	group.Go(func() error {
		if !q.Kubelets {
			nodeMetrics, nodesErr = c.listNodeMetrics(listen)
		}
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
	sample.Gaps = append(sample.Gaps, c.resolveOwners(ctx, namespaces, sample.Pods)...)
	sample.Gaps = append(sample.Gaps, c.addClaims(ctx, namespaces, sample.Pods)...)
	if err := ctx.Err(); err != nil {
		return nil, err // what is missing for this reason is no gap
	}
	slices.SortFunc(sample.Gaps, usage.CompareGaps)
	sample.Gaps = slices.Compact(sample.Gaps) // pods and nodes lack the same thing for the same reason

	addPods(sample.Nodes, sample.Pods)
	if q.Kubelets {
		sample.CPU = c.readKubelets(ctx, sample, q.Before)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return sample, nil
	}
	sample.Usage = podMetrics.of(sample.Pods)
	for i := range sample.Nodes {
		n := &sample.Nodes[i]
		u := nodeMetrics[n.Node] // absent for a node without metrics
		n.CPUUsageMillicores, n.MemoryUsageBytes = u.CPUMillicores, u.MemoryBytes
	}
	return sample, nil
}

// listPods lists the pods by namespace and name.
func (c *Client) listPods(ctx context.Context, namespaces []string, q Query) (pods []*Pod, err error) {
	siblings := newSiblings()
	reduce := func(item []byte) (Pod, error) { return siblings.reduce(item, q.Inspect) }
	c.pods.Begin()
	for _, namespace := range namespaces {
		before := len(pods)
		reset := func() { pods = pods[:before] }
		err := c.list(ctx, corePods, namespace, reset, func(item []byte) error {
			p, err := c.pods.Reduce(item, reduce)
			if err != nil {
				return err
			}
			if p.Detail != nil && q.Kept != nil {
				q.Kept(p.Detail)
			}
			pods = append(pods, p)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	c.pods.End()
	slices.SortFunc(pods, func(a, b *Pod) int {
		return cmp.Or(strings.Compare(a.shared.Namespace, b.shared.Namespace), strings.Compare(a.name, b.name))
	})
	return pods, nil
}

func (c *Client) listNodes(ctx context.Context) (nodes []usage.Node, err error) {
	c.nodes.Begin()
	reset := func() { nodes = nodes[:0] }
	err = c.list(ctx, coreNodes, "", reset, func(item []byte) error {
		n, err := c.nodes.Reduce(item, decodeNode)
		if err == nil {
			nodes = append(nodes, *n) // a copy, which gets figures of its own
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	c.nodes.End()
	slices.SortFunc(nodes, func(a, b usage.Node) int { return strings.Compare(a.Node, b.Node) })
	return nodes, nil
}
