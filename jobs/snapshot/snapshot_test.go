package snapshot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

func run(t *testing.T, j *Job, at time.Time) Result {
	t.Helper()
	result, err := j.Run(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func read[T any](t *testing.T, b bucket.Bucket, table *store.Table[T], at time.Time) []T {
	t.Helper()
	rows, err := table.Read(t.Context(), b, layout.Object{Tier: layout.Raw, Table: table.Name(), Cluster: "test", Time: at}.Name())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

var manifestName = layout.Object{Tier: layout.Manifest, Cluster: "test", Time: minute}.Name()

func readManifest(t *testing.T, objects map[string]string) (m report.Manifest) {
	t.Helper()
	if err := json.Unmarshal([]byte(objects[manifestName]), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// honest fails unless the manifest, where there is one, lists what is there.
func honest(t *testing.T, objects map[string]string) {
	t.Helper()
	if _, ok := objects[manifestName]; !ok {
		return
	}
	for _, o := range readManifest(t, objects).Objects {
		sum := sha256.Sum256([]byte(objects[o.Name]))
		if hex.EncodeToString(sum[:]) != o.SHA256 || len(objects[o.Name]) != o.Bytes {
			t.Errorf("the manifest lies about %s", o.Name)
		}
	}
}

func TestRun(t *testing.T) {
	b := bucket.Mem()
	got := run(t, newCluster(t).job(t, b, minute.Add(5*time.Second)), minute.Add(5*time.Second))
	want := Result{Samples: 2, Pods: 6, Nodes: 2, GPUs: 4, Engines: 2, Gaps: 2, Objects: 5, Bytes: got.Bytes, Duration: 30 * time.Second}
	if got != want || got.Bytes == 0 {
		t.Errorf("result %+v, want %+v", got, want)
	}

	pods := read(t, b, store.Pods, minute)
	ordered := slices.IsSortedFunc(pods, func(a, b usage.Pod) int {
		return cmp.Or(store.Pods.Compare(&a, &b), a.TS.Compare(b.TS))
	})
	if !ordered || len(pods) != 6 {
		t.Fatalf("%d pods, or out of order", len(pods))
	}
	server := pods[4]
	if server.Pod != "server" || !server.TS.Equal(minute) || !pods[5].TS.Equal(minute.Add(30*time.Second)) {
		t.Fatalf("row %+v", server)
	}
	some := usage.Some[int64]
	if server.Engine != usage.VLLM || server.Model != usage.Some("Qwen/Qwen3-8B") || server.CPUUsageMillicores != some(1500) ||
		server.GPUUtilPercent != usage.Some(80.0) || server.GPUMemoryUsedBytes != some(1<<30) ||
		server.GPUAttribution != usage.Some(usage.Exclusive) {
		t.Errorf("server %+v", server)
	}
	if broken := pods[2]; broken.Model != usage.Some("x/y") || broken.CPUUsageMillicores.Present() ||
		broken.GPUAttribution != usage.Some(usage.Unknown) {
		t.Errorf("broken %+v", broken)
	}
	if e := read(t, b, store.Engines, minute); e[1].RequestsRunning != some(3) || e[1].GenerationTokensTotal != some(100) ||
		!e[1].TS.Equal(minute.Add(30*time.Second)) {
		t.Errorf("engine %+v", e[1])
	}
	if n := read(t, b, store.Nodes, minute); n[0].CPUUsageMillicores != some(2000) || n[0].GPURequested != 2 || !n[0].TS.Equal(minute) {
		t.Errorf("node %+v", n[0])
	}
	if g := read(t, b, store.Gaps, minute); g[0].Source != "engine" || g[0].Target != "serving/broken" ||
		!strings.Contains(g[0].Reason, "503") {
		t.Errorf("gap %+v", g[0])
	}

	objects := contents(t, b)
	honest(t, objects)
	m := readManifest(t, objects)
	if m.Version != 1 || m.Cluster != "test" || !m.At.Equal(minute) || len(m.SampledAt) != 2 || m.IntervalSeconds != 30 ||
		m.DurationSeconds != 30 || m.ProgramVersion != "v1" || len(m.Objects) != 5 || len(m.Gaps) != 1 {
		t.Errorf("manifest %+v", m)
	}
	if len(objects) != 6 {
		t.Errorf("objects %v", slices.Sorted(maps.Keys(objects)))
	}
}

func TestSlots(t *testing.T) {
	for _, test := range []struct {
		name  string
		late  time.Duration
		down  func(sample int) bool
		taken []int // seconds after the minute
		gaps  []string
		fails bool
	}{
		{"on time", 0, nil, []int{0, 30}, nil, false},
		{"a little late", 29 * time.Second, nil, []int{0, 30}, nil, false},
		{"too late for the first", 30 * time.Second, nil, []int{30}, []string{"schedule"}, false},
		{"at the very end", 59 * time.Second, nil, []int{30}, []string{"schedule"}, false},
		{"by hand, long ago", time.Hour, nil, []int{0, 30}, nil, false},
		{"by hand, to come", -time.Hour, nil, []int{0, 30}, nil, false},
		{"the API server went away", 0, func(s int) bool { return s == 1 }, []int{0}, []string{"api-server"}, false},
		{"the API server came back", 0, func(s int) bool { return s == 0 }, []int{30}, []string{"api-server"}, false},
		{"the API server is away", 0, func(int) bool { return true }, nil, nil, true},
		{"too late, and away", 30 * time.Second, func(int) bool { return true }, nil, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, b := newCluster(t), bucket.Mem()
			if test.down != nil {
				c.down = test.down
			}
			_, err := c.job(t, b, minute.Add(test.late)).Run(t.Context(), minute)
			objects := contents(t, b)
			if test.fails {
				if err == nil || len(objects) != 0 {
					t.Errorf("error %v, %d objects", err, len(objects))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			m := readManifest(t, objects)
			var taken []int
			for _, ts := range m.SampledAt {
				taken = append(taken, int(ts.Sub(minute).Seconds()))
			}
			var gaps []string
			for _, g := range m.Gaps {
				if g.Source != "engine" {
					gaps = append(gaps, g.Source)
				}
			}
			if !slices.Equal(taken, test.taken) || !slices.Equal(gaps, test.gaps) {
				t.Errorf("samples %v, gaps %v; want %v and %v", taken, gaps, test.taken, test.gaps)
			}
		})
	}
}

// A run that reads the same writes nothing, however long it takes.
func TestRepeat(t *testing.T) {
	c := newCluster(t)
	b := &killed{Bucket: bucket.Mem(), after: math.MaxInt}
	first := run(t, c.job(t, b, minute), minute)
	before, changes := contents(t, b), b.changes
	second := run(t, c.job(t, b, minute.Add(7*time.Second)), minute)
	if b.changes != changes || !maps.Equal(contents(t, b), before) {
		t.Error("a repeated run changed the bucket")
	}
	if !second.Unchanged || second.Bytes != first.Bytes || first.Unchanged {
		t.Errorf("first %+v, second %+v", first, second)
	}
}

// A late repetition, which misses a sample, leaves the fuller snapshot alone.
func TestLateRepeat(t *testing.T) {
	c, b := newCluster(t), bucket.Mem()
	run(t, c.job(t, b, minute), minute)
	before := contents(t, b)
	if got := run(t, c.job(t, b, minute.Add(40*time.Second)), minute); !got.Unchanged || !maps.Equal(contents(t, b), before) {
		t.Errorf("%+v: the snapshot was replaced by one with fewer samples", got)
	}
}

// Kill a run at any write, on an empty bucket or over an older snapshot: what
// is left never lies, and a repetition ends in the same bytes as no kill.
func TestKilledAtEveryWrite(t *testing.T) {
	c := newCluster(t)
	old := func(t *testing.T, b bucket.Bucket) { // with other rows, and with a table that the new one lacks
		c.mu.Lock()
		c.metrics["10.0.0.1:8000"], c.metrics["10.0.0.2:8000"] = fmt.Sprintf(vllmText, 50), ""
		c.mu.Unlock()
		run(t, c.job(t, b, minute), minute)
		c.mu.Lock()
		c.metrics["10.0.0.1:8000"], c.metrics["10.0.0.2:8000"] = fmt.Sprintf(vllmText, 100), fmt.Sprintf(vllmText, 1)
		c.mu.Unlock()
	}
	for _, start := range []struct {
		name string
		fill func(*testing.T, bucket.Bucket)
	}{
		{"empty", func(t *testing.T, b bucket.Bucket) { old(t, bucket.Mem()) }},
		{"older snapshot", old},
	} {
		t.Run(start.name, func(t *testing.T) {
			clean := bucket.Mem()
			start.fill(t, clean)
			run(t, c.job(t, clean, minute), minute)
			want := contents(t, clean)
			if len(want) != 5 {
				t.Fatalf("%d objects, want 4 tables and a manifest", len(want))
			}
			for n := 0; ; n++ {
				b := bucket.Mem()
				start.fill(t, b)
				_, err := c.job(t, &killed{Bucket: b, after: n}, minute).Run(t.Context(), minute)
				honest(t, contents(t, b))
				if err == nil {
					if n < 6 {
						t.Fatalf("only %d changes", n)
					}
					return
				}
				if !errors.Is(err, errKilled) {
					t.Fatal(err)
				}
				run(t, c.job(t, b, minute), minute)
				if !maps.Equal(contents(t, b), want) {
					t.Errorf("killed after %d changes: the repetition ends in %v", n, slices.Sorted(maps.Keys(contents(t, b))))
				}
			}
		})
	}
}

func TestUnreadableManifestIsReplaced(t *testing.T) {
	b := bucket.Mem()
	if _, err := b.Put(t.Context(), manifestName, []byte("{"), bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	run(t, newCluster(t).job(t, b, minute), minute)
	honest(t, contents(t, b))
}

func TestCancelled(t *testing.T) {
	b := bucket.Mem()
	ctx, cancel := context.WithCancel(t.Context())
	j := newCluster(t).job(t, b, minute)
	j.Wait = func(ctx context.Context, until time.Time) error {
		if until.After(minute) {
			cancel() // between the samples
		}
		return ctx.Err()
	}
	if _, err := j.Run(ctx, minute); !errors.Is(err, context.Canceled) || len(contents(t, b)) != 0 {
		t.Errorf("error %v, objects %v", err, contents(t, b))
	}
}
