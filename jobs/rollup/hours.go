package rollup

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/committed"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/jobs/rollup/hour"
	"github.com/company/k8s-resource-monitor/jobs/rollup/publish"
)

// hours computes planned hours, oldest first.
type hours struct {
	*Job
	planner
	snapshots map[time.Time][]committed.Snapshot // by hour
	newest    *hour.Checkpoint                   // after the hour that was computed last
	newestOf  time.Time                          // that hour
}

// run computes one hour and writes what comes of it. An hour without instants of
// its own is left as it is.
func (h *hours) run(ctx context.Context, res *Result, saved *savedState, w work) error {
	if h.rebuild { // a long rebuild runs beside steady runs: what landed meanwhile counts
		fresh, err := h.reader().List(ctx, w.hour.Add(-reach), w.hour.Add(time.Hour))
		if err != nil {
			return err
		}
		h.snapshots = byHour(fresh)
		w = h.planner.hour(w.hour, h.snapshots)
	}
	var whole []*committed.Source // all of the hour's, if its pods were compacted on the way
	if w.aggregate {
		state, sources, err := h.resume(ctx, w)
		if err != nil {
			return err
		}
		own := committed.InHour(w.hour, sources)
		if len(own) == 0 && len(state.Merged) == 0 {
			return nil
		}
		if w.compact && len(state.Merged) == 0 && areExactly(w.hour, sources) {
			// The whole hour is read once, for statistics and compaction.
			whole = own
			err = h.compactPods(ctx, w.hour, func(onPods func([]usage.Pod) error) error {
				return h.aggregate(ctx, w, state, sources, onPods)
			})
		} else {
			err = h.aggregate(ctx, w, state, sources, nil)
		}
		if err != nil {
			return err
		}
		res.Hours++
		saved.Hours[w.key] = w.digest
	}
	if w.compact {
		if err := h.compact(ctx, w, whole); err != nil {
			return err
		}
		res.Closed++
		saved.Samples[w.key] = w.samplesDigest
	}
	return nil
}

// areExactly reports whether the sources are those that the hour's samples are
// made of: all snapshots that are named in the hour have instants of it, and no
// other source has. What is in samples/ already counts as another.
func areExactly(hour time.Time, sources []*committed.Source) bool {
	for _, s := range sources {
		if named := hourOf(s.At).Equal(hour); named != s.InHour(hour) {
			return false
		}
	}
	return true
}

// resume returns the hour's checkpoint and the snapshots that arrived after it.
// Where anything else changed, it returns the state that the hour before left,
// and all sources of the hour.
func (h *hours) resume(ctx context.Context, w work) (*hour.State, []*committed.Source, error) {
	if !h.rebuild {
		state, err := h.readCheckpoint(ctx, w.hour)
		if err != nil {
			return nil, nil, err
		}
		if state != nil && h.continues(w, state) {
			rest, err := h.reader().Open(ctx, w.candidates[len(state.Merged):])
			if err != nil {
				return nil, nil, err
			}
			if isAfter(state.Newest, rest) {
				return state, rest, nil
			}
		}
	}
	sources, err := h.sources(ctx, w, h.rebuild || w.closed)
	if err != nil {
		return nil, nil, err
	}
	before, err := h.final(ctx, w.hour.Add(-time.Hour), 2)
	if err != nil {
		return nil, nil, err
	}
	state := before.Next()
	state.Base, state.Settings = w.base, h.settings
	return state, sources, nil
}

// sources are all sources of the hour: its candidates, and if wanted what
// samples/ holds beside them.
func (h *hours) sources(ctx context.Context, w work, withSamples bool) ([]*committed.Source, error) {
	sources, err := h.reader().Open(ctx, w.candidates)
	if err != nil || !withSamples {
		return sources, err
	}
	for _, of := range [...]time.Time{w.hour, w.hour.Add(-time.Hour)} { // a snapshot that ran into the hour is compacted with the hour before
		old, err := h.reader().Samples(ctx, of, w.hour, sources)
		if err != nil {
			return nil, err
		}
		if old != nil {
			sources = append(sources, old)
		}
	}
	return sources, nil
}

