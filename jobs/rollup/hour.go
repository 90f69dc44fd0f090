package rollup

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

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

// rows are the raw rows that bear on one hour, each table in its order: those
// of the hour, and before them what reaches into it.
type rows struct {
	pods    []usage.Pod
	nodes   []usage.Node
	gpus    []usage.GPU
	engines []usage.Engine
	gaps    []usage.Gap
}

// tables are one hour of every hourly table, each ordered by its key.
type tables struct {
	models     []usage.ModelHour
	workloads  []usage.WorkloadHour
	namespaces []usage.NamespaceHour
	nodes      []usage.NodeHour
	pods       []usage.PodHour
	cluster    []usage.ClusterHour
}

// Keys of the hourly tables.
type (
	modelKey    struct{ namespace, engine, model string }
	workloadKey struct{ namespace, kind, owner string }
)

// hourStatistics computes one hour from its rows. It is pure: the same rows
// give the same tables. Memory is one series an instant for each key but pods,
// which are computed one after the other.
type hourStatistics struct {
	tl       timeline
	interval time.Duration
	prices   Prices

	points map[podKey]map[int64]enginePoint
	groups map[podKey]map[int64]usage.Opt[bool]
	energy map[podKey]map[int64]int64

	models     map[modelKey]*accumulator
	workloads  map[workloadKey]*accumulator
	namespaces map[string]*accumulator
	nodes      map[string]*nodeHour
	cluster    *accumulator
}

// nodeHour is a node's accumulator and what its pods held at each instant.
type nodeHour struct {
	*accumulator
	product usage.Opt[string]
	held    []int32
}

// compute computes the hour that starts at hour.
func compute(hour time.Time, interval time.Duration, closed bool, prices Prices, r rows) tables {
	h := &hourStatistics{
		tl:         newTimeline(hour, interval, closed, r.nodes),
		interval:   interval,
		prices:     prices,
		points:     enginePoints(r.engines),
		models:     map[modelKey]*accumulator{},
		workloads:  map[workloadKey]*accumulator{},
		namespaces: map[string]*accumulator{},
		nodes:      map[string]*nodeHour{},
	}
	h.cluster = newAccumulator(&h.tl)
	h.groups = groupWork(r.pods, h.points)
	for i := range r.nodes { // products first: a pod's cost needs its node's
		n := h.node(r.nodes[i].Node)
		if r.nodes[i].GPUProduct.Present() {
			n.product = r.nodes[i].GPUProduct
		}
	}
	h.readEnergy(r.gpus)
	out := tables{pods: h.readPods(hour, r.pods)}
	h.readGPUs(r.gpus)
	h.readNodes(r.nodes)

	for _, k := range sortedKeys(h.models, func(a, b modelKey) int {
		return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.engine, b.engine), strings.Compare(a.model, b.model))
	}) {
		out.models = append(out.models, usage.ModelHour{Hour: hour, Namespace: k.namespace, Engine: k.engine, Model: k.model,
			Statistics: h.models[k].statistics(interval)})
	}
	for _, k := range sortedKeys(h.workloads, func(a, b workloadKey) int {
		return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.kind, b.kind), strings.Compare(a.owner, b.owner))
	}) {
		out.workloads = append(out.workloads, usage.WorkloadHour{Hour: hour, Namespace: k.namespace, OwnerKind: k.kind, Owner: k.owner,
			Statistics: h.workloads[k].statistics(interval)})
	}
	for _, k := range sortedKeys(h.namespaces, strings.Compare) {
		out.namespaces = append(out.namespaces, usage.NamespaceHour{Hour: hour, Namespace: k, Statistics: h.namespaces[k].statistics(interval)})
	}
	for _, k := range sortedKeys(h.nodes, strings.Compare) {
		out.nodes = append(out.nodes, usage.NodeHour{Hour: hour, Node: k, GPUProduct: h.nodes[k].product, Statistics: h.nodes[k].statistics(interval)})
	}
	if len(h.tl.at) > 0 {
		out.cluster = []usage.ClusterHour{{Hour: hour, Statistics: h.cluster.statistics(interval)}}
	}
	return out
}

func sortedKeys[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	return slices.SortedFunc(maps.Keys(m), compare)
}

// entry returns m[k], made on first use.
func entry[K comparable](m map[K]*accumulator, k K, tl *timeline) *accumulator {
	a := m[k]
	if a == nil {
		a = newAccumulator(tl)
		m[k] = a
	}
	return a
}

