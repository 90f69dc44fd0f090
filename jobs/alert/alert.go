// Package alert is the alert job: it runs rules over the newest committed
// rows, tells channels such as Slack what began and what ended, and writes
// alerts.json for the site. It holds the rules' language (rules.yaml) and what is
// remembered between runs. The channels are in notify. It measures nothing itself.
//
// # A run
//
// Each sample that was committed since the last run is evaluated in order, so a
// run that comes late sees what it missed. A rule that holds on a subject for
// its time and its samples fires; what was not measured neither fires nor
// resolves; a subject that is gone resolves.
//
// A run decides, then posts, then records what it posted. So a transition is
// posted at least once, and never twice unless a run dies between the two or
// two run at the same time.
package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/jobs/alert/notify"
)

// Job evaluates one cluster's rules. A dry run is a Job on bucket.DryRun with a
// Printer as its channel.
type Job struct {
	Bucket     bucket.Bucket
	Cluster    string
	Rules      []Rule            // see Rules
	Thresholds report.Thresholds // as expressions see them
	Channels   []notify.Channel  // each is told of every alert
	SiteURL    string            // linked from messages; "": no link
	Log        *slog.Logger
}

// Result counts what a run found.
type Result struct {
	Firing   int // alerts that fire now
	New      int // that began to fire in this run
	Resolved int // that ended in this run
	Posted   int // beginnings and ends that channels were told of, counted for each channel
}

const mostConflicts = 5

// Run evaluates what was sampled since the last run, up to at. The same at
// again posts nothing and changes nothing. An error that is notify.ErrRefused is not
// worth a retry; after a failed post everything else is still recorded.
func (j *Job) Run(ctx context.Context, at time.Time) (Result, error) {
	at = at.UTC()
	told := map[string]bool{}
	for conflict := 0; ; conflict++ {
		result, err := j.run(ctx, at, told)
		if errors.Is(err, bucket.ErrPrecondition) && conflict < mostConflicts {
			j.Log.Debug("the state of alerts was changed meanwhile, reading it again", "cluster", j.Cluster)
			continue
		}
		j.Log.Info("alert", "cluster", j.Cluster, "at", at, "firing", result.Firing, "new", result.New,
			"resolved", result.Resolved, "posted", result.Posted, "ok", err == nil)
		return result, err
	}
}

// run is one attempt. told holds the transitions that an attempt before it has
// posted and could not record.
func (j *Job) run(ctx context.Context, at time.Time, told map[string]bool) (Result, error) {
	s, stored, err := readState(ctx, j.Bucket, j.Cluster)
	if err != nil {
		return Result{}, err
	}
	result, err := j.decide(ctx, &s, at)
	if err != nil {
		return result, err
	}
	postErr := j.notify(ctx, &s, told)
	result.Posted = len(told)
	if err := writeState(ctx, j.Bucket, s, stored); err != nil {
		return result, errors.Join(err, postErr)
	}
	return result, errors.Join(postErr, j.publish(ctx, s))
}

// decide advances the state to at. A state that is already there is left alone.
func (j *Job) decide(ctx context.Context, s *state, at time.Time) (Result, error) {
	e := newEvaluation(j, *s)
	if at.After(s.At) {
		if err := j.samples(ctx, s, at, e); err != nil {
			return Result{}, err
		}
		e.snapshot(at, s.SampledAt, time.Duration(s.IntervalSeconds)*time.Second)
		e.removed(at)
		s.At = at
	}
	s.Active, s.Resolved = []alert{}, append([]alert{}, e.resolved...)
	for _, a := range e.sorted() {
		a.describe()
		s.Active = append(s.Active, *a)
	}
	return Result{Firing: len(s.firing()), New: e.fired, Resolved: e.ended}, nil
}

// notify tells each channel what it has not been told yet, in one message a
// channel, and marks it as told. A channel's failure does not stop the others.
func (j *Job) notify(ctx context.Context, s *state, told map[string]bool) error {
	var errs []error
	for _, c := range j.Channels {
		var due []*alert
		var transitions []alert
		for _, a := range s.all() {
			if !a.untold(c.Name()) {
				continue
			}
			due = append(due, a)
			if !told[a.transition(c.Name())] {
				transitions = append(transitions, *a)
			}
		}
		if len(transitions) > 0 {
			retry, err := c.Notify(ctx, newNotification(j.Cluster, j.SiteURL, s.At, transitions))
			switch {
			case err == nil:
			case retry:
				errs = append(errs, fmt.Errorf("post to %s: %w; the next run sends again", c.Name(), err))
				continue
			default:
				errs = append(errs, fmt.Errorf("%s %w: %w", c.Name(), notify.ErrRefused, err))
				continue
			}
		}
		for _, a := range due {
			told[a.transition(c.Name())] = true
			a.tell(c.Name())
		}
	}
	return errors.Join(errs...)
}

// publish writes alerts.json, unless it says the same already.
func (j *Job) publish(ctx context.Context, s state) error {
	name := layout.Object{Tier: layout.Report, Cluster: j.Cluster, Path: "api/v1/resources/alerts.json"}.Name()
	body, err := json.Marshal(s.document())
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	old, err := j.Bucket.Get(ctx, name)
	if err == nil && bytes.Equal(old.Body, body) {
		return nil
	}
	if err != nil && !errors.Is(err, bucket.ErrNotExist) {
		return err
	}
	_, err = j.Bucket.Put(ctx, name, body, bucket.PutOptions{CacheControl: "no-cache", Gzip: true})
	return err
}
