package lake

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// A world is a small cluster in which everything goes wrong that can: a pure
// function of its seed. It is written as the snapshot job and the nodes' NVML
// jobs would, and some of it late.
type world struct {
	r     *rand.Rand
	start time.Time
	nodes []*machine
	slots []*slot
	made  int // pods, for their UIDs
	away  map[string]int
}

// landing is one run's rows, and when they are in the bucket.
type landing struct {
	at      time.Time
	node    string // whose NVML it is of; "": the cluster's
	sampled []time.Time
	rows    usage.Sample
	lands   time.Time
	killed  bool // before its manifest was there
}

// machine is a node.
type machine struct {
	name, product string
	shares        int // pods that may hold a card together
	nvml          bool
	cards         []*card
}

// card is a GPU, whole or in instances.
type card struct {
	uuid      string
	energy    int64
	power     float64
	instances [][]instance // the ways in which it is cut, one of which it is
	cut       int
}

type instance struct {
	id      int32
	profile string
}

// slot is where one pod after the other lives.
type slot struct {
	row     usage.Pod
	name    string // of its pods; new ones are numbered if numbered
	on      []string
	numbers bool
	group   bool // pods of one replica, of which the first answers
	talks   bool // the engine has metrics
	stage   stage
	engine  usage.Engine
	number  int
}

// stage is how far a pod's life has come.
type stage int

const (
	absent stage = iota
	unscheduled
	waiting // on its node
	starting
	serving
	ended
)

// newWorld lays out the cluster.
func newWorld(seed uint64) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 7)), start: time.Date(2026, 2, 28, 20, 0, 0, 0, time.UTC), away: map[string]int{}}
	node := func(name, product string, cards, shares int, nvml bool, cuts ...[]instance) {
		m := &machine{name: name, product: product, shares: shares, nvml: nvml}
		for i := range cards {
			m.cards = append(
				m.cards,
				&card{
					uuid:      fmt.Sprintf("GPU-%s-%d", name, i),
					energy:    w.r.Int64N(1e9),
					power:     100,
					instances: append([][]instance{nil}, cuts...),
				},
			)
			m.cards[i].cut = len(cuts)
		}
		w.nodes = append(w.nodes, m)
	}
	node("cpu-1", "", 0, 1, false)
	node("cpu-2", "", 0, 1, false)
	node("h100-1", "H100", 8, 1, false)
	node("h100-2", "H100", 4, 1, false)
	node("l4-1", "L4", 2, 4, false)
	node("mig-1", "A100", 2, 1, false, []instance{{2, "3g.20gb"}, {5, "1g.5gb"}, {7, "1g.5gb"}}, []instance{{1, "3g.20gb"}, {2, "3g.20gb"}})
	node("nvml-1", "H200", 4, 1, true)
	node("nvml-2", "H200", 1, 1, true, []instance{{1, "3g.71gb"}, {3, "2g.35gb"}, {7, "1g.18gb"}})
	slots := func(n int, namespace, owner, engine, model string, gpus int32, on ...string) []*slot {
		var made []*slot
		for i := range n {
			s := &slot{name: fmt.Sprintf("%s-%d", owner, i), on: on, talks: engine != "" && w.r.IntN(5) > 0}
			s.row = usage.Pod{
				Namespace:  namespace,
				OwnerKind:  usage.Some("StatefulSet"),
				Owner:      usage.Some(owner),
				Engine:     engine,
				GPURequest: gpus,
			}
			s.row.Model = usage.SomeUnless(model, "")
			if w.r.IntN(2) == 0 {
				s.numbers = true
				s.row.OwnerKind = usage.Some("Deployment")
			}
			if w.r.IntN(4) > 0 {
				s.row.CPURequestMillicores, s.row.MemoryRequestBytes = usage.Some(w.r.Int64N(8)*500), usage.Some(w.r.Int64N(4)<<30)
			}
			w.slots = append(w.slots, s)
			made = append(made, s)
		}
		return made
	}
	slots(4, "web", "front", "", "", 0, "cpu-1", "cpu-2", "h100-1")
	slots(3, "web", "job", "", "", 0, "cpu-1", "cpu-2", "h100-2")
	slots(2, "ml", "front", usage.VLLM, "llama", 4, "h100-1", "h100-2") // the owner's name of another namespace
	slots(2, "ml", "qwen", usage.SGLang, "qwen", 2, "h100-1", "h100-2")
	slots(2, "ml", "nameless", usage.VLLM, "", 1, "h100-1", "l4-1")
	slots(2, "lab", "notebook", "", "", 1, "h100-2", "l4-1")
	slots(3, "lab", "small", usage.VLLM, "llama", 1, "l4-1")
	slots(3, "lab", "slice", "", "", 1, "mig-1")
	slots(2, "ml", "slice", usage.SGLang, "tiny", 1, "mig-1")
	slots(2, "ml", "big", usage.VLLM, "big", 2, "nvml-1")
	slots(1, "lab", "two", "", "", 2, "nvml-2")
	slots(1, "lab", "one", usage.VLLM, "tiny", 1, "nvml-2")
	for _, g := range slots(2, "ml", "group", usage.SGLang, "deepseek", 4, "h100-1", "h100-2") {
		g.group, g.numbers, g.row.ReplicaGroup, g.row.OwnerKind = true, false, usage.Some("group-0"), usage.Some("LeaderWorkerSet")
	}
	for i, g := range slots(3, "lab", "ray", usage.VLLM, "deepseek", 1, "h100-1", "h100-2", "l4-1") {
		g.group, g.row.ReplicaGroup, g.row.Owner = true, usage.Some("group-0"), usage.Some(fmt.Sprintf("ray-%d", min(i, 1)))
	}
	bare := slots(1, "lab", "bare", "", "", 0, "cpu-1")[0]
	bare.row.OwnerKind, bare.row.Owner = usage.Opt[string]{}, usage.Opt[string]{}
	return w
}

