package rollup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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
func (j *Job) rollHours(ctx context.Context, res *Result, saved *savedState, snapshots []committed, from, to, now time.Time, rebuild bool) error {
	h := hourRoller{Job: j, byHour: byHour(snapshots), rebuild: rebuild, now: now}
	hours := slices.SortedFunc(maps.Keys(h.byHour), time.Time.Compare)
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
		w.samples = digestOf(h.byHour[hour])
		w.digest = digestOf(h.byHour[hour], h.base(hour), fmt.Sprint(w.closed), j.settings())
		if rebuild || saved.Hours[w.key] != w.digest || w.settled && saved.Samples[w.key] != w.samples {
			todo = append(todo, w)
		}
	}
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

// base is a digest of the snapshots before the hour that bear on it: those of
// the hour before, which reach into it, and of the one before that, by whose
// readings the last instant of the hour before was judged.
func (h *hourRoller) base(hour time.Time) string {
	return digestOf(append(slices.Clip(h.byHour[hour.Add(-2*time.Hour)]), h.byHour[hour.Add(-time.Hour)]...))
}

// hourRoller computes one hour after the other.
type hourRoller struct {
	*Job
	byHour  map[time.Time][]committed
	rebuild bool
	now     time.Time
	newest  *encodedHour // the state of the hour that was computed last, and that hour
	hour    time.Time
}

// roll computes one hour and writes what comes of it. An hour without instants
// of its own is left as it is.
func (h *hourRoller) roll(ctx context.Context, res *Result, saved *savedState, w hourWork) error {
	if h.rebuild { // a long one runs beside steady runs: what they have seen meanwhile counts
		fresh, err := h.listCommitted(ctx, w.hour.Add(-reach), w.hour.Add(time.Hour))
		if err != nil {
			return err
		}
		h.byHour = byHour(fresh)
	}
	var gone []*source // what went by for its samples
	if saved.Hours[w.key] != w.digest || h.rebuild {
		state, rest, err := h.begin(ctx, w.hour, h.rebuild || w.closed)
		if err != nil {
			return err
		}
		if len(within(w.hour, rest)) == 0 && len(state.folded) == 0 {
			return nil
		}
		if w.settled && len(state.folded) == 0 && allWithin(w.hour, rest) {
			// All of the hour goes by: its samples are made of the same rows.
			err = compact(ctx, h.Job, w.hour, store.Pods, func(keep func([]usage.Pod) error) error {
				h.newest, err = h.writeHourly(ctx, state, rest, w.closed, keep)
				return err
			})
			gone = within(w.hour, rest)
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
		if err := h.writeSamples(ctx, w.hour, gone); err != nil {
			return err
		}
		res.Closed++
		saved.Samples[w.key] = w.samples
	}
	return nil
}

// allWithin reports whether the rows that are folded into the hour are those of
// its samples: the sources of its own, which all have instants of it, and no
// other's. What is in samples/ already counts as another's.
func allWithin(hour time.Time, sources []*source) bool {
	for _, s := range sources {
		if own := hourOf(s.at).Equal(hour); own != s.inHour(hour) {
			return false
		}
	}
	return true
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
	candidates, base := h.candidates(hour), h.base(hour)
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
	before, err := h.whole(ctx, hour.Add(-time.Hour), 2)
	if err != nil {
		return nil, nil, err
	}
	state := before.next()
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

// reach is how far the snapshots that bear on an hour lie before it.
const reach = 2 * time.Hour

// whole is the state of an hour after all of its snapshots. Where no run left
// it, it is folded anew from what so many hours hold, itself the last: the
// hours before them do not bear on who asks.
func (h *hourRoller) whole(ctx context.Context, hour time.Time, hours int) (*hourState, error) {
	if h.newest != nil && h.hour.Equal(hour) {
		return decodeHour(*h.newest)
	}
	if !h.rebuild {
		state, err := h.readHour(ctx, hour)
		if err != nil {
			return nil, err
		}
		if candidates := h.candidates(hour); state != nil && state.settings == h.settings() && state.base == h.base(hour) && len(state.folded) == len(candidates) && state.holds(candidates) {
			return state, nil
		}
	}
	sources, err := h.sourcesOf(ctx, hour, h.rebuild || !h.now.Before(hour.Add(time.Hour)))
	if err != nil {
		return nil, err
	}
	state := newHourState(hour)
	if hours > 1 {
		before, err := h.whole(ctx, hour.Add(-time.Hour), hours-1)
		if err != nil {
			return nil, err
		}
		state = before.next()
	}
	p := pass{prices: h.Prices, state: state, in: h.streams(ctx, within(hour, sources))}
	return state, p.fold(h.Interval, nil)
}

// keep writes the state of the newest hour, which the next run goes on from,
// and removes those that none will.
func (h *hourRoller) keep(ctx context.Context, saved *savedState) error {
	if h.newest == nil || h.rebuild || h.hour.Before(hourOf(h.now).Add(-time.Hour)) {
		return nil
	}
	_, err := h.Bucket.PutStream(ctx, h.hourName(h.hour), h.newest.write)
	if err != nil {
		return err
	}
	key := h.hour.Format(time.RFC3339)
	if slices.Contains(saved.Open, key) {
		return nil
	}
	saved.Open = append(saved.Open, key)
	slices.Sort(saved.Open)
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
	state, err := readEncoded(object.Body)
	if err != nil || !state.hour.Equal(hour) {
		h.Log.Warn("the state of an hour is not readable: the hour is computed from its snapshots again", "object", h.hourName(hour), "error", err)
		return nil, nil
	}
	return state, nil
}

// byHour are the snapshots by the hour of their names, in order of time.
func byHour(snapshots []committed) map[time.Time][]committed {
	hours := map[time.Time][]committed{}
	for _, c := range snapshots {
		hours[hourOf(c.at)] = append(hours[hourOf(c.at)], c)
	}
	return hours
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
