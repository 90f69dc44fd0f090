package gpu

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// exporter describes an exporter's pod that is running on node n.
func exporter(name, node string, change func(*usage.PodDetail)) *usage.PodDetail {
	d := &usage.PodDetail{
		Row:        usage.Pod{Namespace: "gpu-operator", Pod: name, Node: usage.Some(node), Phase: "Running", Ready: true},
		Labels:     map[string]string{"app": "nvidia-dcgm-exporter"},
		Containers: []usage.Container{{Name: "exporter", Image: "nvcr.io/nvidia/k8s/dcgm-exporter:4.4.1-4.6.0-ubuntu22.04"}},
		IP:         "10.0.0.1",
	}
	change(d)
	return d
}

func TestExporters(t *testing.T) {
	nothing := func(*usage.PodDetail) {}
	got := Exporters([]*usage.PodDetail{
		exporter("z", "node-b", nothing),
		exporter("chart", "node-a", func(d *usage.PodDetail) {
			d.Labels = map[string]string{"app.kubernetes.io/name": "dcgm-exporter"}
			d.Containers[0].Ports = []usage.ContainerPort{{Name: "debug", Port: 1}, {Name: "metrics", Port: 9500}}
		}),
		exporter("plain", "node-c", func(d *usage.PodDetail) {
			d.Labels = map[string]string{"app": "dcgm-exporter"}
			d.Annotations = map[string]string{"prometheus.io/port": "9600"}
			d.Containers[0].Ports = []usage.ContainerPort{{Name: "metrics", Port: 9500}}
		}),
		exporter("by-image", "node-d", func(d *usage.PodDetail) {
			d.Labels = nil
			d.IP = "fd00::7"
			d.Containers[0].Image = "registry.local:5000/mirror/dcgm-exporter@sha256:0123"
			d.Annotations = map[string]string{"prometheus.io/port": "zero"}
		}),
		exporter("other", "node-e", func(d *usage.PodDetail) {
			d.Labels = map[string]string{"app": "node-exporter"}
			d.Containers[0].Image = "quay.io/prometheus/node-exporter:v1"
		}),
		exporter("prepared-by-it", "node-e", func(d *usage.PodDetail) { d.Labels, d.Containers[0].Init = nil, true }),
		exporter("pending", "node-f", func(d *usage.PodDetail) { d.Row.Phase = "Pending" }),
		exporter("no-address", "node-g", func(d *usage.PodDetail) { d.IP = "" }),
		exporter("unready-a", "node-b", func(d *usage.PodDetail) { d.Row.Ready = false }),
		exporter("zz", "node-b", nothing),
	})
	want := []Exporter{
		{"gpu-operator", "chart", "node-a", "http://10.0.0.1:9500/metrics"},
		{"gpu-operator", "z", "node-b", "http://10.0.0.1:9400/metrics"},
		{"gpu-operator", "plain", "node-c", "http://10.0.0.1:9600/metrics"},
		{"gpu-operator", "by-image", "node-d", "http://[fd00::7]:9400/metrics"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestScrape(t *testing.T) {
	body := fixture(t, "mig")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" {
			http.NotFound(w, r)
			return
		}
		w.Write(body)
	}))
	defer server.Close()
	e := Exporter{"gpu-operator", exporterPod, "node-1", server.URL + "/metrics"}
	got, err := Scrape(context.Background(), server.Client(), e, at)
	if err != nil || !reflect.DeepEqual(got, parse(t, "mig")) {
		t.Errorf("%d rows, %v", len(got), err)
	}
	e.URL = server.URL + "/metric"
	if _, err = Scrape(context.Background(), server.Client(), e, at); err == nil ||
		!strings.Contains(err.Error(), "DCGM exporter gpu-operator/"+exporterPod) || !strings.Contains(err.Error(), "HTTP 404 Not Found") {
		t.Errorf("error %v", err)
	}
	body = []byte("<html>")
	e.URL = server.URL + "/metrics"
	if _, err = Scrape(context.Background(), server.Client(), e, at); err == nil || !strings.Contains(err.Error(), "not Prometheus text") {
		t.Errorf("error %v", err)
	}
}

// pod is a running pod of node-1 that requests GPUs.
func pod(namespace, name string, gpus int32) usage.Pod {
	return usage.Pod{Namespace: namespace, Pod: name, Node: usage.Some("node-1"), Phase: "Running", GPURequest: gpus}
}

