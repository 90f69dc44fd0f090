package alert

import (
	"cmp"
	"iter"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// instant is what was measured of all subjects at one sample.
type instant struct {
	ts       time.Time
	interval time.Duration
	usage.Sample
}

// subjectRow is a subject and what a rule sees of it.
type subjectRow struct {
	subject
	fields any // the kind's row
}

// evaluation advances a state through instants, oldest first.
type evaluation struct {
	cluster    string
	rules      map[string][]*Rule // by kind
	thresholds map[string]float64
	active     map[key]*alert
	resolved   []alert
	fired      int // transitions of this evaluation
	ended      int
}

// key is what a fingerprint is made of, but for the cluster.
type key struct{ rule, kind, namespace, name string }

func newEvaluation(j *Job, s state) *evaluation {
	e := &evaluation{cluster: j.Cluster, rules: map[string][]*Rule{}, thresholds: thresholdNames(j.Thresholds),
		active: map[key]*alert{}, resolved: slices.Clone(s.Resolved)}
	for i := range j.Rules {
		r := &j.Rules[i]
		e.rules[r.On] = append(e.rules[r.On], r)
	}
	for _, a := range s.Active {
		e.active[a.key()] = &a
	}
	return e
}

func (a *alert) key() key { return key{a.Rule, a.Kind, a.Namespace, a.Name} }

// sample evaluates every rule but those on the snapshot at one instant.
func (e *evaluation) sample(in instant) {
	for kind, rows := range map[string]iter.Seq[subjectRow]{
		onPod: podRows(in.Sample), onNode: nodeRows(in.Sample), onGPU: gpuRows(in.Sample), onModel: modelRows(in),
	} {
		if len(e.rules[kind]) == 0 {
			continue
		}
		for row := range rows {
			e.step(row, in.ts, in.interval)
		}
	}
	for _, a := range e.sorted() {
		if !a.visited.Equal(in.ts) && a.Kind != onSnapshot && in.gone(a.subject) {
			e.resolve(a, in.ts)
		}
	}
}

// snapshot evaluates the rules on the snapshot itself, at the run's instant.
func (e *evaluation) snapshot(at time.Time, sampledAt time.Time, interval time.Duration) {
	var r snapshotRow
	if !sampledAt.IsZero() && interval > 0 {
		age := at.Sub(sampledAt)
		r = snapshotRow{SampledAt: usage.Some(sampledAt), AgeSeconds: usage.Some(age.Seconds()),
			IntervalSeconds: usage.Some(int64(interval / time.Second)),
			AgeIntervals:    usage.Some(float64(age) / float64(max(interval, time.Minute)))}
	}
	e.step(subjectRow{subject{Kind: onSnapshot, Name: e.cluster}, r}, at, max(interval, time.Minute))
}

// step advances the rules of a row's kind by one instant. What is unknown
// changes nothing.
func (e *evaluation) step(sr subjectRow, ts time.Time, interval time.Duration) {
	fields := reflect.ValueOf(sr.fields)
	for _, rule := range e.rules[sr.Kind] {
		r := row{rule.kind, fields, e.thresholds}
		k := key{rule.Name, sr.Kind, sr.Namespace, sr.Name}
		a := e.active[k]
		held := eval(rule.when, r)
		if a == nil {
			if held != yes {
				continue
			}
			a = &alert{Fingerprint: k.fingerprint(e.cluster), PendingSince: ts, LastHeld: ts}
			e.active[k] = a
		}
		a.visited = ts
		firing := a.FiringSince.Present()
		switch {
		case firing && clears(rule, held, r):
			e.resolve(a, ts)
			continue
		case !firing && held == no:
			delete(e.active, k)
			continue
		case held == unknown:
			continue
		}
		a.Rule, a.Severity, a.subject = rule.Name, rule.Severity, sr.subject
		a.rule, a.row = rule, r
		if held == no {
			continue // fires on, between `clear` and `when`
		}
		if !firing && ts.Sub(a.LastHeld) > max(rule.For.Duration, 3*interval) {
			// A hole as long as the wait itself proves nothing: wait anew.
			a.PendingSince, a.SamplesSeen = ts, 0
		}
		a.LastHeld = ts
		a.SamplesSeen++
		if !firing && a.SamplesSeen >= rule.For.Samples && ts.Sub(a.PendingSince) >= rule.For.Duration {
			a.FiringSince = usage.Some(ts)
			e.fired++
		}
	}
}

// clears reports whether a firing alert ends: by `clear` where the rule has
// one, else as `when` is false.
func clears(rule *Rule, held truth, r row) bool {
	if rule.clear == nil {
		return held == no
	}
	return eval(rule.clear, r) == yes
}

// resolve ends an alert; one that never fired leaves no trace.
func (e *evaluation) resolve(a *alert, ts time.Time) {
	delete(e.active, a.key())
	if a.FiringSince.Present() {
		a.describe()
		a.ResolvedAt = usage.Some(ts)
		e.resolved = append(e.resolved, *a)
		e.ended++
	}
}

// describe puts the newest row at which the rule held, if this evaluation saw
// one, into words. Only the last of a run's many rows is read by anybody.
func (a *alert) describe() {
	if a.rule != nil {
		a.Summary, a.LastValue = summarise(a.rule, a.row)
		a.rule, a.row = nil, row{}
	}
}

// orphans ends the alerts of rules that no longer exist.
func (e *evaluation) orphans(ts time.Time) {
	for _, a := range e.sorted() {
		if !slices.ContainsFunc(e.rules[a.Kind], func(r *Rule) bool { return r.Name == a.Rule }) {
			e.resolve(a, ts)
		}
	}
}

// sorted are the active alerts in a fixed order.
func (e *evaluation) sorted() []*alert {
	return slices.SortedFunc(maps.Values(e.active), func(a, b *alert) int { return cmp.Compare(a.Fingerprint, b.Fingerprint) })
}

// gone reports whether a subject without a row has ceased to be, as opposed to
// not having been measured. Pods and nodes are listed whole in every committed
// snapshot. A GPU is gone with its node, or when its node reports others.
func (in instant) gone(s subject) bool {
	if s.Kind != onGPU {
		return true
	}
	return slices.ContainsFunc(in.GPUs, func(g usage.GPU) bool { return g.Node == s.Node }) ||
		!slices.ContainsFunc(in.Nodes, func(n usage.Node) bool { return n.Node == s.Node })
}

// podRows are the pods that have not succeeded: one that has never alerts.
func podRows(s usage.Sample) iter.Seq[subjectRow] {
	return func(yield func(subjectRow) bool) {
		nodes := map[string]*usage.Node{}
		for i := range s.Nodes {
			nodes[s.Nodes[i].Node] = &s.Nodes[i]
		}
		for _, p := range s.Pods {
			if p.Phase != "Succeeded" && !yield(podRowOf(p, nodes)) {
				return
			}
		}
	}
}

func podRowOf(p usage.Pod, nodes map[string]*usage.Node) subjectRow {
	var cpuWhole, memoryWhole usage.Opt[int64]
	node, _ := p.Node.Get()
	if n := nodes[node]; n != nil {
		cpuWhole, memoryWhole = usage.Some(n.CPUAllocatableMillicores), usage.Some(n.MemoryAllocatableBytes)
	}
	cpu, memory := p.CPUShare(cpuWhole), p.MemoryShare(memoryWhole)
	model, _ := p.Model.Get()
	return subjectRow{
		subject{Kind: onPod, Namespace: p.Namespace, Name: p.Pod, Node: node, Model: model},
		podRow{p, cpu.Percent, cpu.Basis, cpu.Whole, memory.Percent, memory.Basis, memory.Whole,
			usage.Percent(p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes)},
	}
}

func nodeRows(s usage.Sample) iter.Seq[subjectRow] {
	return func(yield func(subjectRow) bool) {
		for _, n := range s.Nodes {
			if !yield(subjectRow{subject{Kind: onNode, Name: n.Node, Node: n.Node}, nodeRow{n,
				usage.Percent(n.CPUUsageMillicores, usage.Some(n.CPUAllocatableMillicores)),
				usage.Percent(n.MemoryUsageBytes, usage.Some(n.MemoryAllocatableBytes))}}) {
				return
			}
		}
	}
}

// gpuRows leave the holder's namespace out of the subject: who holds a GPU
// changes, and it is the same GPU.
func gpuRows(s usage.Sample) iter.Seq[subjectRow] {
	return func(yield func(subjectRow) bool) {
		for _, g := range s.GPUs {
			if !yield(subjectRow{subject{Kind: onGPU, Name: g.GPUUUID, Node: g.Node},
				gpuRow{g, usage.Percent(g.MemoryUsedBytes, g.MemoryTotalBytes)}}) {
				return
			}
		}
	}
}

// modelRows groups the model-serving pods that have not ended by namespace and model.
func modelRows(in instant) iter.Seq[subjectRow] {
	engines := map[string]*usage.Engine{}
	for i := range in.Engines {
		engines[in.Engines[i].PodUID] = &in.Engines[i]
	}
	type served struct{ namespace, model string }
	models := map[served]*modelRow{}
	for _, p := range in.Pods {
		model, ok := p.Model.Get()
		if !ok || p.Engine == usage.NoEngine || p.Ended() {
			continue
		}
		m := models[served{p.Namespace, model}]
		if m == nil {
			m = &modelRow{TS: in.ts, Namespace: p.Namespace, Model: model, Engine: p.Engine}
			models[served{p.Namespace, model}] = m
		}
		m.Pods++
		if p.Ready {
			m.PodsReady++
		}
		if e := engines[p.PodUID]; e != nil {
			m.RequestsRunning = usage.Add(m.RequestsRunning, e.RequestsRunning)
			m.RequestsWaiting = usage.Add(m.RequestsWaiting, e.RequestsWaiting)
			if ratio, ok := e.KVCacheUsageRatio.Get(); ok {
				fullest, _ := m.KVCacheUsageRatio.Get() // 0 where there is none: ratios are not negative
				m.KVCacheUsageRatio = usage.Some(max(fullest, ratio))
			}
		}
	}
	return func(yield func(subjectRow) bool) {
		for k, m := range models {
			if !yield(subjectRow{subject{Kind: onModel, Namespace: k.namespace, Name: k.model, Model: k.model}, *m}) {
				return
			}
		}
	}
}
