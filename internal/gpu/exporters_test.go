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
		{"gpu-operator", "chart", "node-a", "http://10.0.0.1:9500/metrics", &dcgm},
		{"gpu-operator", "z", "node-b", "http://10.0.0.1:9400/metrics", &dcgm},
		{"gpu-operator", "plain", "node-c", "http://10.0.0.1:9600/metrics", &dcgm},
		{"gpu-operator", "by-image", "node-d", "http://[fd00::7]:9400/metrics", &dcgm},
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
	e := Exporter{"gpu-operator", exporterPod, "node-1", server.URL + "/metrics", &dcgm}
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
