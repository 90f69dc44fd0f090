// Package rollup turns raw snapshots into compact samples, hourly statistics
// and the report's JSON documents, and publishes the report site's own files.
// It owns the prefixes samples/, hourly/ and site/ (but alerts.json).
//
// This package decides which hours a run computes (plan.go), computes them
// (hours.go), compacts those that are settled (compact.go) and remembers what it
// did (state.go). How one hour is computed is in hour, the documents are in
// publish. How objects are named is in layout, how snapshots are read in
// committed.
package rollup

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/committed"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/jobs/rollup/hour"
	"github.com/company/k8s-resource-monitor/jobs/rollup/publish"
)

// Job is one rollup of one cluster.
type Job struct {
	Bucket         bucket.Bucket
	Cluster        string
	Interval       time.Duration // between two samples
	RawRetention   time.Duration // of raw objects; a steady run looks back almost as far
	Prices         hour.Prices
	Currency       string // of the prices; "": none
	Thresholds     report.Thresholds
	ProgramVersion string
	Site           publish.SiteFiles
	Log            *slog.Logger
	Progress       func(done, total int) // called after each hour; may be nil
}

// Range limits a run to the hours that begin in [From, To), which are computed
// again whether or not they changed; the report and what the job remembers stay
// as they are. The zero Range is a steady run: it computes what changed.
type Range struct{ From, To time.Time }

// IsRebuild tells a rebuild from a steady run.
func (r Range) IsRebuild() bool { return !r.From.IsZero() }

// Shard is one of count parts of the range, of about as many hours each. The
// hours of a shard depend on no other shard, so all may run at once.
func (r Range) Shard(index, count int) Range {
	from := hourOf(r.From)
	hours := int((r.To.Sub(from) + time.Hour - 1) / time.Hour)
	at := func(i int) time.Time { return from.Add(time.Duration(hours*i/count) * time.Hour) }
	return Range{at(index), at(index + 1)}
}

func (r Range) empty() bool { return r.IsRebuild() && !hourOf(r.From).Before(r.To) }

// Result is what a run did.
type Result struct {
	Hours   int // whose statistics were computed
	Closed  int // of these, written to samples/
	Objects int // of the report that were written
}

// Run rolls up at the instant at: it computes every hour that has snapshots
// which it has not seen, then publishes the report of the newest snapshot. Run
// again at the same instant, it leaves the bucket as it is. An unreadable object
// is an error, and nothing that depends on it is written.
func (j *Job) Run(ctx context.Context, at time.Time, span Range) (Result, error) {
	var res Result
	at = at.UTC().Truncate(time.Minute)
	if span.empty() {
		j.Log.Info("no hours to roll up", "cluster", j.Cluster, "from", span.From, "to", span.To)
		return res, nil
	}
	saved, err := j.loadState(ctx)
	if err != nil {
		return res, err
	}
	horizon := horizonOf(j.RawRetention)
	from, to := hourOf(at.Add(-horizon)), at.Add(horizon)
	if span.IsRebuild() { // whole hours
		from, to = hourOf(span.From), hourOf(span.To.Add(time.Hour-1))
	}
	snapshots, err := j.reader().List(ctx, from.Add(-reach), to)
	if err != nil {
		return res, err
	}
	h := j.hours(snapshots, &saved, at, span.IsRebuild())
	if err := h.runAll(ctx, &res, &saved, h.plan(snapshots, from, to)); err != nil {
		return res, err
	}
	if !span.IsRebuild() { // a rebuild leaves report and state alone: steady runs may write them meanwhile
		if err := h.publish(ctx, &res, &saved, snapshots, at); err != nil {
			return res, err
		}
		if err := j.forget(ctx, &saved, at.Add(-2*horizon)); err != nil {
			return res, err
		}
		if err := j.saveState(ctx, saved); err != nil {
			return res, err
		}
	}
	j.Log.Info("rollup done", "cluster", j.Cluster, "at", at, "hours", res.Hours, "closed", res.Closed, "objects", res.Objects)
	return res, nil
}

func (j *Job) reader() committed.Reader {
	return committed.Reader{Bucket: j.Bucket, Cluster: j.Cluster}
}

func (j *Job) hours(snapshots []committed.Snapshot, saved *savedState, at time.Time, rebuild bool) *hours {
	now := at
	if n := len(snapshots); n > 0 && snapshots[n-1].At.After(now) {
		now = snapshots[n-1].At
	}
	return &hours{
		Job:       j,
		planner:   planner{now: now, settings: j.describeSettings(), computed: saved.Hours, compacted: saved.Samples, rebuild: rebuild},
		snapshots: byHour(snapshots),
	}
}

// describeSettings identifies the settings that figures depend on.
func (j *Job) describeSettings() string {
	b, err := json.Marshal(j.Prices) // maps are written sorted by key
	if err != nil {
		panic("prices are plain numbers: " + err.Error())
	}
	return j.Interval.String() + string(b)
}

// runAll computes planned hours and keeps the checkpoint of the newest.
func (h *hours) runAll(ctx context.Context, res *Result, saved *savedState, todo []work) error {
	for i, w := range todo {
		if err := h.run(ctx, res, saved, w); err != nil {
			return err
		}
		if h.Progress != nil {
			h.Progress(i+1, len(todo))
		}
	}
	return h.keep(ctx, saved)
}

// publish publishes the report of the cluster's newest snapshot. What nodes say
// of their GPUs is no report without it.
func (h *hours) publish(ctx context.Context, res *Result, saved *savedState, snapshots []committed.Snapshot, at time.Time) error {
	for len(snapshots) > 0 && snapshots[len(snapshots)-1].Node != "" {
		snapshots = snapshots[:len(snapshots)-1]
	}
	if len(snapshots) == 0 {
		h.Log.Warn("no snapshot to report on: has the snapshot job run?", "cluster", h.Cluster, "since", at.Add(-horizonOf(h.RawRetention)))
		return nil
	}
	minutes := committed.ByMinute(snapshots)
	minute, err := h.reader().Open(ctx, minutes[len(minutes)-1])
	if err != nil {
		return err
	}
	instants := committed.Instants(minute)
	// The states of GPUs come from the same readings as the hour's statistics.
	state, err := h.final(ctx, hourOf(instants[len(instants)-1]), 2)
	if err != nil {
		return err
	}
	p := publish.Publisher{
		Bucket: h.Bucket, Cluster: h.Cluster, Interval: h.Interval, Currency: h.Currency, Thresholds: h.Thresholds,
		ProgramVersion: h.ProgramVersion, Site: h.Site, State: &saved.State,
	}
	n, err := p.Publish(ctx, at, minute, state.Working, saved.closedHours(at))
	res.Objects += n
	return err
}
