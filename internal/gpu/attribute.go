package gpu

import "github.com/company/k8s-resource-monitor/internal/usage"

// NVMLSource is the source of rows that package nvml makes.
const NVMLSource = "nvml"

// AttributeLater does for pods of several instants what Attribute does for one,
// with the devices that NVML reported at the same instants. It is for snapshots
// that were written without GPUs, because each node writes its own objects.
func AttributeLater(pods []usage.Pod, gpus []usage.GPU) {
	devices := map[int64][]usage.GPU{} // by instant
	for _, g := range gpus {
		if g.Source == NVMLSource {
			devices[g.TS.UnixMilli()] = append(devices[g.TS.UnixMilli()], g)
		}
	}
	if len(devices) == 0 {
		return
	}
	places := map[int64][]int{} // of the pods that have no attribution yet, by instant
	for i := range pods {
		if ts := pods[i].TS.UnixMilli(); devices[ts] != nil && pods[i].GPUAttribution == usage.Some(usage.Unknown) {
			places[ts] = append(places[ts], i)
		}
	}
	for ts, at := range places {
		some := make([]usage.Pod, len(at))
		for n, i := range at {
			some[n] = pods[i]
		}
		Attribute(some, devices[ts])
		for n, i := range at {
			pods[i] = some[n]
		}
	}
}

// podKey joins a GPU's holder to a pod.
type podKey struct{ node, namespace, pod string }

// nodeGPUs is what attribution has to know of a node before it judges a pod.
type nodeGPUs struct {
	shared   []*usage.GPU // devices with more than one holder
	free     int          // devices that no running pod holds
	unplaced int          // running pods that request GPUs and stand on no row
	wanting  int          // devices or shares that those request
}

// Attribute fills in the GPU columns of each pod that holds GPUs, in place.
// gpu_attribution tells how certain it is that the figures are the pod's own. A
// device is never counted twice for one pod.
//
//   - usage.Exclusive, usage.MIG: every device that the pod requests was seen,
//     and no other container holds one of them.
//   - usage.Shared: the figures are those of the cards, for all their holders
//     together. Adding them up over pods counts a card more than once; the rows
//     of the GPUs do not.
//   - usage.Unknown: it requests GPUs, and no source says which, or names fewer
//     than it requests. It gets no figures: a part is not the whole.
//
// The utilisation is the mean of the devices that report one, MIG instances
// weighted by their slices; it is absent for a pod that holds both cards and
// instances, which have no common measure. Memory and power are sums, absent
// where one of the devices lacks the figure. The power of a MIG instance is
// not the pod's: it is that of the whole card.
//
// The row of a shared device names one of its holders. The others are joined
// through their node, where that has exactly one shared device and no more pods
// without a device than it has holders. An exporter that does not know of sharing
// names only one holder of a shared card. That shows where pods request more
// devices than the node has left; then no device of the node counts as exclusive.
// A card that the exporter no longer reports looks the same.
func Attribute(pods []usage.Pod, gpus []usage.GPU) {
	held, nodes := map[podKey][]*usage.GPU{}, map[string]*nodeGPUs{}
	for i := range gpus {
		g := &gpus[i]
		n := nodes[g.Node]
		if n == nil {
			n = &nodeGPUs{}
			nodes[g.Node] = n
		}
		n.free++
		if g.ShareCount > 1 {
			n.shared = append(n.shared, g)
		}
		if pod, ok := g.Pod.Get(); ok {
			namespace, _ := g.Namespace.Get()
			k := podKey{g.Node, namespace, pod}
			held[k] = append(held[k], g)
		}
	}
	for i := range pods {
		k, running := keyOf(&pods[i])
		n := nodes[k.node]
		if n == nil || !running {
			continue
		}
		n.free -= len(held[k])
		if pods[i].GPURequest > 0 && len(held[k]) == 0 {
			n.unplaced++
			n.wanting += int(pods[i].GPURequest)
		}
	}
	for i := range pods {
		p := &pods[i]
		k, running := keyOf(p)
		devices, n := held[k], nodes[k.node]
		switch {
		case !running || n == nil:
			devices = nil
		case p.GPURequest > 0 && len(devices) == 0 && n.joins():
			devices = n.shared
		}
		if p.GPURequest > 0 || len(devices) > 0 {
			attribute(p, devices, n != nil && n.hidesSharing())
		}
	}
}

