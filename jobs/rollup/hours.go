package rollup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// hourWork is one hour that is to be computed.
type hourWork struct {
	hour            time.Time
	key             string // of the hour in the state
	closed, settled bool
	digest, samples string // of what its statistics and its samples are made from
}

// rollHours computes the hours of [from, to) that changed, oldest first.
func (j *Job) rollHours(ctx context.Context, res *Result, saved *savedState, byHour map[time.Time][]committed, from, to, now time.Time, rebuild bool) error {
	hours := slices.SortedFunc(maps.Keys(byHour), time.Time.Compare)
	if rebuild { // hours whose raw objects are gone live on in samples/
		hours = hours[:0]
		for h := from; h.Before(to) && !h.After(now); h = h.Add(time.Hour) {
			hours = append(hours, h)
		}
	}
	hours = slices.DeleteFunc(hours, func(h time.Time) bool { return h.Before(from) })
	var todo []hourWork
	for _, hour := range hours {
		w := hourWork{hour: hour, key: hour.Format(time.RFC3339), closed: !now.Before(hour.Add(time.Hour)), settled: !now.Before(hour.Add(time.Hour + grace))}
		w.samples = digestOf(byHour[hour])
		w.digest = digestOf(append(slices.Clip(byHour[hour.Add(-time.Hour)]), byHour[hour]...), fmt.Sprint(w.closed), j.settings())
		if rebuild || saved.Hours[w.key] != w.digest || w.settled && saved.Samples[w.key] != w.samples {
			todo = append(todo, w)
		}
	}
	h := hourRoller{Job: j, byHour: byHour, rebuild: rebuild, now: now}
	for i, w := range todo {
		if err := h.roll(ctx, res, saved, w); err != nil {
			return err
		}
		if j.Progress != nil {
			j.Progress(i+1, len(todo))
		}
	}
	return h.keep(ctx, saved)
}

// hourRoller computes one hour after the other.
type hourRoller struct {
	*Job
	byHour  map[time.Time][]committed
	rebuild bool
	now     time.Time
	newest  []byte // the state of the hour that was computed last
	hour    time.Time
}

// roll computes one hour and writes what comes of it. An hour without rows is
// left as it is.
func (h *hourRoller) roll(ctx context.Context, res *Result, saved *savedState, w hourWork) error {
	podsWritten := false
	if saved.Hours[w.key] != w.digest || h.rebuild {
		state, rest, err := h.begin(ctx, w.hour, h.rebuild || w.closed)
		if err != nil {
			return err
		}
		if len(rest) == 0 && len(state.folded) == 0 {
			return nil
		}
		if w.settled && len(state.folded) == 0 && !anyBefore(rest, w.hour) {
			// All of the hour goes by: its samples are made of the same rows.
			err = compact(ctx, h.Job, w.hour, store.Pods, func(keep func([]usage.Pod) error) error {
				h.newest, err = h.writeHourly(ctx, state, rest, w.closed, keep)
				return err
			})
			podsWritten = true
		} else {
			h.newest, err = h.writeHourly(ctx, state, rest, w.closed, nil)
		}
		if err != nil {
			return err
		}
		h.hour = w.hour
		res.Hours++
		saved.Hours[w.key] = w.digest
	}
	if w.settled {
		if err := h.writeSamples(ctx, w.hour, podsWritten); err != nil {
			return err
		}
		res.Closed++
		saved.Samples[w.key] = w.samples
	}
	return nil
}

// anyBefore reports whether a source is of the hour before.
func anyBefore(sources []*source, hour time.Time) bool {
	return slices.ContainsFunc(sources, func(s *source) bool { return s.at.Before(hour) && s.inHour(hour) })
}

// longestRun is how long before an hour a snapshot may have begun that still
// took instants of it: one that was late, or that waits long between samples.
const longestRun = 10 * time.Minute

// candidates are the snapshots that may hold instants of the hour, in order of
// time: its own, and the last ones of the hour before.
func (h *hourRoller) candidates(hour time.Time) []committed {
	early := slices.DeleteFunc(slices.Clone(h.byHour[hour.Add(-time.Hour)]), func(c committed) bool { return c.at.Before(hour.Add(-longestRun)) })
	return append(early, h.byHour[hour]...)
}

