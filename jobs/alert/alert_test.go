package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/committed/committedtest"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/internal/yamlfile"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	start        = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	thresholds80 = report.Thresholds{CPUPercent: 80, MemoryPercent: 80, GPUPercent: 80}
)

func minute(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// channel is a Channel that keeps what it is told, or fails.
type channel struct {
	name   string
	posted []Notification
	retry  bool
	err    error
}

func (c *channel) Name() string { return c.name }

func (c *channel) Notify(_ context.Context, n Notification) (retry bool, err error) {
	if c.err == nil {
		c.posted = append(c.posted, n)
	}
	return c.retry, c.err
}

// titles are the titles of the messages since the last call, each with those of its groups.
func (c *channel) titles() string {
	var titles []string
	for _, n := range c.posted {
		titles = append(titles, slackMessage(n).Text)
	}
	c.posted = nil
	return strings.Join(titles, " | ")
}

// world is a bucket with snapshots, and the job on it.
type world struct {
	t       *testing.T
	b       bucket.Bucket
	job     *Job
	channel *channel
}

func newWorld(t *testing.T, rules string) *world {
	t.Helper()
	parsed, err := ParseRules("test.yaml", []byte(rules))
	if err != nil {
		t.Fatal(err)
	}
	if rules == "" {
		if parsed, err = Rules(yamlfile.Value{}); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{t: t, b: bucket.Mem(), channel: &channel{name: "slack"}}
	w.job = &Job{Bucket: w.b, Cluster: "c", Rules: parsed, Thresholds: thresholds80, Channels: []Channel{w.channel}, Log: slog.New(slog.DiscardHandler)}
	return w
}

func written[T any](w *world, m *report.Manifest, table *store.Table[T], rows []T) {
	w.t.Helper()
	if len(rows) == 0 {
		return
	}
	name := layout.Object{Tier: layout.Raw, Table: table.Name(), Cluster: "c", Time: m.At}.Name()
	if _, err := table.Write(w.t.Context(), w.b, name, rows, store.Metadata{Cluster: "c"}); err != nil {
		w.t.Fatal(err)
	}
	m.Objects = append(m.Objects, report.ManifestObject{Name: name, Table: table.Name(), Rows: len(rows)})
}

// sampled are the rows as measured at one instant, in order.
func sampled(at time.Time, s usage.Sample) usage.Sample {
	for i := range s.Pods {
		s.Pods[i].TS = at
	}
	for i := range s.Nodes {
		s.Nodes[i].TS = at
	}
	for i := range s.GPUs {
		s.GPUs[i].TS = at
	}
	for i := range s.Engines {
		s.Engines[i].TS = at
	}
	committedtest.Sort(&s)
	return s
}

// uncommitted writes the rows of one snapshot without its manifest.
func (w *world) uncommitted(at time.Time, s usage.Sample) report.Manifest {
	w.t.Helper()
	s = sampled(at, s)
	m := report.Manifest{Version: report.Version, Cluster: "c", At: at, SampledAt: []time.Time{at}, IntervalSeconds: 60}
	written(w, &m, store.Pods, s.Pods)
	written(w, &m, store.Nodes, s.Nodes)
	written(w, &m, store.GPUs, s.GPUs)
	written(w, &m, store.Engines, s.Engines)
	return m
}

// snapshot writes the rows of one committed snapshot.
func (w *world) snapshot(at time.Time, s usage.Sample) {
	w.t.Helper()
	body, err := json.Marshal(w.uncommitted(at, s))
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.b.Put(w.t.Context(), layout.Object{Tier: layout.Manifest, Cluster: "c", Time: at}.Name(), body, bucket.PutOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// run runs the job, which must succeed, and returns the titles of its messages.
func (w *world) run(at time.Time) string {
	w.t.Helper()
	if _, err := w.job.Run(w.t.Context(), at); err != nil {
		w.t.Fatalf("at %v: %v", at, err)
	}
	return w.channel.titles()
}

func (w *world) alerts() report.Alerts {
	w.t.Helper()
	object, err := w.b.Get(w.t.Context(), "site/c/api/v1/resources/alerts.json")
	if err != nil {
		w.t.Fatal(err)
	}
	var doc report.Alerts
	if err := json.Unmarshal(object.Body, &doc); err != nil {
		w.t.Fatal(err)
	}
	return doc
}

// contents are all objects with their bytes.
func (w *world) contents() string {
	w.t.Helper()
	var all strings.Builder
	for info, err := range w.b.List(w.t.Context(), "") {
		if err != nil {
			w.t.Fatal(err)
		}
		object, err := w.b.Get(w.t.Context(), info.Name)
		if err != nil {
			w.t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %x\n", info.Name, object.Body)
	}
	return all.String()
}

// pod runs and uses so many percent of its limit of 4 cores; below 0: not measured.
func pod(name string, cpuPercent int64) usage.Pod {
	p := usage.Pod{Namespace: "chat", Pod: name, PodUID: name, Node: usage.Some("node-a"), Phase: "Running", Ready: true,
		CreatedAt: start, CPULimitMillicores: usage.Some[int64](4000)}
	if cpuPercent >= 0 {
		p.CPUUsageMillicores = usage.Some(40 * cpuPercent)
	}
	return p
}

func node(name string, ready bool) usage.Node {
	return usage.Node{Node: name, Ready: ready, CPUAllocatableMillicores: 8000, MemoryAllocatableBytes: 32 << 30, CreatedAt: start}
}

const cpuRule = `
- name: cpu
  on: pod
  when: cpu_percent > thresholds.cpu
  clear: cpu_percent < 70
  for: {duration: 3m, samples: 3}
  severity: WARNING
  summary: CPU {cpu_percent} of {cpu_basis} {cpu_whole_millicores}
`

// Each case is one pod's CPU, minute by minute: -1 not measured, -2 no
// snapshot, -3 the pod is gone. want is what was posted in which minute.
func TestTransitions(t *testing.T) {
	const absent, none, gone = -1, -2, -3
	for name, test := range map[string]struct {
		cpu  []int64
		want map[int]string
	}{
		"quiet":                 {[]int64{50, 50, 50, 50, 50}, nil},
		"at the threshold":      {[]int64{80, 80, 80, 80, 80}, nil},
		"fires after its time":  {[]int64{90, 90, 90, 90, 90}, map[int]string{3: "1 firing"}},
		"too short":             {[]int64{90, 90, 90, 50, 90, 90, 90}, nil},
		"resolves below clear":  {[]int64{90, 90, 90, 90, 75, 71, 69, 90}, map[int]string{3: "1 firing", 6: "1 resolved"}},
		"too few samples":       {[]int64{90, none, none, 90, 90}, map[int]string{4: "1 firing"}},
		"absent does not count": {[]int64{90, absent, absent, 90, 90}, map[int]string{4: "1 firing"}},
		"absent keeps firing":   {[]int64{90, 90, 90, 90, absent, absent, 50}, map[int]string{3: "1 firing", 6: "1 resolved"}},
		"absent alone":          {[]int64{absent, absent, absent, absent, absent}, nil},
		"no snapshots":          {[]int64{90, 90, 90, 90, none, none, 90}, map[int]string{3: "1 firing"}},
		"gone resolves":         {[]int64{90, 90, 90, 90, gone}, map[int]string{3: "1 firing", 4: "1 resolved"}},
		"gone while pending":    {[]int64{90, 90, gone, 90, 90}, nil},
		"a hole waits anew":     {[]int64{90, 90, none, none, none, 90, 90, 90, 90}, map[int]string{8: "1 firing"}},
		"fires again":           {[]int64{90, 90, 90, 90, 50, 90, 90, 90, 90}, map[int]string{3: "1 firing", 4: "1 resolved", 8: "1 firing"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, cpuRule)
			for i, cpu := range test.cpu {
				s := usage.Sample{Nodes: []usage.Node{node("node-a", true)}}
				if cpu != gone {
					s.Pods = []usage.Pod{pod("vllm-0", cpu)}
				}
				if cpu != none {
					w.snapshot(minute(i), s)
				}
				title, _, _ := strings.Cut(w.run(minute(i)), "\n")
				if want := test.want[i]; strings.TrimPrefix(title, "c: ") != want {
					t.Errorf("minute %d posts %q, want %q", i, title, want)
				}
			}
		})
	}
}

// One late run sees what the runs that it replaces would have seen.
func TestLateRun(t *testing.T) {
	w, late := newWorld(t, cpuRule), newWorld(t, cpuRule)
	for i, cpu := range []int64{90, 90, 90, 90, 90, 95} {
		s := usage.Sample{Pods: []usage.Pod{pod("vllm-0", cpu)}}
		w.snapshot(minute(i), s)
		late.snapshot(minute(i), s)
		w.run(minute(i))
	}
	late.run(minute(5))
	if got, want := late.alerts(), w.alerts(); fmt.Sprint(got) != fmt.Sprint(want) || len(got.Firing) != 1 || got.Firing[0].Since != minute(0) {
		t.Errorf("late %+v, want %+v", got, want)
	}
}

// An alert that came and went between two runs is recorded and not posted.
func TestResolvedBeforeToldIsNotTold(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i, cpu := range []int64{90, 90, 90, 90, 50} {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", cpu)}})
	}
	if posted := w.run(minute(4)); posted != "" || len(w.alerts().Resolved) != 1 {
		t.Errorf("posted %q, %+v", posted, w.alerts())
	}
}

func TestRerunChangesNothing(t *testing.T) {
	w := newWorld(t, "")
	for i := range 20 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("a", 90), pod("b", 10)}, Nodes: []usage.Node{node("node-a", i < 5)}})
	}
	if posted := w.run(minute(19)); !strings.HasPrefix(posted, "c: 2 firing") {
		t.Fatalf("posted %q", posted)
	}
	before := w.contents()
	for _, at := range []time.Time{minute(19), minute(19), minute(10)} {
		if posted := w.run(at); posted != "" {
			t.Errorf("a rerun posts %q", posted)
		}
		if w.contents() != before {
			t.Error("a rerun changes the bucket")
		}
	}
}

