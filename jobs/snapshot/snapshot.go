// Package snapshot is the job that looks at the cluster: a run takes a few
// samples, some seconds apart, and writes their rows as raw Parquet objects
// with a manifest that commits them. It computes nothing from the rows, and
// reads nothing in the bucket but the manifest of its own instant and, where
// kubelets are asked, what they had counted up to the run before. Run on a GPU
// node, it looks at the GPUs of that node alone, with NVML, and its objects and
// manifest bear the node's name.
//
// # Writing
//
// Names come from the run's instant, so a repeated run overwrites itself. The
// manifest is deleted before an object is replaced and written after all of
// them: a run that is killed at any write leaves garbage that no manifest
// lists, never a manifest that lies, and a repetition leaves the bucket as if
// nothing had happened. A repetition that read the same writes nothing.
package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/serving"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Job takes snapshots of one cluster. It may run again and again, but one run
// at a time.
type Job struct {
	Kube          *kube.Client
	HTTP          *http.Client // for exporters and engines
	Kubelets      bool         // usage from the kubelets; false: from metrics.k8s.io
	NoExporters   bool         // leave GPU exporters alone: GPUs are read on their nodes, or not at all
	Node          string       // "": the cluster; else the node that this runs on, of which it reads the GPUs and nothing else
	KubeletSocket string       // with Node: of the kubelet's pod-resources
	Bucket        bucket.Bucket
	Cluster       string
	Namespaces    []string      // nil: all
	Interval      time.Duration // between two samples; whole seconds
	SamplesPerRun int
	Version       string // the program's
	Log           *slog.Logger
	Now           func() time.Time

	// Wait returns at the instant, at once where it has passed, or with the
	// context's error. nil: waits by the wall clock.
	Wait func(ctx context.Context, until time.Time) error

	engines map[*usage.PodDetail]serving.Identity // of the latest sample that there is something to scrape of
	cpu     kube.CPUCounters                      // of the latest sample, with Kubelets
}

// Result is what a run found and wrote: rows of all samples by table, and the
// objects of its snapshot.
type Result struct {
	Samples, Pods, Nodes, GPUs, Engines, Gaps int
	Objects, Bytes                            int
	Unchanged                                 bool // the snapshot was there already; nothing was written
	Duration                                  time.Duration
}

// Run takes the samples of the instant at, truncated to the minute: sample k
// bears the time at + k intervals. One whose time was over before its turn
// came, or to which the API server did not answer, is a gap; if none could be
// taken, that is the error, and the bucket is as it was. Where at is not the
// present, so that all its samples would be over, it was given by hand: the
// samples then keep time with the run's start instead.
func (j *Job) Run(ctx context.Context, at time.Time) (Result, error) {
	at = at.UTC().Truncate(time.Minute)
	start := j.Now()
	all, err := j.samples(ctx, at, start)
	if err != nil {
		return Result{}, fmt.Errorf("snapshot of %s: %w", at.Format(time.RFC3339), err)
	}
	store.Nodes.Sort(all.nodes)
	store.GPUs.Sort(all.gpus)
	store.Engines.Sort(all.engines)
	slices.SortFunc(all.gaps, usage.CompareGaps)
	result := Result{Samples: len(all.taken), Pods: all.podCount(), Nodes: len(all.nodes), GPUs: len(all.gpus),
		Engines: len(all.engines), Gaps: len(all.gaps)}
	if err := j.write(ctx, at, start, all, &result); err != nil {
		return Result{}, fmt.Errorf("snapshot of %s: %w", at.Format(time.RFC3339), err)
	}
	if j.asksKubelets() {
		if err := j.saveCPU(ctx); err != nil {
			return Result{}, fmt.Errorf("snapshot of %s: %w", at.Format(time.RFC3339), err)
		}
	}
	result.Duration = j.Now().Sub(start)
	j.Log.Info("snapshot", "cluster", j.Cluster, "at", at, "samples", result.Samples, "pods", result.Pods,
		"nodes", result.Nodes, "gpus", result.GPUs, "engines", result.Engines, "gaps", result.Gaps,
		"objects", result.Objects, "bytes", result.Bytes, "unchanged", result.Unchanged, "duration", result.Duration)
	return result, nil
}

// samples takes the run's samples.
func (j *Job) samples(ctx context.Context, at, start time.Time) (*samples, error) {
	all := &samples{}
	if j.engines == nil {
		j.engines = map[*usage.PodDetail]serving.Identity{}
	}
	if j.asksKubelets() {
		j.loadCPU(ctx)
	}
	origin := at
	if start.Sub(at) >= time.Duration(j.SamplesPerRun)*j.Interval {
		origin = start // at is not the present
	}
	next := start
	var failed error
	for k := range j.SamplesPerRun {
		ts := at.Add(time.Duration(k) * j.Interval)
		over := origin.Add(time.Duration(k+1) * j.Interval)
		if !j.Now().Before(over) {
			all.gaps = append(all.gaps, usage.Gap{TS: ts, Source: "schedule", Target: "snapshot", Reason: fmt.Sprintf(
				"the run came to this sample %v after its time was over: look at the CronJob's pods (image pulls, pending pods) "+
					"and at startingDeadlineSeconds", j.Now().Sub(over).Truncate(time.Second))})
			continue
		}
		if err := j.wait(ctx, next); err != nil {
			return nil, err
		}
		next = next.Add(j.Interval)
		if j.Node != "" {
			if err := j.measureNode(ctx, ts, all); err != nil {
				return nil, err
			}
			continue
		}
		scrapes := j.newScrapes(ctx, ts)
		cluster, err := j.Kube.Sample(ctx, kube.Query{Namespaces: j.Namespaces, Inspect: j.inspect, Kept: scrapes.add, Kubelets: j.Kubelets,
			Before: j.cpu})
		if err != nil || ctx.Err() != nil {
			scrapes.giveUp()
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			failed = err
			j.Log.Warn("sample failed", "ts", ts, "err", err)
			all.gaps = append(all.gaps, usage.Gap{TS: ts, Source: "api-server", Target: j.Kube.Host(), Reason: err.Error()})
			continue
		}
		j.cpu = cluster.CPU
		if err := j.measure(ctx, ts, cluster, scrapes, all); err != nil {
			return nil, err
		}
	}
	if len(all.taken) == 0 {
		return nil, cmp.Or(failed, errNoSamples)
	}
	return all, nil
}

// asksKubelets reports whether the run carries the kubelets' counters on. A run
// for one node's GPUs looks at no usage, and must not forget what was counted.
func (j *Job) asksKubelets() bool { return j.Kubelets && j.Node == "" }

// errNoSamples is the error of a job that is set up to take none.
var errNoSamples = errors.New("no sample was due: the configuration asks for none in a run")

func (j *Job) wait(ctx context.Context, until time.Time) error {
	if j.Wait != nil {
		return j.Wait(ctx, until)
	}
	timer := time.NewTimer(until.Sub(j.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
