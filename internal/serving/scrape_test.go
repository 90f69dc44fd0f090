package serving

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata/metrics", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// engineOf is the engine that a fixture's name begins with.
func engineOf(name string) string {
	engine, _, _ := strings.Cut(name, "-")
	return engine
}

func TestTarget(t *testing.T) {
	running := usage.PodDetail{Row: usage.Pod{Phase: "Running"}, IP: "10.1.2.3"}
	server := Identity{Engine: usage.VLLM, MetricsPort: 8000, Scheme: "http", IsAPIServer: true}
	pending, homeless, v6, portless := running, running, running, server
	pending.Row.Phase, homeless.IP, v6.IP, portless.MetricsPort = "Pending", "", "fd00::1", 0
	for _, test := range []struct {
		d    usage.PodDetail
		id   Identity
		want string
	}{
		{running, server, "http://10.1.2.3:8000/metrics"},
		{v6, server, "http://[fd00::1]:8000/metrics"},
		{pending, server, ""}, {homeless, server, ""}, {running, portless, ""}, {running, Identity{}, ""},
	} {
		if got, ok := Target(&test.d, test.id); got != test.want || ok != (test.want != "") {
			t.Errorf("got %q, %v; want %q", got, ok, test.want)
		}
	}
}

// at is the instant of every scrape here.
var at = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)

// scrape runs Scrape against a server.
func scrape(t *testing.T, ctx context.Context, engine string, h http.HandlerFunc) (usage.Engine, error) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	return scrapeURL(t, ctx, engine, server.URL)
}

func scrapeURL(t *testing.T, ctx context.Context, engine, address string) (usage.Engine, error) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	d := &usage.PodDetail{Row: usage.Pod{Namespace: "models", Pod: "llama-0", PodUID: "uid-1", Phase: "Running"}, IP: u.Hostname()}
	return Scrape(ctx, http.DefaultClient, d, Identity{Engine: engine, MetricsPort: int32(port), Scheme: "http", IsAPIServer: true}, at)
}

func TestScrape(t *testing.T) {
	body := fixture(t, "vllm-0.12")
	got, err := scrape(t, context.Background(), usage.VLLM, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" {
			http.NotFound(w, r)
			return
		}
		w.Write(body)
	})
	if err != nil {
		t.Fatal(err)
	}
	want, err := Parse(body, usage.VLLM)
	if err != nil {
		t.Fatal(err)
	}
	want.TS, want.Namespace, want.Pod, want.PodUID = at, "models", "llama-0", "uid-1"
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// The metrics tell which engine it is where the specification was misread.
func TestScrapeCorrects(t *testing.T) {
	for claimed, served := range map[string]string{usage.VLLM: "sglang-current", usage.SGLang: "vllm-ray"} {
		body := fixture(t, served)
		got, err := scrape(t, context.Background(), claimed, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
		if err != nil || got.Engine != engineOf(served) || !got.RequestsRunning.Present() {
			t.Errorf("%s for %s: %+v, %v", served, claimed, got, err)
		}
	}
}

// TestScrapeReasons checks that a failure tells what mends it.
func TestScrapeReasons(t *testing.T) {
	for _, test := range []struct {
		engine string
		status int
		body   string
		want   []string
	}{
		{usage.SGLang, 404, "", []string{"/metrics: HTTP 404 Not Found; start the server with --enable-metrics"}},
		{usage.VLLM, 404, "", []string{"HTTP 404 Not Found; name the metrics port with the pod annotation prometheus.io/port"}},
		{usage.VLLM, 401, "", []string{"HTTP 401 Unauthorized; leave /metrics open"}},
		{usage.VLLM, 403, "", []string{"HTTP 403 Forbidden; leave /metrics open"}},
		{usage.VLLM, 500, "", []string{"HTTP 500 Internal Server Error; the server's own log"}},
		{usage.VLLM, 429, "", []string{"HTTP 429 Too Many Requests"}},
		{usage.VLLM, 200, "<html>", []string{"/metrics: line 1: not Prometheus text"}},
		{usage.VLLM, 200, "", []string{"no metric begins with vllm:"}},
	} {
		_, err := scrape(t, context.Background(), test.engine, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			w.Write([]byte(test.body))
		})
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %d: error %v, want %q in it", test.engine, test.status, err, want)
			}
		}
	}
	// Nothing listens.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	listener.Close()
	if _, err := scrapeURL(t, context.Background(), usage.VLLM, address); err == nil ||
		!strings.Contains(err.Error(), "; nothing listens on port ") {
		t.Errorf("error %v", err)
	}
	// The deadline has passed.
	ctx, cancel := context.WithDeadline(context.Background(), at)
	defer cancel()
	if _, err := scrapeURL(t, ctx, usage.VLLM, address); err == nil || !strings.Contains(err.Error(), "; no answer within 5s") {
		t.Errorf("error %v", err)
	}
	// Nothing to ask.
	if _, err := Scrape(context.Background(), http.DefaultClient, &usage.PodDetail{}, Identity{}, at); err == nil {
		t.Error("no error for a pod without an endpoint")
	}
}
