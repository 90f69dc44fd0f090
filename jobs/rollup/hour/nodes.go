package hour

import (
	"context"

	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

func (a *Aggregation) node(name string) *nodeTrack {
	n := a.nodes[name]
	if n == nil {
		n = &nodeTrack{Series: statistics.NewSeries(a.timeline), held: make([]int32, a.timeline.Len())}
		a.nodes[name] = n
	}
	return n
}

// productAt is a node's GPU product at an instant, as it was last known then.
func (a *Aggregation) productAt(name string, at int) usage.Opt[string] {
	if n := a.nodes[name]; n != nil && at < len(n.products) {
		return n.products[at]
	}
	if s := a.State.nodes[name]; s != nil { // the node is gone, and its pods are not
		return s.product
	}
	return usage.Opt[string]{}
}

// readProducts reads the nodes' GPU products, by which their pods are priced.
func (a *Aggregation) readProducts(ctx context.Context) error {
	m, err := a.Reader.Nodes(ctx, a.Sources, "ts", "node", "gpu_product")
	if err != nil {
		return err
	}
	for rows := m.Next(); rows != nil; rows = m.Next() {
		n := a.node(rows[0].Node)
		known := usage.Opt[string]{}
		if s := a.State.nodes[rows[0].Node]; s != nil {
			known = s.product
		}
		n.products = make([]usage.Opt[string], a.timeline.Len())
		next := 0 // the first instant whose product is not set yet
		for i := range rows {
			at := a.timeline.Index(rows[i].TS, next)
			if at < 0 {
				continue
			}
			for ; next < at; next++ {
				n.products[next] = known
			}
			if rows[i].GPUProduct.Present() {
				known = rows[i].GPUProduct
				n.product, n.productAt = known, rows[i].TS
			}
		}
		for ; next < len(n.products); next++ {
			n.products[next] = known
		}
	}
	return m.Err()
}

// readNodes adds the nodes' own usage and what their pods left unallocated. A
// node whose device plugin lost cards that pods still hold counts those held.
func (a *Aggregation) readNodes(ctx context.Context) error {
	m, err := a.Reader.Nodes(ctx, a.Sources)
	if err != nil {
		return err
	}
	for rows := m.Next(); rows != nil; rows = m.Next() {
		node := a.node(rows[0].Node)
		hint := 0
		for i := range rows {
			if at := a.timeline.Index(rows[i].TS, hint); at >= 0 {
				hint = at + 1
				a.addNode(node, &rows[i], at)
			}
		}
	}
	return m.Err()
}

func (a *Aggregation) addNode(node *nodeTrack, row *usage.Node, at int) {
	node.Add(statistics.Pods, at, float64(row.PodsRunning), 1)
	held := node.held[at]
	for _, t := range []*statistics.Series{node.Series, a.cluster.Series} {
		t.MarkSeen(at)
		statistics.AddOpt(t, statistics.CPU, at, row.CPUUsageMillicores)
		statistics.AddOpt(t, statistics.Memory, at, row.MemoryUsageBytes)
		t.Add(statistics.CPURequest, at, float64(row.CPURequestedMillicores), 1)
		t.Add(statistics.MemoryRequest, at, float64(row.MemoryRequestedBytes), 1)
		if row.GPUAllocatable > 0 || held > 0 {
			t.Add(statistics.GPUsFree, at, float64(max(0, row.GPUAllocatable-held)), 1)
		}
		if a.Prices.Any() {
			t.Add(statistics.Cost, at, a.Prices.hourly(max(row.GPUAllocatable, held), a.productAt(row.Node, at),
				usage.Some(row.CPUAllocatableMillicores), usage.Some(row.MemoryAllocatableBytes)), 1)
		}
	}
}

// endNodes merges the nodes' tracks into the state; time passes too for nodes
// that were not seen.
func (a *Aggregation) endNodes() {
	s := a.State
	for name, n := range a.nodes {
		if s.nodes[name] == nil {
			s.nodes[name] = &nodeState{}
		}
		if n.product.Present() {
			s.nodes[name].product, s.nodes[name].productAt = n.product, n.productAt
		}
	}
	for name, n := range s.nodes {
		var t *statistics.Series
		if seen := a.nodes[name]; seen != nil {
			t = seen.Series
		}
		n.Append(a.timeline, t)
	}
}
