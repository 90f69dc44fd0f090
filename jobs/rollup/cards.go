package rollup

import (
	"time"

	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

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