func (w *world) chance(oneIn int) bool { return w.r.IntN(oneIn) == 0 }

// out reports whether something is away, and lets it go away for a while: one
// time in so many, for up to that many samples.
func (w *world) out(what string, oneIn, most int) bool {
	if w.away[what] == 0 && w.chance(oneIn) {
		w.away[what] = 1 + w.r.IntN(most)
	}
	if w.away[what] > 0 {
		w.away[what]--
		return true
	}
	return false
}

// live is some hours of the world, in the order in which they land.
func (w *world) live(hours int) []landing {
	var all []landing
	for minute := 0; minute < hours*60; minute++ {
		at := w.start.Add(time.Duration(minute) * time.Minute)
		sampled := w.instants(at)
		var cluster usage.Sample
		nodes := map[string]*usage.Sample{}
		for _, ts := range sampled {
			w.sample(ts, &cluster, nodes)
		}
		lost := w.out("snapshots", 60, 40) || w.chance(40)
		for _, m := range w.nodes {
			if rows := nodes[m.name]; rows != nil && !w.chance(25) && w.away["snapshots"] == 0 {
				sort(rows)
				all = append(all, landing{at, m.name, sampled, *rows, w.lands(at), w.chance(60)})
			}
		}
		if lost {
			continue
		}
		sort(&cluster)
		whole := landing{at, "", sampled, cluster, w.lands(at), w.chance(60)}
		all = append(all, whole)
		if w.chance(50) && len(sampled) > 1 { // one sample was all at first, until the run was repeated
			first := whole
			first.sampled, first.rows, first.lands = sampled[:1], at1(cluster, sampled[0]), at.Add(samplePeriod)
			all = append(all, first)
		}
		if w.chance(50) && minute%60 < 59 && !whole.killed { // the next run's rows are the same once more
			minute++
			again := whole
			again.at, again.lands = at.Add(time.Minute), whole.lands.Add(time.Minute)
			all = append(all, again)
		}
	}
	slices.SortStableFunc(all, func(a, b landing) int { return a.lands.Compare(b.lands) })
	return all
}