func (h *hourStatistics) node(name string) *nodeHour {
	n := h.nodes[name]
	if n == nil {
		n = &nodeHour{accumulator: newAccumulator(&h.tl), held: make([]int32, len(h.tl.at))}
		h.nodes[name] = n
	}
	return n
}

// readEnergy gives each card's energy to its node and the cluster, and keeps
// the part that a single pod holds for readPods.
func (h *hourStatistics) readEnergy(gpus []usage.GPU) {
	h.energy = map[podKey]map[int64]int64{}
	for _, p := range energyPoints(gpus) {
		i := h.tl.of(p.ts)
		if i < 0 || !h.tl.inside(i) {
			continue
		}
		grown := usage.Some(p.millijoules)
		n := h.node(p.node)
		n.energy = usage.Add(n.energy, grown)
		h.cluster.energy = usage.Add(h.cluster.energy, grown)
		if p.pod == (podKey{}) {
			continue
		}
		if h.energy[p.pod] == nil {
			h.energy[p.pod] = map[int64]int64{}
		}
		h.energy[p.pod][p.ts.UnixMilli()] += p.millijoules
	}
}

// readPods adds every pod row to its keys and returns the pods' own hours. The
// rows are ordered by (namespace, pod, ts), so a pod's rows stand together.
func (h *hourStatistics) readPods(hour time.Time, pods []usage.Pod) []usage.PodHour {
	var out []usage.PodHour
	for first := 0; first < len(pods); {
		end := first + 1
		for end < len(pods) && pods[end].Namespace == pods[first].Namespace && pods[end].Pod == pods[first].Pod {
			end++
		}
		for from := first; from < end; {
			to := from + 1
			for to < end && pods[to].PodUID == pods[from].PodUID {
				to++
			}
			if row, ok := h.readPod(hour, pods[from:to]); ok {
				out = append(out, row)
			}
			from = to
		}
		first = end
	}
	return out
}

// readPod adds the rows of one pod; ok is false if none lies within the hour.
func (h *hourStatistics) readPod(hour time.Time, pod []usage.Pod) (row usage.PodHour, ok bool) {
	own := newAccumulator(&h.tl)
	restarts := usage.Opt[int32]{}
	for i := range pod {
		p := &pod[i]
		before := restarts
		restarts = usage.Some(p.Restarts)
		at := h.tl.of(p.TS)
		if at < 0 {
			continue
		}
		// The pod's own keys take its usage; the cluster and the node take
		// theirs from the nodes' and the cards' figures, and share the rest.
		parts := []*accumulator{own, entry(h.namespaces, p.Namespace, &h.tl), entry(h.workloads, workloadOf(p), &h.tl)}
		if p.Engine != usage.NoEngine {
			model, _ := p.Model.Get()
			parts = append(parts, entry(h.models, modelKey{p.Namespace, p.Engine, model}, &h.tl))
		}
		all := append(slices.Clip(parts), h.cluster)
		for _, a := range parts {
			a.see(at)
			a.addUsage(at, p)
		}
		for _, a := range all {
			a.addPod(at, p)
		}
		if node, scheduled := p.Node.Get(); scheduled {
			all = append(all, h.node(node).accumulator)
		}
		if point, found := h.points[podKey{p.Namespace, p.Pod}][p.TS.UnixMilli()]; found {
			for _, a := range all {
				a.addEngine(at, &point)
			}
		}
		h.addHolding(at, p, parts, all)
		if !h.tl.inside(at) {
			continue
		}
		if grown, known := increase(before, usage.Some(p.Restarts)).Get(); known {
			for _, a := range all {
				a.restarts = usage.Add(a.restarts, usage.Some(int64(grown)))
			}
		}
		if millijoules, found := h.energy[podKey{p.Namespace, p.Pod}][p.TS.UnixMilli()]; found {
			for _, a := range parts {
				a.energy = usage.Add(a.energy, usage.Some(millijoules))
			}
		}
	}
	last := &pod[len(pod)-1]
	s := own.statistics(h.interval)
	return usage.PodHour{Hour: hour, Namespace: last.Namespace, Pod: last.Pod, PodUID: last.PodUID, Node: last.Node,
		Engine: last.Engine, Model: last.Model, Statistics: s}, s.Samples > 0
}

