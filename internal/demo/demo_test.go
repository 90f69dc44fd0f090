package demo

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/yamlfile"
	"github.com/company/k8s-resource-monitor/jobs/alert"
	"github.com/company/k8s-resource-monitor/jobs/prune"
	"github.com/company/k8s-resource-monitor/jobs/rollup"
	"github.com/company/k8s-resource-monitor/jobs/snapshot"
)

func demo(tb testing.TB) *Demo {
	rules, err := alert.Rules(yamlfile.Value{})
	if err != nil {
		tb.Fatal(err)
	}
	b, log, interval := bucket.Mem(), slog.New(slog.DiscardHandler), 30*time.Second
	return &Demo{
		Snapshot: snapshot.Job{Bucket: b, Cluster: "demo", Interval: interval, SamplesPerRun: 2, Log: log},
		Rollup:   rollup.Job{Bucket: b, Cluster: "demo", Interval: interval, RawRetention: 48 * time.Hour, Log: log},
		Alert:    alert.Job{Bucket: b, Cluster: "demo", Rules: rules, Log: log},
		Prune:    prune.Job{Bucket: b, Cluster: "demo", Out: io.Discard, Log: log},
		Now:      func() time.Time { return noon },
		Wait:     func(ctx context.Context, _ time.Time) error { return ctx.Err() },
		Out:      io.Discard,
		Log:      log,
	}
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func get(t *testing.T, server *httptest.Server, path string, header ...string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

// TestFillAndServe fills an hour of history, serves it, and compares what the
// page would read with what the simulated cluster says of itself.
func TestFillAndServe(t *testing.T) {
	d := demo(t)
	if err := d.fill(t.Context(), noon.Add(-time.Hour), noon); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(Handler(d.Rollup.Bucket))
	defer server.Close()
	response, body := get(t, server, "/k8s-monitor/demo/latest.json")
	var latest report.Latest
	if err := json.Unmarshal(body, &latest); err != nil {
		t.Fatal(err)
	}
	s := latest.ClusterSummary
	if s.TotalNodes != 14 || s.VLLMPods == 0 || s.SGLangPods == 0 || s.IdleGPUs == 0 || s.PendingGPUs == 0 || !s.AvgGPU.Present() {
		t.Errorf("summary %+v", s)
	}
	if want := noon.Add(-30 * time.Second); !latest.SampledAt.Equal(want) {
		t.Errorf("sampled at %v, want %v", latest.SampledAt, want)
	}
	again, _ := get(t, server, "/k8s-monitor/demo/latest.json", "If-None-Match", response.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("unchanged data costs a %d", again.StatusCode)
	}
	zipped, packed := get(t, server, "/k8s-monitor/demo/latest.json", "Accept-Encoding", "gzip")
	if z, err := gzip.NewReader(bytes.NewReader(packed)); err != nil || zipped.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("gzip: %v, %v", err, zipped.Header)
	} else if plain, _ := io.ReadAll(z); !bytes.Equal(plain, body) {
		t.Error("the gzip body differs from the plain one")
	}
	for path, code := range map[string]int{
		"/k8s-monitor/demo/none.json":                                            404,
		"/k8s-monitor/../state/alert/demo.json":                                  404,
		"/k8s-monitor/..%2fstate/alert/demo.json":                                404,
		"/state/alert/demo.json":                                                 404,
		"/k8s-monitor/metrics":                                                   200,
		"/hourly/v1/models/cluster=demo/dt=2026-11-24/11.parquet":                200,
		"/hourly/../state/alert/demo.json":                                       404,
		"/hourly/..%2fstate/alert/demo.json":                                     404,
		"/raw/v1/pods/cluster=demo/dt=2026-11-24/hh=11/20261124T110000Z.parquet": 404,
	} {
		if r, _ := get(t, server, path); r.StatusCode != code {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, code)
		}
	}
}

// TestRanges reads the end of a Parquet object as the query page does.
func TestRanges(t *testing.T) {
	d := demo(t)
	name := "hourly/v1/models/cluster=demo/dt=2026-11-24/11.parquet"
	if _, err := d.Rollup.Bucket.Put(t.Context(), name, []byte("PAR1 rows PAR1"), bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(Handler(d.Rollup.Bucket))
	defer server.Close()
	for ranges, want := range map[string]string{"bytes=-4": "PAR1", "bytes=5-8": "rows", "bytes=-65536": "PAR1 rows PAR1"} {
		r, body := get(t, server, "/"+name, "Range", ranges, "Accept-Encoding", "gzip")
		if r.StatusCode != http.StatusPartialContent || string(body) != want || !strings.HasSuffix(r.Header.Get("Content-Range"), "/14") {
			t.Errorf("%s: %d %q %q, want %q", ranges, r.StatusCode, r.Header.Get("Content-Range"), body, want)
		}
	}
}

func BenchmarkFillHour(b *testing.B) {
	for b.Loop() {
		if err := demo(b).fill(b.Context(), noon.Add(-time.Hour), noon); err != nil {
			b.Fatal(err)
		}
	}
}