// begin is the state that sources are to be folded into, and those that are not
// folded yet. It is the state that an earlier run left of the hour, if nothing
// but newer snapshots came since; else what the hour before left.
func (h *hourRoller) begin(ctx context.Context, hour time.Time, withSamples bool) (*hourState, []*source, error) {
	candidates, base := h.candidates(hour), digestOf(h.byHour[hour.Add(-time.Hour)])
	if !h.rebuild {
		state, err := h.readHour(ctx, hour)
		if err != nil {
			return nil, nil, err
		}
		if state != nil && state.base == base && state.settings == h.settings() && state.holds(candidates) {
			rest, err := h.sources(ctx, candidates[len(state.folded):])
			if err != nil {
				return nil, nil, err
			}
			if state.precedes(rest) {
				return state, rest, nil
			}
		}
	}
	sources, err := h.sourcesOf(ctx, hour, withSamples)
	if err != nil {
		return nil, nil, err
	}
	state, err := h.before(ctx, hour)
	if err != nil {
		return nil, nil, err
	}
	state = state.next()
	state.base, state.settings = base, h.settings()
	return state, sources, nil
}

// sourcesOf are all sources of the hour: snapshots, and if wanted what samples/
// has beside them.
func (h *hourRoller) sourcesOf(ctx context.Context, hour time.Time, withSamples bool) ([]*source, error) {
	sources, err := h.sources(ctx, h.candidates(hour))
	if err != nil || !withSamples {
		return sources, err
	}
	for _, from := range [...]time.Time{hour, hour.Add(-time.Hour)} { // a snapshot that ran into the hour lies with the hour before
		old, err := h.samplesSource(ctx, from, hour, sources)
		if err != nil {
			return nil, err
		}
		if old != nil {
			sources = append(sources, old)
		}
	}
	return sources, nil
}

// holds reports whether all that is folded is the beginning of the candidates.
func (s *hourState) holds(candidates []committed) bool {
	if len(candidates) < len(s.folded) {
		return false
	}
	for i, f := range s.folded {
		if candidates[i].name != f.name || candidates[i].etag != f.etag {
			return false
		}
	}
	// A snapshot and what its nodes said of their GPUs are folded together.
	n := len(s.folded)
	return n == 0 || n == len(candidates) || candidates[n].at.After(candidates[n-1].at)
}

// precedes reports whether all instants of the sources are newer than the
// state's, so that they can be added.
func (s *hourState) precedes(sources []*source) bool {
	for _, r := range sources {
		for _, t := range r.instants {
			if !t.After(s.last) {
				return false
			}
		}
	}
	return true
}

// before is the state of the hour before, which is folded anew where no run
// left it whole.
func (h *hourRoller) before(ctx context.Context, hour time.Time) (*hourState, error) {
	hour = hour.Add(-time.Hour)
	if h.newest != nil && h.hour.Equal(hour) {
		return decodeHour(h.newest)
	}
	if !h.rebuild {
		state, err := h.readHour(ctx, hour)
		if err != nil {
			return nil, err
		}
		if candidates := h.candidates(hour); state != nil && state.settings == h.settings() && len(state.folded) == len(candidates) && state.holds(candidates) {
			return state, nil
		}
	}
	sources, err := h.sourcesOf(ctx, hour, h.rebuild || !h.now.Before(hour.Add(time.Hour)))
	if err != nil {
		return nil, err
	}
	state := newHourState(hour)
	p := pass{prices: h.Prices, state: state, in: h.streams(ctx, within(hour, sources))}
	return state, p.fold(h.Interval, nil)
}

