package cluster

import (
	"github.com/company/k8s-resource-monitor/internal/sim/chance"
)

// Resolution is how often usage is measured, in seconds; each node has its own
// phase.
const Resolution = 15

// Measurement is one container's usage, or a node's.
type Measurement struct {
	Name     string // container
	Nanocore int64
	Kibibyte int64
}

// measured is the instant of the latest measurement on a node at t and its
// window in milliseconds.
func (n *Node) measured(t int64) (at, window int64) {
	_, at = Last(t, int64(n.Index%Resolution), Resolution)
	return at, 10_000 + int64(chance.Hash(uint64(n.Index), uint64(at))%10_000)
}

// usageOf is the usage of a slot's pod at a Unix second: between what it needs
// idle and what it needs at full load, with noise in its CPU; loading weights
// takes a few cores. Memory stays for some minutes and then moves by pages, and
// follows the load in steps, as allocators take it and give it back.
func (s *Slot) usageOf(st State, at int64) (nanocores, kibibytes int64) {
	w, l := s.Workload, s.loadAt(st, float64(at))
	noise := 0.94 + 0.12*chance.Unit(chance.Hash(s.ID, uint64(at)))
	milli := float64(w.CPUUse[0]) + float64(w.CPUUse[1]-w.CPUUse[0])*l.demand
	if st.Phase == Loading && w.Engine != nil {
		milli += 2600
	}
	if w.CPU[1] > 0 {
		milli = min(milli, 0.99*float64(w.CPU[1])/noise)
	}
	mem := float64(w.MemoryUse[0]) + float64(w.MemoryUse[1]-w.MemoryUse[0])*l.busy
	const step, page, stays = 1024, 4, 300 // KiB, KiB, seconds
	steps := int64(mem*0.995*1024) / step
	pages := chance.Unit(chance.Hash(s.ID, uint64((at+int64(s.ID%stays))/stays))) * mem * 0.01 * 1024 / page
	return int64(milli * noise * 1e6), steps*step + int64(pages)*page
}

// Usage returns the pod's measurements at t, none where metrics-server would have
// none: the pod does not run, its node is unreachable, or it started after the
// measurement.
func (s *Slot) Usage(st State, t int64) (measured [2]Measurement, count int, at, window int64) {
	if s.Node == nil || !st.Runs() {
		return measured, 0, 0, 0
	}
	if at, window = s.Node.measured(t); at < st.StartedAt+10 {
		return measured, 0, 0, 0
	}
	cpu, mem := s.usageOf(st, at)
	for i, name := range s.Workload.ContainerNames() {
		if i == 1 { // a sidecar works a tenth as much
			cpu, mem = cpu/10, 40<<10
		}
		measured[i] = Measurement{name, cpu, mem}
		count++
	}
	return measured, count, at, window
}

// Usage is the sum over the node's pods and the system.
func (n *Node) Usage(t int64) (m Measurement, count int, at, window int64) {
	if away, _, _ := n.AwayAt(t); away {
		return m, 0, 0, 0
	}
	at, window = n.measured(t)
	m.Nanocore, m.Kibibyte = 180e6, 1600<<10
	for _, s := range n.slots {
		if st := s.At(at); st.Runs() {
			cpu, mem := s.usageOf(st, at)
			m.Nanocore, m.Kibibyte = m.Nanocore+cpu, m.Kibibyte+mem
		}
	}
	m.Nanocore = min(m.Nanocore, n.Cores()*1e9)
	return m, 1, at, window
}
