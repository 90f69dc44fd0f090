package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
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
	"github.com/company/k8s-resource-monitor/jobs/alert/notify"
)

var (
	start        = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	thresholds80 = report.Thresholds{CPUPercent: 80, MemoryPercent: 80, GPUPercent: 80}
)

func minute(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// channel is a Channel that keeps what it is told, or fails.
type channel struct {
	name   string
	posted []notify.Notification
	retry  bool
	err    error
}

func (c *channel) Name() string { return c.name }

func (c *channel) Notify(_ context.Context, n notify.Notification) (retry bool, err error) {
	if c.err == nil {
		c.posted = append(c.posted, n)
	}
	return c.retry, c.err
}

// titles are the titles of the messages since the last call, each with those of its groups.
func (c *channel) titles() string {
	var titles []string
	for _, n := range c.posted {
		title := n.Title()
		for _, g := range n.Groups {
			title += "\n" + g.Title()
		}
		titles = append(titles, title)
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
	w.job = &Job{Bucket: w.b, Cluster: "c", Rules: parsed, Thresholds: thresholds80,
		Channels: []notify.Channel{w.channel}, Log: slog.New(slog.DiscardHandler)}
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
	name := layout.Object{Tier: layout.Manifest, Cluster: "c", Time: at}.Name()
	if _, err := w.b.Put(w.t.Context(), name, body, bucket.PutOptions{}); err != nil {
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
