package rollup

import (
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/bucket/buckettest"
	"github.com/company/k8s-resource-monitor/internal/committed/committedtest"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/jobs/rollup/hour"
)

const interval = 30 * time.Second

var midnight = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

func job(t *testing.T, b bucket.Bucket) *Job {
	return &Job{
		Bucket:         b,
		Cluster:        "c",
		Interval:       interval,
		RawRetention:   48 * time.Hour,
		ProgramVersion: "test",
		Log:            slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// world is a small cluster: a server on 4 of a node's 8 GPUs that works for
// the first half of each hour, and a notebook that holds 1 and does nothing.
func world(ts time.Time) usage.Sample {
	busy := ts.Minute() < 30
	running, util := int64(0), 0.0
	if busy {
		running, util = 3, 80
	}
	tokens := int64(ts.Sub(midnight).Seconds()) * 10
	return usage.Sample{
		Pods: []usage.Pod{
			{
				TS:                 ts,
				Namespace:          "ml",
				Pod:                "notebook",
				PodUID:             "u2",
				Node:               usage.Some("n1"),
				Phase:              "Running",
				Ready:              true,
				CreatedAt:          midnight,
				GPURequest:         1,
				GPUUtilPercent:     usage.Some(0.0),
				CPUUsageMillicores: usage.Some[int64](50),
			},
			{
				TS:                 ts,
				Namespace:          "ml",
				Pod:                "server",
				PodUID:             "u1",
				Node:               usage.Some("n1"),
				Phase:              "Running",
				Ready:              true,
				CreatedAt:          midnight,
				Engine:             usage.VLLM,
				Model:              usage.Some("m"),
				GPURequest:         4,
				GPUUtilPercent:     usage.Some(util),
				CPUUsageMillicores: usage.Some(int64(1000 + ts.Minute())),
			},
		},
		Nodes: []usage.Node{
			{
				TS:                       ts,
				Node:                     "n1",
				Ready:                    true,
				CreatedAt:                midnight,
				GPUProduct:               usage.Some("H100"),
				GPUAllocatable:           8,
				GPURequested:             5,
				CPUAllocatableMillicores: 8000,
				CPUUsageMillicores:       usage.Some[int64](2000),
			},
		},
		GPUs: []usage.GPU{
			{
				TS:                     ts,
				Node:                   "n1",
				GPUUUID:                "g0",
				Namespace:              usage.Some("ml"),
				Pod:                    usage.Some("server"),
				ShareCount:             1,
				UtilPercent:            usage.Some(util),
				EnergyMillijoulesTotal: usage.Some(tokens * 100),
				Source:                 "dcgm",
			},
		},
		Engines: []usage.Engine{
			{
				TS:                    ts,
				Namespace:             "ml",
				Pod:                   "server",
				PodUID:                "u1",
				Engine:                usage.VLLM,
				RequestsRunning:       usage.Some(running),
				GenerationTokensTotal: usage.Some(tokensBy(ts)),
			},
		},
	}
}

// tokensBy is a counter that grows by 10 a second in the first half of each hour.
func tokensBy(ts time.Time) int64 {
	hours := int64(ts.Sub(midnight) / time.Hour)
	within := min(ts.Sub(midnight)%time.Hour, 30*time.Minute)
	return hours*18000 + int64(within.Seconds())*10
}

// written is a snapshot's objects by name. Tests share them: the same instant
// of the world always has the same, and encoding is what tests spend time on.
var written = struct {
	sync.Mutex
	at map[time.Time]map[string][]byte
}{at: map[time.Time]map[string][]byte{}}

// snapshot commits two samples of the world as the snapshot job would.
func snapshot(t *testing.T, b bucket.Bucket, at time.Time) {
	t.Helper()
	written.Lock()
	defer written.Unlock()
	if written.at[at] == nil {
		written.at[at] = encode(t, at)
	}
	putAll(t, b, written.at[at])
}

func putAll(t *testing.T, b bucket.Bucket, objects map[string][]byte) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		if _, err := b.Put(t.Context(), name, objects[name], bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func encode(t *testing.T, at time.Time) map[string][]byte {
	t.Helper()
	var r usage.Sample
	instants := []time.Time{at, at.Add(interval)}
	for _, ts := range instants {
		committedtest.Append(&r, world(ts))
	}
	return committedtest.Encode(t, "c", at, interval, r)
}

// fill commits every minute of [from, to) but those that skip names.
func fill(t *testing.T, b bucket.Bucket, from, to time.Time, skip func(time.Time) bool) {
	t.Helper()
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		if skip == nil || !skip(at) {
			snapshot(t, b, at)
		}
	}
}

func run(t *testing.T, j *Job, at time.Time) Result {
	t.Helper()
	res, err := j.Run(t.Context(), at, Range{})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func hourly[T any](t *testing.T, b bucket.Bucket, table *store.Table[T], hour time.Time) []T {
	t.Helper()
	rows, err := table.Read(t.Context(), b, layout.Object{Tier: layout.Hourly, Table: table.Name(), Cluster: "c", Time: hour}.Name())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func near(t *testing.T, what string, got usage.Opt[float64], want float64) {
	t.Helper()
	if v, ok := got.Get(); !ok || math.Abs(v-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s: %v (%v), want %v", what, v, ok, want)
	}
}

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
