// Package rollup turns raw snapshots into compact samples, hourly statistics
// and the report's JSON documents, and publishes the report site's own files.
// It owns the prefixes samples/, hourly/ and site/ (but alerts.json). How the
// objects are named is in layout, what the documents look like in report.
package rollup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
)

const (
	// grace is how long after its end an hour may still get late snapshots
	// before it is written to samples/.
	grace = 10 * time.Minute
	// horizon is how far back a run looks for new, late or changed snapshots. By
	// default raw objects are kept for three hours more, so that pruning them is
	// no change.
	horizon = 45 * time.Hour
)

// Job is one rollup of one cluster.
type Job struct {
	Bucket         bucket.Bucket
	Cluster        string
	Interval       time.Duration // between two samples
	Prices         Prices
	Currency       string // of the prices; "": none
	Thresholds     report.Thresholds
	ProgramVersion string
	Site           SiteFiles
	Log            *slog.Logger
	Progress       func(done, total int) // called after each hour; may be nil
}

// Range limits a run to the hours that begin in [From, To), which are rebuilt
// whether or not they changed; the report and what the job remembers stay as
// they are. The zero Range is the steady run: what changed.
type Range struct{ From, To time.Time }

// Shard is one of some parts of the range, of about as many hours each. Hours
// depend on no other shard's, so all may run at once.
func (r Range) Shard(index, count int) Range {
	from := hourOf(r.From)
	hours := int((r.To.Sub(from) + time.Hour - 1) / time.Hour)
	at := func(i int) time.Time { return from.Add(time.Duration(hours*i/count) * time.Hour) }
	return Range{at(index), at(index + 1)}
}

func (r Range) empty() bool { return !r.From.IsZero() && !hourOf(r.From).Before(r.To) }

// Result is what a run did.
type Result struct {
	Hours   int // whose statistics were computed
	Closed  int // of these, written to samples/
	Objects int // of the report that were written
}

// savedState is what the job remembers from run to run. Losing it costs one full
// pass over raw/ and no figure.
type savedState struct {
	Version    int               `json:"version"`
	Hours      map[string]string `json:"hours"` // RFC 3339 hour → digest of what it was computed from
	Samples    map[string]string `json:"samples"`
	Open       []string          `json:"open"`       // hours whose states are kept, oldest first
	Site       string            `json:"site"`       // digest of the site's files that were published
	Statistics string            `json:"statistics"` // digest behind statistics-168.json
	At         time.Time         `json:"at"`         // of the last run
	Alerts     map[string]int    `json:"alerts"`     // firing alerts by severity, as that run found them
}

// Run rolls up at the instant at. It computes every hour with snapshots that
// it has not seen, then publishes the report of the newest snapshot. Run again
// at the same instant, it leaves the bucket as it is. An unreadable object is
// an error, and nothing that is made of it is written.
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
	from, to := at.Add(-horizon).Truncate(time.Hour), at.Add(horizon)
	if !span.From.IsZero() { // whole hours
		from, to = hourOf(span.From), hourOf(span.To.Add(time.Hour-1))
	}
	snapshots, err := j.listCommitted(ctx, from.Add(-reach), to)
	if err != nil {
		return res, err
	}
	now := at // a snapshot newer than the run's own instant moves it on
	if n := len(snapshots); n > 0 && snapshots[n-1].at.After(now) {
		now = snapshots[n-1].at
	}
	if err := j.rollHours(ctx, &res, &saved, snapshots, from, to, now, !span.From.IsZero()); err != nil {
		return res, err
	}
	if span.From.IsZero() { // a rebuild leaves the report and the state, which others may write meanwhile
		// What nodes say of their GPUs is no report without the cluster's own snapshot.
		for len(snapshots) > 0 && snapshots[len(snapshots)-1].node != "" {
			snapshots = snapshots[:len(snapshots)-1]
		}
		if len(snapshots) == 0 {
			j.Log.Warn("no snapshot to report on: has the snapshot job run?", "cluster", j.Cluster, "since", from)
		} else if err := j.publish(ctx, &res, &saved, snapshots, at); err != nil {
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

// forget lets go of what the job remembers of hours that no run looks at again.
func (j *Job) forget(ctx context.Context, saved *savedState, before time.Time) error {
	var names []string
	for key := range saved.Hours {
		hour, err := time.Parse(time.RFC3339, key)
		if err != nil || hour.Before(before) {
			delete(saved.Hours, key)
			names = append(names, j.servingName(hour))
		}
	}
	maps.DeleteFunc(saved.Samples, func(hour, _ string) bool { return hour < before.Format(time.RFC3339) })
	return j.Bucket.Delete(ctx, names...)
}

// settings is a digest of the settings that figures depend on.
func (j *Job) settings() string {
	b, err := json.Marshal(j.Prices) // maps are written in order of keys
	if err != nil {
		panic("prices are plain numbers: " + err.Error())
	}
	return j.Interval.String() + string(b)
}

func (j *Job) stateName() string {
	return layout.Object{Tier: layout.State, Path: "rollup", Cluster: j.Cluster}.Name()
}

func (j *Job) loadState(ctx context.Context) (savedState, error) {
	fresh := savedState{Version: report.Version, Hours: map[string]string{}, Samples: map[string]string{}}
	object, err := j.Bucket.Get(ctx, j.stateName())
	if errors.Is(err, bucket.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return fresh, err
	}
	var saved savedState
	if err := json.Unmarshal(object.Body, &saved); err != nil || saved.Version != report.Version || saved.Hours == nil || saved.Samples == nil {
		j.Log.Warn("state is not readable and is made anew: every hour is computed again", "object", j.stateName())
		return fresh, nil
	}
	return saved, nil
}

func (j *Job) saveState(ctx context.Context, s savedState) error {
	body, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	_, err = j.Bucket.Put(ctx, j.stateName(), body, bucket.PutOptions{})
	return err
}

// contentHash names content: the first 128 bits of its SHA-256, in hex.
func contentHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}
