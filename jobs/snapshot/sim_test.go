package snapshot

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/sim"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// sharedClock is a clock that servers look at too.
type sharedClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *sharedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *sharedClock) Wait(ctx context.Context, until time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = until
	return ctx.Err()
}

func (c *sharedClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// What a snapshot writes about the simulated cluster is what is so there.
func TestSimulatedCluster(t *testing.T) {
	simulated := sim.New(sim.Config{Seed: 1})
	clock := &sharedClock{now: minute}
	running, err := simulated.Start(t.Context(), clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, running.Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := kube.Open(file, "test")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	b := bucket.Mem()
	j := &Job{Kube: client, HTTP: &http.Client{Transport: transport}, Bucket: b, Cluster: "test", Interval: 30 * time.Second,
		SamplesPerRun: 2, Version: "v1", Log: slog.New(slog.DiscardHandler), Now: clock.Now, Wait: clock.Wait}
	for hours := 0; hours < 7*24; hours += 5 { // a week has its accidents
		at := minute.Add(time.Duration(hours) * time.Hour)
		clock.set(at)
		if _, err := j.Run(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		for _, ts := range [...]time.Time{at, at.Add(30 * time.Second)} {
			if got, want := truth(t, b, at, ts), simulated.At(ts); !reflect.DeepEqual(got, want) {
				t.Errorf("at %v\nread  %+v\ntruth %+v", ts, got, want)
			}
		}
	}
}

// truth is what the rows of one sample say.
func truth(t *testing.T, b bucket.Bucket, at, ts time.Time) sim.Truth {
	t.Helper()
	truth := sim.Truth{Servers: map[string]int{}}
	measured := map[string]bool{} // pods whose engine answered
	for _, e := range read(t, b, store.Engines, at) {
		if e.TS.Equal(ts) {
			measured[e.PodUID] = true
		}
	}
	for _, n := range read(t, b, store.Nodes, at) {
		if !n.TS.Equal(ts) {
			continue
		}
		truth.Nodes++
		truth.GPUs += int(n.GPUAllocatable)
		truth.GPUsRequested += int(n.GPURequested)
		if n.Ready {
			truth.ReadyNodes++
		}
	}
	for _, p := range read(t, b, store.Pods, at) {
		if !p.TS.Equal(ts) {
			continue
		}
		truth.Pods++
		if p.Phase == "Running" {
			truth.RunningPods++
		}
		if !p.Node.Present() {
			truth.Unscheduled++
		}
		if p.Reason == usage.Some("CrashLoopBackOff") {
			truth.CrashLooping++
		}
		if p.Phase == "Running" && !p.Ready && p.GPURequest > 0 && !p.Reason.Present() {
			truth.Loading++
		}
		if model, ok := p.Model.Get(); ok && p.Ready && measured[p.PodUID] {
			truth.Servers[model]++
		}
	}
	return truth
}
