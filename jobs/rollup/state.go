package rollup

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/jobs/rollup/hour"
	"github.com/company/k8s-resource-monitor/jobs/rollup/publish"
)

// savedState is what the job remembers from run to run. Losing it costs one full
// pass over raw/ and changes no figure.
type savedState struct {
	Version int               `json:"version"`
	Hours   map[string]string `json:"hours"`   // RFC 3339 hour → digest of what its statistics were computed from
	Samples map[string]string `json:"samples"` // RFC 3339 hour → digest of what its samples were made from
	Open    []string          `json:"open"`    // hours whose checkpoints are kept, oldest first
	publish.State
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
	err = json.Unmarshal(object.Body, &saved)
	if err != nil || saved.Version != report.Version || saved.Hours == nil || saved.Samples == nil {
		j.Log.Warn("state is not readable and is made again: every hour is computed again", "object", j.stateName())
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

// closedHours identifies the statistics of the hours before an instant's hour,
// as they were last computed.
func (s *savedState) closedHours(at time.Time) string {
	var closed []string
	for key, digest := range s.Hours {
		if key < hourOf(at).Format(time.RFC3339) {
			closed = append(closed, key+digest)
		}
	}
	slices.Sort(closed)
	return digestOf(nil, closed...)
}

// forget drops what the job remembers of hours that no run looks at again.
func (j *Job) forget(ctx context.Context, saved *savedState, before time.Time) error {
	var names []string
	for key := range saved.Hours {
		of, err := time.Parse(time.RFC3339, key)
		if err != nil || of.Before(before) {
			delete(saved.Hours, key)
			names = append(names, publish.ServingName(j.Cluster, of))
		}
	}
	maps.DeleteFunc(saved.Samples, func(key, _ string) bool { return key < before.Format(time.RFC3339) })
	return j.Bucket.Delete(ctx, names...)
}

func (j *Job) checkpointName(of time.Time) string {
	return layout.Object{Tier: layout.State, Path: "rollup", Cluster: j.Cluster, Time: of}.Name()
}

// readCheckpoint reads the checkpoint of an hour, nil if there is none that can
// be read.
func (j *Job) readCheckpoint(ctx context.Context, of time.Time) (*hour.State, error) {
	object, err := j.Bucket.Get(ctx, j.checkpointName(of))
	if errors.Is(err, bucket.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	state, err := hour.Decode(object.Body)
	if err != nil || !state.Hour.Equal(of) {
		j.Log.Warn("the checkpoint of an hour is not readable: the hour is computed from its snapshots again",
			"object", j.checkpointName(of), "error", err)
		return nil, nil
	}
	return state, nil
}

// keep writes the checkpoint of the newest hour, from which the next run goes
// on, and deletes those that no run will read again.
func (h *hours) keep(ctx context.Context, saved *savedState) error {
	if h.newest == nil || h.rebuild || h.newestOf.Before(hourOf(h.now).Add(-time.Hour)) {
		return nil
	}
	_, err := h.Bucket.PutStream(ctx, h.checkpointName(h.newestOf), h.newest.Write)
	if err != nil {
		return err
	}
	key := h.newestOf.Format(time.RFC3339)
	if slices.Contains(saved.Open, key) {
		return nil
	}
	saved.Open = append(saved.Open, key)
	slices.Sort(saved.Open)
	for len(saved.Open) > 2 { // the newest and the one before it
		if old, err := time.Parse(time.RFC3339, saved.Open[0]); err == nil {
			if err := h.Bucket.Delete(ctx, h.checkpointName(old)); err != nil {
				return err
			}
		}
		saved.Open = saved.Open[1:]
	}
	return nil
}
