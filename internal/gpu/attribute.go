package gpu

import "github.com/company/k8s-resource-monitor/internal/usage"

// podKey joins a GPU's holder to a pod.
type podKey struct{ namespace, pod string }

// Attribute gives each pod that holds GPUs the figures of its devices, in
// place: the mean utilisation, the summed memory and power, and how sure it is
// that they are the pod's own. A sum is absent where one of the devices lacks
// the figure, and the power of a MIG instance is never the pod's, for it is the
// whole card's. A pod that requests GPUs and stands on no row gets the
// attribution usage.Unknown and no figures.
//
// The row of a shared device names one of its holders. The others are joined
// through their node where that has exactly one shared device.
func Attribute(pods []usage.Pod, gpus []usage.GPU) {
	byPod := map[podKey][]*usage.GPU{}
	shared := map[string][]*usage.GPU{} // by node
	for i := range gpus {
		g := &gpus[i]
		if pod, ok := g.Pod.Get(); ok {
			namespace, _ := g.Namespace.Get()
			k := podKey{namespace, pod}
			byPod[k] = append(byPod[k], g)
		}
		if g.ShareCount > 1 {
			shared[g.Node] = append(shared[g.Node], g)
		}
	}
	for i := range pods {
		p := &pods[i]
		node, scheduled := p.Node.Get()
		if !scheduled || p.Ended() {
			if p.GPURequest > 0 {
				p.GPUAttribution = usage.Some(usage.Unknown)
			}
			continue
		}
		devices := onNode(byPod[podKey{p.Namespace, p.Pod}], node)
		if p.GPURequest == 0 && len(devices) == 0 {
			continue
		}
		if candidates := shared[node]; len(devices) == 0 && len(candidates) == 1 {
			devices = candidates
		}
		attribute(p, devices)
	}
}

// onNode leaves out rows of other nodes: an exporter's figures may be older
// than a pod of the same name that has moved.
func onNode(devices []*usage.GPU, node string) []*usage.GPU {
	var here []*usage.GPU
	for _, g := range devices {
		if g.Node == node {
			here = append(here, g)
		}
	}
	return here
}

func attribute(p *usage.Pod, devices []*usage.GPU) {
	attribution := usage.Exclusive
	var util, power summed[float64]
	var used, total summed[int64]
	for _, g := range devices {
		switch {
		case g.ShareCount > 1:
			attribution = usage.Shared
		case g.MIGInstance.Present() && attribution != usage.Shared:
			attribution = usage.MIG
		}
		util.add(g.UtilPercent)
		used.add(g.MemoryUsedBytes)
		total.add(g.MemoryTotalBytes)
		if g.MIGInstance.Present() {
			power.lacking = true
		}
		power.add(g.PowerWatts)
	}
	if len(devices) == 0 {
		attribution = usage.Unknown
	}
	p.GPUAttribution = usage.Some(attribution)
	if sum, ok := util.sum.Get(); ok {
		p.GPUUtilPercent = usage.Some(sum / float64(util.n))
	}
	p.GPUMemoryUsedBytes = used.complete()
	p.GPUMemoryTotalBytes = total.complete()
	p.GPUPowerWatts = power.complete()
}

// summed is a sum over devices that knows whether one lacked the figure.
type summed[T usage.Number] struct {
	sum     usage.Opt[T]
	n       int
	lacking bool
}

func (s *summed[T]) add(v usage.Opt[T]) {
	if !v.Present() {
		s.lacking = true
		return
	}
	s.sum = usage.Add(s.sum, v)
	s.n++
}

// complete is the sum over all devices, absent if it is not over all of them.
func (s *summed[T]) complete() usage.Opt[T] {
	if s.lacking {
		return usage.Opt[T]{}
	}
	return s.sum
}
