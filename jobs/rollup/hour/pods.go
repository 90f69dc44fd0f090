package hour

import (
	"context"
	"errors"

	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// readPods adds the pods, sorted by name, to their own hours and those of their
// namespaces, workloads and models.
func (a *Aggregation) readPods(ctx context.Context, onPod func(*usage.PodHour) error) error {
	rows, engines := &store.Merger[usage.Pod]{}, &store.Merger[usage.Engine]{}
	if a.timeline.Len() > 0 {
		var err error
		if rows, err = a.Reader.Pods(ctx, a.Sources); err != nil {
			return err
		}
		defer rows.Prefetch()()
		if engines, err = a.Reader.Engines(ctx, a.Sources); err != nil {
			return err
		}
	}
	join := podJoin{rows: rows, next: rows.Next(), known: newKnownPods(a.State.pods)}
	r := newPodReader(a, join.known, engines, onPod)
	namespace := ""
	for join.more() {
		name := join.name()
		if name.Namespace != namespace {
			a.endNamespace()
			namespace = name.Namespace
		}
		r.begin(name)
		r.hours = join.takeKnown(name, r.hours)
		if found := join.takeRows(name); found != nil {
			if err := a.OnPods(found); err != nil {
				return err
			}
			r.read(found)
			join.advance()
		}
		if err := r.end(); err != nil {
			return err
		}
		join.known.release(r.hours)
	}
	a.namespaces.end(a.State.namespaces)
	a.workloads.end(a.State.workloads)
	a.models.end(a.State.models)
	a.State.pods = r.encoded
	return errors.Join(join.known.Err(), rows.Err(), r.engines.rest())
}

func (a *Aggregation) endNamespace() {
	a.namespaces.endNamespace(a.State.namespaces)
	a.workloads.endNamespace(a.State.workloads)
	a.models.endNamespace(a.State.models)
}

// podJoin walks two lists that are both sorted by pod name: the rows of the
// snapshots, and the pods that the state knows.
type podJoin struct {
	rows  *store.Merger[usage.Pod]
	next  []usage.Pod // rows of the next pod; nil at the end
	known *knownPods
}

func (j *podJoin) more() bool { return j.next != nil || j.known.pod != nil }

// name is the smaller of both lists' next names.
func (j *podJoin) name() usage.PodName {
	switch {
	case j.next == nil:
		return j.known.pod.name
	case j.known.pod == nil || j.known.pod.name.Compare(j.next[0].Name()) >= 0:
		return j.next[0].Name()
	}
	return j.known.pod.name
}

// takeKnown appends the pods of the name that the state knows, one a UID.
func (j *podJoin) takeKnown(name usage.PodName, to []*podHour) []*podHour {
	for j.known.pod != nil && j.known.pod.name == name {
		to = append(to, j.known.pod)
		j.known.next()
	}
	return to
}

// takeRows returns the rows of the name, nil if there are none. They are valid
// until advance.
func (j *podJoin) takeRows(name usage.PodName) []usage.Pod {
	if j.next != nil && j.next[0].Name() == name {
		return j.next
	}
	return nil
}

func (j *podJoin) advance() { j.next = j.rows.Next() }

// knownPods reads the pods of an encoded state, and reuses their memory.
type knownPods struct {
	*statistics.Reader
	pod   *podHour // the next; nil at the end
	free  []*podHour
	texts podTexts
}

func newKnownPods(encoded []byte) *knownPods {
	k := &knownPods{Reader: statistics.NewReader(encoded)}
	k.next()
	return k
}

func (k *knownPods) next() {
	k.pod = nil
	if k.More() {
		k.pod = k.allocate()
		k.pod.decode(k.Reader, &k.texts)
	}
}

// allocate returns a released pod, with what it last held, or a new one.
func (k *knownPods) allocate() *podHour {
	last := len(k.free) - 1
	if last < 0 {
		return &podHour{}
	}
	p := k.free[last]
	k.free = k.free[:last]
	return p
}

func (k *knownPods) release(pods []*podHour) { k.free = append(k.free, pods...) }
