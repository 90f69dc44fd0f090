package rollup

import (
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// streams are the rows of some snapshots of one hour, each table a thing at a
// time.
type streams struct {
	instants []time.Time // of the snapshots, in any order
	pods     func() (*merger[usage.Pod], error)
	grouped  func() (*merger[usage.Pod], error) // their names and groups alone
	nodes    func() (*merger[usage.Node], error)
	products func() (*merger[usage.Node], error) // their names and GPU products alone
	gpus     func() (*merger[usage.GPU], error)
	engines  func() (*merger[usage.Engine], error)
}

// pass folds some snapshots of one hour into the hour's state and gives the
// hour's rows. What it holds is as large as the state without its pods, and as
// the instants of the pass; pods go by one after the other.
type pass struct {
	prices Prices
	run    *statistics.Timeline
	closed bool
	state  *hourState
	in     streams
	keep   func([]usage.Pod) error // takes the rows of the pods as they go by

	groups  map[groupKey][]usage.Opt[bool] // what the engine of a replica of several pods says
	energy  map[podKey][]int64             // by instant, of what one pod alone holds
	nodes   map[string]*nodeTrack
	cluster *track

	namespaces tracks[string]
	models     tracks[modelKey]
	workloads  tracks[workloadKey]
}

// nodeTrack is a node's track and the GPUs that its pods hold.
type nodeTrack struct {
	*statistics.Track
	held     []int32
	products []usage.Opt[string] // by instant
	label    usage.Opt[string]   // the product that a row of the pass said last, and when
	labelAt  time.Time
}

// fold runs the pass. Without out it only makes the state.
func (p *pass) fold(interval time.Duration, out *hourRows) error {
	p.run = statistics.NewTimeline(p.state.hour, interval, p.state.last, p.in.instants)
	p.energy, p.nodes, p.groups = map[podKey][]int64{}, map[string]*nodeTrack{}, map[groupKey][]usage.Opt[bool]{}
	p.namespaces, p.models, p.workloads = newTracks[string](p.run), newTracks[modelKey](p.run), newTracks[workloadKey](p.run)
	if p.keep == nil {
		p.keep = func([]usage.Pod) error { return nil }
	}
	p.cluster = &track{Track: statistics.NewTrack(p.run)}
	if p.run.Len() == 0 { // nothing new: the pods go by for their rows alone
		if err := p.readPods(out); err != nil {
			return err
		}
	} else if err := p.readAll(out); err != nil {
		return err
	}
	s := p.state
	for name, n := range p.nodes {
		if s.nodes[name] == nil {
			s.nodes[name] = &nodeState{}
		}
		if n.label.Present() {
			s.nodes[name].product, s.nodes[name].productAt = n.label, n.labelAt
		}
	}
	for name, n := range s.nodes {
		n.Take(p.nodes[name].track(), p.run)
	}
	s.cluster.Take(p.cluster.Track, p.run)
	s.last = p.run.Last()
	return nil
}

// readAll reads first what pods need to know of others, and last what nodes
// need to know of their pods.
func (p *pass) readAll(out *hourRows) error {
	var group errgroup.Group
	group.Go(p.readGroups)
	group.Go(func() error {
		if err := p.readProducts(); err != nil {
			return err
		}
		return p.readGPUs()
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if err := p.readPods(out); err != nil {
		return err
	}
	return p.readNodes()
}

func (n *nodeTrack) track() *statistics.Track {
	if n == nil {
		return nil
	}
	return n.Track
}

func (p *pass) node(name string) *nodeTrack {
	n := p.nodes[name]
	if n == nil {
		n = &nodeTrack{Track: statistics.NewTrack(p.run), held: make([]int32, p.run.Len())}
		p.nodes[name] = n
	}
	return n
}

// productAt is the product of a node at an instant: as the pass or the state
// knew it last.
func (p *pass) productAt(name string, at int) usage.Opt[string] {
	if n := p.nodes[name]; n != nil && at < len(n.products) {
		return n.products[at]
	}
	if s := p.state.nodes[name]; s != nil { // it is gone, and its pods are not
		return s.product
	}
	return usage.Opt[string]{}
}

// readProducts finds the nodes' GPU products first: what a pod costs needs them.
func (p *pass) readProducts() error {
	m, err := p.in.products()
	if err != nil {
		return err
	}
	for rows := m.next(); rows != nil; rows = m.next() {
		n := p.node(rows[0].Node)
		known := usage.Opt[string]{}
		if s := p.state.nodes[rows[0].Node]; s != nil {
			known = s.product
		}
		n.products = make([]usage.Opt[string], p.run.Len())
		next := 0
		for i := range rows {
			at := p.run.Index(rows[i].TS, next)
			if at < 0 {
				continue
			}
			for ; next < at; next++ {
				n.products[next] = known
			}
			if known = orElse(rows[i].GPUProduct, known); rows[i].GPUProduct.Present() {
				n.label, n.labelAt = known, rows[i].TS
			}
		}
		for ; next < len(n.products); next++ {
			n.products[next] = known
		}
	}
	return m.err
}

// readGroups finds what the engine of each replica of several pods says, for
// those of its pods that have no engine metrics of their own.
func (p *pass) readGroups() error {
	pods, err := p.in.grouped()
	if err != nil {
		return err
	}
	members := map[podKey][]groupKey{} // by instant
	for rows := pods.next(); rows != nil; rows = pods.next() {
		for i := range rows {
			at := p.run.Index(rows[i].TS, 0)
			group, ok := groupOf(&rows[i])
			if !ok || at < 0 {
				continue
			}
			name := podKey{rows[i].Namespace, rows[i].Pod}
			if members[name] == nil {
				members[name] = make([]groupKey, p.run.Len())
			}
			members[name][at] = group
		}
	}
	if pods.err != nil || len(members) == 0 {
		return pods.err
	}
	engines, err := p.in.engines()
	if err != nil {
		return err
	}
	for rows := engines.next(); rows != nil; rows = engines.next() {
		groups := members[podKey{rows[0].Namespace, rows[0].Pod}]
		if groups == nil {
			continue
		}
		readings := map[string]reading{} // these rows are read again with their pods
		for i := range rows {
			at := p.run.Index(rows[i].TS, 0)
			if at < 0 {
				continue
			}
			if _, known := readings[rows[i].PodUID]; !known {
				if before, ok := p.state.engines[rows[i].PodUID]; ok {
					readings[rows[i].PodUID] = before
				}
			}
			works, group := readEngine(&rows[i], readings).works, groups[at]
			if group == (groupKey{}) {
				continue
			}
			if p.groups[group] == nil {
				p.groups[group] = make([]usage.Opt[bool], p.run.Len())
			}
			p.groups[group][at] = either(p.groups[group][at], works)
		}
	}
	return engines.err
}

// readNodes adds the nodes' own usage and what their pods left unallocated. A
// node whose device plugin lost cards that are still held counts those held.
func (p *pass) readNodes() error {
	m, err := p.in.nodes()
	if err != nil {
		return err
	}
	for rows := m.next(); rows != nil; rows = m.next() {
		node := p.node(rows[0].Node)
		hint := 0
		for i := range rows {
			row := &rows[i]
			at := p.run.Index(row.TS, hint)
			if at < 0 {
				continue
			}
			hint = at + 1
			node.Add(statistics.Pods, at, float64(row.PodsRunning), 1)
			held := node.held[at]
			for _, t := range []*statistics.Track{node.Track, p.cluster.Track} {
				t.See(at)
				statistics.AddOpt(t, statistics.CPU, at, row.CPUUsageMillicores)
				statistics.AddOpt(t, statistics.Memory, at, row.MemoryUsageBytes)
				t.Add(statistics.CPURequest, at, float64(row.CPURequestedMillicores), 1)
				t.Add(statistics.MemoryRequest, at, float64(row.MemoryRequestedBytes), 1)
				if row.GPUAllocatable > 0 || held > 0 {
					t.Add(statistics.GPUsFree, at, float64(max(0, row.GPUAllocatable-held)), 1)
				}
				if !p.prices.none() {
					t.Add(statistics.Cost, at, p.prices.cost(max(row.GPUAllocatable, held), p.productAt(row.Node, at),
						usage.Some(row.CPUAllocatableMillicores), usage.Some(row.MemoryAllocatableBytes)), 1)
				}
			}
		}
	}
	return m.err
}
