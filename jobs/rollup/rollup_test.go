package rollup

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/bucket/buckettest"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/jobs/rollup/hour"
)

func TestHour(t *testing.T) {
	b := bucket.Mem()
	fill(t, b, midnight, midnight.Add(2*time.Hour), nil)
	j := job(t, b)
	j.Prices = hour.Prices{GPUHour: map[string]float64{"H100": 2}}
	if res := run(t, j, midnight.Add(2*time.Hour+grace)); res.Hours != 2 || res.Closed != 2 {
		t.Errorf("%+v, want two hours computed and closed", res)
	}
	hour := midnight.Add(time.Hour)
	m := hourly(t, b, store.ModelHours, hour)[0]
	if m.Namespace != "ml" || m.Engine != "vllm" || m.Model != "m" || m.Samples != 120 || m.ExpectedSamples != 120 {
		t.Errorf("model row %+v", m)
	}
	// Requests run at the samples :00 to :29:30, and tokens moved before :30.
	near(t, "active", m.GPUHoursActive, 4*61.0/120)
	near(t, "idle held", m.GPUHoursIdleHeld, 4*59.0/120)
	near(t, "allocated", m.GPUHoursAllocated, 4)
	near(t, "cpu avg", m.CPUUsageMillicores.Avg, 1029.5)
	for _, c := range []struct {
		got  usage.Opt[float64]
		want float64
	}{{m.CPUUsageMillicores.P50, 1029}, {m.CPUUsageMillicores.P95, 1056}} {
		if v, _ := c.got.Get(); v < c.want || v > c.want*1.008 {
			t.Errorf("CPU percentile %v, want %v or at most 0.8 %% above", v, c.want)
		}
	}
	near(t, "cpu max", m.CPUUsageMillicores.Max, 1059)
	near(t, "cost", m.Cost, 8)
	if v, _ := m.GenerationTokens.Get(); v != 18000 {
		t.Errorf("%d tokens, want 18000", v)
	}
	near(t, "tokens per GPU-hour", m.TokensPerGPUHour, 4500)
	if v, _ := m.EnergyMillijoules.Get(); v != 3600*1000 {
		t.Errorf("%d mJ, want 3600000", v)
	}
	n := hourly(t, b, store.NodeHours, hour)[0]
	near(t, "node total", n.GPUHoursTotal, 8)
	near(t, "node unallocated", n.GPUHoursUnallocated, 3)
	c := hourly(t, b, store.ClusterHours, hour)[0]
	near(t, "cluster idle", c.GPUHoursIdleHeld, 4*59.0/120+1)
	if pods := hourly(t, b, store.PodHours, hour); len(pods) != 2 || pods[0].Pod != "notebook" || pods[0].PromptTokens.Present() {
		t.Errorf("pods %+v", pods)
	}
	// The first sample of all has nothing before it, so its growth is unknown.
	if v, _ := hourly(t, b, store.ModelHours, midnight)[0].GenerationTokens.Get(); v != 18000 {
		t.Errorf("%d tokens in the first hour", v)
	}
}

func TestGapIsNotFilledIn(t *testing.T) {
	b := bucket.Mem()
	fill(t, b, midnight, midnight.Add(time.Hour), func(at time.Time) bool { return at.Minute() >= 10 && at.Minute() < 40 })
	run(t, job(t, b), midnight.Add(2*time.Hour))
	m := hourly(t, b, store.ModelHours, midnight)[0]
	if m.Samples != 60 || m.ExpectedSamples != 120 {
		t.Errorf("coverage %d of %d", m.Samples, m.ExpectedSamples)
	}
	// :09:30 stands for two intervals, the 29.5 minutes after that for nothing.
	near(t, "allocated", m.GPUHoursAllocated, 4*30.5/60)
	if v, _ := m.GenerationTokens.Get(); v != 18000 {
		t.Errorf("%d tokens: a counter is exact across a gap", v)
	}
}

func TestOpenHour(t *testing.T) {
	b := bucket.Mem()
	fill(t, b, midnight, midnight.Add(15*time.Minute), nil)
	if res := run(t, job(t, b), midnight.Add(14*time.Minute)); res.Closed != 0 {
		t.Errorf("%+v: an open hour was closed", res)
	}
	m := hourly(t, b, store.ModelHours, midnight)[0]
	near(t, "allocated", m.GPUHoursAllocated, 1)
	if m.Samples != 30 || m.ExpectedSamples != 30 {
		t.Errorf("coverage %d of %d", m.Samples, m.ExpectedSamples)
	}
}

