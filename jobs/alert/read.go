package alert

import (
	"context"
	"time"

	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/committed"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const (
	// lookBackSlack is added to the longest time of a rule: the newest sample of a run may be this much older
	// than the run, and a rule's time is to fit between samples.
	lookBackSlack = 10 * time.Minute

	longestRun = 2 * time.Minute // of samples that one manifest commits
)

// samples evaluates what was committed since the newest instant that the state
// knows, up to at and as far back as the longest time of a rule needs.
func (j *Job) samples(ctx context.Context, s *state, at time.Time, e *evaluation) error {
	window := lookBackSlack
	for _, r := range j.Rules {
		window = max(window, r.For.Duration+lookBackSlack)
	}
	after := latest(at.Add(-window), s.SampledAt)
	reader := committed.Reader{Bucket: j.Bucket, Cluster: j.Cluster}
	// One snapshot more than is evaluated: tokens that moved are counted since the sample before.
	from := after.Add(-longestRun - time.Duration(s.IntervalSeconds)*time.Second)
	snapshots, err := reader.List(ctx, from, at.Add(1))
	if err != nil {
		return err
	}
	if len(snapshots) == 0 && s.SampledAt.IsZero() { // how old is the newest that there is?
		newest, ok, err := reader.Newest(ctx, at)
		if err != nil {
			return err
		}
		if ok {
			snapshots = append(snapshots, newest)
		}
	}
	readings := activity.Readings{}
	var before []*committed.Source // the last minute that an earlier run has evaluated
	for _, minute := range committed.ByMinute(snapshots) {
		sources, err := reader.Open(ctx, minute)
		if err != nil {
			return err
		}
		known := latest(after, s.SampledAt) // a run that was repeated may commit the same instant again
		instants, err := reader.InstantsOf(ctx, sources, func(ts time.Time) bool { return ts.After(known) && !ts.After(at) })
		if err != nil {
			return err
		}
		if len(instants) == 0 {
			before = sources
		} else if len(readings) == 0 {
			if err := readEngines(ctx, reader, before, readings); err != nil {
				return err
			}
		}
		for i := range instants {
			if err := e.instant(ctx, &instants[i], readings); err != nil {
				return err
			}
		}
		s.seen(sources, at)
	}
	return nil
}

// seen keeps the newest instant up to at that the sources of a minute sampled.
func (s *state) seen(minute []*committed.Source, at time.Time) {
	for _, source := range minute {
		if source.Node != "" {
			continue
		}
		for _, ts := range source.Instants {
			if ts.After(s.SampledAt) && !ts.After(at) {
				s.SampledAt, s.IntervalSeconds = ts.UTC(), source.Manifest.IntervalSeconds
			}
		}
	}
}

// readEngines takes the readings of the engines of a minute.
func readEngines(ctx context.Context, reader committed.Reader, minute []*committed.Source, readings activity.Readings) error {
	rows, err := reader.Engines(ctx, minute)
	if err != nil {
		return err
	}
	return rows.Each(func(row *usage.Engine) { readings.Read(row) })
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// instant evaluates every rule but those on the snapshot at one instant. Pods,
// which are many, are streamed.
func (e *evaluation) instant(ctx context.Context, in *committed.Instant, readings activity.Readings) error {
	working := map[string]usage.Opt[bool]{} // by pod UID
	for i := range in.Engines {
		working[in.Engines[i].PodUID] = readings.Read(&in.Engines[i]).Working
	}
	replicas := activity.Replicas{}
	err := in.Pods(ctx, func(p *usage.Pod) {
		if replica, ok := activity.ReplicaOf(p); ok {
			replicas.Add(replica, working[p.PodUID])
		}
	}, "ts", "namespace", "pod", "pod_uid", "replica_group")
	if err != nil {
		return err
	}
	s := e.begin(in.TS, in.Interval, in.Nodes, in.GPUs, in.Engines)
	err = in.Pods(ctx, func(p *usage.Pod) {
		s.pod(p, activity.Of(p, replicas.Working(p, working[p.PodUID])).Name())
	})
	if err != nil {
		return err
	}
	s.finish()
	return nil
}
