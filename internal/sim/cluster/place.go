package cluster

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/company/k8s-resource-monitor/internal/sim/chance"
)

// Cores is the number of the node's CPUs.
func (n *Node) Cores() int64 { return int64(n.Spec.GPU.CPUs) }

// GPUs counts the node's devices by resource name.
func (n *Node) GPUs() map[string]int {
	counts := map[string]int{}
	for _, d := range n.Devices {
		counts[d.Resource]++
	}
	return counts
}

// Node is one machine.
type Node struct {
	Name    string
	Spec    *NodeSpec
	Index   int
	Control bool // a control-plane node
	Leaves  bool
	XID     bool
	Created int64 // also when it was booted
	IP      string
	Devices []*Device
	slots   []*Slot
}

// Device is what a pod can hold: a whole GPU or one MIG instance of it.
type Device struct {
	Card     int // index on the node
	ID       uint64
	UUID     string // of the instance
	CardUUID string // the same for a whole GPU
	Resource string
	Profile  string // of a MIG instance, "" for a whole GPU
	Instance int    // GPU_I_ID
	Slices   int    // of the card's seven compute slices; 7 for a whole GPU
	Memory   int    // MiB
	Holders  []*Slot
}

// Slot is a place for one pod of a workload: where it runs and what load it
// gets. The pods that fill it one after the other are in story.go.
type Slot struct {
	Workload *Workload
	Index    int
	Node     *Node // nil: never scheduled
	ID       uint64
	created  int64
	Curve    *curve
	Share    float64 // of the curve
	IP       netip.Addr
	devices  []*Device
}

// Serves reports whether the slot's pod answers on its engine's port: in a
// multi-node group only the leader does.
func (s *Slot) Serves() bool {
	return s.Workload.Engine != nil && (s.Workload.Group == 0 || s.Index%s.Workload.Group == 0)
}

// storyEvery says which repetitions of the pattern have failures: the first and
// each eighth after it. Otherwise thousands of nodes would leave at 03:20.
const storyEvery = 8

func (c *Cluster) build() {
	counts := map[string]int{}
	width := max(2, len(strconv.Itoa(c.Config.Nodes)))
	for i := range c.Config.Nodes {
		spec, eventful := &pattern[i%len(pattern)], i/len(pattern)%storyEvery == 0
		prefix := spec.name
		if i >= len(pattern) && spec.GPU == NoGPU {
			prefix = "cpu"
		}
		counts[prefix]++
		id := chance.Hash(c.Config.Seed, chance.Key("node"), uint64(i))
		n := &Node{
			Name: fmt.Sprintf("%s-%0*d", prefix, width, counts[prefix]), Spec: spec, Index: i,
			Control: prefix == "cp", Leaves: spec.leaves && eventful, XID: spec.xid && eventful,
			Created: c.StartUnix - 90*Day - int64(id%(60*Day)),
			IP:      fmt.Sprintf("10.%d.%d.%d", 20+i/(254*256), i/254%256, 1+i%254),
		}
		n.addDevices(id)
		c.Nodes = append(c.Nodes, n)
	}
	curves := map[string]*curve{}
	for copy := range (len(c.Nodes) + len(pattern) - 1) / len(pattern) {
		for _, w := range append(servers(), others()...) {
			c.place(w, copy, curves)
		}
		for i := 0; len(c.Nodes) > len(pattern) && i < fillers; i++ {
			c.place(filler(i), copy, curves)
		}
	}
}

// filler is one of the small applications of a large cluster.
func filler(i int) *Workload {
	w := &Workload{Namespace: fmt.Sprintf("apps-%c", 'a'+i/5), Name: fmt.Sprintf("svc-%02d", i), Kind: "Deployment",
		Image: fmt.Sprintf("registry.example.com/apps/svc-%02d:1.%d.0", i, i*7%13), demand: office,
		CPU: [2]int64{100, 500}, Memory: [2]int64{128, 512}, CPUUse: [2]int64{5, 180}, MemoryUse: [2]int64{80, 210}}
	for on := range pattern {
		w.on = append(w.on, on)
	}
	return w
}

func (n *Node) addDevices(id uint64) {
	add := func(card, instance, slices, memory int, resource, profile string) {
		d := &Device{Card: card, ID: chance.Hash(id, 9, uint64(len(n.Devices))), CardUUID: "GPU-" + chance.UUID(chance.Hash(id, 8, uint64(card))),
			Resource: resource, Profile: profile, Instance: instance, Slices: slices, Memory: memory}
		d.UUID = d.CardUUID
		if profile != "" {
			d.UUID = "MIG-" + chance.UUID(d.ID)
		}
		n.Devices = append(n.Devices, d)
	}
	for card := range n.Spec.Count {
		switch {
		case n.Spec.mig && card == 0:
			add(card, 1, 3, 40192, MIG3g, "3g.40gb")
			add(card, 2, 3, 40192, MIG3g, "3g.40gb")
		case n.Spec.mig && card == 1:
			for i := range 7 {
				add(card, 7+i, 1, 9728, MIG1g, "1g.10gb")
			}
		default:
			add(card, 0, 7, n.Spec.GPU.Memory, WholeGPU, "")
		}
	}
}