func TestAttribute(t *testing.T) {
	const mib = 1 << 20
	for name, test := range map[string]struct {
		fixture     string
		pod         usage.Pod
		attribution string
		util, watts float64 // -1: absent
		used, total int64   // MiB, -1: absent
	}{
		"four whole devices":    {"eight-gpus", pod("models", "llama-70b-0", 4), usage.Exclusive, 75, 610.5 + 611.5 + 612.5 + 613.5, 4 * 73000, 4 * 81559},
		"namespace counts":      {"eight-gpus", pod("chat", "llama-70b-0", 4), usage.Unknown, -1, -1, -1, -1},
		"no GPU":                {"eight-gpus", pod("models", "web-0", 0), "", -1, -1, -1, -1},
		"held but not in spec":  {"eight-gpus", pod("models", "llama-70b-0", 0), usage.Exclusive, 75, 610.5 + 611.5 + 612.5 + 613.5, 4 * 73000, 4 * 81559},
		"instance":              {"mig", pod("models", "mig-a", 1), usage.MIG, 25, -1, 20000, 40000},
		"whole beside MIG":      {"mig", pod("models", "whole-0", 1), usage.Exclusive, 75, 611.5, 73000, 81559},
		"named sharer":          {"time-sliced", pod("team-a", "slice-b", 1), usage.Shared, 75, 610.5, 73000, 81559},
		"another sharer":        {"time-sliced", pod("team-b", "slice-c", 1), usage.Shared, 75, 610.5, 73000, 81559},
		"no figures":            {"renamed-fields", pod("models", "new-0", 1), usage.Exclusive, 50, -1, 1000, 81559},
		"through Prometheus":    {"exported-labels", pod("models", "llama-0", 1), usage.Exclusive, 75, 610.5, 73000, 81559},
		"the exporter's own":    {"exported-labels", pod("gpu-operator", exporterPod, 0), "", -1, -1, -1, -1},
		"ended":                 {"mig", func() usage.Pod { p := pod("models", "mig-a", 1); p.Phase = "Succeeded"; return p }(), usage.Unknown, -1, -1, -1, -1},
		"not scheduled":         {"mig", usage.Pod{Namespace: "models", Pod: "mig-a", Phase: "Pending", GPURequest: 1}, usage.Unknown, -1, -1, -1, -1},
		"moved to another node": {"mig", func() usage.Pod { p := pod("models", "mig-a", 1); p.Node = usage.Some("node-2"); return p }(), usage.Unknown, -1, -1, -1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			pods := []usage.Pod{test.pod}
			Attribute(pods, parse(t, test.fixture))
			want := test.pod
			want.GPUAttribution = usage.SomeUnless(test.attribution, "")
			want.GPUUtilPercent = usage.SomeUnless(test.util, -1)
			want.GPUPowerWatts = usage.SomeUnless(test.watts, -1)
			if test.used >= 0 {
				want.GPUMemoryUsedBytes, want.GPUMemoryTotalBytes = usage.Some(test.used*mib), usage.Some(test.total*mib)
			}
			if !reflect.DeepEqual(pods[0], want) {
				t.Errorf("got %+v\nwant %+v", pods[0], want)
			}
		})
	}
}

// TestAttributePartial checks that a sum over some of the devices is no sum.
func TestAttributePartial(t *testing.T) {
	gpus := parse(t, "eight-gpus")
	gpus[1].PowerWatts = usage.Opt[float64]{}
	gpus[2].MemoryUsedBytes = usage.Opt[int64]{}
	gpus[3].UtilPercent = usage.Some(15.0)
	gpus[0].UtilPercent = usage.Opt[float64]{}
	pods := []usage.Pod{pod("models", "llama-70b-0", 4)}
	Attribute(pods, gpus)
	p := pods[0]
	if p.GPUPowerWatts.Present() || p.GPUMemoryUsedBytes.Present() || !p.GPUMemoryTotalBytes.Present() || p.GPUUtilPercent != usage.Some(55.0) {
		t.Errorf("%+v", p)
	}
	// Two shared devices on the node: a sharer that no row names is unknown.
	gpus = parse(t, "time-sliced")
	gpus[1].ShareCount = 2
	pods = []usage.Pod{pod("team-b", "slice-c", 1)}
	Attribute(pods, gpus)
	if pods[0].GPUAttribution != usage.Some(usage.Unknown) || pods[0].GPUUtilPercent.Present() {
		t.Errorf("%+v", pods[0])
	}
}
