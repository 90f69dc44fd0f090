// Package demo is the product on one machine, with nothing else needed: a
// simulated GPU cluster behind its real HTTP APIs, the four jobs, a bucket in
// a directory, and a server for the site. Only the cluster is simulated; the
// jobs are those that run in production, and with a kubeconfig they read a
// real cluster in its place.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/sim"
	"github.com/company/k8s-resource-monitor/jobs/alert"
	"github.com/company/k8s-resource-monitor/jobs/alert/notify"
	"github.com/company/k8s-resource-monitor/jobs/prune"
	"github.com/company/k8s-resource-monitor/jobs/rollup"
	"github.com/company/k8s-resource-monitor/jobs/snapshot"
)

// simulated is the name of the simulated cluster.
const simulated = "demo"

// simulatedPrices of a GPU-hour, in dollars, show what a cost looks like. They
// are about what clouds ask, and not those of any of them.
var simulatedPrices = map[string]float64{"NVIDIA-H200": 4, "NVIDIA-H100-80GB-HBM3": 3, "NVIDIA-A100-SXM4-80GB": 2, "NVIDIA-L40S": 1}

// Demo is one demonstration. The jobs are templates, configured as for
// production; the demo fills in the bucket, the cluster and the clock.
type Demo struct {
	Days       int    // of simulated history before now; 0: none
	Nodes      int    // of the simulated cluster; 0: the default fleet
	Once       bool   // fill the bucket and return
	Dir        string // the bucket's directory; "": a temporary one, removed at the end
	Listen     string // address of the site
	Kubeconfig string // a real cluster to read instead of the simulated one; "": simulate

	Snapshot snapshot.Job
	Rollup   rollup.Job
	Alert    alert.Job
	Prune    prune.Job

	Now  func() time.Time
	Wait func(ctx context.Context, until time.Time) error
	Out  io.Writer // where the user reads what happens
	Log  *slog.Logger

	once sync.Once
	sim  *sim.Cluster // one for any number of clocks: what it is does not change
}