// writeHourly folds the sources into the state, writes the hour's statistics,
// and returns the state. Nothing is written if a source cannot be read.
func (h *hourRoller) writeHourly(ctx context.Context, state *hourState, sources []*source, closed bool, keep func([]usage.Pod) error) ([]byte, error) {
	p := pass{prices: h.Prices, state: state, closed: closed, in: h.streams(ctx, within(state.hour, sources)), keep: keep}
	out := &hourRows{}
	var encoded []byte
	var serving []usage.PodHour
	recent := state.hour.After(h.now.Add(-horizon))
	name := func(table string) string {
		return layout.Object{Tier: layout.Hourly, Table: table, Cluster: h.Cluster, Time: state.hour}.Name()
	}
	err := store.PodHours.Create(ctx, h.Bucket, name(usage.Pods), store.Metadata{Cluster: h.Cluster}, func(w *store.Writer[usage.PodHour]) error {
		b := batch[usage.PodHour]{write: w.Write}
		out.pod = func(row *usage.PodHour) error {
			if row.Engine != usage.NoEngine && recent {
				serving = append(serving, *row)
			}
			return b.add(row)
		}
		if err := p.fold(h.Interval, out); err != nil {
			return err
		}
		for _, s := range sources {
			if s.want == nil {
				state.folded = append(state.folded, folded{s.name, s.etag})
			}
		}
		encoded = state.encode()
		p.finish(out)
		return b.end()
	})
	if err != nil && !errors.Is(err, errNoRows) {
		return nil, err
	}
	if errors.Is(err, errNoRows) {
		err = h.Bucket.Delete(ctx, name(usage.Pods))
	}
	return encoded, errors.Join(err,
		write(ctx, h.Job, store.PodHours, h.servingName(state.hour), serving),
		write(ctx, h.Job, store.ModelHours, name(usage.Models), out.models),
		write(ctx, h.Job, store.WorkloadHours, name(usage.Workloads), out.workloads),
		write(ctx, h.Job, store.NamespaceHours, name(usage.Namespaces), out.namespaces),
		write(ctx, h.Job, store.NodeHours, name(usage.Nodes), out.nodes),
		write(ctx, h.Job, store.ClusterHours, name(usage.Cluster), out.cluster))
}

