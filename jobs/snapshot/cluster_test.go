package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/kube"
)

var minute = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// clock is a time that only waiting moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Wait(ctx context.Context, until time.Time) error {
	if until.After(c.now) {
		c.now = until
	}
	return ctx.Err()
}

// cluster is a cluster of one GPU node: its API server, its exporter and its
// engines, all behind one server that tells them apart by the Host asked for.
type cluster struct {
	server *httptest.Server

	mu      sync.Mutex
	lists   map[string][]any  // by path
	metrics map[string]string // exposition text by host:port; "": refused with 503
	down    func(sample int) bool
	kubelet func() string // of gpu-1; nil: it does not answer
	samples int           // node lists begun: one a sample
}

const (
	vllmText = `# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{model_name="Qwen/Qwen3-8B"} 3
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{model_name="Qwen/Qwen3-8B"} %d
`
	dcgmText = `DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",modelName="H100",namespace="serving",pod="server",container="vllm"} 80
DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-a",modelName="H100",namespace="serving",pod="server",container="vllm"} 1024
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",modelName="H100"} 0
`
)

type m = map[string]any

func newCluster(t *testing.T) *cluster {
	t.Helper()
	pod := func(namespace, name, ip string, container m, labels m) m {
		return m{"metadata": m{"namespace": namespace, "name": name, "uid": namespace + "-" + name, "labels": labels,
			"creationTimestamp": "2026-11-24T08:00:00Z"},
			"spec": m{"nodeName": "gpu-1", "containers": []any{container}},
			"status": m{"phase": "Running", "podIP": ip, "startTime": "2026-11-24T08:00:00Z",
				"conditions": []any{m{"type": "Ready", "status": "True"}}}}
	}
	gpus := m{"limits": m{"nvidia.com/gpu": "1"}}
	c := &cluster{
		lists: map[string][]any{
			"/api/v1/nodes": {m{"metadata": m{"name": "gpu-1"}, "status": m{"allocatable": m{"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": "2"},
				"conditions": []any{m{"type": "Ready", "status": "True"}}}}},
			"/api/v1/pods": {
				pod("serving", "server", "10.0.0.1", m{"name": "vllm", "image": "vllm/vllm-openai", "args": []any{"--config", "/etc/vllm.yaml"},
					"resources": gpus}, nil),
				pod("serving", "broken", "10.0.0.2", m{"name": "vllm", "image": "vllm/vllm-openai", "args": []any{"--model", "x/y"},
					"resources": gpus}, nil),
				pod("gpu", "exporter", "10.0.0.9", m{"name": "dcgm", "image": "dcgm-exporter"}, m{"app": "dcgm-exporter"}),
			},
			"/apis/metrics.k8s.io/v1beta1/pods": {m{"metadata": m{"namespace": "serving", "name": "server"}, "timestamp": "2026-11-24T09:00:00Z",
				"containers": []any{m{"name": "vllm", "usage": m{"cpu": "1500m", "memory": "1Gi"}}}}},
			"/apis/metrics.k8s.io/v1beta1/nodes": {m{"metadata": m{"name": "gpu-1"}, "usage": m{"cpu": "2", "memory": "8Gi"}}},
		},
		metrics: map[string]string{"10.0.0.1:8000": fmt.Sprintf(vllmText, 100), "10.0.0.9:9400": dcgmText},
		down:    func(int) bool { return false },
	}
	c.server = httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(c.server.Close)
	return c
}

func (c *cluster) serve(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.URL.Path == "/metrics" {
		text := c.metrics[r.Host]
		if text == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(text))
		return
	}
	if r.URL.Path == "/api/v1/nodes" {
		c.samples++
		if c.down(c.samples - 1) {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
	}
	if c.kubelet != nil && r.URL.Path == "/api/v1/nodes/gpu-1/proxy/metrics/resource" {
		_, _ = w.Write([]byte(c.kubelet()))
		return
	}
	items, ok := c.lists[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(m{"kind": "List", "items": items})
}

// job is a job on the cluster whose clock stands at start.
func (c *cluster) job(t *testing.T, b bucket.Bucket, start time.Time) *Job {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	config := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: x, user: x}}],
clusters: [{name: x, cluster: {server: %q}}], users: [{name: x, user: {}}]}`, c.server.URL)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := kube.Open(file, "test")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(c.server.URL, "http://"))
	}}
	t.Cleanup(transport.CloseIdleConnections)
	at := &clock{start}
	return &Job{Kube: client, HTTP: &http.Client{Transport: transport}, Bucket: b, Cluster: "test", Interval: 30 * time.Second,
		SamplesPerRun: 2, Version: "v1", Log: slog.New(slog.DiscardHandler), Now: at.Now, Wait: at.Wait}
}

// contents are all objects of a bucket.
func contents(t *testing.T, b bucket.Bucket) map[string]string {
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

// killed passes calls on until so many changes were made, then fails each one.
type killed struct {
	bucket.Bucket
	after, changes int
}

var errKilled = errors.New("killed")

func (k *killed) Put(ctx context.Context, name string, body []byte, o bucket.PutOptions) (string, error) {
	if k.changes++; k.changes > k.after {
		return "", errKilled
	}
	return k.Bucket.Put(ctx, name, body, o)
}

func (k *killed) PutStream(ctx context.Context, name string, write func(io.Writer) error) (string, error) {
	if k.changes++; k.changes > k.after {
		return "", errKilled
	}
	return k.Bucket.PutStream(ctx, name, write)
}

// Delete removes one object at a time, so that it can be killed between two.
func (k *killed) Delete(ctx context.Context, names ...string) error {
	for _, name := range names {
		if k.changes++; k.changes > k.after {
			return errKilled
		}
		if err := k.Bucket.Delete(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