// continues reports whether nothing changed since the checkpoint but that
// snapshots were added at the end.
func (h *hours) continues(w work, s *hour.State) bool {
	if s.Base != w.base || s.Settings != h.settings || len(w.candidates) < len(s.Merged) {
		return false
	}
	for i, m := range s.Merged {
		if w.candidates[i].Name != m.Name || w.candidates[i].ETag != m.ETag {
			return false
		}
	}
	// The cluster's snapshot and those of its nodes have to be merged together.
	n := len(s.Merged)
	return n == 0 || n == len(w.candidates) || w.candidates[n].At.After(w.candidates[n-1].At)
}

// isAfter reports whether all instants of the sources are after an instant.
func isAfter(at time.Time, sources []*committed.Source) bool {
	for _, s := range sources {
		if slices.ContainsFunc(s.Instants, func(t time.Time) bool { return !t.After(at) }) {
			return false
		}
	}
	return true
}

// final is the state of an hour after all of its snapshots. Where no checkpoint
// has it, it is computed again from so many hours, itself the last: what lies
// before them does not bear on the caller.
func (h *hours) final(ctx context.Context, of time.Time, hours int) (*hour.State, error) {
	if h.newest != nil && h.newestOf.Equal(of) {
		return h.newest.State()
	}
	w := h.planner.hour(of, h.snapshots)
	if !h.rebuild {
		state, err := h.readCheckpoint(ctx, of)
		if err != nil {
			return nil, err
		}
		if state != nil && len(state.Merged) == len(w.candidates) && h.continues(w, state) {
			return state, nil
		}
	}
	sources, err := h.sources(ctx, w, h.rebuild || w.closed)
	if err != nil {
		return nil, err
	}
	state := hour.NewState(of)
	if hours > 1 {
		before, err := h.final(ctx, of.Add(-time.Hour), hours-1)
		if err != nil {
			return nil, err
		}
		state = before.Next()
	}
	a := h.aggregation(state, sources)
	return state, a.Run(ctx, nil)
}

func (h *hours) aggregation(state *hour.State, sources []*committed.Source) *hour.Aggregation {
	return &hour.Aggregation{
		Prices: h.Prices, Interval: h.Interval, State: state,
		Reader: h.reader(), Sources: committed.InHour(state.Hour, sources),
	}
}

// aggregate merges the sources into the state and writes the hour's statistics.
// Nothing is written if a source cannot be read.
func (h *hours) aggregate(ctx context.Context, w work, state *hour.State, sources []*committed.Source,
	onPods func([]usage.Pod) error) error {
	a := h.aggregation(state, sources)
	a.Closed, a.OnPods = w.closed, onPods
	var checkpoint hour.Checkpoint
	var rows hour.Rows
	var serving []usage.PodHour
	recent := w.hour.After(h.now.Add(-horizonOf(h.RawRetention)))
	name := func(table string) string {
		return layout.Object{Tier: layout.Hourly, Table: table, Cluster: h.Cluster, Time: w.hour}.Name()
	}
	err := createOrDelete(ctx, h.Job, store.PodHours, name(usage.Pods), func(write func([]usage.PodHour) error) error {
		pods := batch[usage.PodHour]{write: write}
		err := a.Run(ctx, func(row *usage.PodHour) error {
			if row.Engine != usage.NoEngine && recent {
				serving = append(serving, *row)
			}
			return pods.add(row)
		})
		if err != nil {
			return err
		}
		for _, s := range sources {
			if s.IsSnapshot() {
				state.Merged = append(state.Merged, hour.Snapshot{Name: s.Name, ETag: s.ETag})
			}
		}
		checkpoint = state.Checkpoint() // before Rows, which ends the state
		rows = a.Rows()
		return pods.flush()
	})
	if err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	write(groupCtx, group, h.Job, store.PodHours, publish.ServingName(h.Cluster, w.hour), serving)
	write(groupCtx, group, h.Job, store.ModelHours, name(usage.Models), rows.Models)
	write(groupCtx, group, h.Job, store.WorkloadHours, name(usage.Workloads), rows.Workloads)
	write(groupCtx, group, h.Job, store.NamespaceHours, name(usage.Namespaces), rows.Namespaces)
	write(groupCtx, group, h.Job, store.NodeHours, name(usage.Nodes), rows.Nodes)
	write(groupCtx, group, h.Job, store.ClusterHours, name(usage.Cluster), rows.Cluster)
	if err := group.Wait(); err != nil {
		return err
	}
	h.newest, h.newestOf = &checkpoint, w.hour
	return nil
}
