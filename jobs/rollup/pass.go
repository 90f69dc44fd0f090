package rollup

import (
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Prices turn use into cost. A price that is absent makes the cost of what
// needs it unknown, not free.
type Prices struct {
	GPUHour       map[string]float64 // by GPU product
	CPUCoreHour   usage.Opt[float64]
	MemoryGiBHour usage.Opt[float64]
}

// none reports whether no price is set at all; then there are no costs.
func (p Prices) none() bool {
	return len(p.GPUHour) == 0 && !p.CPUCoreHour.Present() && !p.MemoryGiBHour.Present()
}

// cost is what resources cost in an hour; NaN where one that is held has no
// price. What was neither requested nor measured is not charged.
func (p Prices) cost(gpus int32, product usage.Opt[string], millicores, bytes usage.Opt[int64]) float64 {
	total := 0.0
	if gpus > 0 {
		name, _ := product.Get()
		price, ok := p.GPUHour[name]
		if !ok {
			return math.NaN()
		}
		total += float64(gpus) * price
	}
	if price, ok := p.CPUCoreHour.Get(); ok {
		if m, ok := millicores.Get(); ok {
			total += float64(m) / 1000 * price
		}
	}
	if price, ok := p.MemoryGiBHour.Get(); ok {
		if b, ok := bytes.Get(); ok {
			total += float64(b) / (1 << 30) * price
		}
	}
	return total
}

// orElse returns a, or b where a is absent.
func orElse[T any](a, b usage.Opt[T]) usage.Opt[T] {
	if a.Present() {
		return a
	}
	return b
}

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

// track is a key's track, and the replicas of several pods that it has counted.
type track struct {
	*statistics.Track
	counted map[groupKey][]bool
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
	members := map[podKey]groupKey{}
	for rows := pods.next(); rows != nil; rows = pods.next() {
		for i := range rows {
			if group, ok := groupOf(&rows[i]); ok {
				members[podKey{rows[i].Namespace, rows[i].Pod}] = group
			}
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
		group, ok := members[podKey{rows[0].Namespace, rows[0].Pod}]
		if !ok {
			continue
		}
		readings := map[string]reading{} // these rows are read again with their pods
		for i := range rows {
			at := p.run.Index(rows[i].TS, 0)
			if at < 0 {
				continue
			}
			if before, ok := p.state.engines[rows[i].PodUID]; ok && len(readings) == 0 {
				readings[rows[i].PodUID] = before
			}
			if p.groups[group] == nil {
				p.groups[group] = make([]usage.Opt[bool], p.run.Len())
			}
			said := &p.groups[group][at]
			*said = either(*said, readEngine(&rows[i], readings).works)
		}
	}
	return engines.err
}

// card is one GPU at the instants of the pass. Its power and its energy count
// once an instant, however many MIG instances repeat them, and whatever index
// the driver gives it meanwhile.
type card struct {
	node *nodeTrack
	uuid string
	at   []cardAt
}

// cardAt is a card at an instant, as its first row has it.
type cardAt struct {
	there  bool
	ts     time.Time
	energy usage.Opt[int64]
	holder podKey // the pod that alone holds the whole card; zero if there is none
}

// readGPUs adds the cards to their nodes and the cluster.
func (p *pass) readGPUs() error {
	m, err := p.in.gpus()
	if err != nil {
		return err
	}
	node, cards := "", map[string]*card{}
	for rows := m.next(); rows != nil; rows = m.next() {
		if rows[0].Node != node {
			p.endCards(cards)
			node = rows[0].Node
		}
		p.readDevice(rows, cards)
	}
	p.endCards(cards)
	return m.err
}

// readDevice adds the rows of a card, or of one of its MIG instances.
func (p *pass) readDevice(rows []usage.GPU, cards map[string]*card) {
	node := p.node(rows[0].Node)
	tracks := [...]*statistics.Track{node.Track, p.cluster.Track}
	hint := 0
	for i := range rows {
		g := &rows[i]
		at := p.run.Index(g.TS, hint)
		if at < 0 {
			continue
		}
		hint = at + 1
		for _, t := range tracks {
			statistics.AddOpt(t, statistics.GPUUtil, at, g.UtilPercent)
			statistics.AddOpt(t, statistics.GPUMemory, at, g.MemoryUsedBytes)
		}
		c := cards[g.GPUUUID]
		if c == nil {
			c = &card{node: node, uuid: g.GPUUUID, at: make([]cardAt, p.run.Len())}
			cards[g.GPUUUID] = c
		}
		if c.at[at].there {
			continue
		}
		for _, t := range tracks {
			statistics.AddOpt(t, statistics.GPUPower, at, g.PowerWatts)
		}
		c.at[at] = cardAt{there: true, ts: g.TS, energy: g.EnergyMillijoulesTotal}
		if namespace, held := g.Namespace.Get(); held && !g.MIGInstance.Present() && g.ShareCount == 1 {
			pod, _ := g.Pod.Get()
			c.at[at].holder = podKey{namespace, pod}
		}
	}
}

// endCards ends the cards of a node.
func (p *pass) endCards(cards map[string]*card) {
	for _, c := range cards {
		p.endCard(c)
	}
	clear(cards)
}

// endCard adds what the card's energy counter grew by, instant by instant.
func (p *pass) endCard(c *card) {
	for at := range c.at {
		x := &c.at[at]
		if !x.there {
			continue
		}
		before := p.state.cards[c.uuid]
		p.state.cards[c.uuid] = reading{Counters: statistics.Counters{Energy: x.energy}, at: x.ts}
		grown := statistics.Increase(before.Energy, x.energy)
		millijoules, ok := grown.Get()
		if !ok {
			continue
		}
		c.node.Energy, p.cluster.Energy = usage.Add(c.node.Energy, grown), usage.Add(p.cluster.Energy, grown)
		if x.holder == (podKey{}) {
			continue
		}
		held := p.energy[x.holder]
		if held == nil {
			held = make([]int64, len(c.at))
			for i := range held {
				held[i] = noEnergy
			}
			p.energy[x.holder] = held
		}
		held[at] = max(0, held[at]) + millijoules
	}
}

// noEnergy is the energy of an instant at which none was measured.
const noEnergy = -1

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
