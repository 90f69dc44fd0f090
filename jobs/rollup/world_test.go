package rollup

import (
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/committed/committedtest"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
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
