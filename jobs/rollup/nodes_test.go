package rollup

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// GPUs that were read on their nodes, in objects and manifests of the nodes,
// give the same as those that came with the cluster's snapshot.
func TestNodesOwnGPUs(t *testing.T) {
	both := [2]bucket.Bucket{bucket.Mem(), bucket.Mem()}
	for at := midnight; at.Before(midnight.Add(20 * time.Minute)); at = at.Add(time.Minute) {
		for onNode, b := range both {
			put(t, b, at, onNode == 1)
		}
	}
	at := midnight.Add(19 * time.Minute)
	whole, split := map[string]string{}, map[string]string{}
	for i, into := range []map[string]string{whole, split} {
		run(t, job(t, both[i]), at)
		maps.Copy(into, content(t, both[i]))
		maps.DeleteFunc(into, func(name, _ string) bool { return strings.HasPrefix(name, "raw/") || strings.HasPrefix(name, "state/") })
	}
	if len(whole) < 10 {
		t.Fatalf("only %d objects", len(whole))
	}
	diff(t, "read on the node", whole, split)
	for _, p := range hourly(t, both[1], store.PodHours, midnight) {
		if util := p.GPUUtilPercent.Avg.Present(); util != (p.Pod == "server") {
			t.Errorf("%s has GPU figures: %v", p.Pod, util)
		}
	}

	// A minute of which only a node has spoken yet is not reported on.
	b := both[1]
	put(t, b, at.Add(time.Minute), true)
	if err := b.Delete(t.Context(), layout.Object{Tier: layout.Manifest, Cluster: "c", Time: at.Add(time.Minute)}.Name()); err != nil {
		t.Fatal(err)
	}
	run(t, job(t, b), at)
	if got := content(t, b)["site/c/latest.json"]; got != whole["site/c/latest.json"] {
		t.Errorf("latest.json is of a node alone: %s", got)
	}
}

// put commits a minute of the world whose devices NVML read.
func put(t *testing.T, b bucket.Bucket, at time.Time, onNode bool) {
	t.Helper()
	r := world(at)
	for i := range r.gpus {
		r.gpus[i].Source, r.gpus[i].MemoryUsedBytes = "nvml", usage.Some[int64](1<<30)
	}
	for i := range r.pods { // as the snapshot has them, which knows no devices
		r.pods[i].GPUUtilPercent, r.pods[i].GPUAttribution = usage.Opt[float64]{}, usage.Some(usage.Unknown)
		if r.pods[i].Pod == "server" {
			r.pods[i].GPURequest = 1
		}
	}
	r.sort()
	if !onNode {
		gpu.AttributeLater(r.pods, r.gpus) // as the snapshot does with what it finds itself
	}
	write := func(node string, tables map[string]func() ([]byte, error)) {
		m := report.Manifest{Version: report.Version, Cluster: "c", At: at, SampledAt: []time.Time{at}, IntervalSeconds: 30, Gaps: []usage.Gap{}}
		for table, encode := range tables {
			body, err := encode()
			if err != nil {
				t.Fatal(err)
			}
			name := layout.Object{Tier: layout.Raw, Table: table, Cluster: "c", Time: at, Node: node}.Name()
			if _, err := b.Put(t.Context(), name, body, bucket.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			m.Objects = append(m.Objects, report.ManifestObject{Name: name, Table: table})
		}
		body, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Put(t.Context(), layout.Object{Tier: layout.Manifest, Cluster: "c", Time: at, Node: node}.Name(), body, bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	meta := store.Metadata{Cluster: "c"}
	gpus := func() ([]byte, error) { return store.GPUs.Encode(r.gpus, meta) }
	cluster := map[string]func() ([]byte, error){
		"pods":    func() ([]byte, error) { return store.Pods.Encode(r.pods, meta) },
		"nodes":   func() ([]byte, error) { return store.Nodes.Encode(r.nodes, meta) },
		"engines": func() ([]byte, error) { return store.Engines.Encode(r.engines, meta) },
	}
	if onNode {
		write("n1", map[string]func() ([]byte, error){"gpus": gpus})
	} else {
		cluster["gpus"] = gpus
	}
	write("", cluster)
}

// A cluster that is scaled to no node at all is reported as such.
func TestNoNodes(t *testing.T) {
	b := bucket.Mem()
	snapshot(t, b, midnight)
	m := report.Manifest{Version: report.Version, Cluster: "c", At: midnight.Add(time.Minute), SampledAt: []time.Time{midnight.Add(time.Minute)}, IntervalSeconds: 30}
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), layout.Object{Tier: layout.Manifest, Cluster: "c", Time: m.At}.Name(), body, bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	run(t, job(t, b), m.At)
	var latest report.Latest
	if err := json.Unmarshal([]byte(content(t, b)["site/c/latest.json"]), &latest); err != nil {
		t.Fatal(err)
	}
	if s := latest.ClusterSummary; s.TotalNodes != 0 || s.TotalPods != 0 || s.AvgCPU.Present() || !latest.SampledAt.Equal(m.At) {
		t.Errorf("%+v", latest)
	}
}
