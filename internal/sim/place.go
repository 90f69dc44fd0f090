package sim

import (
	"fmt"
	"net/netip"
	"strconv"
)

// node is one machine.
type node struct {
	name    string
	spec    *nodeSpec
	index   int
	control bool // a control-plane node
	leaves  bool
	xid     bool
	created int64 // also when it was booted
	ip      string
	devices []*device
	slots   []*slot
}

// device is what a pod can hold: a whole GPU or one MIG instance of it.
type device struct {
	card     int // index on the node
	id       uint64
	uuid     string // of the instance
	cardUUID string // the same for a whole GPU
	resource string
	profile  string // of a MIG instance, "" for a whole GPU
	instance int    // GPU_I_ID
	slices   int    // of the card's seven compute slices; 7 for a whole GPU
	memory   int    // MiB
	holders  []*slot
}

// slot is a place for one pod of a workload: where it runs and what load it
// gets. The pods that fill it one after the other are in story.go.
type slot struct {
	w       *workload
	index   int
	node    *node // nil: never scheduled
	id      uint64
	created int64
	curve   *curve
	share   float64 // of the curve
	ip      netip.Addr
	devices []*device
}

// serves reports whether the slot's pod answers on its engine's port: in a
// multi-node group only the leader does.
func (s *slot) serves() bool {
	return s.w.engine != nil && (s.w.group == 0 || s.index%s.w.group == 0)
}

// storyEvery says which repetitions of the pattern have accidents: the first
// and each eighth after it, or thousands of nodes would leave at 03:20.
const storyEvery = 8

func (c *Cluster) build() {
	counts := map[string]int{}
	width := max(2, len(strconv.Itoa(c.cfg.Nodes)))
	for i := range c.cfg.Nodes {
		spec, eventful := &pattern[i%len(pattern)], i/len(pattern)%storyEvery == 0
		prefix := spec.name
		if i >= len(pattern) && spec.gpu == none {
			prefix = "cpu"
		}
		counts[prefix]++
		id := hash(c.cfg.Seed, key("node"), uint64(i))
		n := &node{
			name: fmt.Sprintf("%s-%0*d", prefix, width, counts[prefix]), spec: spec, index: i,
			control: prefix == "cp", leaves: spec.leaves && eventful, xid: spec.xid && eventful,
			created: c.start - 90*day - int64(id%(60*day)),
			ip:      fmt.Sprintf("10.%d.%d.%d", 20+i/(254*256), i/254%256, 1+i%254),
		}
		n.addDevices(id)
		c.nodes = append(c.nodes, n)
	}
	curves := map[string]*curve{}
	for copy := range (len(c.nodes) + len(pattern) - 1) / len(pattern) {
		for _, w := range append(servers(), others()...) {
			c.place(w, copy, curves)
		}
		for i := 0; len(c.nodes) > len(pattern) && i < fillers; i++ {
			c.place(filler(i), copy, curves)
		}
	}
}

// filler is one of the small applications of a large cluster.
func filler(i int) *workload {
	w := &workload{namespace: fmt.Sprintf("apps-%c", 'a'+i/5), name: fmt.Sprintf("svc-%02d", i), kind: "Deployment",
		image: fmt.Sprintf("registry.example.com/apps/svc-%02d:1.%d.0", i, i*7%13), demand: office,
		cpu: [2]int64{100, 500}, memory: [2]int64{128, 512}, cpuUse: [2]int64{5, 180}, memUse: [2]int64{80, 210}}
	for on := range pattern {
		w.on = append(w.on, on)
	}
	return w
}

func (n *node) addDevices(id uint64) {
	add := func(card, instance, slices, memory int, resource, profile string) {
		d := &device{card: card, id: hash(id, 9, uint64(len(n.devices))), cardUUID: "GPU-" + uuid(hash(id, 8, uint64(card))),
			resource: resource, profile: profile, instance: instance, slices: slices, memory: memory}
		d.uuid = d.cardUUID
		if profile != "" {
			d.uuid = "MIG-" + uuid(d.id)
		}
		n.devices = append(n.devices, d)
	}
	for card := range n.spec.count {
		switch {
		case n.spec.mig && card == 0:
			add(card, 1, 3, 40192, mig3g, "3g.40gb")
			add(card, 2, 3, 40192, mig3g, "3g.40gb")
		case n.spec.mig && card == 1:
			for i := range 7 {
				add(card, 7+i, 1, 9728, mig1g, "1g.10gb")
			}
		default:
			add(card, 0, 7, n.spec.gpu.memory, wholeGPU, "")
		}
	}
}

