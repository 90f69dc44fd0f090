package rollup

import (
	"slices"

	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// What a pod's keys take of it. The pod's own keys (its namespace, workload and
// model) take all; nodes and the cluster have usage, energy and cost of their
// own. Replicas are not among it: a group of pods is one.
var (
	ofOwn  = statistics.All &^ statistics.SetOf(statistics.Replicas)
	ofNode = statistics.SetOf(statistics.RequestsRunning, statistics.RequestsWaiting, statistics.KVCache, statistics.GPUsActive, statistics.GPUsIdleHeld, statistics.GPUsLoading, statistics.GPUsUnknown, statistics.TTFTSeconds,
		statistics.InterTokenSeconds, statistics.E2ESeconds)
	ofCluster = ofNode | statistics.SetOf(statistics.Pods)
)

// readPods folds the pods, which come by name, into their hours and those of
// their namespaces, workloads and models.
func (p *pass) readPods(out *hourRows) error {
	rows, engines := &merger[usage.Pod]{}, &merger[usage.Engine]{}
	if p.run.Len() > 0 {
		var err error
		if rows, err = p.in.pods(); err != nil {
			return err
		}
		defer rows.start()()
		if engines, err = p.in.engines(); err != nil {
			return err
		}
	}
	r := podReader{pass: p, encoded: make(statistics.Writer, 0, len(p.state.pods)+len(p.state.pods)/8), own: statistics.NewTrack(p.run), part: statistics.NewTrack(p.run),
		engines: engineReader{merger: engines, rows: engines.next(), points: make([]enginePoint, p.run.Len())}}
	known := &r.known
	known.Reader = statistics.NewReader(p.state.pods)
	known.next()
	namespace := ""
	for next := rows.next(); next != nil || known.pod != nil; {
		name := podKey{}
		switch {
		case next == nil || known.pod != nil && comparePods(known.pod.namespace, known.pod.pod, next[0].Namespace, next[0].Pod) < 0:
			name = podKey{known.pod.namespace, known.pod.pod}
		default:
			name = podKey{next[0].Namespace, next[0].Pod}
		}
		if name.namespace != namespace {
			p.namespaces.endNamespace(p.state.namespaces)
			p.workloads.endNamespace(p.state.workloads)
			p.models.endNamespace(p.state.models)
			namespace = name.namespace
		}
		r.begin(name)
		for known.pod != nil && known.pod.namespace == name.namespace && known.pod.pod == name.pod {
			r.hours = append(r.hours, known.pod)
			known.next()
		}
		if next != nil && next[0].Namespace == name.namespace && next[0].Pod == name.pod {
			if err := p.keep(next); err != nil {
				return err
			}
			r.read(next)
			next = rows.next()
		}
		if err := r.end(out); err != nil {
			return err
		}
		known.free = append(known.free, r.hours...)
	}
	r.engines.end(p)
	p.namespaces.end(p.state.namespaces)
	p.workloads.end(p.state.workloads)
	p.models.end(p.state.models)
	p.state.pods = r.encoded
	for _, err := range []error{known.Err(), rows.err, engines.err} {
		if err != nil {
			return err
		}
	}
	return nil
}

// knownPods reads the pods of a state.
type knownPods struct {
	*statistics.Reader
	pod   *podHour   // nil at the end
	free  []*podHour // whose memory is used again
	texts podTexts
}

func (k *knownPods) next() {
	k.pod = nil
	if k.More() {
		k.pod = k.take()
		k.pod.decode(k.Reader, &k.texts)
	}
}

// take returns a pod whose memory is free, with what it last held.
func (k *knownPods) take() *podHour {
	last := len(k.free) - 1
	if last < 0 {
		return &podHour{}
	}
	p := k.free[last]
	k.free = k.free[:last]
	return p
}

// podReader folds the pods of one name after those of another.
type podReader struct {
	*pass
	known   knownPods
	name    podKey
	hours   []*podHour // of the name, a UID each
	tracked []bool     // which of them have taken the pass
	energy  []int64
	points  []enginePoint // nil: it has no engine
	engines engineReader

	own, part *statistics.Track // of a pod; of its rows that have the same keys
	encoded   statistics.Writer
	texts     podTexts // of the pod that was encoded last
	row       usage.PodHour
}

func (r *podReader) begin(name podKey) {
	r.name, r.hours, r.tracked = name, r.hours[:0], r.tracked[:0]
	r.energy = r.pass.energy[name]
	r.points = r.engines.of(name, r.pass)
}

// read folds the rows of the name, in order of time.
func (r *podReader) read(rows []usage.Pod) {
	uid := rows[0].PodUID
	other := func(p usage.Pod) bool { return p.PodUID != uid }
	if !slices.ContainsFunc(rows, other) {
		r.readOne(uid, rows)
		return
	}
	for rest := rows; len(rest) > 0; { // a pod made anew under its old name
		uid = rest[0].PodUID
		r.readOne(uid, slices.DeleteFunc(slices.Clone(rest), other))
		rest = slices.DeleteFunc(slices.Clone(rest), func(p usage.Pod) bool { return p.PodUID == uid })
	}
}

// readOne folds the rows of one pod.
func (r *podReader) readOne(uid string, rows []usage.Pod) {
	i := slices.IndexFunc(r.hours, func(h *podHour) bool { return h.uid == uid })
	if i < 0 {
		i = len(r.hours)
		h := r.known.take()
		*h = podHour{namespace: r.name.namespace, pod: r.name.pod, uid: uid, Fold: h.Fold}
		h.Fold.Reset()
		r.hours = append(r.hours, h)
	}
	h := r.hours[i]
	r.own.Reset()
	r.part.Reset()
	first, hint, seen := 0, 0, false
	for n := range rows {
		row := &rows[n]
		at := r.run.Index(row.TS, hint)
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
	h.Take(r.own, r.run)
	for len(r.tracked) <= i {
		r.tracked = append(r.tracked, false)
	}
	r.tracked[i] = true
}

// end lets time go by for the pods of the name that had no rows, and writes all.
func (r *podReader) end(out *hourRows) error {
	for i, h := range r.hours {
		if i >= len(r.tracked) || !r.tracked[i] {
			h.Take(nil, r.run)
		}
		h.encode(&r.encoded, &r.texts)
		if out == nil {
			continue
		}
		row := &r.row
		*row = usage.PodHour{Hour: r.state.hour, Namespace: h.namespace, Pod: h.pod, PodUID: h.uid, Node: h.node, Engine: h.engine, Model: h.model}
		row.Statistics = h.Statistics(r.run, r.closed)
		if h.Empty() {
			continue
		}
		if err := out.pod(row); err != nil {
			return err
		}
	}
	return nil
}

// sameKeys reports whether two rows of a pod count for the same keys.
func sameKeys(a, b *usage.Pod) bool {
	return a.Node == b.Node && a.Engine == b.Engine && a.Model == b.Model && a.OwnerKind == b.OwnerKind && a.Owner == b.Owner &&
		a.ReplicaGroup == b.ReplicaGroup
}

// add adds a row to the part of the pod's rows that it belongs to.
func (r *podReader) add(h *podHour, row *usage.Pod, at int) {
	t := r.part
	t.See(at)
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
	works := usage.Opt[bool]{}
	if r.points != nil && r.points[at].there {
		e := &r.points[at]
		statistics.AddOpt(t, statistics.RequestsRunning, at, e.running)
		statistics.AddOpt(t, statistics.RequestsWaiting, at, e.waiting)
		statistics.AddOpt(t, statistics.KVCache, at, e.kv)
		t.Counters.Add(&e.grown.Counters)
		statistics.AddOpt(t, statistics.TTFTSeconds, at, e.grown.ttft)
		statistics.AddOpt(t, statistics.InterTokenSeconds, at, e.grown.interToken)
		statistics.AddOpt(t, statistics.E2ESeconds, at, e.grown.e2e)
		works = e.works
	}
	if group, ok := groupOf(row); ok && !works.Present() {
		if said := r.groups[group]; said != nil {
			works = said[at]
		}
	}
	r.addHolding(row, at, works)
}

// addHolding adds the GPUs that the pod holds, and what the pod costs.
func (r *podReader) addHolding(row *usage.Pod, at int, works usage.Opt[bool]) {
	name, scheduled := row.Node.Get()
	if !scheduled || row.Ended() {
		return
	}
	if s := podState(row, works); s != holdsNone {
		r.node(name).held[at] += row.GPURequest
		r.part.Add(s.gpus(), at, float64(row.GPURequest), 1)
	}
	if !r.prices.none() {
		r.part.Add(statistics.Cost, at, r.prices.cost(row.GPURequest, r.productAt(name, at),
			orElse(row.CPURequestMillicores, row.CPUUsageMillicores), orElse(row.MemoryRequestBytes, row.MemoryUsageBytes)), 1)
	}
}

// endPart gives the part of a pod's rows, all of which have row's keys, to them.
func (r *podReader) endPart(row *usage.Pod) {
	part := r.part
	r.own.AddTrack(part, statistics.All)
	r.own.SeeAll(part)
	r.own.Counters.Add(&part.Counters)
	keys := [...]*track{r.namespaces.of(row.Namespace), r.workloads.of(workloadOf(row)), nil, r.cluster}
	if row.Engine != usage.NoEngine {
		model, _ := row.Model.Get()
		keys[2] = r.models.of(modelKey{row.Namespace, row.Engine, model})
	}
	for _, k := range keys[:3] {
		if k != nil {
			k.AddTrack(part, ofOwn)
			k.SeeAll(part)
			k.Counters.Add(&part.Counters)
		}
	}
	for _, k := range keys {
		if k != nil {
			k.addReplicas(part, row)
		}
	}
	part.Energy = usage.Opt[int64]{} // theirs come from the cards
	r.cluster.AddTrack(part, ofCluster)
	r.cluster.Counters.Add(&part.Counters)
	if name, scheduled := row.Node.Get(); scheduled {
		node := r.node(name)
		node.AddTrack(part, ofNode)
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
