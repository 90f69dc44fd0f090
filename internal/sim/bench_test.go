package sim

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
	"github.com/company/k8s-resource-monitor/internal/sim/endpoints"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const protobuf = "application/vnd.kubernetes.protobuf,application/json"

// discard is a reader that costs nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header { return d.header }

func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

func (d *discard) WriteHeader(int) {}

// BenchmarkSample is what one sample of the default cluster costs the server,
// without the network: lists of pods, nodes and their usage, and the metrics
// of each exporter and engine, 30 simulated seconds apart.
func BenchmarkSample(b *testing.B) {
	for name, accept := range map[string]string{"protobuf": protobuf, "json": "application/json"} {
		for _, encoding := range []string{"identity", "gzip"} {
			b.Run(name+"/"+encoding, func(b *testing.B) {
				c := New(Config{Seed: 1})
				at := monday
				now := func() time.Time { return at }
				api := c.API(now)
				var requests []*http.Request
				for _, path := range []string{"/api/v1/pods", "/api/v1/nodes", "/apis/metrics.k8s.io/v1beta1/pods",
					"/apis/metrics.k8s.io/v1beta1/nodes"} {
					r, _ := http.NewRequest(http.MethodGet, path, nil)
					r.Header.Set("Accept", accept)
					r.Header.Set("Accept-Encoding", encoding)
					requests = append(requests, r)
				}
				metrics, _ := http.NewRequest(http.MethodGet, "/metrics", nil)
				var metricsHandlers []http.Handler
				for _, s := range c.Slots {
					if s.Serves() && s.Workload.Story != cluster.Crash && s.Workload.Story != cluster.Pending || s.Workload.Name == cluster.Exporter {
						metricsHandlers = append(metricsHandlers, endpoints.Handler(s, now))
					}
				}
				b.ReportAllocs()
				for b.Loop() {
					at = at.Add(30 * time.Second)
					for _, r := range requests {
						api.ServeHTTP(&discard{http.Header{}}, r)
					}
					for _, e := range metricsHandlers {
						serve(e, metrics)
					}
				}
			})
		}
	}
}

// serve asks an endpoint that may end the connection.
func serve(h http.Handler, r *http.Request) {
	defer func() { _ = recover() }()
	h.ServeHTTP(&discard{http.Header{}}, r)
}

// BenchmarkSampleHTTP is the same over loopback connections, reading side
// included.
func BenchmarkSampleHTTP(b *testing.B) {
	c := New(Config{Seed: 1})
	at := monday
	running, err := c.Start(b.Context(), func() time.Time { return at })
	if err != nil {
		b.Fatal(err)
	}
	defer running.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	urls := []string{running.URL + "/api/v1/pods", running.URL + "/api/v1/nodes", running.URL + "/apis/metrics.k8s.io/v1beta1/pods",
		running.URL + "/apis/metrics.k8s.io/v1beta1/nodes"}
	for _, s := range running.servers[:len(running.servers)-1] {
		urls = append(urls, "http://"+s.Addr+"/metrics")
	}
	for b.Loop() {
		at = at.Add(30 * time.Second)
		for _, url := range urls {
			r, _ := http.NewRequest(http.MethodGet, url, nil)
			r.Header.Set("Accept", protobuf)
			r.Header.Set("Accept-Encoding", "identity")
			answer, err := transport.RoundTrip(r)
			if err != nil {
				continue // a pod that does not run
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
	}
}

// BenchmarkScale lists all pods of 5,000 nodes.
func BenchmarkScale(b *testing.B) {
	c := New(Config{Seed: 1, Nodes: 5000})
	b.Logf("%d pods", len(c.Slots))
	at := monday
	api := c.API(func() time.Time { return at })
	r, _ := http.NewRequest(http.MethodGet, "/api/v1/pods", nil)
	r.Header.Set("Accept", protobuf)
	for b.Loop() {
		at = at.Add(30 * time.Second)
		api.ServeHTTP(&discard{http.Header{}}, r)
	}
}
