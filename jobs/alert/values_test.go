package alert

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/internal/yamlfile"
)

// alerts.json says what fired in fields: of a rule that ships also whose
// sentence it is, of a rule of one's own its words.
func TestAlertsCarryValues(t *testing.T) {
	own, err := yamlfile.Parse("c.yaml", []byte(`
- {name: memory, on: pod, when: memory_usage_bytes > 0, severity: INFO,
   summary: "{memory_usage_bytes} in use, {gpu_util_percent} of GPU, {ready}"}
- {name: cpu, on: pod, when: cpu_percent > 1, severity: INFO,
   summary: "CPU {cpu_percent} of {cpu_basis} {cpu_whole_millicores}, threshold {thresholds.cpu}"}
`))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "")
	if w.job.Rules, err = Rules(own); err != nil {
		t.Fatal(err)
	}
	p := pod("vllm-0", 90)
	p.MemoryUsageBytes = usage.Some[int64](1 << 30)
	w.snapshot(minute(0), usage.Sample{Pods: []usage.Pod{p}, Nodes: []usage.Node{node("node-a", true)}})
	w.run(minute(0))
	var got []string
	for _, a := range w.alerts().Firing {
		line := a.Rule + " " + a.Sentence + ":"
		for _, v := range a.Values {
			value, err := json.Marshal([]any{v.Number, v.Text})
			if err != nil {
				t.Fatal(err)
			}
			line += fmt.Sprintf(" %s=%s", v.Name, value)
		}
		got = append(got, line+" | "+a.Summary)
	}
	const want = `cpu cpu: cpu_percent=[90,null] cpu_basis=[null,"limit"] cpu_whole_millicores=[4000,null] thresholds.cpu=[80,null] |` +
		` CPU 90 % of limit 4 cores, threshold 80 %
memory : memory_usage_bytes=[1073741824,null] gpu_util_percent=[null,null] ready=[null,"true"] | 1 GiB in use, ? of GPU, true`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// The first version of the state is read: its alerts have a summary and no
// values, and what was sent was sent to Slack.
func TestFirstStateVersion(t *testing.T) {
	w := newWorld(t, cpuRule)
	const old = `{"version":1,"cluster":"c","at":"2026-03-02T09:00:00Z","sampledAt":"2026-03-02T09:00:00Z","intervalSeconds":60,"active":[],
		"resolved":[{"fingerprint":"f","rule":"cpu","severity":"WARNING","kind":"pod","namespace":"chat","name":"old","node":"n","model":"",
		"pendingSince":"2026-03-02T08:00:00Z","lastHeld":"2026-03-02T08:30:00Z","samplesSeen":9,"firingSince":"2026-03-02T08:10:00Z",
		"resolvedAt":"2026-03-02T08:40:00Z","lastValue":91,"summary":"CPU 91 %","sent":"resolved"},
		{"fingerprint":"g","rule":"cpu","severity":"WARNING","kind":"pod","namespace":"chat","name":"untold","node":"n","model":"",
		"pendingSince":"2026-03-02T08:00:00Z","lastHeld":"2026-03-02T08:30:00Z","samplesSeen":9,"firingSince":"2026-03-02T08:10:00Z",
		"resolvedAt":"2026-03-02T08:39:00Z","lastValue":91,"summary":"CPU 92 %","sent":"firing"},
		{"fingerprint":"h","rule":"cpu","severity":"WARNING","kind":"pod","namespace":"chat","name":"short","node":"n","model":"",
		"pendingSince":"2026-03-02T08:00:00Z","lastHeld":"2026-03-02T08:30:00Z","samplesSeen":9,"firingSince":"2026-03-02T08:10:00Z",
		"resolvedAt":"2026-03-02T08:38:00Z","lastValue":91,"summary":"CPU 93 %","sent":""}]}`
	if _, err := w.b.Put(t.Context(), stateName("c"), []byte(old), bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if posted := w.run(minute(0)); posted != "c: 1 resolved\nRESOLVED cpu (1)" {
		t.Errorf("posted %q", posted)
	}
	if s, _, err := readState(t.Context(), w.b, "c"); err != nil || s.Version != stateVersion || s.Resolved[1].Sent["slack"] != sentResolved {
		t.Errorf("%+v, %v", s, err)
	}
	body, err := w.b.Get(t.Context(), layout.Object{Tier: layout.Report, Cluster: "c", Path: "api/v1/resources/alerts.json"}.Name())
	if err != nil || !strings.Contains(string(body.Body), `"sentence":"","values":[]`) {
		t.Errorf("%s, %v", body.Body, err)
	}
	var doc report.Alerts
	if err := json.Unmarshal(body.Body, &doc); err != nil || doc.Resolved[0].Summary != "CPU 91 %" {
		t.Errorf("%+v, %v", doc.Resolved, err)
	}
}
