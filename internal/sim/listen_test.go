package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// fetch reads one URL, "" where nobody answers.
func fetch(client *http.Client, url string) (code int, body string) {
	r, err := client.Get(url)
	if err != nil {
		return 0, ""
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, ""
	}
	return r.StatusCode, string(b)
}

// Pods answer at the address that the API server gives for them, as long as
// they run and their node is there; one whose address is taken says where it
// moved.
func TestEndpoints(t *testing.T) {
	c := New(Config{Seed: 11, Token: "secret"})
	var taken *cluster.Slot
	for _, s := range c.Slots {
		if s.Workload.Name == "qwen3-235b" {
			taken = s
		}
	}
	squatter, err := net.Listen("tcp", net.JoinHostPort(taken.IP.String(), "8000"))
	if err == nil {
		defer squatter.Close()
	} // else the address cannot be had at all, and the pod moves all the same

	var offset atomic.Int64
	now := func() time.Time { return monday.Add(time.Duration(offset.Load())) }
	running, err := c.Start(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	if config := string(running.Kubeconfig()); !strings.Contains(config, running.URL) || !strings.Contains(config, "secret") {
		t.Errorf("kubeconfig: %s", config)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	if code, _ := fetch(client, running.URL+"/api/v1/pods"); code != http.StatusUnauthorized {
		t.Errorf("the API server without a token: %d", code)
	}

	served := *c // what the running server says of addresses
	pods := map[string]corev1.Pod{}
	list := func() {
		r, _ := http.NewRequest(http.MethodGet, running.URL+"/api/v1/pods", nil)
		r.Header.Set("Authorization", "Bearer secret")
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var answered corev1.PodList
		if err := json.NewDecoder(answer.Body).Decode(&answered); err != nil {
			t.Fatal(err)
		}
		for _, p := range answered.Items {
			pods[p.Namespace+"/"+p.Name] = p
		}
	}
	get := func(s *cluster.Slot) (int, string) {
		p := pods[s.Workload.Namespace+"/"+s.PodName(s.At(now().Unix()).Incarnation)]
		port := p.Annotations["prometheus.io/port"]
		if port == "" {
			port = fmt.Sprint(s.Port())
		}
		return fetch(client, "http://"+net.JoinHostPort(p.Status.PodIP, port)+"/metrics")
	}
	for _, hour := range []time.Duration{0, 3*time.Hour + 30*time.Minute, 10*time.Hour + 90*time.Second} {
		offset.Store(int64(hour))
		list()
		for _, s := range served.Slots {
			if s.Port() == 0 {
				continue
			}
			st := s.At(now().Unix())
			code, body := get(s)
			switch {
			case st.Phase != cluster.Ready || st.Away || s.Workload.Engine != nil && !s.Serves():
				if code != 0 {
					t.Errorf("at %v %s answers %d", hour, s.Workload.Name, code)
				}
			case s.Workload.Engine != nil && s.Workload.Engine.Silent:
				if code != http.StatusNotFound {
					t.Errorf("%s without metrics answers %d", s.Workload.Name, code)
				}
			case code != http.StatusOK || !strings.Contains(body, map[string]string{"vllm": "vllm:num_requests_running{",
				"sglang": "sglang:num_running_reqs{", "": "DCGM_FI_DEV_POWER_USAGE{"}[kindOf(s)]):
				t.Errorf("at %v %s answers %d %.80q", hour, s.Workload.Name, code, body)
			}
		}
	}
	if pods["model-serving/"+taken.PodName(0)].Annotations["prometheus.io/port"] == "" {
		t.Error("a pod whose address was taken does not say where it moved")
	}
}

func kindOf(s *cluster.Slot) string {
	if s.Workload.Engine == nil {
		return ""
	}
	return s.Workload.Engine.Kind
}

// However large the cluster, each pod with metrics is served.
func TestEveryEndpointIsServed(t *testing.T) {
	c := New(Config{Seed: 12, Nodes: 700})
	running, err := c.Start(t.Context(), func() time.Time { return monday })
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	withMetrics, last := 0, (*cluster.Slot)(nil)
	for _, s := range c.Slots {
		if s.Node != nil && s.Port() != 0 && (s.Workload.Engine == nil || s.Serves()) {
			withMetrics++
			if s.Workload.Engine != nil && !s.Workload.Engine.Silent && s.At(monday.Unix()).Phase == cluster.Ready {
				last = s
			}
		}
	}
	if running.Endpoints != withMetrics || withMetrics < 1200 {
		t.Errorf("%d endpoints are served, the cluster has %d", running.Endpoints, withMetrics)
	}
	name := last.PodName(last.At(monday.Unix()).Incarnation)
	r, err := client.Get(running.URL + "/api/v1/namespaces/" + last.Workload.Namespace + "/pods/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var pod corev1.Pod
	if err := json.NewDecoder(r.Body).Decode(&pod); err != nil {
		t.Fatal(err)
	}
	port := cmp.Or(pod.Annotations["prometheus.io/port"], fmt.Sprint(last.Port()))
	if code, body := fetch(client, "http://"+net.JoinHostPort(pod.Status.PodIP, port)+"/metrics"); code != http.StatusOK ||
		!strings.Contains(body, `model_name="`+last.Workload.Engine.Model) {
		t.Errorf("the last server answers %d %.80q", code, body)
	}
}
