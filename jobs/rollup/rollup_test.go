package rollup

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const interval = 30 * time.Second

var midnight = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

func job(t *testing.T, b bucket.Bucket) *Job {
	return &Job{Bucket: b, Cluster: "c", Interval: interval, ProgramVersion: "test", Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

// rows are the rows of all tables.
type rows struct {
	pods    []usage.Pod
	nodes   []usage.Node
	gpus    []usage.GPU
	engines []usage.Engine
	gaps    []usage.Gap
}

func (r *rows) append(o rows) {
	r.pods = append(r.pods, o.pods...)
	r.nodes = append(r.nodes, o.nodes...)
	r.gpus = append(r.gpus, o.gpus...)
	r.engines = append(r.engines, o.engines...)
	r.gaps = append(r.gaps, o.gaps...)
}

// sort brings every table into its order.
func (r *rows) sort() {
	slices.SortStableFunc(r.pods, usage.ComparePods)
	slices.SortStableFunc(r.nodes, usage.CompareNodes)
	slices.SortStableFunc(r.gpus, usage.CompareGPUs)
	slices.SortStableFunc(r.engines, usage.CompareEngines)
	slices.SortStableFunc(r.gaps, usage.CompareGaps)
}

// Parts are merged into what sorting all of them gives, whatever parts they are.
func TestMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	compare := func(a, b usage.Gap) int { return cmp.Or(gapOrder.thing(&a, &b), a.TS.Compare(b.TS)) }
	for range 300 {
		parts := make([]rows, r.IntN(9))
		var all rows
		m := &merger[usage.Gap]{order: gapOrder}
		for i := range parts {
			for range r.IntN(6) * r.IntN(200) {
				parts[i].gaps = append(parts[i].gaps, usage.Gap{Source: string(rune('a' + r.IntN(3))), Target: string(rune('a' + r.IntN(2))),
					TS: midnight.Add(time.Duration(r.IntN(4)) * time.Second), Reason: string(rune('a' + r.IntN(26)))})
			}
			slices.SortStableFunc(parts[i].gaps, compare)
			all.append(parts[i])
			m.runs = append(m.runs, &sortedRun[usage.Gap]{read: slicesOf(parts[i].gaps)})
		}
		slices.SortStableFunc(all.gaps, compare)
		var got []usage.Gap
		if err := each(m, func(g *usage.Gap) { got = append(got, *g) }); err != nil || !slices.Equal(got, all.gaps) {
			t.Fatalf("merged %.300v... (%v), want %.300v...", got, err, all.gaps)
		}
	}
}

// slicesOf reads rows as a reader of a file does.
func slicesOf[T any](rows []T) func([]T) (int, error) {
	return func(dst []T) (int, error) {
		n := copy(dst, rows)
		if rows = rows[n:]; n == 0 {
			return 0, io.EOF
		}
		return n, nil
	}
}

// merged are rows as one sorted run.
func merged[T any](rows []T, o order[T]) func() (*merger[T], error) {
	return func() (*merger[T], error) {
		return &merger[T]{order: o, runs: []*sortedRun[T]{{read: slicesOf(rows)}}}, nil
	}
}

func (r *rows) streams() streams {
	s := streams{pods: merged(r.pods, podOrder), nodes: merged(r.nodes, nodeOrder), gpus: merged(r.gpus, gpuOrder), engines: merged(r.engines, engineOrder)}
	s.grouped, s.products = s.pods, s.nodes
	for i := range r.nodes {
		s.instants = append(s.instants, r.nodes[i].TS)
	}
	return s
}

// upTo are the rows before an instant, and those from it on.
func (r *rows) upTo(at time.Time) (before, after rows) {
	split(r.pods, &before.pods, &after.pods, podOrder, at)
	split(r.nodes, &before.nodes, &after.nodes, nodeOrder, at)
	split(r.gpus, &before.gpus, &after.gpus, gpuOrder, at)
	split(r.engines, &before.engines, &after.engines, engineOrder, at)
	return before, after
}

func split[T any](rows []T, before, after *[]T, o order[T], at time.Time) {
	for i := range rows {
		to := after
		if o.ts(&rows[i]).Before(at) {
			to = before
		}
		*to = append(*to, rows[i])
	}
}

// table is an hour's rows with the pods.
type table struct {
	hourRows
	pods []usage.PodHour
}

// compute folds rows into the state and gives the hour's tables.
func compute(t *testing.T, s *hourState, closed bool, prices Prices, r rows) (out table) {
	t.Helper()
	out.pod = func(p *usage.PodHour) error { out.pods = append(out.pods, *p); return nil }
	p := pass{prices: prices, state: s, closed: closed, in: r.streams()}
	if err := p.fold(interval, &out.hourRows); err != nil {
		t.Fatal(err)
	}
	p.finish(&out.hourRows)
	out.pod = nil
	return out
}

// world is a small cluster: a server on 4 of a node's 8 GPUs that works for
// the first half of each hour, and a notebook that holds 1 and does nothing.
func world(ts time.Time) rows {
	busy := ts.Minute() < 30
	running, util := int64(0), 0.0
	if busy {
		running, util = 3, 80
	}
	tokens := int64(ts.Sub(midnight).Seconds()) * 10
	return rows{
		pods: []usage.Pod{
			{TS: ts, Namespace: "ml", Pod: "notebook", PodUID: "u2", Node: usage.Some("n1"), Phase: "Running", Ready: true, CreatedAt: midnight,
				GPURequest: 1, GPUUtilPercent: usage.Some(0.0), CPUUsageMillicores: usage.Some[int64](50)},
			{TS: ts, Namespace: "ml", Pod: "server", PodUID: "u1", Node: usage.Some("n1"), Phase: "Running", Ready: true, CreatedAt: midnight,
				Engine: usage.VLLM, Model: usage.Some("m"), GPURequest: 4, GPUUtilPercent: usage.Some(util), CPUUsageMillicores: usage.Some(int64(1000 + ts.Minute()))},
		},
		nodes:   []usage.Node{{TS: ts, Node: "n1", Ready: true, CreatedAt: midnight, GPUProduct: usage.Some("H100"), GPUAllocatable: 8, GPURequested: 5, CPUAllocatableMillicores: 8000, CPUUsageMillicores: usage.Some[int64](2000)}},
		gpus:    []usage.GPU{{TS: ts, Node: "n1", GPUUUID: "g0", Namespace: usage.Some("ml"), Pod: usage.Some("server"), ShareCount: 1, UtilPercent: usage.Some(util), EnergyMillijoulesTotal: usage.Some(tokens * 100), Source: "dcgm"}},
		engines: []usage.Engine{{TS: ts, Namespace: "ml", Pod: "server", PodUID: "u1", Engine: usage.VLLM, RequestsRunning: usage.Some(running), GenerationTokensTotal: usage.Some(tokensBy(ts))}},
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
	var r rows
	instants := []time.Time{at, at.Add(interval)}
	for _, ts := range instants {
		r.append(world(ts))
	}
	return encodeRows(t, at, instants, r)
}

// encodeRows are the objects of a snapshot by name.
func encodeRows(t *testing.T, at time.Time, instants []time.Time, r rows) map[string][]byte {
	t.Helper()
	m := report.Manifest{Version: report.Version, Cluster: "c", At: at, SampledAt: instants, IntervalSeconds: 30, Gaps: []usage.Gap{}}
	r.sort()
	objects := map[string][]byte{}
	put := func(table string, body []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		name := layout.Object{Tier: layout.Raw, Table: table, Cluster: "c", Time: at}.Name()
		objects[name] = body
		m.Objects = append(m.Objects, report.ManifestObject{Name: name, Table: table})
	}
	meta := store.Metadata{Cluster: "c"}
	body, err := store.Pods.Encode(r.pods, meta)
	put("pods", body, err)
	body, err = store.Nodes.Encode(r.nodes, meta)
	put("nodes", body, err)
	body, err = store.GPUs.Encode(r.gpus, meta)
	put("gpus", body, err)
	body, err = store.Engines.Encode(r.engines, meta)
	put("engines", body, err)
	body, err = json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	objects[layout.Object{Tier: layout.Manifest, Cluster: "c", Time: at}.Name()] = body
	return objects
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

// content is the bucket's objects by name.
func content(t *testing.T, b bucket.Bucket) map[string]string {
	t.Helper()
	all := map[string]string{}
	for info, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		o, err := b.Get(t.Context(), info.Name)
		if err != nil {
			t.Fatal(err)
		}
		all[info.Name] = string(o.Body)
	}
	return all
}

func diff(t *testing.T, what string, a, b map[string]string) {
	t.Helper()
	for name := range b {
		if a[name] != b[name] {
			t.Errorf("%s: %s differs", what, name)
		}
	}
	for name := range a {
		if _, ok := b[name]; !ok {
			t.Errorf("%s: %s is gone", what, name)
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
	j.Prices = Prices{GPUHour: map[string]float64{"H100": 2}}
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
	first := content(t, b)
	run(t, job(t, b), at)
	diff(t, "rerun", first, content(t, b))
	// A rebuild from scratch, and one from samples/ alone, give the same figures.
	if _, err := job(t, b).Run(t.Context(), at, Range{From: midnight, To: midnight.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	diff(t, "rebuild", first, content(t, b))
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
	after := content(t, b)
	delete(first, job(t, b).stateName()) // it remembers that the hour has no raw objects now
	delete(after, job(t, b).stateName())
	diff(t, "rebuild from samples", first, after)
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
	want, got := content(t, whole), content(t, late)
	for name := range want {
		if o, _ := layout.Parse(name); o.Tier == layout.Hourly || o.Tier == layout.Samples {
			if want[name] != got[name] {
				t.Errorf("%s differs from a run without a late snapshot", name)
			}
		}
	}
}

// crashing fails at the n-th write, and all after it.
type crashing struct {
	bucket.Bucket
	left atomic.Int64
}

var errCrash = errors.New("crash")

func (c *crashing) Put(ctx context.Context, name string, body []byte, o bucket.PutOptions) (string, error) {
	if c.left.Add(-1) < 0 {
		return "", errCrash
	}
	return c.Bucket.Put(ctx, name, body, o)
}

func (c *crashing) Delete(ctx context.Context, names ...string) error {
	if c.left.Add(-1) < 0 {
		return errCrash
	}
	return c.Bucket.Delete(ctx, names...)
}

// PutStream fails as late as it can: what was streamed leaves nothing either.
func (c *crashing) PutStream(ctx context.Context, name string, write func(io.Writer) error) (string, error) {
	return c.Bucket.PutStream(ctx, name, func(w io.Writer) error {
		if err := write(w); err != nil {
			return err
		}
		if c.left.Add(-1) < 0 {
			return errCrash
		}
		return nil
	})
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
	want := content(t, clean)
	for n := 0; ; n++ {
		b := filled()
		// Reports are written side by side; one at a time is enough to crash between.
		c := &crashing{Bucket: b}
		c.left.Store(int64(n))
		_, err := job(t, c).Run(t.Context(), at, Range{})
		if err == nil {
			if n < 20 {
				t.Errorf("only %d writes seen", n)
			}
			return
		}
		if !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		if _, ok := content(t, b)["site/c/latest.json"]; ok && n < 20 {
			t.Errorf("crash at write %d: latest.json was written before the rest", n)
		}
		run(t, job(t, b), at)
		diff(t, "after a crash", want, content(t, b))
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
	before := content(t, b)
	_, err = job(t, b).Run(t.Context(), midnight.Add(5*time.Minute), Range{})
	if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), name) {
		t.Errorf("a truncated object: %v", err)
	}
	diff(t, "after the error", before, content(t, b))
}

// TestConservation gives random pods random lives on random nodes and checks
// that GPU-hours by any key add up to the same.
func TestConservation(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 30 {
		var in rows
		for k := range 130 {
			if r.IntN(8) == 0 {
				continue // a missed sample
			}
			ts := midnight.Add(time.Duration(k-4) * interval)
			for n := range 3 {
				in.nodes = append(in.nodes, usage.Node{TS: ts, Node: string(rune('a' + n)), GPUAllocatable: int32(r.IntN(2) * 8)})
			}
			for p := range 6 {
				if r.IntN(5) == 0 {
					continue
				}
				pod := usage.Pod{TS: ts, Namespace: string(rune('x' + p%2)), Pod: string(rune('p' + p)), PodUID: string(rune('p' + p)),
					Phase: []string{"Running", "Pending", "Succeeded"}[r.IntN(3)], Ready: r.IntN(2) == 0, GPURequest: int32(r.IntN(4))}
				if r.IntN(4) > 0 {
					pod.Node = usage.Some(string(rune('a' + p%4))) // 'd' is no node of the list
				}
				if r.IntN(3) == 0 {
					pod.GPUUtilPercent = usage.Some(r.Float64() * 10)
				}
				in.pods = append(in.pods, pod)
			}
		}
		in.sort()
		before, in := in.upTo(midnight)
		state := newHourState(midnight.Add(-time.Hour))
		if err := (&pass{state: state, in: before.streams()}).fold(interval, nil); err != nil {
			t.Fatal(err)
		}
		out := compute(t, state.next(), r.IntN(2) == 0, Prices{}, in)
		sum := func(n int, get func(i int) *usage.Statistics) (allocated, parts, total float64) {
			for i := range n {
				s := get(i)
				a, _ := s.GPUHoursAllocated.Get()
				allocated += a
				for _, o := range []usage.Opt[float64]{s.GPUHoursActive, s.GPUHoursIdleHeld, s.GPUHoursLoading, s.GPUHoursUnknown} {
					v, _ := o.Get()
					parts += v
				}
				v, _ := s.GPUHoursTotal.Get()
				total += v
			}
			return allocated, parts, total
		}
		equal := func(what string, a, b float64) {
			if math.Abs(a-b) > 1e-9 {
				t.Errorf("%s: %v and %v", what, a, b)
			}
		}
		pods, podParts, _ := sum(len(out.pods), func(i int) *usage.Statistics { return &out.pods[i].Statistics })
		names, _, _ := sum(len(out.namespaces), func(i int) *usage.Statistics { return &out.namespaces[i].Statistics })
		works, _, _ := sum(len(out.workloads), func(i int) *usage.Statistics { return &out.workloads[i].Statistics })
		nodes, nodeParts, nodeTotal := sum(len(out.nodes), func(i int) *usage.Statistics { return &out.nodes[i].Statistics })
		cluster, _, total := sum(len(out.cluster), func(i int) *usage.Statistics { return &out.cluster[i].Statistics })
		equal("pods and their states", pods, podParts)
		equal("pods and namespaces", pods, names)
		equal("pods and workloads", pods, works)
		equal("pods and nodes", pods, nodes)
		equal("nodes and their states", nodes, nodeParts)
		equal("pods and the cluster", pods, cluster)
		_ = nodeTotal
		if total < cluster-1e-9 {
			t.Errorf("the cluster holds %v of %v GPU-hours", cluster, total)
		}
	}
}

func TestReport(t *testing.T) {
	b := bucket.Mem()
	fill(t, b, midnight, midnight.Add(70*time.Minute), nil)
	at := midnight.Add(69 * time.Minute)
	run(t, job(t, b), at)
	var latest report.Latest
	body := content(t, b)
	if err := json.Unmarshal([]byte(body["site/c/latest.json"]), &latest); err != nil {
		t.Fatal(err)
	}
	s := latest.ClusterSummary
	if s.TotalPods != 2 || s.VLLMPods != 1 || s.TotalGPUs != 8 || s.HeldGPUs != 5 || s.IdleGPUs != 1 || !latest.SampledAt.Equal(at.Add(interval)) {
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

// publishVersion publishes a version of the site, which has one asset of its own.
func publishVersion(t *testing.T, j *Job, saved *savedState, version int) error {
	asset := fmt.Sprintf("assets/%d.js", version)
	j.Site = SiteFiles{FS: fstest.MapFS{asset: {Data: []byte("x")}, "index.html": {Data: []byte(asset)}}, Names: []string{asset, "index.html"}}
	return j.publishSite(t.Context(), &Result{}, saved)
}

// TestSiteFiles publishes versions of the site from two clusters: what only the
// first version has goes when the third comes, and not before, whoever brings it.
func TestSiteFiles(t *testing.T) {
	b := bucket.Mem()
	j := job(t, b)
	var east, west savedState
	for i, step := range []struct {
		cluster string
		saved   *savedState
		version int
		want    string
	}{
		{"east", &east, 1, "1"},
		{"west", &west, 1, "1"},
		{"east", &east, 2, "1 2"},
		{"west", &west, 1, "1 2"},
		{"west", &west, 2, "1 2"},
		{"east", &east, 2, "1 2"},
		{"west", &west, 3, "2 3"},
		{"east", &east, 2, "2 3"},
		{"east", &savedState{}, 2, "2 3"}, // it has lost its state
		{"east", &east, 4, "2 4"},
	} {
		j.Cluster = step.cluster
		if err := publishVersion(t, j, step.saved, step.version); err != nil {
			t.Fatal(err)
		}
		var versions []string
		for name := range content(t, b) {
			if version, ok := strings.CutPrefix(name, "site/assets/"); ok && strings.HasSuffix(version, ".js") {
				versions = append(versions, strings.TrimSuffix(version, ".js"))
			}
		}
		slices.Sort(versions)
		if got := strings.Join(versions, " "); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
	if _, err := b.Put(t.Context(), "site/assets/versions.json", []byte("{"), bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := publishVersion(t, j, &savedState{}, 5); err == nil || !strings.Contains(err.Error(), "site/assets/versions.json") {
		t.Errorf("a damaged account: %v", err)
	}
}

// A run that publishes and is killed at any write leaves nothing that the next
// one does not mend.
func TestSiteFilesAfterCrash(t *testing.T) {
	var want map[string]string
	for writes := int64(-1); ; writes++ {
		b := bucket.Mem()
		j, saved := job(t, b), savedState{}
		for version := range 2 {
			if err := publishVersion(t, j, &saved, version); err != nil {
				t.Fatal(err)
			}
		}
		c := &crashing{Bucket: b}
		c.left.Store(writes)
		var crash error
		if writes >= 0 {
			j.Bucket = c
			crash = publishVersion(t, j, &saved, 2)
			j.Bucket = b
		}
		if err := publishVersion(t, j, &saved, 2); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = content(t, b)
		}
		diff(t, fmt.Sprintf("after a crash at write %d", writes), want, content(t, b))
		if writes >= 0 && crash == nil {
			if writes != 4 {
				t.Errorf("%d writes seen, want 4: the account, two files and what goes", writes)
			}
			return
		}
	}
}