// at1 are the rows of one instant.
func at1(s usage.Sample, ts time.Time) usage.Sample {
	return usage.Sample{
		Pods:    kept(s.Pods, func(p usage.Pod) bool { return p.TS.Equal(ts) }),
		Nodes:   kept(s.Nodes, func(n usage.Node) bool { return n.TS.Equal(ts) }),
		GPUs:    kept(s.GPUs, func(g usage.GPU) bool { return g.TS.Equal(ts) }),
		Engines: kept(s.Engines, func(e usage.Engine) bool { return e.TS.Equal(ts) }),
		Gaps:    kept(s.Gaps, func(g usage.Gap) bool { return g.TS.Equal(ts) }),
	}
}

func kept[T any](rows []T, want func(T) bool) (out []T) {
	for _, row := range rows {
		if want(row) {
			out = append(out, row)
		}
	}
	return out
}

// instants are those of a run: every half minute, unless the clock is odd.
func (w *world) instants(at time.Time) []time.Time {
	second := at.Add(samplePeriod)
	switch odd := w.r.IntN(40); {
	case odd == 0: // one sample was all
		return []time.Time{at}
	case odd == 1: // the first came too late
		return []time.Time{second}
	case odd == 2: // the run waited for long, perhaps beyond the hour
		return []time.Time{at, at.Add(70*time.Second + time.Duration(w.r.IntN(9000))*time.Millisecond)}
	case odd < 6: // neither is where it should be
		return []time.Time{
			at.Add(time.Duration(w.r.IntN(20_000)) * time.Millisecond),
			second.Add(time.Duration(w.r.IntN(15_000)) * time.Millisecond),
		}
	case odd == 6 && at.Minute() > 1: // the clock was set back behind the run before
		back := time.Duration(31_000+w.r.IntN(25_000)) * time.Millisecond
		return []time.Time{at.Add(-back), at.Add(samplePeriod - back)}
	}
	return []time.Time{at, second}
}

// lands is when a run's objects are there: soon, or hours later.
func (w *world) lands(at time.Time) time.Time {
	if w.chance(25) {
		return at.Add(time.Duration(10+w.r.IntN(170)) * time.Minute)
	}
	return at.Add(90 * time.Second)
}

// sort brings each table into its order.
func sort(s *usage.Sample) {
	store.Pods.Sort(s.Pods)
	store.Nodes.Sort(s.Nodes)
	store.GPUs.Sort(s.GPUs)
	store.Engines.Sort(s.Engines)
	slices.SortFunc(s.Gaps, usage.CompareGaps)
}

// sample lets half a minute pass and appends what there is then.
func (w *world) sample(ts time.Time, all *usage.Sample, nodes map[string]*usage.Sample) {
	var now usage.Sample
	for _, s := range w.slots {
		w.step(s)
		if s.stage != absent {
			now.Pods = append(now.Pods, w.pod(s, ts))
		}
	}
	if w.out("metrics-server", 80, 30) {
		for i := range now.Pods {
			now.Pods[i].CPUUsageMillicores, now.Pods[i].MemoryUsageBytes = usage.Opt[int64]{}, usage.Opt[int64]{}
		}
		now.Gaps = append(now.Gaps, usage.Gap{TS: ts, Source: "metrics-server", Target: "pods", Reason: "did not answer"})
	}
	for _, m := range w.nodes {
		listed := !w.out("node "+m.name, 400, 200)
		if listed {
			now.Nodes = append(now.Nodes, w.node(m, ts))
		} else if w.chance(20) { // sooner or later its pods are gone too
			for _, s := range w.slots {
				if node, _ := s.row.Node.Get(); node == m.name {
					s.stage = absent
				}
			}
		}
		gpus := w.gpus(m, ts, now.Pods)
		switch {
		case w.out("exporter "+m.name, 100, 60):
		case !m.nvml:
			now.GPUs = append(now.GPUs, gpus...)
		default:
			if nodes[m.name] == nil {
				nodes[m.name] = &usage.Sample{}
			}
			nodes[m.name].GPUs = append(nodes[m.name].GPUs, gpus...)
		}
	}
	gpu.Attribute(now.Pods, now.GPUs)
	for _, s := range w.slots {
		if e, ok := w.answer(s, ts); ok {
			now.Engines = append(now.Engines, e)
		}
	}
	all.Pods, all.Nodes, all.GPUs = append(all.Pods, now.Pods...), append(all.Nodes, now.Nodes...), append(all.GPUs, now.GPUs...)
	all.Engines, all.Gaps = append(all.Engines, now.Engines...), append(all.Gaps, now.Gaps...)
}