// Run fills the history, and unless Once is set serves the site and samples
// every minute until the context ends.
func (d *Demo) Run(ctx context.Context) error {
	dir := d.Dir
	if dir == "" {
		temporary, err := os.MkdirTemp("", "k8s-monitor-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		dir = temporary
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	store := bucket.Dir(dir)
	d.Rollup.Bucket, d.Alert.Bucket, d.Prune.Bucket, d.Snapshot.Bucket = store, store, store, store
	if d.Kubeconfig == "" {
		if len(d.Rollup.Prices.GPUHour) == 0 {
			d.Rollup.Prices.GPUHour, d.Rollup.Currency = simulatedPrices, "USD"
		}
		d.Rollup.Cluster, d.Alert.Cluster, d.Prune.Cluster, d.Snapshot.Cluster = simulated, simulated, simulated, simulated
	}

	// The address is taken first: a port that is in use shows before the work.
	var listener net.Listener
	if !d.Once {
		if listener, err = net.Listen("tcp", d.Listen); err != nil {
			return fmt.Errorf("the site cannot listen on %s (%w): choose another address with --listen", d.Listen, err)
		}
		defer listener.Close()
	}
	now := d.Now().UTC().Truncate(time.Minute)
	if d.Kubeconfig == "" && d.Days > 0 {
		if err := d.fill(ctx, now.AddDate(0, 0, -d.Days), now); err != nil {
			return err
		}
		// Filling took a while: the minutes that passed are history by now.
		if late := d.Now().UTC().Truncate(time.Minute); !d.Once && late.After(now) {
			if err := d.fill(ctx, now, late); err != nil {
				return err
			}
		}
	}
	if d.Once {
		fmt.Fprintf(d.Out, "%s holds %d day(s) of a simulated cluster up to %s\n", dir, d.Days, now.Format(time.RFC3339))
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(ctx, listener, store) })
	group.Go(func() error { return d.live(ctx) })
	fmt.Fprintf(d.Out, "\n  Report  http://%s/k8s-monitor/\n  Bucket  %s\n\n  Sampling every minute; Ctrl-C ends it.\n", listener.Addr(), dir)
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// connect starts a simulated cluster at the clock, or opens the real one.
func (d *Demo) connect(ctx context.Context, now func() time.Time) (job snapshot.Job, closeAll func(), err error) {
	job = d.Snapshot
	file, closeAll := d.Kubeconfig, func() {}
	if file == "" {
		d.once.Do(func() { d.sim = sim.New(sim.Config{Seed: 1, Nodes: d.Nodes}) })
		running, err := d.sim.Start(ctx, now)
		if err != nil {
			return job, nil, err
		}
		temporary, err := os.CreateTemp("", "k8s-monitor-demo-*.kubeconfig")
		if err != nil {
			running.Close()
			return job, nil, err
		}
		closeAll = func() { running.Close(); os.Remove(temporary.Name()) }
		_, err = temporary.Write(running.Kubeconfig())
		if err = errors.Join(err, temporary.Close()); err != nil {
			closeAll()
			return job, nil, err
		}
		file = temporary.Name()
	}
	if job.Kube, err = kube.Open(file, job.Version); err != nil {
		closeAll()
		return job, nil, err
	}
	job.HTTP = &http.Client{Transport: &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}}
	return job, closeAll, nil
}

// alertEvery is how often alerts are decided while the history is filled.
const alertEvery = time.Hour

// fillers is how many parts of the history are sampled side by side, each by a
// clock of its own.
const fillers = 2

// fill runs the jobs over [from, to) on simulated clocks.
func (d *Demo) fill(ctx context.Context, from, to time.Time) error {
	// A day of rows is made in seconds: memory is cheaper here than collecting it.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	log, channels := d.Log, d.Alert.Channels
	quiet := slog.New(slog.DiscardHandler) // nobody needs to read what happened in a past minute
	d.Rollup.Log, d.Alert.Log, d.Snapshot.Log = quiet, quiet, quiet
	d.Alert.Channels = []notify.Channel{notify.Printer{Out: io.Discard}}
	defer func() {
		d.Rollup.Log, d.Alert.Log, d.Snapshot.Log, d.Alert.Channels = log, log, log, channels
	}()
	minutes := int(to.Sub(from) / time.Minute)
	fmt.Fprintf(d.Out, "Sampling %d minutes of a simulated cluster\n", minutes)
	group, groupCtx := errgroup.WithContext(ctx)
	for part := range fillers {
		first, last := from.Add(time.Duration(minutes*part/fillers)*time.Minute), from.Add(time.Duration(minutes*(part+1)/fillers)*time.Minute)
		group.Go(func() error { return d.fillPart(groupCtx, first, last) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	last := to.Add(-time.Minute)
	group, groupCtx = errgroup.WithContext(ctx)
	group.Go(func() error { return d.decide(groupCtx, from, last) })
	group.Go(func() error {
		_, err := d.Rollup.Run(groupCtx, last, rollup.Range{From: from, To: to})
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	_, err := d.Rollup.Run(ctx, last, rollup.Range{}) // publishes what the two found
	return err
}

// decide runs the alert job over the history. A run looks back no further than
// the longest wait of a rule, so the whole takes one every few minutes of it.
func (d *Demo) decide(ctx context.Context, from, last time.Time) error {
	for at := from.Add(alertEvery); at.Before(last); at = at.Add(alertEvery) {
		if _, err := d.Alert.Run(ctx, at); err != nil {
			return err
		}
	}
	_, err := d.Alert.Run(ctx, last)
	return err
}

// fillPart takes the snapshots of one part, minute by minute.
func (d *Demo) fillPart(ctx context.Context, from, to time.Time) error {
	clock := &virtualClock{now: from}
	job, closeAll, err := d.connect(ctx, clock.Now)
	if err != nil {
		return err
	}
	defer closeAll()
	job.Now, job.Wait = clock.Now, clock.Wait
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		clock.set(at)
		if _, err := job.Run(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// live runs the jobs every minute on the real clock.
func (d *Demo) live(ctx context.Context) error {
	job, closeAll, err := d.connect(ctx, d.Now)
	if err != nil {
		return err
	}
	defer closeAll()
	job.Now, job.Wait = d.Now, d.Wait
	d.Rollup.Progress = nil
	for at := d.Now().UTC().Truncate(time.Minute); ; at = at.Add(time.Minute) {
		if err := d.Wait(ctx, at); err != nil {
			return err
		}
		if err := d.minute(ctx, &job, at); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			d.Log.Error("this minute failed; the next one tries again", "at", at, "error", err)
		}
	}
}

// minute is what the CronJobs do in one minute, one after the other.
func (d *Demo) minute(ctx context.Context, job *snapshot.Job, at time.Time) error {
	if _, err := job.Run(ctx, at); err != nil {
		return err
	}
	if _, err := d.Rollup.Run(ctx, at, rollup.Range{}); err != nil {
		return err
	}
	if _, err := d.Alert.Run(ctx, at); err != nil {
		return err
	}
	if at.Minute() != 0 {
		return nil
	}
	_, err := d.Prune.Run(ctx, at)
	return err
}