// writeSamples writes the hour's rows as one object a table; the pods' may be
// written already.
func (h *hourRoller) writeSamples(ctx context.Context, hour time.Time, podsWritten bool) error {
	sources, err := h.sources(ctx, h.byHour[hour])
	if err != nil {
		return err
	}
	old, err := h.samplesSource(ctx, hour, time.Time{}, sources)
	if err != nil {
		return err
	}
	if old != nil {
		sources = append(sources, old)
	}
	podsOf := func() error {
		if podsWritten {
			return nil
		}
		m, err := h.openPods(ctx, sources)
		if err != nil {
			return err
		}
		defer m.start()()
		return compactFrom(ctx, h.Job, hour, store.Pods, m)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	group.Go(podsOf)
	group.Go(func() error { return compactTable(ctx, h.Job, hour, sources, store.GPUs, gpuOrder) })
	group.Go(func() error { return compactTable(ctx, h.Job, hour, sources, store.Nodes, nodeOrder) })
	group.Go(func() error { return compactTable(ctx, h.Job, hour, sources, store.Engines, engineOrder) })
	group.Go(func() error { return compactTable(ctx, h.Job, hour, sources, store.Gaps, gapOrder) })
	return group.Wait()
}

func compactTable[T any](ctx context.Context, j *Job, hour time.Time, sources []*source, table *store.Table[T], o order[T]) error {
	m, err := open(ctx, j, sources, table, o)
	if err != nil {
		return err
	}
	return compactFrom(ctx, j, hour, table, m)
}

// compactFrom merges a table's sorted runs into one object.
func compactFrom[T any](ctx context.Context, j *Job, hour time.Time, table *store.Table[T], m *merger[T]) error {
	return compact(ctx, j, hour, table, func(keep func([]T) error) error {
		for rows := m.next(); rows != nil; rows = m.next() {
			if err := keep(rows); err != nil {
				return err
			}
		}
		return m.err
	})
}

// compact writes the rows that rows gives to keep, in the table's order, as the
// hour's object in samples/. A table without rows has none.
func compact[T any](ctx context.Context, j *Job, hour time.Time, table *store.Table[T], rows func(keep func([]T) error) error) error {
	name := layout.Object{Tier: layout.Samples, Table: table.Name(), Cluster: j.Cluster, Time: hour}.Name()
	err := table.Create(ctx, j.Bucket, name, store.Metadata{Cluster: j.Cluster}, func(w *store.Writer[T]) error {
		wrote := false
		err := rows(func(some []T) error { wrote = true; return w.Write(some) })
		if err == nil && !wrote {
			return errNoRows
		}
		return err
	})
	if errors.Is(err, errNoRows) {
		return j.Bucket.Delete(ctx, name)
	}
	return err
}

// errNoRows ends the writing of an object that would have no rows.
var errNoRows = errors.New("no rows")

// batch gathers rows for a writer that likes many at once.
type batch[T any] struct {
	write func([]T) error
	rows  []T
	some  bool
}

func (b *batch[T]) add(row *T) error {
	b.some = true
	if b.rows = append(b.rows, *row); len(b.rows) < blockRows {
		return nil
	}
	return b.flush()
}

func (b *batch[T]) flush() error {
	err := b.write(b.rows)
	b.rows = b.rows[:0]
	return err
}

// end writes what is left; errNoRows if there never was a row.
func (b *batch[T]) end() error {
	if !b.some {
		return errNoRows
	}
	return b.flush()
}

// write writes a table's object, or removes the one that earlier, fuller rows left.
func write[T any](ctx context.Context, j *Job, table *store.Table[T], name string, rows []T) error {
	if len(rows) == 0 {
		return j.Bucket.Delete(ctx, name)
	}
	_, err := table.Write(ctx, j.Bucket, name, rows, store.Metadata{Cluster: j.Cluster})
	return err
}

// keep writes the state of the newest hour, which the next run goes on from,
// and removes those that none will.
func (h *hourRoller) keep(ctx context.Context, saved *savedState) error {
	if h.newest == nil || h.rebuild || h.hour.Before(hourOf(h.now).Add(-time.Hour)) {
		return nil
	}
	if _, err := h.Bucket.Put(ctx, h.hourName(h.hour), h.newest, bucket.PutOptions{}); err != nil {
		return err
	}
	key := h.hour.Format(time.RFC3339)
	if slices.Contains(saved.Open, key) {
		return nil
	}
	saved.Open = append(saved.Open, key)
	for len(saved.Open) > 2 { // the newest and the one before it
		if old, err := time.Parse(time.RFC3339, saved.Open[0]); err == nil {
			if err := h.Bucket.Delete(ctx, h.hourName(old)); err != nil {
				return err
			}
		}
		saved.Open = saved.Open[1:]
	}
	return nil
}

// servingName is where an hour's rows of model-serving pods lie once more: of
// all pods they are few, and each run reads those of a day.
func (j *Job) servingName(hour time.Time) string {
	return layout.Object{Tier: layout.State, Path: "serving", Cluster: j.Cluster, Time: hour}.Name()
}

func (j *Job) hourName(hour time.Time) string {
	return layout.Object{Tier: layout.State, Path: "rollup", Cluster: j.Cluster, Time: hour}.Name()
}

// readHour reads the state of an hour; nil if there is none that can be read.
func (h *hourRoller) readHour(ctx context.Context, hour time.Time) (*hourState, error) {
	object, err := h.Bucket.Get(ctx, h.hourName(hour))
	if errors.Is(err, bucket.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	state, err := decodeHour(object.Body)
	if err != nil || !state.hour.Equal(hour) {
		h.Log.Warn("the state of an hour is not readable: the hour is computed from its snapshots again", "object", h.hourName(hour), "error", err)
		return nil, nil
	}
	return state, nil
}

// hourOf is the hour that an instant lies in.
func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// digest of what an hour's figures were computed from: equal digests, equal figures.
func digestOf(snapshots []committed, rest ...string) string {
	var b strings.Builder
	for _, s := range snapshots {
		fmt.Fprintf(&b, "%s %s\n", s.name, s.etag)
	}
	return contentHash([]byte(b.String() + strings.Join(rest, "\n")))
}
