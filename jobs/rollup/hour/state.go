package hour

import (
	"maps"
	"time"

	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// State is one hour of every key after the snapshots that were merged into it.
type State struct {
	Hour     time.Time
	Merged   []Snapshot // in order of time
	Base     string     // digest of the snapshots before the hour that bear on it
	Settings string     // digest of the settings that figures depend on
	Newest   time.Time  // the newest instant; zero: none

	cards      activity.Readings // by UUID
	engines    activity.Readings // by pod UID
	models     map[modelKey]*statistics.Aggregate
	workloads  map[workloadKey]*statistics.Aggregate
	namespaces map[string]*statistics.Aggregate
	nodes      map[string]*nodeState
	cluster    statistics.Aggregate
	pods       []byte // of podHour, sorted by (namespace, pod)
}

// Snapshot names a snapshot that was merged, as far as it has instants of the
// hour.
type Snapshot struct{ Name, ETag string }

// nodeState is a node's hour, and the newest GPU product it gave, by which it
// and its pods are priced.
type nodeState struct {
	statistics.Aggregate
	product   usage.Opt[string]
	productAt time.Time
}

// podHour is a pod's hour, and what its newest row said.
type podHour struct {
	name        usage.PodName
	uid         string
	node, model usage.Opt[string]
	engine      string
	restarts    usage.Opt[int64]
	at          time.Time // of the newest row
	statistics.Aggregate
}

// Keys of the hourly tables.
type (
	modelKey    struct{ namespace, engine, model string }
	workloadKey struct{ namespace, kind, owner string }
)

// NewState is the state of an hour of which nothing is known.
func NewState(hour time.Time) *State {
	return &State{
		Hour:       hour,
		cards:      activity.Readings{},
		engines:    activity.Readings{},
		models:     map[modelKey]*statistics.Aggregate{},
		workloads:  map[workloadKey]*statistics.Aggregate{},
		namespaces: map[string]*statistics.Aggregate{},
		nodes:      map[string]*nodeState{},
	}
}

// Working is what the engine of a pod said of its work at the newest instant,
// absent if it was not asked then or does not tell.
func (s *State) Working(podUID string) usage.Opt[bool] {
	if r := s.engines[podUID]; r.At.Equal(s.Newest) {
		return r.Working
	}
	return usage.Opt[bool]{}
}

// Next is the state that the following hour begins with: values whose last
// sample lasts into it, and the newest readings of counters. It depends on this
// hour's snapshots alone, so what is older is dropped. s must not be used
// afterwards.
func (s *State) Next() *State {
	s.Hour = s.Hour.Add(time.Hour)
	s.Merged, s.Base, s.Settings = nil, "", ""
	old := func(t time.Time) bool { return t.Before(s.Hour.Add(-time.Hour)) }
	for _, readings := range []activity.Readings{s.cards, s.engines} {
		maps.DeleteFunc(readings, func(_ string, r activity.Reading) bool { return old(r.At) })
	}
	begin(s.models)
	begin(s.workloads)
	begin(s.namespaces)
	for name, n := range s.nodes {
		if n.NextHour(); old(n.productAt) {
			n.product, n.productAt = usage.Opt[string]{}, time.Time{}
		}
		if !n.HasPending() && !n.product.Present() {
			delete(s.nodes, name)
		}
	}
	s.cluster.NextHour()
	var pods statistics.Writer
	var read, written podTexts
	for r, p := statistics.NewReader(s.pods), (&podHour{}); r.More(); {
		p.decode(r, &read)
		if p.NextHour(); !old(p.at) {
			p.encode(&pods, &written)
		}
	}
	s.pods = pods
	return s
}

func begin[K comparable](folds map[K]*statistics.Aggregate) {
	for k, f := range folds {
		if f.NextHour(); !f.HasPending() {
			delete(folds, k)
		}
	}
}
