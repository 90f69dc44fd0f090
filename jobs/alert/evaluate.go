package alert

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// evaluation advances the alerts of a state through instants, oldest first.
type evaluation struct {
	cluster  string
	rows     *rows
	active   map[key]*alert
	resolved []alert
	fired    int // alerts that began to fire in this evaluation
	ended    int // that fired and ended
}

// key is what a fingerprint is made of, but for the cluster.
type key struct{ rule, kind, namespace, name string }

func newEvaluation(j *Job, s state) *evaluation {
	e := &evaluation{cluster: j.Cluster, rows: newRows(j.Rules, j.Thresholds), active: map[key]*alert{}, resolved: slices.Clone(s.Resolved)}
	for _, a := range s.Active {
		e.active[a.key()] = &a
	}
	return e
}

func (a *alert) key() key { return key{a.Rule, a.Kind, a.Namespace, a.Name} }

// sample is one instant under way: nodes, GPUs and engines come first and
// whole, then each pod, then finish. Pods, which are many, are not kept.
type sample struct {
	*evaluation
	ts       time.Time
	interval time.Duration
	nodes    map[string]*usage.Node
	gpuNodes map[string]bool          // the nodes whose GPUs were reported
	engines  map[string]*usage.Engine // by pod UID
	models   map[servedModel]*modelRow
}

type servedModel struct{ namespace, model string }

// begin evaluates the rules on nodes and GPUs at one instant.
func (e *evaluation) begin(ts time.Time, interval time.Duration, nodes []usage.Node, gpus []usage.GPU, engines []usage.Engine) *sample {
	s := &sample{e, ts, interval, map[string]*usage.Node{}, map[string]bool{}, map[string]*usage.Engine{}, map[servedModel]*modelRow{}}
	for i := range nodes {
		n := &nodes[i]
		s.nodes[n.Node] = n
		e.rows.node.set(n)
		s.step(&e.rows.onNode, subject{Kind: onNode, Name: n.Node, Node: n.Node})
	}
	for i := range gpus {
		g := &gpus[i]
		s.gpuNodes[g.Node] = true
		e.rows.gpu.set(g)
		// Who holds a GPU changes, and it stays the same GPU: the subject has no namespace.
		s.step(&e.rows.onGPU, subject{Kind: onGPU, Name: g.GPUUUID, Node: g.Node})
	}
	for i := range engines {
		s.engines[engines[i].PodUID] = &engines[i]
	}
	return s
}

// pod evaluates the rules on one pod, and counts it for its model. A pod that
// has succeeded never alerts. gpuState is what the GPUs that it holds are doing.
func (s *sample) pod(p *usage.Pod, gpuState usage.Opt[string]) {
	if p.Phase == "Succeeded" {
		return
	}
	node, _ := p.Node.Get()
	model, serves := p.Model.Get()
	s.rows.pod.set(p, s.nodes[node], gpuState)
	s.step(&s.rows.onPod, subject{Kind: onPod, Namespace: p.Namespace, Name: p.Pod, Node: node, Model: model})
	if !serves || p.Engine == usage.NoEngine || p.Ended() {
		return
	}
	served := servedModel{p.Namespace, model}
	if s.models[served] == nil {
		s.models[served] = &modelRow{TS: s.ts, Namespace: p.Namespace, Model: model, Engine: p.Engine}
	}
	s.models[served].add(p, s.engines[p.PodUID])
}

// finish evaluates the rules on models, and ends the alerts of subjects that no
// longer exist.
func (s *sample) finish() {
	for served, m := range s.models {
		s.rows.model = *m
		s.step(&s.rows.onModel, subject{Kind: onModel, Namespace: served.namespace, Name: served.model, Model: served.model})
	}
	for _, a := range s.active {
		if !a.visited.Equal(s.ts) && a.Kind != onSnapshot && s.gone(a.subject) {
			s.resolve(a, s.ts)
		}
	}
}

// gone reports whether a subject without a row does not exist any more, as
// opposed to not having been measured. Pods and nodes are listed whole in every
// committed snapshot. A GPU is gone with its node, or when its node reports others.
func (s *sample) gone(of subject) bool {
	return of.Kind != onGPU || s.gpuNodes[of.Node] || s.nodes[of.Node] == nil
}

// snapshot evaluates the rules on the snapshot itself, at the run's instant.
func (e *evaluation) snapshot(at, sampledAt time.Time, interval time.Duration) {
	e.rows.snapshot.set(at, sampledAt, interval)
	s := sample{evaluation: e, ts: at, interval: max(interval, time.Minute)}
	s.step(&e.rows.onSnapshot, subject{Kind: onSnapshot, Name: e.cluster})
}

// step advances the rules of a kind by the row that v shows.
func (s *sample) step(v *view, of subject) {
	for _, rule := range v.rules {
		k := key{rule.Name, of.Kind, of.Namespace, of.Name}
		a := s.active[k]
		held := eval(rule.when, v)
		if a == nil {
			if held != yes {
				continue
			}
			a = &alert{Fingerprint: k.fingerprint(s.cluster), PendingSince: s.ts, LastHeld: s.ts}
			s.active[k] = a
		}
		a.visited = s.ts
		switch firing := a.FiringSince.Present(); {
		case firing && clears(rule, held, v):
			s.resolve(a, s.ts)
		case !firing && held == no:
			delete(s.active, k)
		case held != unknown: // what is unknown changes nothing
			a.rule, a.Rule, a.Severity, a.subject = rule, rule.Name, rule.Severity, of
			a.Values = v.values(rule.placeholders, a.Values[:0])
			if held == yes {
				s.hold(a)
			}
		}
	}
}

// hold counts an instant at which an alert's rule held. It fires once that was
// for the rule's time and samples.
func (s *sample) hold(a *alert) {
	firing := a.FiringSince.Present()
	if !firing && s.ts.Sub(a.LastHeld) > max(a.rule.For.Duration, 3*s.interval) {
		// A hole as long as the wait itself proves nothing: wait anew.
		a.PendingSince, a.SamplesSeen = s.ts, 0
	}
	a.LastHeld = s.ts
	a.SamplesSeen++
	if !firing && a.SamplesSeen >= a.rule.For.Samples && s.ts.Sub(a.PendingSince) >= a.rule.For.Duration {
		a.FiringSince = usage.Some(s.ts)
		s.fired++
	}
}

// clears reports whether a firing alert ends: by the rule's clear if it has
// one, else as soon as when is false.
func clears(rule *Rule, held truth, v *view) bool {
	if rule.clear == nil {
		return held == no
	}
	return eval(rule.clear, v) == yes
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

// describe words the newest values, if this evaluation has seen any.
func (a *alert) describe() {
	if a.rule != nil {
		a.Summary, a.LastValue = summarise(a.rule.Summary, a.Values)
		a.Sentence = a.rule.sentence
		a.rule = nil
	}
}

// removed ends the alerts of rules that no longer exist.
func (e *evaluation) removed(ts time.Time) {
	for _, a := range e.active {
		if !e.rows.hasRule(a.Kind, a.Rule) {
			e.resolve(a, ts)
		}
	}
}

// sorted are the active alerts by fingerprint.
func (e *evaluation) sorted() []*alert {
	return slices.SortedFunc(maps.Values(e.active), func(a, b *alert) int { return cmp.Compare(a.Fingerprint, b.Fingerprint) })
}