// step moves a pod's life on.
func (w *world) step(s *slot) {
	switch s.stage {
	case absent:
		if !w.chance(20) {
			return
		}
		w.made++
		s.number++
		s.row.Pod, s.row.PodUID = s.name, fmt.Sprintf("uid-%d", w.made)
		if s.numbers {
			s.row.Pod = fmt.Sprintf("%s-%d", s.name, s.number)
		}
		s.row.Node, s.row.Restarts, s.row.CreatedAt = usage.Opt[string]{}, 0, w.start
		s.engine = usage.Engine{}
		s.stage = unscheduled
	case unscheduled:
		if w.chance(3) {
			s.stage, s.row.Node = waiting, usage.Some(s.on[w.r.IntN(len(s.on))])
		}
	case waiting:
		if w.chance(3) {
			s.stage = starting
		}
	case starting:
		switch w.r.IntN(12) {
		case 0, 1, 2:
			s.stage = serving
			s.row.CPUUsageMillicores, s.row.MemoryUsageBytes = usage.Some(w.r.Int64N(2000)), usage.Some(w.r.Int64N(4<<30))
		case 3:
			w.restart(s)
		}
	case serving:
		switch w.r.IntN(400) {
		case 0, 1:
			s.stage = ended
		case 2, 3, 4:
			w.restart(s)
			s.stage = starting
		case 5:
			s.stage = absent
		case 6: // the server says now which model it serves
			if s.row.Engine != usage.NoEngine {
				s.row.Model = usage.Some("llama")
			}
		}
	case ended:
		if w.chance(20) {
			s.stage = absent
		}
	}
}

func (w *world) restart(s *slot) {
	s.row.Restarts++
	s.engine = usage.Engine{}
	s.row.CPUUsageMillicores, s.row.MemoryUsageBytes = usage.Opt[int64]{}, usage.Opt[int64]{}
}

// pod is the slot's row.
func (w *world) pod(s *slot, ts time.Time) usage.Pod {
	if x, ok := s.row.CPUUsageMillicores.Get(); ok {
		s.row.CPUUsageMillicores = usage.Some(max(0, x+w.r.Int64N(201)-100))
	}
	if x, ok := s.row.MemoryUsageBytes.Get(); ok {
		s.row.MemoryUsageBytes = usage.Some(max(0, x+w.r.Int64N(64<<20)-32<<20))
	}
	p := s.row
	p.TS, p.Ready = ts, s.stage == serving
	p.Phase = [...]string{unscheduled: "Pending", waiting: "Pending", starting: "Running", serving: "Running", ended: "Succeeded"}[s.stage]
	if s.stage == ended && s.number%2 == 0 {
		p.Phase = "Failed"
	}
	if s.stage == ended || w.chance(50) {
		p.CPUUsageMillicores, p.MemoryUsageBytes = usage.Opt[int64]{}, usage.Opt[int64]{}
	}
	return p
}