// place gives w a slot on each of its nodes that exist. Each repetition of the
// pattern gets its own workloads, except those of the platform, which exist once
// and whose DaemonSets cover all nodes.
func (c *Cluster) place(w *Workload, copy int, curves map[string]*curve) {
	base, platform := w.Name, w.Kind == "" || w.Namespace == "kube-system" || w.Namespace == "gpu-operator" || w.Namespace == "monitoring"
	if copy > 0 {
		if platform {
			return
		}
		w.Name += "-r" + strconv.Itoa(copy)
	}
	if copy%storyEvery != 0 {
		switch w.Story {
		case Crash, Pending:
			return
		case Rollout, Restart:
			w.Story = Steady
		}
	}
	var on []*Node
	for _, n := range c.Nodes {
		if w.everywhere || w.onGPUs && n.Spec.Count > 0 {
			on = append(on, n)
		}
	}
	for _, i := range w.on {
		if i += copy * len(pattern); i < len(c.Nodes) {
			on = append(on, c.Nodes[i])
		}
	}
	if w.Group > 0 && len(on) < len(w.on) {
		return
	}
	if w.Engine != nil {
		w.Spreads = newSpreads(w.Engine)
	}
	w.Slots = make([]*Slot, 0, len(on))
	for i, n := range on {
		id := chance.Hash(c.Config.Seed, chance.Key(w.Namespace), chance.Key(w.Name), uint64(i))
		s := &Slot{Workload: w, Index: i, Node: n, ID: id, Share: 1, IP: c.address(len(c.Slots))}
		// A rollout creates the pods of a workload one after the other; one pod in
		// eight was rescheduled later.
		rolledOut := chance.Hash(c.Config.Seed, chance.Key(w.Namespace), chance.Key(w.Name), chance.Key("rollout"), uint64(copy))
		s.created = c.StartUnix - 10*Day - int64(rolledOut%(50*Day)) + int64(2*i) + int64(id%2)
		if id>>8%8 == 0 {
			s.created += int64(id % (7 * Day))
		}
		if w.Story == Restart {
			s.created = c.StartUnix - Day - int64(id%Day)
		}
		if w.Story == Pending {
			s.Node = nil
		} else {
			n.slots = append(n.slots, s)
			s.take()
		}
		if copy > 0 {
			s.Share = 0.55 + 0.45*chance.Unit(chance.Hash(id, 5))
		}
		s.Curve = c.curveOf(s, base, curves)
		c.Slots = append(c.Slots, s)
		w.Slots = append(w.Slots, s)
	}
	if len(w.Slots) > 0 {
		c.Workloads = append(c.Workloads, w)
	}
}

// take gives the slot the devices that it holds whenever its pod runs. The
// slots of a CronJob run one at a time and share theirs.
func (s *Slot) take() {
	resource := s.Workload.Resource
	if resource == "" {
		resource = WholeGPU
	}
	for _, d := range s.Node.Devices {
		free := len(d.Holders) == 0 || s.Workload.Story == Batch && d.Holders[0].Workload == s.Workload
		if len(s.devices) < s.Workload.GPUs && d.Resource == resource && free {
			d.Holders = append(d.Holders, s)
			s.devices = append(s.devices, d)
		}
	}
}

// curveOf computes the slot's load, or finds it among those computed: workloads
// without GPUs share one by rhythm, repetitions of the pattern share theirs.
func (c *Cluster) curveOf(s *Slot, base string, curves map[string]*curve) *curve {
	member := s.Index / max(1, s.Workload.Group)
	if s.Workload.Story == Batch {
		member = 0
	}
	name := fmt.Sprint(s.Workload.demand)
	seed := chance.Hash(c.Config.Seed, chance.Key(name))
	var off []window
	var only *window
	if s.Workload.GPUs > 0 {
		off, only = s.interruptions()
		seed = chance.Hash(c.Config.Seed, chance.Key(base), uint64(member))
		name = fmt.Sprint(base, member, off, only != nil)
	}
	if curves[name] == nil {
		curves[name] = newCurve(seed, s.Workload.demand, off, only)
	}
	return curves[name]
}

// address is the i-th pod address. All are on the loopback interface, so that
// a pod's endpoints can really be served at them.
func (c *Cluster) address(i int) netip.Addr {
	second := 16 + int(chance.Hash(c.Config.Seed, chance.Key("network"))%200) + i/(254*256)
	return netip.AddrFrom4([4]byte{127, byte(second), byte(i / 254 % 256), byte(1 + i%254)})
}