// workloadOf is the key of the pod's owner, or of the pod itself.
func workloadOf(p *usage.Pod) workloadKey {
	kind, ok := p.OwnerKind.Get()
	owner, ok2 := p.Owner.Get()
	if !ok || !ok2 {
		return workloadKey{p.Namespace, "Pod", p.Pod}
	}
	return workloadKey{p.Namespace, kind, owner}
}

// addHolding adds the pod's GPU-hours and its cost for the time that instant
// at stands for.
func (h *hourStatistics) addHolding(at int, p *usage.Pod, parts, all []*accumulator) {
	node, scheduled := p.Node.Get()
	if !scheduled || p.Ended() {
		return
	}
	hours := h.tl.hours[at]
	n := h.node(node)
	if s := podState(p, worksAt(p, h.points, h.groups)); s != holdsNone {
		n.held[at] += p.GPURequest
		for _, a := range all {
			a.addGPUHours(s, float64(p.GPURequest)*hours)
		}
	}
	if h.prices.none() {
		return
	}
	cost := h.cost(p.GPURequest, n.product, orElse(p.CPURequestMillicores, p.CPUUsageMillicores),
		orElse(p.MemoryRequestBytes, p.MemoryUsageBytes), hours)
	for _, a := range parts { // nodes and the cluster are priced whole
		a.addCost(cost)
	}
}

// orElse returns a, or b where a is absent.
func orElse[T any](a, b usage.Opt[T]) usage.Opt[T] {
	if a.Present() {
		return a
	}
	return b
}

// cost prices resources held for some hours; absent where one that is held has
// no price. What was neither requested nor measured is not charged.
func (h *hourStatistics) cost(gpus int32, product usage.Opt[string], millicores, bytes usage.Opt[int64], hours float64) usage.Opt[float64] {
	total := 0.0
	if gpus > 0 {
		name, _ := product.Get()
		price, ok := h.prices.GPUHour[name]
		if !ok {
			return usage.Opt[float64]{}
		}
		total += float64(gpus) * price
	}
	if price, ok := h.prices.CPUCoreHour.Get(); ok {
		if m, ok := millicores.Get(); ok {
			total += float64(m) / 1000 * price
		}
	}
	if price, ok := h.prices.MemoryGiBHour.Get(); ok {
		if b, ok := bytes.Get(); ok {
			total += float64(b) / (1 << 30) * price
		}
	}
	return usage.Some(total * hours)
}

// readGPUs adds the cards' utilisation and memory to nodes and the cluster; a
// card's power counts once, however many MIG instances repeat it.
func (h *hourStatistics) readGPUs(gpus []usage.GPU) {
	type cardAt struct {
		uuid string
		at   int
	}
	powered := map[cardAt]bool{}
	for i := range gpus {
		g := &gpus[i]
		at := h.tl.of(g.TS)
		if at < 0 {
			continue
		}
		for _, a := range []*accumulator{h.node(g.Node).accumulator, h.cluster} {
			addOpt(&a.gpuUtil, a.n(), at, g.UtilPercent, 1)
			addOpt(&a.gpuMemory, a.n(), at, g.MemoryUsedBytes, 1)
			if !powered[cardAt{g.GPUUUID, at}] {
				addOpt(&a.gpuPower, a.n(), at, g.PowerWatts, 1)
			}
		}
		powered[cardAt{g.GPUUUID, at}] = true
	}
}

// readNodes adds the nodes' own usage and what their pods left unallocated. A
// node whose device plugin lost cards that are still held counts those held.
func (h *hourStatistics) readNodes(nodes []usage.Node) {
	for i := range nodes {
		row := &nodes[i]
		at := h.tl.of(row.TS)
		if at < 0 {
			continue
		}
		n := h.node(row.Node)
		n.see(at)
		h.cluster.see(at)
		n.pods.add(n.n(), at, float64(row.PodsRunning), 1)
		for _, a := range []*accumulator{n.accumulator, h.cluster} {
			addOpt(&a.cpu, a.n(), at, row.CPUUsageMillicores, 1)
			addOpt(&a.memory, a.n(), at, row.MemoryUsageBytes, 1)
			if row.GPUAllocatable > 0 || n.held[at] > 0 {
				a.addGPUHours(holdsNone, float64(max(0, row.GPUAllocatable-n.held[at]))*h.tl.hours[at])
			}
			if !h.prices.none() {
				a.addCost(h.cost(max(row.GPUAllocatable, n.held[at]), n.product, usage.Some(row.CPUAllocatableMillicores),
					usage.Some(row.MemoryAllocatableBytes), h.tl.hours[at]))
			}
		}
	}
}