// answer is what the slot's engine says.
func (w *world) answer(s *slot, ts time.Time) (e usage.Engine, ok bool) {
	if !s.talks || s.stage != serving && !(s.stage == starting && w.chance(4)) {
		return e, false
	}
	grow := func(v *usage.Opt[int64], by int64) {
		x, _ := v.Get()
		*v = usage.Some(x + by)
	}
	spend := func(v *usage.Opt[float64], by float64) {
		x, _ := v.Get()
		*v = usage.Some(x + by*w.r.Float64())
	}
	e = s.engine
	busy := !w.out("work "+s.name+s.row.Namespace, 60, 40)
	running := int64(0)
	if busy {
		running = w.r.Int64N(5)
	}
	e.RequestsRunning, e.RequestsWaiting, e.KVCacheUsageRatio = usage.Some(running), usage.Some(running/2), usage.Some(w.r.Float64())
	grow(&e.PromptTokensTotal, running*w.r.Int64N(3000))
	grow(&e.GenerationTokensTotal, running*w.r.Int64N(500))
	grow(&e.RequestsTotal, running)
	grow(&e.PreemptionsTotal, running/4)
	grow(&e.PrefixCacheQueriesTotal, running*100)
	grow(&e.PrefixCacheHitsTotal, running*40)
	grow(&e.TTFTSecondsCount, running)
	grow(&e.InterTokenSecondsCount, running*200)
	grow(&e.E2ESecondsCount, running)
	spend(&e.TTFTSecondsSum, float64(running))
	spend(&e.InterTokenSecondsSum, float64(running)*4)
	spend(&e.E2ESecondsSum, float64(running)*6)
	s.engine = e
	if s.group && s.name[len(s.name)-1] != '0' && !w.chance(30) {
		return e, false // the leader speaks
	}
	if w.out("answer "+s.name+s.row.Namespace, 80, 300) {
		return e, false
	}
	for _, hide := range [...]*usage.Opt[int64]{&e.RequestsRunning, &e.PromptTokensTotal, &e.GenerationTokensTotal, &e.RequestsWaiting, &e.RequestsTotal, &e.TTFTSecondsCount} {
		if w.chance(25) {
			*hide = usage.Opt[int64]{}
		}
	}
	if s.row.Engine == usage.SGLang {
		e.PreemptionsTotal, e.InterTokenSecondsSum, e.InterTokenSecondsCount = usage.Opt[int64]{}, usage.Opt[float64]{}, usage.Opt[int64]{}
	}
	if w.chance(25) {
		e.KVCacheUsageRatio, e.E2ESecondsSum = usage.Opt[float64]{}, usage.Opt[float64]{}
	}
	e.TS, e.Namespace, e.Pod, e.PodUID, e.Engine, e.Model = ts, s.row.Namespace, s.row.Pod, s.row.PodUID, s.row.Engine, s.row.Model
	return e, true
}

// node is the machine's row.
func (w *world) node(m *machine, ts time.Time) usage.Node {
	n := usage.Node{
		TS:                       ts,
		Node:                     m.name,
		Ready:                    !w.chance(50),
		KubeletVersion:           "v1.36.0",
		CreatedAt:                w.start,
		CPUCapacityMillicores:    64_000,
		CPUAllocatableMillicores: 63_000,
		MemoryCapacityBytes:      512 << 30,
		MemoryAllocatableBytes:   500 << 30,
		PodsAllocatable:          110,
	}
	for _, s := range w.slots {
		if node, ok := s.row.Node.Get(); !ok || node != m.name || s.stage == absent || s.stage == ended {
			continue
		}
		n.PodsRunning++
		n.GPURequested += s.row.GPURequest
		cpu, _ := s.row.CPURequestMillicores.Get()
		memory, _ := s.row.MemoryRequestBytes.Get()
		n.CPURequestedMillicores, n.MemoryRequestedBytes = n.CPURequestedMillicores+cpu, n.MemoryRequestedBytes+memory
	}
	if !w.out("usage "+m.name, 80, 20) {
		n.CPUUsageMillicores, n.MemoryUsageBytes = usage.Some(w.r.Int64N(64_000)), usage.Some(w.r.Int64N(500<<30))
	}
	if m.product != "" && !w.out("label "+m.name, 200, 150) {
		n.GPUProduct = usage.Some(m.product)
	}
	if !w.out("devices "+m.name, 150, 60) {
		for _, c := range m.cards {
			n.GPUAllocatable += int32(max(1, len(c.instances[c.cut])) * m.shares)
		}
	}
	return n
}