// place gives w a slot on each of its nodes that exist. A repetition gets
// workloads of its own, but for the platform's: those exist once, and their
// DaemonSets reach all nodes.
func (c *Cluster) place(w *workload, copy int, curves map[string]*curve) {
	base, platform := w.name, w.kind == "" || w.namespace == "kube-system" || w.namespace == "gpu-operator" || w.namespace == "monitoring"
	if copy > 0 {
		if platform {
			return
		}
		w.name += "-r" + strconv.Itoa(copy)
	}
	if copy%storyEvery != 0 {
		switch w.story {
		case crash, pending:
			return
		case rollout, restart:
			w.story = steady
		}
	}
	var on []*node
	for _, n := range c.nodes {
		if w.everywhere || w.onGPUs && n.spec.count > 0 {
			on = append(on, n)
		}
	}
	for _, i := range w.on {
		if i += copy * len(pattern); i < len(c.nodes) {
			on = append(on, c.nodes[i])
		}
	}
	if w.group > 0 && len(on) < len(w.on) {
		return
	}
	if w.engine != nil {
		w.spreads = newSpreads(w.engine)
	}
	w.slots = make([]*slot, 0, len(on))
	for i, n := range on {
		id := hash(c.cfg.Seed, key(w.namespace), key(w.name), uint64(i))
		s := &slot{w: w, index: i, node: n, id: id, share: 1, ip: c.address(len(c.slots))}
		// Pods of a workload came one after the other when it was rolled out last;
		// one in eight was moved since.
		rolledOut := hash(c.cfg.Seed, key(w.namespace), key(w.name), key("rollout"), uint64(copy))
		s.created = c.start - 10*day - int64(rolledOut%(50*day)) + int64(2*i) + int64(id%2)
		if id>>8%8 == 0 {
			s.created += int64(id % (7 * day))
		}
		if w.story == restart {
			s.created = c.start - day - int64(id%day)
		}
		if w.story == pending {
			s.node = nil
		} else {
			n.slots = append(n.slots, s)
			s.take()
		}
		if copy > 0 {
			s.share = 0.55 + 0.45*unit(hash(id, 5))
		}
		s.curve = c.curveOf(s, base, curves)
		c.slots = append(c.slots, s)
		w.slots = append(w.slots, s)
	}
	if len(w.slots) > 0 {
		c.workloads = append(c.workloads, w)
	}
}

// take gives the slot the devices that it holds whenever its pod runs. The
// slots of a CronJob run one at a time and share theirs.
func (s *slot) take() {
	resource := s.w.resource
	if resource == "" {
		resource = wholeGPU
	}
	for _, d := range s.node.devices {
		free := len(d.holders) == 0 || s.w.story == batch && d.holders[0].w == s.w
		if len(s.devices) < s.w.gpus && d.resource == resource && free {
			d.holders = append(d.holders, s)
			s.devices = append(s.devices, d)
		}
	}
}

// curveOf draws the slot's load, or finds it among those drawn: workloads
// without GPUs share one by rhythm, repetitions of the pattern share theirs.
func (c *Cluster) curveOf(s *slot, base string, curves map[string]*curve) *curve {
	member := s.index / max(1, s.w.group)
	if s.w.story == batch {
		member = 0
	}
	name := fmt.Sprint(s.w.demand)
	seed := hash(c.cfg.Seed, key(name))
	var off []window
	var only *window
	if s.w.gpus > 0 {
		off, only = s.interruptions()
		seed = hash(c.cfg.Seed, key(base), uint64(member))
		name = fmt.Sprint(base, member, off, only != nil)
	}
	if curves[name] == nil {
		curves[name] = newCurve(seed, s.w.demand, off, only)
	}
	return curves[name]
}

// address is the i-th pod address. All are on the loopback interface, so that
// a pod's endpoints can really be served at them.
func (c *Cluster) address(i int) netip.Addr {
	second := 16 + int(hash(c.cfg.Seed, key("network"))%200) + i/(254*256)
	return netip.AddrFrom4([4]byte{127, byte(second), byte(i / 254 % 256), byte(1 + i%254)})
}
