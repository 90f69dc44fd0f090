package rollup

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/bucket/buckettest"
	"github.com/company/k8s-resource-monitor/internal/committed/committedtest"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// TestConservation gives random pods random lives on random nodes and checks
// that GPU-hours by any key add up to the same.
func TestReport(t *testing.T) {
	b := bucket.Mem()
	fill(t, b, midnight, midnight.Add(70*time.Minute), nil)
	at := midnight.Add(69 * time.Minute)
	run(t, job(t, b), at)
	var latest report.Latest
	body := buckettest.Contents(t, b)
	if err := json.Unmarshal([]byte(body["site/c/latest.json"]), &latest); err != nil {
		t.Fatal(err)
	}
	s := latest.ClusterSummary
	if s.TotalPods != 2 || s.VLLMPods != 1 || s.TotalGPUs != 8 || s.HeldGPUs != 5 || s.IdleGPUs != 1 ||
		!latest.SampledAt.Equal(at.Add(interval)) {
		t.Errorf("latest %+v", latest)
	}
	near(t, "average CPU", s.AvgCPU, 25)
	near(t, "idle today", s.IdleToday, 4*59.0/120+1+10.0/60)
	for _, name := range []string{"usage.json", "nodes.json", "pods/ml.json", "pods/ml/server.json", "statistics-24.json", "statistics-168.json"} {
		if !json.Valid([]byte(body["site/c/api/v1/resources/"+name])) {
			t.Errorf("%s is missing or not JSON", name)
		}
	}
	for _, o := range latest.Objects.All() {
		if len(body["site/c/"+o.Path]) != o.Bytes {
			t.Errorf("%s has %d bytes, latest.json says %d", o.Path, len(body["site/c/"+o.Path]), o.Bytes)
		}
	}
	if want := "k8s_monitor_pods_total{cluster=\"c\",engine=\"vllm\"} 1\n"; !strings.Contains(body["site/metrics"], want) {
		t.Errorf("site/metrics lacks %s:\n%s", want, body["site/metrics"])
	}
	names := slices.Collect(func(yield func(string) bool) {
		for n := range body {
			if _, ok := layout.Parse(n); !ok && !yield(n) {
				return
			}
		}
	})
	if len(names) > 0 {
		t.Errorf("names that layout does not know: %v", names)
	}
}

// A server that has worked between two samples is active on the report as it is
// in the statistics, however many samples a snapshot holds: with one sample a
// minute, whether tokens moved shows only beside the snapshot before.
func TestActiveWithOneSampleASnapshot(t *testing.T) {
	b := bucket.Mem()
	end := midnight.Add(20 * time.Minute)
	for at := midnight; at.Before(end); at = at.Add(time.Minute) {
		s := world(at)
		for i := range s.Engines {
			s.Engines[i].RequestsRunning = usage.Some[int64](0) // the queue is empty at each instant
		}
		for i := range s.Pods {
			s.Pods[i].GPUUtilPercent = usage.Some(2.0)
		}
		committedtest.Put(t, b, committedtest.Encode(t, "c", at, time.Minute, s))
	}
	j := job(t, b)
	j.Interval = time.Minute
	run(t, j, end)
	check := func(when string) {
		t.Helper()
		var doc report.Usage
		if err := json.Unmarshal([]byte(buckettest.Contents(t, b)["site/c/api/v1/resources/usage.json"]), &doc); err != nil {
			t.Fatal(err)
		}
		state, _ := doc.Pods[0].GPUState.Get()
		if s := doc.ClusterSummary; state != "active" || s.HeldGPUs != 5 || s.IdleGPUs != 1 {
			t.Errorf("%s: the server is %s, %d of %d GPUs idle, want active and the notebook's 1 of 5", when, state, s.IdleGPUs, s.HeldGPUs)
		}
	}
	check("the run that computed the hour")
	active, _ := hourly(t, b, store.ModelHours, midnight)[0].GPUHoursActive.Get()
	idle, _ := hourly(t, b, store.ModelHours, midnight)[0].GPUHoursIdleHeld.Get()
	if active < 1 || idle > 0.1 {
		t.Errorf("active %v and idle %v GPU-hours", active, idle)
	}
	run(t, j, end.Add(time.Minute)) // nothing new: the states come from the checkpoint
	check("a run without anything new")
	if err := b.Delete(t.Context(), j.checkpointName(midnight)); err != nil {
		t.Fatal(err)
	}
	run(t, j, end.Add(2*time.Minute))
	check("a run without a checkpoint")
}
