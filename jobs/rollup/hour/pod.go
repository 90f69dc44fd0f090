package hour

import (
	"slices"

	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// The values that a pod adds to its keys. Its namespace, workload and model take
// all of them; nodes and the cluster have usage, energy and cost of their own.
// Replicas are added apart: a group of pods is one.
var (
	ownValues  = statistics.All &^ statistics.SetOf(statistics.Replicas)
	nodeValues = statistics.SetOf(
		statistics.RequestsRunning, statistics.RequestsWaiting, statistics.KVCache,
		statistics.GPUsActive, statistics.GPUsIdleHeld, statistics.GPUsLoading, statistics.GPUsUnknown,
		statistics.TTFTSeconds, statistics.InterTokenSeconds, statistics.E2ESeconds)
	clusterValues = nodeValues | statistics.SetOf(statistics.Pods)
)

// gpusIn is the value that counts GPUs in a state.
var gpusIn = map[activity.State]statistics.Value{
	activity.Active:   statistics.GPUsActive,
	activity.IdleHeld: statistics.GPUsIdleHeld,
	activity.Loading:  statistics.GPUsLoading,
	activity.Unknown:  statistics.GPUsUnknown,
}

// podReader aggregates the rows of one pod name at a time.
type podReader struct {
	*Aggregation
	onPod   func(*usage.PodHour) error
	engines engineReader

	known  *knownPods
	name   usage.PodName
	hours  []*podHour // of the name, one a UID
	merged []bool     // which of them have merged the rows of this run
	energy []int64
	points []enginePoint // nil: the pod has no engine

	own     *statistics.Series // of one pod
	part    *statistics.Series // of consecutive rows of the pod that have the same keys
	encoded statistics.Writer
	texts   podTexts // of the pod that was encoded last
	row     usage.PodHour
}

func newPodReader(a *Aggregation, known *knownPods, engines *store.Merger[usage.Engine], onPod func(*usage.PodHour) error) *podReader {
	return &podReader{
		Aggregation: a,
		onPod:       onPod,
		known:       known,
		engines:     engineReader{Aggregation: a, engines: engines, rows: engines.Next(), points: make([]enginePoint, a.timeline.Len())},
		own:         statistics.NewSeries(a.timeline),
		part:        statistics.NewSeries(a.timeline),
		encoded:     make(statistics.Writer, 0, len(a.State.pods)+len(a.State.pods)/8),
	}
}

func (r *podReader) begin(name usage.PodName) {
	r.name, r.hours, r.merged = name, r.hours[:0], r.merged[:0]
	r.energy = r.Aggregation.energy[name]
	r.points = r.engines.of(name)
}

// read adds the rows of the name, in order of time. Several UIDs among them are
// pods that were made one after the other under the same name.
func (r *podReader) read(rows []usage.Pod) {
	uid := rows[0].PodUID
	if !slices.ContainsFunc(rows, func(p usage.Pod) bool { return p.PodUID != uid }) {
		r.readOne(uid, rows)
		return
	}
	for rest := rows; len(rest) > 0; {
		uid = rest[0].PodUID
		var same, other []usage.Pod
		for _, p := range rest {
			if p.PodUID == uid {
				same = append(same, p)
			} else {
				other = append(other, p)
			}
		}
		r.readOne(uid, same)
		rest = other
	}
}

// readOne adds the rows of one pod.
func (r *podReader) readOne(uid string, rows []usage.Pod) {
	i := slices.IndexFunc(r.hours, func(h *podHour) bool { return h.uid == uid })
	if i < 0 {
		i = len(r.hours)
		h := r.known.allocate()
		*h = podHour{name: r.name, uid: uid, Aggregate: h.Aggregate}
		h.Aggregate.Reset()
		r.hours = append(r.hours, h)
	}
	h := r.hours[i]
	r.own.Reset()
	r.part.Reset()
	first, hint, seen := 0, 0, false
	for n := range rows {
		row := &rows[n]
		at := r.timeline.Index(row.TS, hint)
		if at < 0 {
			continue
		}
		hint = at + 1
		if seen && !sameKeys(row, &rows[first]) {
			r.endPart(&rows[first])
			seen = false
		}
		if !seen {
			first, seen = n, true
		}
		r.add(h, row, at)
		h.node, h.engine, h.model, h.at = row.Node, row.Engine, row.Model, row.TS
	}
	if seen {
		r.endPart(&rows[first])
	}
	h.Append(r.timeline, r.own)
	for len(r.merged) <= i {
		r.merged = append(r.merged, false)
	}
	r.merged[i] = true
}

// end lets time pass for the pods of the name that had no rows, encodes all of
// them, and gives out their rows.
func (r *podReader) end() error {
	for i, h := range r.hours {
		if i >= len(r.merged) || !r.merged[i] {
			h.Append(r.timeline, nil)
		}
		h.encode(&r.encoded, &r.texts)
		if r.onPod == nil {
			continue
		}
		row := &r.row
		*row = usage.PodHour{
			Hour: r.State.Hour, Namespace: h.name.Namespace, Pod: h.name.Pod, PodUID: h.uid,
			Node: h.node, Engine: h.engine, Model: h.model,
		}
		row.Statistics = h.Finish(r.timeline, r.Closed)
		if h.Empty() {
			continue
		}
		if err := r.onPod(row); err != nil {
			return err
		}
	}
	return nil
}

// sameKeys reports whether two rows of a pod count for the same keys.
func sameKeys(a, b *usage.Pod) bool {
	return a.Node == b.Node && a.Engine == b.Engine && a.Model == b.Model &&
		a.OwnerKind == b.OwnerKind && a.Owner == b.Owner && a.ReplicaGroup == b.ReplicaGroup
}

// add adds a row to the current part.
func (r *podReader) add(h *podHour, row *usage.Pod, at int) {
	t := r.part
	t.MarkSeen(at)
	statistics.AddOpt(t, statistics.CPU, at, row.CPUUsageMillicores)
	statistics.AddOpt(t, statistics.Memory, at, row.MemoryUsageBytes)
	if util, ok := row.GPUUtilPercent.Get(); ok && row.GPURequest > 0 {
		t.Add(statistics.GPUUtil, at, util, float64(row.GPURequest))
	}
	statistics.AddOpt(t, statistics.GPUMemory, at, row.GPUMemoryUsedBytes)
	statistics.AddOpt(t, statistics.GPUPower, at, row.GPUPowerWatts)
	pods, ready := 1.0, 0.0
	if row.Ended() {
		pods = 0
	} else {
		statistics.AddOpt(t, statistics.CPURequest, at, row.CPURequestMillicores)
		statistics.AddOpt(t, statistics.MemoryRequest, at, row.MemoryRequestBytes)
	}
	if row.Ready {
		ready = 1
	}
	t.Add(statistics.Pods, at, pods, 1)
	t.Add(statistics.Replicas, at, ready, 1)

	before := h.restarts
	h.restarts = usage.Some(int64(row.Restarts))
	t.Restarts = usage.Add(t.Restarts, statistics.Increase(before, h.restarts))
	if r.energy != nil && r.energy[at] != noEnergy {
		t.Energy = usage.Add(t.Energy, usage.Some(r.energy[at]))
	}
	r.addGPUs(row, at, r.addEngine(row, at))
}

// addEngine adds what the pod's engine says, and returns whether the engine of
// its replica works.
func (r *podReader) addEngine(row *usage.Pod, at int) (working usage.Opt[bool]) {
	if r.points != nil && r.points[at].present {
		t, p := r.part, &r.points[at]
		statistics.AddOpt(t, statistics.RequestsRunning, at, p.RequestsRunning)
		statistics.AddOpt(t, statistics.RequestsWaiting, at, p.RequestsWaiting)
		statistics.AddOpt(t, statistics.KVCache, at, p.KVCacheUsageRatio)
		t.Counters.Add(&p.Increase.Counters)
		statistics.AddOpt(t, statistics.TTFTSeconds, at, p.Increase.TTFT)
		statistics.AddOpt(t, statistics.InterTokenSeconds, at, p.Increase.InterToken)
		statistics.AddOpt(t, statistics.E2ESeconds, at, p.Increase.E2E)
		working = p.Working
	}
	return r.replicas[at].Working(row, working)
}

// addGPUs adds the GPUs that the pod holds, and what the pod costs.
func (r *podReader) addGPUs(row *usage.Pod, at int, working usage.Opt[bool]) {
	node, scheduled := row.Node.Get()
	if !scheduled || row.Ended() {
		return
	}
	if s := activity.Of(row, working); s != activity.HoldsNone {
		r.node(node).held[at] += row.GPURequest
		r.part.Add(gpusIn[s], at, float64(row.GPURequest), 1)
	}
	if r.Prices.Any() {
		r.part.Add(statistics.Cost, at, r.Prices.hourly(row.GPURequest, r.productAt(node, at),
			orElse(row.CPURequestMillicores, row.CPUUsageMillicores), orElse(row.MemoryRequestBytes, row.MemoryUsageBytes)), 1)
	}
}

// endPart adds the current part, whose rows all have row's keys, to these keys.
func (r *podReader) endPart(row *usage.Pod) {
	part := r.part
	r.own.AddMember(part, statistics.All)
	keys := [...]*track{r.namespaces.of(row.Namespace), r.workloads.of(workloadOf(row)), nil, r.cluster}
	if row.Engine != usage.NoEngine {
		model, _ := row.Model.Get()
		keys[2] = r.models.of(modelKey{row.Namespace, row.Engine, model})
	}
	for _, k := range keys[:3] {
		if k != nil {
			k.AddMember(part, ownValues)
		}
	}
	for _, k := range keys {
		if k != nil {
			k.addReplicas(part, row)
		}
	}
	part.Energy = usage.Opt[int64]{} // nodes and the cluster take theirs from the cards
	r.cluster.AddValues(part, clusterValues)
	r.cluster.Counters.Add(&part.Counters)
	if name, scheduled := row.Node.Get(); scheduled {
		node := r.node(name)
		node.AddValues(part, nodeValues)
		node.Counters.Add(&part.Counters)
	}
	part.Reset()
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
