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
	if _, err := j.Run(t.Context(), minute); err != nil {
		t.Fatal(err)
	}
	pods, nodes, gpus, engines := read(t, b, store.Pods), read(t, b, store.Nodes), read(t, b, store.GPUs), read(t, b, store.Engines)
	if len(gpus) == 0 {
		t.Error("no GPUs")
	}
	for _, ts := range [...]time.Time{minute, minute.Add(30 * time.Second)} {
		measured := map[string]bool{} // pods whose engine answered
		for _, e := range engines {
			if e.TS.Equal(ts) {
				measured[e.PodUID] = true
			}
		}
		want, got := simulated.At(ts), sim.Truth{Servers: map[string]int{}}
		for _, n := range nodes {
			if !n.TS.Equal(ts) {
				continue
			}
			got.Nodes++
			got.GPUs += int(n.GPUAllocatable)
			got.GPUsRequested += int(n.GPURequested)
			if n.Ready {
				got.ReadyNodes++
			}
		}
		for _, p := range pods {
			if !p.TS.Equal(ts) {
				continue
			}
			got.Pods++
			if p.Phase == "Running" {
				got.RunningPods++
			}
			if !p.Node.Present() {
				got.Unscheduled++
			}
			if p.Reason == usage.Some("CrashLoopBackOff") {
				got.CrashLooping++
			}
			if p.Phase == "Running" && !p.Ready && p.GPURequest > 0 && !p.Reason.Present() {
				got.Loading++
			}
			if model, ok := p.Model.Get(); ok && p.Ready && measured[p.PodUID] {
				got.Servers[model]++
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("at %v\nread  %+v\ntruth %+v", ts, got, want)
		}
	}
	for _, g := range read(t, b, store.Gaps) {
		t.Logf("gap %s %s: %s", g.Source, g.Target, g.Reason)
	}
}
