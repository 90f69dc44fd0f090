package snapshot

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// A GPU node without an exporter is a gap, not a node without GPUs.
func TestNoExporter(t *testing.T) {
	c, b := newCluster(t), bucket.Mem()
	c.lists["/api/v1/pods"] = c.lists["/api/v1/pods"][:1]
	run(t, c.job(t, b, minute), minute)
	gaps := read(t, b, store.Gaps, minute)
	if len(gaps) != 2 || gaps[0].Source != "dcgm" || gaps[0].Target != "gpu-1" {
		t.Errorf("gaps %+v", gaps)
	}
}

// A run on a node reads that node's GPUs alone. Where there are none, as here,
// the run says so in objects of the node's name, and the cluster's snapshot of
// the same minute stays as it is.
func TestNode(t *testing.T) {
	c, b := newCluster(t), bucket.Mem()
	run(t, c.job(t, b, minute), minute)
	before := contents(t, b)
	j := c.job(t, b, minute)
	j.Kube, j.HTTP, j.Kubelets, j.Node, j.KubeletSocket = nil, nil, true, "gpu-1", filepath.Join(t.TempDir(), "kubelet.sock")
	if got := run(t, j, minute); got.Samples != 2 || got.Gaps != 2 || got.Objects != 1 {
		t.Errorf("result %+v", got)
	}
	after := contents(t, b)
	for name, body := range before {
		if after[name] != body {
			t.Errorf("%s was changed", name)
		}
	}
	gaps, err := store.Gaps.Read(t.Context(), b, layout.Object{Tier: layout.Raw, Table: usage.Gaps, Cluster: "test", Time: minute,
		Node: "gpu-1"}.Name())
	if err != nil || gaps[0].Source != "nvml" || gaps[0].Target != "gpu-1" {
		t.Errorf("gaps %+v, %v", gaps, err)
	}
	if _, ok := after[layout.Object{Tier: layout.Manifest, Cluster: "test", Time: minute, Node: "gpu-1"}.Name()]; !ok ||
		len(after) != len(before)+2 {
		t.Errorf("%d objects, %d before: want the node's gaps and its manifest beside them", len(after), len(before))
	}
	if again := run(t, j, minute); !again.Unchanged {
		t.Errorf("a repetition: %+v", again)
	}
}

// Without exporters to ask, no node lacks one.
func TestNotExporters(t *testing.T) {
	c, b := newCluster(t), bucket.Mem()
	j := c.job(t, b, minute)
	j.NoExporters = true
	if got := run(t, j, minute); got.GPUs != 0 || got.Gaps != 2 { // of the engine that does not answer
		t.Errorf("result %+v", got)
	}
}

// What kubelets counted is carried from run to run, so that the first sample
// of a run has CPU usage too.
func TestKubelets(t *testing.T) {
	c, b := newCluster(t), bucket.Mem()
	seconds, at := 0.0, minute
	c.kubelet = func() string {
		seconds, at = seconds+15, at.Add(30*time.Second)
		return fmt.Sprintf("pod_cpu_usage_seconds_total{namespace=%q,pod=%q} %g %d\n", "serving", "server", seconds, at.UnixMilli())
	}
	for i, want := range [...][2]usage.Opt[int64]{{{}, usage.Some[int64](500)}, {usage.Some[int64](500), usage.Some[int64](500)}} {
		when := minute.Add(time.Duration(i) * time.Minute)
		j := c.job(t, b, when) // a process of its own
		j.Kubelets = true
		run(t, j, when)
		pods := read(t, b, store.Pods, when)
		if got := [2]usage.Opt[int64]{pods[4].CPUUsageMillicores, pods[5].CPUUsageMillicores}; got != want {
			t.Errorf("run %d: %v, want %v", i, got, want)
		}
	}
}