func TestOnlyCommittedRowsCount(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 6 {
		w.uncommitted(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	}
	if posted := w.run(minute(5)); posted != "" || len(w.alerts().Firing) != 0 {
		t.Errorf("posted %q", posted)
	}
}

// A failed post is made good by the next run, and does not keep the rest from
// being recorded.
func TestPostFails(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 4 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	}
	w.channel.err = errors.New("HTTP 400 invalid_payload")
	result, err := w.job.Run(t.Context(), minute(3))
	if !errors.Is(err, ErrRefused) || err.Error() != "slack refused the message: HTTP 400 invalid_payload" || result != (Result{Firing: 1, New: 1}) || len(w.alerts().Firing) != 1 {
		t.Fatalf("%+v, %v, %+v", result, err, w.alerts())
	}
	w.channel.err = nil
	if posted := w.run(minute(3)); !strings.HasPrefix(posted, "c: 1 firing") {
		t.Errorf("the next run posts %q", posted)
	}
	if posted := w.run(minute(3)); posted != "" {
		t.Errorf("and the one after it %q", posted)
	}
}

// Each channel is told of each beginning and end once, whatever becomes of the others.
func TestChannelsAreToldApart(t *testing.T) {
	w := newWorld(t, cpuRule)
	teams := &channel{name: "teams", retry: true, err: errors.New("HTTP 503")}
	w.job.Channels = append(w.job.Channels, teams)
	for i, cpu := range []int64{90, 90, 90, 90, 90, 50} {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", cpu)}})
	}
	if _, err := w.job.Run(t.Context(), minute(3)); err == nil || errors.Is(err, ErrRefused) ||
		err.Error() != "post to teams: HTTP 503; the next run sends again" {
		t.Errorf("error %v", err)
	}
	if got := w.channel.titles(); !strings.HasPrefix(got, "c: 1 firing") {
		t.Errorf("slack is told %q", got)
	}
	teams.err = nil
	if got := w.run(minute(4)); got != "" {
		t.Errorf("slack is told %q again", got)
	}
	if got := teams.titles(); !strings.HasPrefix(got, "c: 1 firing") {
		t.Errorf("teams is told %q", got)
	}
	late := &channel{name: "late"} // it was not there when the alert fired, and is not told that it ended
	w.job.Channels = append(w.job.Channels, late)
	if got := w.run(minute(5)); !strings.HasPrefix(got, "c: 1 resolved") || !strings.HasPrefix(teams.titles(), "c: 1 resolved") || late.titles() != "" {
		t.Errorf("slack is told %q", got)
	}
}

