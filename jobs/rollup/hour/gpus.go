package hour

import (
	"context"
	"time"

	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// card is one GPU at the instants of the aggregation. Its power and energy count
// once an instant, however many MIG instances repeat them, and whatever index
// the driver gives it meanwhile.
type card struct {
	node *nodeTrack
	uuid string
	at   []cardAt
}

// cardAt is a card at one instant, as its first row describes it.
type cardAt struct {
	present bool
	ts      time.Time
	energy  usage.Opt[int64]
	holder  usage.PodName // the pod that alone holds the whole card; zero if there is none
}

// noEnergy marks an instant at which no energy was measured.
const noEnergy = -1

// readGPUs adds the GPUs to their nodes and the cluster. Rows come sorted by
// node, so one node's cards are in memory at a time.
func (a *Aggregation) readGPUs(ctx context.Context) error {
	m, err := a.Reader.GPUs(ctx, a.Sources)
	if err != nil {
		return err
	}
	node, cards := "", map[string]*card{}
	endNode := func() {
		for _, c := range cards {
			a.addEnergy(c)
		}
		clear(cards)
	}
	for rows := m.Next(); rows != nil; rows = m.Next() {
		if rows[0].Node != node {
			endNode()
			node = rows[0].Node
		}
		a.readDevice(rows, cards)
	}
	endNode()
	return m.Err()
}

// readDevice adds the rows of a card, or of one of its MIG instances.
func (a *Aggregation) readDevice(rows []usage.GPU, cards map[string]*card) {
	node := a.node(rows[0].Node)
	tracks := [...]*statistics.Series{node.Series, a.cluster.Series}
	hint := 0
	for i := range rows {
		g := &rows[i]
		at := a.timeline.Index(g.TS, hint)
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
			c = &card{node: node, uuid: g.GPUUUID, at: make([]cardAt, a.timeline.Len())}
			cards[g.GPUUUID] = c
		}
		if c.at[at].present {
			continue
		}
		for _, t := range tracks {
			statistics.AddOpt(t, statistics.GPUPower, at, g.PowerWatts)
		}
		c.at[at] = cardAt{present: true, ts: g.TS, energy: g.EnergyMillijoulesTotal}
		if namespace, held := g.Namespace.Get(); held && !g.MIGInstance.Present() && g.ShareCount == 1 {
			pod, _ := g.Pod.Get()
			c.at[at].holder = usage.PodName{Namespace: namespace, Pod: pod}
		}
	}
}

// addEnergy adds what the card's energy counter grew by, instant by instant, to
// its node, the cluster and the pod that holds it alone.
func (a *Aggregation) addEnergy(c *card) {
	for at := range c.at {
		x := &c.at[at]
		if !x.present {
			continue
		}
		before := a.State.cards[c.uuid]
		a.State.cards[c.uuid] = activity.Reading{Counters: statistics.Counters{Energy: x.energy}, At: x.ts}
		increase := statistics.Increase(before.Energy, x.energy)
		millijoules, ok := increase.Get()
		if !ok {
			continue
		}
		c.node.Energy, a.cluster.Energy = usage.Add(c.node.Energy, increase), usage.Add(a.cluster.Energy, increase)
		if x.holder == (usage.PodName{}) {
			continue
		}
		held := a.energy[x.holder]
		if held == nil {
			held = make([]int64, len(c.at))
			for i := range held {
				held[i] = noEnergy
			}
			a.energy[x.holder] = held
		}
		held[at] = max(0, held[at]) + millijoules
	}
}
