package rollup

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/bucket/buckettest"
	"github.com/company/k8s-resource-monitor/internal/committed/committedtest"
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
		maps.Copy(into, buckettest.Contents(t, both[i]))
		maps.DeleteFunc(into, func(name, _ string) bool { return strings.HasPrefix(name, "raw/") || strings.HasPrefix(name, "state/") })
	}
	if len(whole) < 10 {
		t.Fatalf("only %d objects", len(whole))
	}
	buckettest.Diff(t, "read on the node", whole, split)
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
	if got := buckettest.Contents(t, b)["site/c/latest.json"]; got != whole["site/c/latest.json"] {
		t.Errorf("latest.json is of a node alone: %s", got)
	}
}

// put commits a minute of the world whose devices NVML read.
func put(t *testing.T, b bucket.Bucket, at time.Time, onNode bool) {
	t.Helper()
	r := world(at)
	for i := range r.GPUs {
		r.GPUs[i].Source, r.GPUs[i].MemoryUsedBytes = "nvml", usage.Some[int64](1<<30)
	}
	for i := range r.Pods { // as the snapshot has them, which knows no devices
		r.Pods[i].GPUUtilPercent, r.Pods[i].GPUAttribution = usage.Opt[float64]{}, usage.Some(usage.Unknown)
		if r.Pods[i].Pod == "server" {
			r.Pods[i].GPURequest = 1
		}
	}
	committedtest.Sort(&r)
	if onNode {
		committedtest.Put(t, b, committedtest.EncodeNode(t, "c", "n1", at, interval, r.GPUs))
		r.GPUs = nil
	} else {
		gpu.AttributeLater(r.Pods, r.GPUs) // as the snapshot does with what it finds itself
	}
	committedtest.Put(t, b, committedtest.Encode(t, "c", at, interval, r))
}

// A cluster that is scaled to no node at all is reported as such.
func TestNoNodes(t *testing.T) {
	b := bucket.Mem()
	snapshot(t, b, midnight)
	m := report.Manifest{
		Version:         report.Version,
		Cluster:         "c",
		At:              midnight.Add(time.Minute),
		SampledAt:       []time.Time{midnight.Add(time.Minute)},
		IntervalSeconds: 30,
	}
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), layout.Object{Tier: layout.Manifest, Cluster: "c", Time: m.At}.Name(), body, bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	run(t, job(t, b), m.At)
	var latest report.Latest
	if err := json.Unmarshal([]byte(buckettest.Contents(t, b)["site/c/latest.json"]), &latest); err != nil {
		t.Fatal(err)
	}
	if s := latest.ClusterSummary; s.TotalNodes != 0 || s.TotalPods != 0 || s.AvgCPU.Present() || !latest.SampledAt.Equal(m.At) {
		t.Errorf("%+v", latest)
	}
}
