package serving

import (
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/serving/cmdline"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// podCase is an entry of testdata/pods.json: what a pod's specification holds,
// and the identity that it has. A name that begins with "not" is no server.
type podCase struct {
	Name        string
	Labels      map[string]string
	Annotations map[string]string
	OwnerKind   string
	Pod         string // its name; "p" without
	Containers  []usage.Container
	Want        struct {
		Engine, Model, ModelPath, Role, ReplicaGroup, Container, Scheme string
		IdentifiedBy                                                    []string
		MetricsPort                                                     int32
		IsAPIServer                                                     bool
	}
}

func (c *podCase) detail() *usage.PodDetail {
	return &usage.PodDetail{
		Row: usage.Pod{Namespace: "models", Pod: cmp.Or(c.Pod, "p"), PodUID: "u", Phase: "Running",
			OwnerKind: usage.SomeUnless(c.OwnerKind, "")},
		Labels:      c.Labels,
		Annotations: c.Annotations,
		Containers:  c.Containers,
		IP:          "10.1.2.3",
	}
}

func (c *podCase) identity() Identity {
	w := c.Want
	id := Identity{
		Engine: w.Engine, Model: usage.SomeUnless(w.Model, ""), ModelPath: usage.SomeUnless(w.ModelPath, ""),
		Role: usage.SomeUnless(w.Role, ""), ReplicaGroup: usage.SomeUnless(w.ReplicaGroup, ""),
		Evidence: w.IdentifiedBy, Container: w.Container,
		MetricsPort: w.MetricsPort, Scheme: w.Scheme, IsAPIServer: w.IsAPIServer,
	}
	if len(w.IdentifiedBy) > 0 {
		id.IdentifiedBy = usage.Some(w.IdentifiedBy[0])
	}
	for _, container := range c.Containers {
		if container.Name == w.Container {
			id.Image = container.Image
		}
	}
	return id
}

func podCases(t testing.TB) []podCase {
	text, err := os.ReadFile("testdata/pods.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []podCase
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestIdentify(t *testing.T) {
	cases := podCases(t)
	if len(cases) < 300 {
		t.Fatalf("%d pods", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			d := c.detail()
			before, _ := json.Marshal(d)
			if got, want := Identify(d), c.identity(); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if after, _ := json.Marshal(d); !bytes.Equal(before, after) {
				t.Error("Identify changed the pod")
			}
			if strings.HasPrefix(c.Name, "not") && c.Want.Engine != usage.NoEngine {
				t.Error("the table contradicts the name of the case")
			}
		})
	}
}

func TestMatchesTail(t *testing.T) {
	for _, test := range []struct {
		pattern, image string
		want           bool
	}{
		{"vllm-openai*", "vllm/vllm-openai:v1", true},
		{"vllm-openai*", "vllm-openai", true},
		{"vllm-openai*", "a.b:5000/x/y/vllm-openai-cpu@sha256:0", true},
		{"vllm-openai*", "my-vllm-openai", false},
		{"vllm-openai*", "vllm-openai/proxy", false},
		{"rocm/vllm*", "rocm/vllm-dev", true},
		{"rocm/vllm*", "docker.io/rocm/vllm", true},
		{"rocm/vllm*", "vllm", false},
		{"rocm/vllm*", "metrocm/vllm", false},
		{"vllm", "registry:5000/vllm", true},
		{"vllm", "", false},
	} {
		if got := matchesTail(test.pattern, repository(test.image)); got != test.want {
			t.Errorf("%s with %s: %v", test.pattern, test.image, got)
		}
	}
}

// BenchmarkIdentify is the cost of a pod: of the table, and of what a cluster
// is full of.
func BenchmarkIdentify(b *testing.B) {
	var table []*usage.PodDetail
	for _, c := range podCases(b) {
		table = append(table, c.detail())
	}
	ordinary := &usage.PodDetail{Containers: []usage.Container{
		{Name: "app", Image: "registry.corp/team/app:1.2", Args: []string{"--port=8080", "--config", "/etc/app.yaml"}},
		{Name: "proxy", Image: "docker.io/istio/proxyv2:1.27", Args: []string{"proxy", "sidecar", "--domain", "$(NAMESPACE).svc"}},
	}}
	for name, details := range map[string][]*usage.PodDetail{"table": table, "ordinary": {ordinary}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, d := range details {
					Identify(d)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(details)), "ns/pod")
		})
	}
}

// FuzzIdentify checks that no command, label or annotation brings a
// contradiction or a word that only a running shell could resolve.
func FuzzIdentify(f *testing.F) {
	for _, c := range podCases(f) {
		for _, container := range c.Containers {
			if n := len(container.Command); n > 0 {
				f.Add(container.Command[n-1], strings.Join(container.Args, " "), container.Image, c.Labels[rayNodeType],
					c.Labels["model.aibrix.ai/engine"])
			}
		}
	}
	f.Fuzz(func(t *testing.T, script, arg, image, node, engine string) {
		d := &usage.PodDetail{
			Row:         usage.Pod{Pod: arg},
			Labels:      map[string]string{rayCluster: "c", rayNodeType: node, "model.aibrix.ai/name": "x", "model.aibrix.ai/engine": engine},
			Annotations: map[string]string{"prometheus.io/port": arg},
			Containers: []usage.Container{
				{Name: "shell", Image: image, Command: []string{"sh", "-c", script, "sh"}, Args: []string{arg},
					Env: map[string]string{"A": arg, "B": "$(A)$(B)", "C": script}},
				{Name: "words", Image: image, Args: append(strings.Fields(script), arg)},
			},
		}
		id := Identify(d)
		text, err := json.Marshal(id)
		path, _ := id.ModelPath.Get()
		switch {
		case err != nil:
			t.Error(err)
		case (id.Engine == usage.NoEngine) == id.IdentifiedBy.Present(), id.IdentifiedBy.Present() != (len(id.Evidence) > 0),
			id.Engine != usage.NoEngine && engineNamed(id.Engine) == nil, id.Engine == usage.NoEngine && id.Model.Present(),
			id.MetricsPort < 0 || id.MetricsPort > 65535, id.MetricsPort != 0 && !id.IsAPIServer, cmdline.Open(path):
			t.Errorf("identity contradicts itself: %s", text)
		}
	})
}