func TestRerunChangesNothing(t *testing.T) {
	b := bucket.Mem()
	fill(t, b, midnight, midnight.Add(90*time.Minute), nil)
	at := midnight.Add(90 * time.Minute)
	run(t, job(t, b), at)
	first := buckettest.Contents(t, b)
	run(t, job(t, b), at)
	buckettest.Diff(t, "rerun", first, buckettest.Contents(t, b))
	// A rebuild from scratch, and one from samples/ alone, give the same figures.
	if _, err := job(t, b).Run(t.Context(), at, Range{From: midnight, To: midnight.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	buckettest.Diff(t, "rebuild", first, buckettest.Contents(t, b))
	for name := range first {
		if o, _ := layout.Parse(name); (o.Tier == layout.Raw || o.Tier == layout.Manifest) && o.Time.Before(midnight.Add(time.Hour)) {
			if err := b.Delete(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			delete(first, name)
		}
	}
	if _, err := job(t, b).Run(t.Context(), at, Range{From: midnight, To: midnight.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	after := buckettest.Contents(t, b)
	delete(first, job(t, b).stateName()) // it remembers that the hour has no raw objects now
	delete(after, job(t, b).stateName())
	buckettest.Diff(t, "rebuild from samples", first, after)
}

func TestLateSnapshotReopensItsHour(t *testing.T) {
	whole, late := bucket.Mem(), bucket.Mem()
	fill(t, whole, midnight, midnight.Add(time.Hour), nil)
	missing := midnight.Add(20 * time.Minute)
	fill(t, late, midnight, midnight.Add(time.Hour), func(at time.Time) bool { return at.Equal(missing) })
	at := midnight.Add(2 * time.Hour)
	run(t, job(t, whole), at)
	run(t, job(t, late), at)
	snapshot(t, late, missing)
	if res := run(t, job(t, late), at); res.Hours != 1 || res.Closed != 1 {
		t.Errorf("%+v: the hour was not reopened", res)
	}
	want, got := buckettest.Contents(t, whole), buckettest.Contents(t, late)
	for name := range want {
		if o, _ := layout.Parse(name); o.Tier == layout.Hourly || o.Tier == layout.Samples {
			if want[name] != got[name] {
				t.Errorf("%s differs from a run without a late snapshot", name)
			}
		}
	}
}

func TestCrashAtEveryWrite(t *testing.T) {
	filled := func() bucket.Bucket {
		b := bucket.Mem()
		fill(t, b, midnight.Add(50*time.Minute), midnight.Add(75*time.Minute), nil)
		return b
	}
	at := midnight.Add(75 * time.Minute)
	clean := filled()
	run(t, job(t, clean), at)
	want := buckettest.Contents(t, clean)
	for n := 0; ; n++ {
		b := filled()
		// Reports are written side by side; one at a time is enough to crash between.
		_, err := job(t, buckettest.KillAt(b, n)).Run(t.Context(), at, Range{})
		if err == nil {
			if n < 20 {
				t.Errorf("only %d writes seen", n)
			}
			return
		}
		if !errors.Is(err, buckettest.ErrKilled) {
			t.Fatal(err)
		}
		if _, ok := buckettest.Contents(t, b)["site/c/latest.json"]; ok && n < 20 {
			t.Errorf("crash at write %d: latest.json was written before the rest", n)
		}
		run(t, job(t, b), at)
		buckettest.Diff(t, "after a crash", want, buckettest.Contents(t, b))
	}
}

func TestTruncatedObject(t *testing.T) {
	b := bucket.Mem()
	fill(t, b, midnight, midnight.Add(5*time.Minute), nil)
	name := layout.Object{Tier: layout.Raw, Table: "pods", Cluster: "c", Time: midnight}.Name()
	o, err := b.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), name, o.Body[:len(o.Body)/2], bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	before := buckettest.Contents(t, b)
	_, err = job(t, b).Run(t.Context(), midnight.Add(5*time.Minute), Range{})
	if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), name) {
		t.Errorf("a truncated object: %v", err)
	}
	buckettest.Diff(t, "after the error", before, buckettest.Contents(t, b))
}
