// Package hour computes one hour: it aggregates the rows of some snapshots into
// the state of the hour, and makes the hour's rows of every hourly table. It
// reads snapshots through committed and computes with statistics; which hours
// are computed, and where their objects lie, is the rollup's.
//
// # The state
//
// A State holds the hour so far of every key: pods, models, workloads,
// namespaces, nodes and the cluster. It is kept in the bucket as a checkpoint,
// so that the next minute reads its own snapshot alone. Aggregating snapshots in
// several runs, each from the checkpoint of the run before, gives the same bytes
// as aggregating them all at once.
//
// # The order of reading
//
// Memory is bounded by the state without its pods, and by the number of
// instants: pods are streamed by name. So what pods need to know of others is
// read before them (GPUs, the nodes' products, what the engines of replicas
// say), and nodes, which need to know what their pods hold, after them.
package hour

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/committed"
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Aggregation adds some snapshots of one hour to the hour's state. It is used
// once.
type Aggregation struct {
	Prices   Prices
	Interval time.Duration // between two samples
	State    *State
	Reader   committed.Reader
	Sources  []*committed.Source // that have instants of the hour, all newer than the state
	Closed   bool                // no further snapshot of the hour is expected
	// OnPods is called with all rows of each pod as they are read, in the order of
	// the pods table. May be nil.
	OnPods func([]usage.Pod) error

	timeline   *statistics.Timeline
	replicas   []activity.Replicas       // by instant
	energy     map[usage.PodName][]int64 // by instant, of cards that one pod alone holds
	nodes      map[string]*nodeTrack
	cluster    *track
	namespaces tracks[string]
	models     tracks[modelKey]
	workloads  tracks[workloadKey]
}

// nodeTrack is a node's track and the GPUs that its pods hold.
type nodeTrack struct {
	*statistics.Series
	held      []int32
	products  []usage.Opt[string] // by instant
	product   usage.Opt[string]   // the newest product that a row gave, and when
	productAt time.Time
}

// Run aggregates. Rows of pods are given to onPod as they are done; nil skips
// them where only the state is wanted.
func (a *Aggregation) Run(ctx context.Context, onPod func(*usage.PodHour) error) error {
	a.timeline = statistics.NewTimeline(a.State.Hour, a.Interval, a.State.Newest, committed.Instants(a.Sources))
	a.replicas = make([]activity.Replicas, a.timeline.Len())
	for i := range a.replicas {
		a.replicas[i] = activity.Replicas{}
	}
	a.energy = map[usage.PodName][]int64{}
	a.nodes = map[string]*nodeTrack{}
	a.namespaces, a.models, a.workloads = newTracks[string](a.timeline), newTracks[modelKey](a.timeline), newTracks[workloadKey](a.timeline)
	a.cluster = &track{Series: statistics.NewSeries(a.timeline)}
	if a.OnPods == nil {
		a.OnPods = func([]usage.Pod) error { return nil }
	}
	if err := a.read(ctx, onPod); err != nil {
		return err
	}
	a.endNodes()
	a.State.cluster.Append(a.timeline, a.cluster.Series)
	a.State.Newest = a.timeline.Last()
	return nil
}

// read reads all tables, in the order that the package comment explains.
func (a *Aggregation) read(ctx context.Context, onPod func(*usage.PodHour) error) error {
	if a.timeline.Len() == 0 { // nothing new: pods are only taken from the state
		return a.readPods(ctx, onPod)
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.readReplicas(groupCtx) })
	group.Go(func() error {
		if err := a.readProducts(groupCtx); err != nil {
			return err
		}
		return a.readGPUs(groupCtx)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if err := a.readPods(ctx, onPod); err != nil {
		return err
	}
	return a.readNodes(ctx)
}