// meddler is a bucket in which Put of the state fails in some way.
type meddler struct {
	bucket.Bucket
	put func(name string) error
}

func (m *meddler) Put(ctx context.Context, name string, body []byte, o bucket.PutOptions) (string, error) {
	if err := m.put(name); err != nil {
		return "", err
	}
	return m.Bucket.Put(ctx, name, body, o)
}

func (m *meddler) PutStream(ctx context.Context, name string, write func(io.Writer) error) (string, error) {
	if err := m.put(name); err != nil {
		return "", err
	}
	return m.Bucket.PutStream(ctx, name, write)
}

// A run that dies between posting and recording posts again: at least once.
func TestCrashBetweenPostAndRecord(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 4 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	}
	crash := errors.New("killed")
	w.job.Bucket = &meddler{w.b, func(name string) error {
		if strings.HasPrefix(name, "state/") {
			return crash
		}
		return nil
	}}
	if _, err := w.job.Run(t.Context(), minute(3)); !errors.Is(err, crash) {
		t.Fatal(err)
	}
	if posted := w.channel.titles(); !strings.HasPrefix(posted, "c: 1 firing") {
		t.Fatalf("the first run posts %q", posted)
	}
	w.job.Bucket = w.b
	if posted := w.run(minute(3)); !strings.HasPrefix(posted, "c: 1 firing") {
		t.Errorf("the second run posts %q", posted)
	}
	if posted := w.run(minute(4)); posted != "" {
		t.Errorf("the third run posts %q", posted)
	}
}

