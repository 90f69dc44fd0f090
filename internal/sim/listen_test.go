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
	var taken *slot
	for _, s := range c.slots {
		if s.w.name == "qwen3-235b" {
			taken = s
		}
	}
	squatter, err := net.Listen("tcp", net.JoinHostPort(taken.ip.String(), "8000"))
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
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		o, _, err := decoder(t).Decode(b, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range o.(*corev1.PodList).Items {
			pods[p.Namespace+"/"+p.Name] = p
		}
	}
	get := func(s *slot) (int, string) {
		p := pods[s.w.namespace+"/"+s.podName(s.at(now().Unix()).inc)]
		port := p.Annotations["prometheus.io/port"]
		if port == "" {
			port = fmt.Sprint(s.port())
		}
		return fetch(client, "http://"+net.JoinHostPort(p.Status.PodIP, port)+"/metrics")
	}
	for _, hour := range []time.Duration{0, 3*time.Hour + 30*time.Minute, 10*time.Hour + 90*time.Second} {
		offset.Store(int64(hour))
		list()
		for _, s := range served.slots {
			if s.port() == 0 {
				continue
			}
			st := s.at(now().Unix())
			code, body := get(s)
			switch {
			case st.phase != ready || st.away || s.w.engine != nil && !s.serves():
				if code != 0 {
					t.Errorf("at %v %s answers %d", hour, s.w.name, code)
				}
			case s.w.engine != nil && s.w.engine.silent:
				if code != http.StatusNotFound {
					t.Errorf("%s without metrics answers %d", s.w.name, code)
				}
			case code != http.StatusOK || !strings.Contains(body, map[string]string{"vllm": "vllm:num_requests_running{", "sglang": "sglang:num_running_reqs{", "": "DCGM_FI_DEV_POWER_USAGE{"}[kindOf(s)]):
				t.Errorf("at %v %s answers %d %.80q", hour, s.w.name, code, body)
			}
		}
	}
	if pods["model-serving/"+taken.podName(0)].Annotations["prometheus.io/port"] == "" {
		t.Error("a pod whose address was taken does not say where it moved")
	}
}

func kindOf(s *slot) string {
	if s.w.engine == nil {
		return ""
	}
	return s.w.engine.kind
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
	withMetrics, last := 0, (*slot)(nil)
	for _, s := range c.slots {
		if s.node != nil && s.port() != 0 && (s.w.engine == nil || s.serves()) {
			withMetrics++
			if s.w.engine != nil && !s.w.engine.silent && s.at(monday.Unix()).phase == ready {
				last = s
			}
		}
	}
	if running.Endpoints != withMetrics || withMetrics < 1200 {
		t.Errorf("%d endpoints are served, the cluster has %d", running.Endpoints, withMetrics)
	}
	r, err := client.Get(running.URL + "/api/v1/namespaces/" + last.w.namespace + "/pods/" + last.podName(last.at(monday.Unix()).inc))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var pod corev1.Pod
	if err := json.NewDecoder(r.Body).Decode(&pod); err != nil {
		t.Fatal(err)
	}
	port := cmp.Or(pod.Annotations["prometheus.io/port"], fmt.Sprint(last.port()))
	if code, body := fetch(client, "http://"+net.JoinHostPort(pod.Status.PodIP, port)+"/metrics"); code != http.StatusOK ||
		!strings.Contains(body, `model_name="`+last.w.engine.model) {
		t.Errorf("the last server answers %d %.80q", code, body)
	}
}
