package rollup

import (
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// track is a key's track, and the replicas of several pods that it has counted.
type track struct {
	*statistics.Track
	counted map[groupKey][]bool
}

// addReplicas adds a pod's replica, or one for its group however many pods of
// the group are ready.
func (t *track) addReplicas(part *statistics.Track, row *usage.Pod) {
	group, ok := groupOf(row)
	if !ok {
		t.AddTrack(part, statistics.SetOf(statistics.Replicas))
		return
	}
	if t.counted == nil {
		t.counted = map[groupKey][]bool{}
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
		ready := part.Sum(statistics.Replicas, i)
		if counted[i] {
			ready = 0
		}
		counted[i] = counted[i] || ready > 0
		t.Add(statistics.Replicas, i, ready, 1)
	}
}

// tracks are the tracks of one kind of key in the namespace that goes by.
type tracks[K comparable] struct {
	run   *statistics.Timeline
	now   map[K]*track
	taken map[K]bool // of the namespaces before it
}

func newTracks[K comparable](run *statistics.Timeline) tracks[K] {
	return tracks[K]{run, map[K]*track{}, map[K]bool{}}
}

// of returns the track of k, made on first use.
func (t *tracks[K]) of(k K) *track {
	one := t.now[k]
	if one == nil {
		one = &track{Track: statistics.NewTrack(t.run)}
		t.now[k] = one
	}
	return one
}

// endNamespace folds the tracks, and lets them go.
func (t *tracks[K]) endNamespace(folds map[K]*statistics.Fold) {
	for k, one := range t.now {
		if folds[k] == nil {
			folds[k] = &statistics.Fold{}
		}
		folds[k].Take(one.Track, t.run)
		t.taken[k] = true
	}
	clear(t.now)
}

// end lets time go by for the keys that the pass did not see.
func (t *tracks[K]) end(folds map[K]*statistics.Fold) {
	t.endNamespace(folds)
	for k, f := range folds {
		if !t.taken[k] {
			f.Take(nil, t.run)
		}
	}
}