// Someone else writes the state while we post: we read it again, redo our
// work on it, and do not post twice.
func TestConflict(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 4 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	}
	w.run(minute(0))
	conflicts := 0
	w.job.Bucket = &meddler{w.b, func(name string) error {
		if strings.HasPrefix(name, "state/") && conflicts == 0 {
			conflicts++
			other := newWorld(t, cpuRule)
			other.job.Bucket = w.b
			other.run(minute(2))
		}
		return nil
	}}
	result, err := w.job.Run(t.Context(), minute(3))
	if err != nil || conflicts != 1 || result != (Result{Firing: 1, New: 1, Posted: 1}) {
		t.Errorf("%+v, %v, %d conflicts", result, err, conflicts)
	}
	if titles := w.channel.titles(); strings.Count(titles, "firing") != 1 {
		t.Errorf("posted %q", titles)
	}

	w.job.Bucket = &meddler{w.b, func(name string) error {
		if strings.HasPrefix(name, "state/") {
			return bucket.ErrPrecondition
		}
		return nil
	}}
	if _, err := w.job.Run(t.Context(), minute(4)); !errors.Is(err, bucket.ErrPrecondition) {
		t.Errorf("a conflict without end gives %v", err)
	}
}

func TestDryRun(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 4 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 91)}})
	}
	before := w.contents()
	var out bytes.Buffer
	w.job.Bucket, w.job.Channels = bucket.DryRun(w.b, func(string, string) {}), []Channel{Printer{&out}}
	result, err := w.job.Run(t.Context(), minute(3))
	const want = "c: 1 firing\nWARNING cpu (1)\n  chat/vllm-0  CPU 91 % of limit 4 cores, since 10:00 UTC\n"
	if err != nil || out.String() != want || result.Posted != 1 {
		t.Errorf("%+v, %v, prints\n%swant\n%s", result, err, out.String(), want)
	}
	if w.contents() != before {
		t.Error("a dry run writes")
	}
}