// keyOf is a pod's key, and whether the pod can hold devices at all. The node
// is part of it: an exporter's figures may be older than a pod of the same name
// that has moved.
func keyOf(p *usage.Pod) (k podKey, running bool) {
	node, scheduled := p.Node.Get()
	return podKey{node, p.Namespace, p.Pod}, scheduled && !p.Ended()
}

// joins reports whether the node's unplaced pods must be the holders that its
// only shared device does not name.
func (n *nodeGPUs) joins() bool {
	return len(n.shared) == 1 && n.unplaced < int(n.shared[0].ShareCount)
}

// hidesSharing reports whether devices must have holders that no row counts.
func (n *nodeGPUs) hidesSharing() bool {
	return len(n.shared) == 0 && n.wanting > n.free
}

func attribute(p *usage.Pod, devices []*usage.GPU, shared bool) {
	instances := 0
	for _, g := range devices {
		shared = shared || g.ShareCount > 1
		if g.MIGInstance.Present() {
			instances++
		}
	}
	switch {
	case len(devices) == 0, !shared && len(devices) < int(p.GPURequest):
		p.GPUAttribution = usage.Some(usage.Unknown)
		return
	case shared: // requests count shares, of which one card may give several
		p.GPUAttribution = usage.Some(usage.Shared)
	case instances > 0:
		p.GPUAttribution = usage.Some(usage.MIG)
	default:
		p.GPUAttribution = usage.Some(usage.Exclusive)
	}
	var util, weights float64
	var used, total sum[int64]
	var watts sum[float64]
	for _, g := range devices {
		if percent, ok := g.UtilPercent.Get(); ok {
			w := weight(g, len(devices))
			util, weights = util+w*percent, weights+w
		}
		used.add(g.MemoryUsedBytes)
		total.add(g.MemoryTotalBytes)
		watts.add(g.PowerWatts)
	}
	if weights > 0 && (instances == 0 || instances == len(devices)) {
		p.GPUUtilPercent = usage.Some(util / weights)
	}
	p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes = used.complete(), total.complete()
	if instances == 0 {
		p.GPUPowerWatts = watts.complete()
	}
}

// weight is the weight of a device in the mean over a pod's devices: 1 for a card,
// the number of its slices for a MIG instance, 0 for an instance whose profile is
// not known, unless it is the pod's only device.
func weight(g *usage.GPU, devices int) float64 {
	if devices == 1 || !g.MIGInstance.Present() {
		return 1
	}
	profile, _ := g.MIGProfile.Get()
	n, _ := Slices(profile)
	return float64(n)
}

// Slices is the number of a card's compute slices that a MIG profile has, 3 for
// "3g.40gb"; a compute instance such as "1c.3g.40gb" has those before the c. It
// is false for what is no profile. An instance's utilisation is relative to its
// own slices, so it counts by them in a mean over a card or a pod.
func Slices(profile string) (n int, ok bool) {
	for i := range len(profile) {
		switch c := profile[i]; {
		case c >= '0' && c <= '9' && n < 100:
			n = 10*n + int(c-'0')
		case (c == 'g' || c == 'c') && n > 0:
			return n, true
		default:
			return 0, false
		}
	}
	return 0, false
}

// sum is a sum over devices that knows whether one lacked the figure.
type sum[T usage.Number] struct {
	of      usage.Opt[T]
	lacking bool
}

func (s *sum[T]) add(v usage.Opt[T]) {
	s.of = usage.Add(s.of, v)
	s.lacking = s.lacking || !v.Present()
}

// complete is the sum over all devices, absent if it is not over all of them.
func (s *sum[T]) complete() usage.Opt[T] {
	if s.lacking {
		return usage.Opt[T]{}
	}
	return s.of
}
