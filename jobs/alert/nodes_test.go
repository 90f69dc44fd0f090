package alert

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// A rule on pods sees the figures of GPUs that were read on their node, in
// objects and a manifest of the node's own.
func TestNodesOwnGPUs(t *testing.T) {
	w := newWorld(t, `
- name: hot
  on: pod
  when: gpu_util_percent > 90.0
  for: {duration: 0s, samples: 1}
  severity: WARNING
  summary: GPU {gpu_util_percent}
`)
	at := minute(0)
	name := layout.Object{Tier: layout.Raw, Table: usage.GPUs, Cluster: "c", Time: at, Node: "node-a"}.Name()
	rows := []usage.GPU{{TS: at, Node: "node-a", GPUUUID: "g", Namespace: usage.Some("chat"), Pod: usage.Some("vllm-0"), ShareCount: 1,
		UtilPercent: usage.Some(97.0), Source: "nvml"}}
	if _, err := store.GPUs.Write(t.Context(), w.b, name, rows, store.Metadata{Cluster: "c"}); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(report.Manifest{Version: report.Version, Cluster: "c", At: at, SampledAt: []time.Time{at}, IntervalSeconds: 60,
		Objects: []report.ManifestObject{{Name: name, Table: usage.GPUs, Rows: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	manifest := layout.Object{Tier: layout.Manifest, Cluster: "c", Time: at, Node: "node-a"}.Name()
	if _, err := w.b.Put(t.Context(), manifest, body, bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.job.Run(t.Context(), at); err != nil { // the cluster has not been looked at yet
		t.Fatal(err)
	}
	p := pod("vllm-0", 10)
	p.GPURequest, p.GPUAttribution = 1, usage.Some(usage.Unknown)
	w.snapshot(at, usage.Sample{Pods: []usage.Pod{p}, Nodes: []usage.Node{node("node-a", true)}})
	w.run(minute(1))
	if a := w.alerts().Firing; len(a) != 1 || a[0].Rule != "hot" {
		t.Errorf("alerts %+v, want one of the hot pod", a)
	}
}