// gpus are the machine's devices with the pods that hold them.
func (w *world) gpus(m *machine, ts time.Time, pods []usage.Pod) (rows []usage.GPU) {
	var holders []*usage.Pod // one a device that a pod wants
	for i := range pods {
		p := &pods[i]
		node, _ := p.Node.Get()
		for range p.GPURequest {
			if node == m.name && p.Phase == "Running" {
				holders = append(holders, p)
			}
		}
	}
	reloaded := w.chance(200) // the driver, which may number the cards anew
	if reloaded && len(m.cards) > 1 {
		m.cards[0], m.cards[1] = m.cards[1], m.cards[0]
	}
	for i, c := range m.cards {
		c.power = max(60, c.power+40*(w.r.Float64()-0.5))
		c.energy += int64(c.power * 1000 * samplePeriod.Seconds())
		if reloaded {
			c.energy = w.r.Int64N(1000)
		}
		if !m.nvml && len(c.instances) > 1 && w.chance(60) {
			c.cut = w.r.IntN(len(c.instances))
		}
		g := usage.GPU{
			TS:               ts,
			Node:             m.name,
			GPUIndex:         int32(i),
			GPUUUID:          c.uuid,
			GPUProduct:       m.product,
			MemoryTotalBytes: usage.Some[int64](80 << 30),
			Source:           "dcgm",
		}
		if m.nvml {
			g.Source = "nvml"
		}
		if !w.chance(40) {
			g.PowerWatts = usage.Some(c.power)
		}
		if !w.chance(40) {
			g.EnergyMillijoulesTotal = usage.Some(c.energy)
		}
		parts := c.instances[c.cut]
		for k := range max(1, len(parts)) {
			g := g
			if len(parts) > 0 {
				g.MIGInstance, g.MIGProfile = usage.Some(parts[k].id), usage.Some(parts[k].profile)
			}
			take := min(m.shares, len(holders))
			if take > 0 {
				g.Namespace, g.Pod, g.Container, g.ShareCount = usage.Some(
					holders[0].Namespace,
				), usage.Some(
					holders[0].Pod,
				), usage.Some(
					"main",
				), int32(
					take,
				)
				holders = holders[take:]
			}
			if !w.chance(30) {
				g.UtilPercent = usage.Some(float64(w.r.IntN(4)) * 25 * w.r.Float64())
			}
			if !w.chance(30) {
				g.MemoryUsedBytes = usage.Some(w.r.Int64N(80 << 30))
			}
			rows = append(rows, g)
		}
	}
	return rows
}

// samplePeriod is the time between two samples.
const samplePeriod = 30 * time.Second

// commit writes rows as the snapshot job does: each table that has some, then
// the manifest. The rows are in the order of their tables.
func commit(ctx context.Context, b bucket.Bucket, cluster string, at time.Time, node string, sampled []time.Time, s usage.Sample) error {
	m := report.Manifest{Version: report.Version, Cluster: cluster, At: at, SampledAt: sampled,
		IntervalSeconds: int(samplePeriod / time.Second), Objects: []report.ManifestObject{}, Gaps: []usage.Gap{}}
	put := func(table string, rows int, encode func() ([]byte, error)) error {
		if rows == 0 {
			return nil
		}
		body, err := encode()
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		name := layout.Object{Tier: layout.Raw, Table: table, Cluster: cluster, Time: at, Node: node}.Name()
		m.Objects = append(
			m.Objects,
			report.ManifestObject{Name: name, Table: table, Rows: rows, Bytes: len(body), SHA256: hex.EncodeToString(sum[:])},
		)
		_, err = b.Put(ctx, name, body, bucket.PutOptions{})
		return err
	}
	meta := store.Metadata{Cluster: cluster}
	err := cmp.Or(
		put(usage.Engines, len(s.Engines), func() ([]byte, error) { return store.Engines.Encode(s.Engines, meta) }),
		put(usage.Gaps, len(s.Gaps), func() ([]byte, error) { return store.Gaps.Encode(s.Gaps, meta) }),
		put(usage.GPUs, len(s.GPUs), func() ([]byte, error) { return store.GPUs.Encode(s.GPUs, meta) }),
		put(usage.Nodes, len(s.Nodes), func() ([]byte, error) { return store.Nodes.Encode(s.Nodes, meta) }),
		put(usage.Pods, len(s.Pods), func() ([]byte, error) { return store.Pods.Encode(s.Pods, meta) }))
	if err != nil {
		return err
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = b.Put(ctx, layout.Object{Tier: layout.Manifest, Cluster: cluster, Time: at, Node: node}.Name(), body, bucket.PutOptions{})
	return err
}