func TestDamagedState(t *testing.T) {
	for _, body := range []string{"{", `{"version":9,"cluster":"c"}`, `{"version":1,"cluster":"d"}`} {
		w := newWorld(t, cpuRule)
		if _, err := w.b.Put(t.Context(), "state/alert/c.json", []byte(body), bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.job.Run(t.Context(), minute(0)); err == nil || !strings.Contains(err.Error(), "state/alert/c.json") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// A rule that was taken out of the configuration ends its alerts, with or
// without new samples.
func TestRuleRemoved(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 4 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	}
	w.run(minute(3))
	w.job.Rules = nil
	if posted := w.run(minute(4)); !strings.HasPrefix(posted, "c: 1 resolved") {
		t.Errorf("posted %q", posted)
	}
}

// An instant that two manifests commit counts once.
func TestInstantCountsOnce(t *testing.T) {
	w := newWorld(t, "- {name: seen, on: pod, when: ready, for: {samples: 3}, severity: INFO, summary: x}")
	w.snapshot(minute(0), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	var again usage.Sample // the next run samples minute 0 as well
	for _, ts := range []time.Time{minute(0), minute(1)} {
		committedtest.Append(&again, sampled(ts, usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}, Nodes: []usage.Node{node("node-a", true)}}))
	}
	committedtest.Put(t, w.b, committedtest.Encode(t, "c", minute(1), time.Minute, again))
	if posted := w.run(minute(1)); posted != "" {
		t.Errorf("two instants post %q", posted)
	}
	w.snapshot(minute(2), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	if posted := w.run(minute(2)); !strings.HasPrefix(posted, "c: 1 firing") {
		t.Errorf("three instants post %q", posted)
	}
}

// What is resolved and not yet told outlives its time in the list, and the
// list is bounded.
func TestTidy(t *testing.T) {
	s := state{At: start}
	old := resolved(firing("cpu", "WARNING", "old", "x"))
	old.ResolvedAt = usage.Some(start.Add(-31 * 24 * time.Hour))
	untold := old
	untold.Sent = sentBy{"slack": sentFiring}
	tooOld := untold
	tooOld.ResolvedAt = usage.Some(start.Add(-61 * 24 * time.Hour))
	s.Resolved = append(many(keepResolvedMost+5, resolved(firing("cpu", "WARNING", "", "x"))), old, untold, tooOld)
	s.tidy()
	last := s.Resolved[len(s.Resolved)-1]
	if len(s.Resolved) != keepResolvedMost+1 || last.Sent["slack"] != sentFiring {
		t.Errorf("%d are kept, the last %+v", len(s.Resolved), last)
	}
}

func TestResolvedAreForgotten(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i, cpu := range []int64{90, 90, 90, 90, 50} {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", cpu)}})
		w.run(minute(i))
	}
	for days, want := range map[int]int{29: 1, 31: 0} {
		clone := *w
		clone.b = bucket.Mem()
		object, err := w.b.Get(t.Context(), "state/alert/c.json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := clone.b.Put(t.Context(), "state/alert/c.json", object.Body, bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		j := *w.job
		j.Bucket = clone.b
		if _, err := j.Run(t.Context(), start.Add(time.Duration(days)*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := len(clone.alerts().Resolved); got != want {
			t.Errorf("after %d days %d are kept, want %d", days, got, want)
		}
	}
}

// The default rules over 20 minutes of subjects that do or do not alert.
func TestDefaultRules(t *testing.T) {
	memory := pod("memory-of-request", 10)
	memory.MemoryUsageBytes, memory.MemoryRequestBytes = usage.Some[int64](3<<30), usage.Some[int64](2<<30)
	ofNode := pod("cpu-of-node", 0)
	ofNode.CPULimitMillicores, ofNode.CPUUsageMillicores = usage.Opt[int64]{}, usage.Some[int64](7600)
	busy := pod("busy", 10)
	busy.GPURequest, busy.GPUUtilPercent = 2, usage.Some(97.5)
	loaded := pod("loaded", 10)
	loaded.GPURequest, loaded.GPUUtilPercent = 2, usage.Some(90.0)
	done := pod("done", 99)
	done.Phase, done.Reason = "Succeeded", usage.Some("Completed")
	failed := pod("failed", -1)
	failed.Phase, failed.Reason = "Failed", usage.Some("Evicted")
	crashing := pod("crashing", -1)
	crashing.Reason, crashing.Ready = usage.Some("CrashLoopBackOff"), false
	pending := pod("pending", -1)
	pending.Phase, pending.Node, pending.GPURequest = "Pending", usage.Opt[string]{}, 8
	pods := []usage.Pod{busy, crashing, done, failed, loaded, memory, ofNode, pending, pod("hot", 91), pod("fine", 80), pod("unmeasured", -1)}
	nodes := []usage.Node{node("node-a", true), node("node-b", false)}

	w := newWorld(t, "")
	for i := range 21 {
		w.snapshot(minute(i), usage.Sample{Pods: pods, Nodes: nodes})
	}
	w.run(minute(20))
	var got strings.Builder
	s, _, err := readState(t.Context(), w.b, "c")
	if err != nil {
		t.Fatal(err)
	}
	firedAt := map[string]string{}
	for _, a := range s.Active {
		firedAt[a.Rule+a.Name] = at(a.FiringSince).Format("15:04")
	}
	for _, a := range w.alerts().Firing {
		value := "-"
		if v, ok := a.Value.Get(); ok {
			value = fmt.Sprint(v)
		}
		fmt.Fprintf(&got, "%s %s %s/%s since %s, fired %s: %s [%s]\n", a.Severity, a.Rule, a.Namespace, a.Name,
			a.Since.Format("15:04"), firedAt[a.Rule+a.Name], a.Summary, value)
	}
	golden(t, "testdata/defaults.golden", []byte(got.String()))
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %v, got\n%s\nwant\n%s", file, err, got, want)
	}
}

func TestStaleSnapshot(t *testing.T) {
	w := newWorld(t, "")
	if posted := w.run(minute(-1)); posted != "" {
		t.Errorf("without any snapshot it posts %q", posted)
	}
	w.snapshot(minute(0), usage.Sample{Nodes: []usage.Node{node("node-a", true)}})
	for _, step := range []struct {
		minute int
		want   string
	}{{0, ""}, {3, ""}, {4, "c: 1 firing"}, {200, ""}} {
		title, _, _ := strings.Cut(w.run(minute(step.minute)), "\n")
		if title != step.want {
			t.Errorf("minute %d: %q, want %q", step.minute, title, step.want)
		}
	}
	if got := w.alerts().Firing[0].Summary; got != "the newest snapshot is 3 h 20 min old, samples are due every 60 s" {
		t.Error(got)
	}
	w.snapshot(minute(201), usage.Sample{Nodes: []usage.Node{node("node-a", true)}})
	if posted := w.run(minute(201)); !strings.HasPrefix(posted, "c: 1 resolved") {
		t.Errorf("with a new snapshot it posts %q", posted)
	}

	// A job that starts long after the collector stopped finds the last snapshot.
	first := newWorld(t, "")
	first.snapshot(minute(0), usage.Sample{Nodes: []usage.Node{node("node-a", true)}})
	if posted := first.run(minute(2000)); !strings.HasPrefix(posted, "c: 1 firing") {
		t.Errorf("a first run posts %q", posted)
	}
}

// A server that answers short requests has none running at most instants, and
// moves tokens. What it did since the sample before decides, over runs as well.
func TestRulesSeeWhatGPUsDo(t *testing.T) {
	w := newWorld(t, "- {name: idle, on: pod, when: gpu_state == 'idle_held', for: {samples: 2}, severity: INFO, summary: x}")
	for i := range 5 {
		pods := []usage.Pod{pod("busy", 1), pod("idle", 1), pod("worker", 1)}
		for p := range pods {
			pods[p].GPURequest, pods[p].Engine = 1, usage.VLLM
		}
		pods[0].ReplicaGroup, pods[2].ReplicaGroup = usage.Some("busy"), usage.Some("busy") // the worker has no engine metrics
		engines := []usage.Engine{
			{Namespace: "chat", Pod: "busy", PodUID: "busy", RequestsRunning: usage.Some[int64](0), GenerationTokensTotal: usage.Some(int64(100 * i))},
			{Namespace: "chat", Pod: "idle", PodUID: "idle", RequestsRunning: usage.Some[int64](0), GenerationTokensTotal: usage.Some[int64](7)},
		}
		w.snapshot(minute(i), usage.Sample{Nodes: []usage.Node{node("node-a", true)}, Pods: pods, Engines: engines})
		w.run(minute(i))
	}
	var names []string
	for _, a := range w.alerts().Firing {
		names = append(names, a.Name)
	}
	if !slices.Equal(names, []string{"idle"}) {
		t.Errorf("%q are idle, want the idle server alone", names)
	}
}

// A GPU without a row is gone with its node or beside others of its node, and
// not measured if its node reports none.
func TestGPUAndModelSubjects(t *testing.T) {
	w := newWorld(t, `
- {name: hot, on: gpu, when: temperature_celsius > 80, severity: WARNING, summary: "{temperature_celsius} degrees, {gpu_memory_percent} full"}
- {name: queue, on: model, when: requests_waiting > 10 && kv_cache_usage_ratio > 0.9, severity: CRITICAL, summary: "{requests_waiting} wait for {model} on {pods} pods"}
`)
	gpu := func(uuid string, celsius int32) usage.GPU {
		index := int32(uuid[len(uuid)-1] - '0')
		return usage.GPU{Node: "node-a", GPUIndex: index, GPUUUID: uuid, TemperatureCelsius: usage.Some(celsius),
			MemoryUsedBytes: usage.Some[int64](40), MemoryTotalBytes: usage.Some[int64](80)}
	}
	a, b := pod("vllm-0", 1), pod("vllm-1", 1)
	for _, p := range []*usage.Pod{&a, &b} {
		p.Engine, p.Model = usage.VLLM, usage.Some("Qwen3-32B")
	}
	engine := func(pod string, waiting int64, ratio float64) usage.Engine {
		return usage.Engine{Namespace: "chat", Pod: pod, PodUID: pod, RequestsWaiting: usage.Some(waiting), KVCacheUsageRatio: usage.Some(ratio)}
	}
	nodes := []usage.Node{node("node-a", true)}
	w.snapshot(minute(0), usage.Sample{Nodes: nodes, GPUs: []usage.GPU{gpu("GPU-0", 60), gpu("GPU-1", 85)}, Pods: []usage.Pod{a, b},
		Engines: []usage.Engine{engine("vllm-0", 7, 0.2), engine("vllm-1", 8, 0.95)}})
	w.run(minute(0))
	var summaries []string
	for _, a := range w.alerts().Firing {
		summaries = append(summaries, a.Name+": "+a.Summary)
	}
	if got, want := fmt.Sprintf("%q", summaries), `["Qwen3-32B: 15 wait for Qwen3-32B on 2 pods" "GPU-1: 85 degrees, 50 % full"]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for i, step := range []struct {
		sample usage.Sample
		firing int
	}{
		{usage.Sample{Nodes: nodes, Pods: []usage.Pod{a, b}}, 2},                          // neither exporter nor engine answer
		{usage.Sample{Nodes: nodes, GPUs: []usage.GPU{gpu("GPU-0", 60)}}, 0},              // no GPU-1 beside GPU-0, no pod
		{usage.Sample{Nodes: nodes, GPUs: []usage.GPU{gpu("GPU-1", 99)}}, 1},              // again
		{usage.Sample{Nodes: []usage.Node{node("node-b", true)}, GPUs: []usage.GPU{}}, 0}, // the node is gone
	} {
		w.snapshot(minute(i+1), step.sample)
		w.run(minute(i + 1))
		if got := len(w.alerts().Firing); got != step.firing {
			t.Errorf("step %d: %d fire, want %d", i, got, step.firing)
		}
	}
}
