package snapshot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/serving"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// targetsAt are n engines and n exporters on n nodes, all at the server's address.
func targetsAt(t *testing.T, server *httptest.Server, n int) (j *Job, targets []*usage.PodDetail) {
	t.Helper()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseInt(u.Port(), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	j = &Job{HTTP: server.Client(), engines: map[*usage.PodDetail]serving.Identity{}}
	pod := func(kind string, i int) *usage.PodDetail {
		d := &usage.PodDetail{IP: u.Hostname(), Row: usage.Pod{Namespace: "n", Pod: fmt.Sprint(kind, i), Phase: "Running", Ready: true,
			Node: usage.Some(fmt.Sprintf("node-%04d", i))}}
		targets = append(targets, d)
		return d
	}
	for i := range n {
		j.engines[pod("engine", i)] = serving.Identity{Engine: usage.VLLM, Scheme: "http", MetricsPort: int32(port)}
		e := pod("exporter", i)
		e.Labels, e.Annotations = map[string]string{"app": "dcgm-exporter"}, map[string]string{"prometheus.io/port": u.Port()}
	}
	return j, targets
}

// both is an answer that engines and exporters could give.
const both = `vllm:num_requests_running{model_name="m"} 1
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-0",device="nvidia0",modelName="H100"} 50
`

// More targets than are asked at once are all asked, each once however often it
// is named, as by a list that begins anew.
func TestScrapesAskEachOnce(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, both)
	}))
	defer server.Close()
	const n = 3 * maxScrapes
	j, targets := targetsAt(t, server, n)
	s := j.newScrapes(t.Context(), minute)
	for _, d := range append(targets, targets...) {
		s.add(d)
	}
	s.wait(scrapeTime)
	gpus, engines, gaps := s.answers(nil, targets)
	if len(gpus) != n || len(engines) != n || len(gaps) != 0 || asked.Load() != 2*n {
		t.Errorf("%d GPUs, %d engines, %d gaps of %d requests, want %d, %[5]d, 0 of %d", len(gpus), len(engines), len(gaps), asked.Load(), n, 2*n)
	}
}

// Targets are asked before all are known, and what a sample no longer needs is
// not waited for.
func TestScrapesGiveUp(t *testing.T) {
	arrived := make(chan bool, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case arrived <- true:
		default:
		}
		<-r.Context().Done()
	}))
	defer server.Close()
	j, targets := targetsAt(t, server, 2*maxScrapes)
	s := j.newScrapes(t.Context(), minute)
	for _, d := range targets {
		s.add(d)
	}
	<-arrived
	s.giveUp()
	for d, a := range s.engines {
		if !errors.Is(a.err, context.Canceled) {
			t.Errorf("%s: %v", d.Row.Pod, a.err)
		}
	}
}

// Whom the end of all scrapes cuts off is a gap that says so.
func TestScrapesTakeTooLong(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	j, targets := targetsAt(t, server, 1)
	s := j.newScrapes(t.Context(), minute)
	for _, d := range targets {
		s.add(d)
	}
	s.wait(time.Millisecond)
	_, engines, gaps := s.answers([]usage.Node{{Node: "node-0000", GPUAllocatable: 1, Ready: true}}, targets)
	if len(engines) != 0 || len(gaps) != 2 {
		t.Fatalf("%d engines, gaps %v", len(engines), gaps)
	}
	for _, g := range gaps {
		if !strings.Contains(g.Reason, "took too long together") {
			t.Errorf("gap %+v", g)
		}
	}
	if err := s.engines[targets[0]].err; !errors.Is(err, errScrapeTime) {
		t.Error(err)
	}
}
