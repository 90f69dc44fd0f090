package hour

import (
	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// track is a key's track, and the replicas of several pods that it has counted.
type track struct {
	*statistics.Series
	counted map[activity.Replica][]bool
}

// addReplicas counts the pod as a replica, or its group as one however many
// pods of the group are ready.
func (t *track) addReplicas(part *statistics.Series, row *usage.Pod) {
	group, ok := activity.ReplicaOf(row)
	if !ok {
		t.AddValues(part, statistics.SetOf(statistics.Replicas))
		return
	}
	if t.counted == nil {
		t.counted = map[activity.Replica][]bool{}
	}
	counted := t.counted[group]
	if counted == nil {
		counted = make([]bool, part.Len())
		t.counted[group] = counted
	}
	for i := range counted {
		if !part.Seen(i) {
			continue
		}
		ready := part.At(statistics.Replicas, i)
		if counted[i] {
			ready = 0
		}
		counted[i] = counted[i] || ready > 0
		t.Add(statistics.Replicas, i, ready, 1)
	}
}

// tracks are the tracks of one kind of key. Pods come sorted by namespace, so
// only the tracks of the current namespace are in memory.
type tracks[K comparable] struct {
	timeline *statistics.Timeline
	current  map[K]*track
	done     map[K]bool // keys of the namespaces before
}

func newTracks[K comparable](timeline *statistics.Timeline) tracks[K] {
	return tracks[K]{timeline, map[K]*track{}, map[K]bool{}}
}

// of returns the track of k, made on first use.
func (t *tracks[K]) of(k K) *track {
	one := t.current[k]
	if one == nil {
		one = &track{Series: statistics.NewSeries(t.timeline)}
		t.current[k] = one
	}
	return one
}

// endNamespace merges the namespace's tracks into the state.
func (t *tracks[K]) endNamespace(aggregates map[K]*statistics.Aggregate) {
	for k, one := range t.current {
		if aggregates[k] == nil {
			aggregates[k] = &statistics.Aggregate{}
		}
		aggregates[k].Append(t.timeline, one.Series)
		t.done[k] = true
	}
	clear(t.current)
}

// end ends the last namespace, and lets time pass for the keys of the state
// that no row had.
func (t *tracks[K]) end(aggregates map[K]*statistics.Aggregate) {
	t.endNamespace(aggregates)
	for k, a := range aggregates {
		if !t.done[k] {
			a.Append(t.timeline, nil)
		}
	}
}
