package kube

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

func TestPodReduction(t *testing.T) {
	body, err := os.ReadFile("testdata/pods.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pods, err := ReadPods(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	golden.CompareJSON(t, "testdata/pods.golden.json", pods)
}

func TestReadPods(t *testing.T) {
	for _, test := range []struct {
		name, text string
		pods       int
		problem    string
	}{
		{"nothing", "", 0, ""},
		{"a pod", `{"kind":"Pod","metadata":{"name":"a"}}`, 1, ""},
		{"two documents", "kind: Pod\nmetadata: {name: a}\n---\nkind: Pod\nmetadata: {name: b}\n", 2, ""},
		{"kubectl get", `{"kind":"List","items":[{"kind":"Pod"},{"kind":"Pod"}]}`, 2, ""},
		{"the API", `{"kind":"PodList","items":[{"metadata":{"name":"a"}}]}`, 1, ""},
		{"another kind", `{"kind":"Service"}`, 0, `"Service"`},
		{"a list of another kind", `{"kind":"List","items":[{"kind":"Service"}]}`, 0, `"Service"`},
		{"no kind", `{}`, 0, "no kind"},
		{"a wrong type", `{"kind":"Pod","spec":{"containers":3}}`, 0, "document 1"},
		{"no YAML", "a: [", 0, "document 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pods, err := ReadPods(strings.NewReader(test.text))
			if len(pods) != test.pods || (err == nil) != (test.problem == "") ||
				err != nil && !strings.Contains(err.Error(), test.problem) {
				t.Errorf("%d pods, error %v; want %d, %q", len(pods), err, test.pods, test.problem)
			}
		})
	}
}

func FuzzReadPods(f *testing.F) {
	body, err := os.ReadFile("testdata/pods.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"kind":"List","items":[{"kind":"Pod","spec":{"containers":[{"resources":{"limits":{"cpu":"1e999"}}}]}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		pods, err := ReadPods(bytes.NewReader(body))
		for _, p := range pods {
			if p == nil && err == nil {
				t.Fatal("a nil pod without an error")
			}
		}
	})
}

// A quantity that would take the library hours is refused; a digest that looks
// like one is not.
func TestHugeExponent(t *testing.T) {
	if _, err := ReadPods(strings.NewReader(`{kind: Pod, spec: {containers: [{resources: {limits: {cpu: 1e12345}}}]}}`)); err == nil ||
		!strings.Contains(err.Error(), "exponent") {
		t.Errorf("error %v", err)
	}
	if _, err := ReadPods(strings.NewReader(`{kind: Pod, spec: {containers: [{image: "x@sha256:ab3e4567"}]}}`)); err != nil {
		t.Error(err)
	}
}

func TestPod(t *testing.T) {
	f := smallCluster(t)
	c := f.open(t)
	raw, err := json.Marshal(f.objects["/api/v1/pods"][0])
	if err != nil {
		t.Fatal(err)
	}
	f.text = map[string]string{"/api/v1/pods/c": string(raw)}
	if d, err := c.Pod(t.Context(), "serving", "c"); err != nil || d.Row.Pod != "c" || d.Row.Owner != usage.Some("web-1") {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := c.Pod(t.Context(), "serving", "none"); err == nil || !strings.Contains(err.Error(), "none of this name") {
		t.Errorf("error %v", err)
	}
}
