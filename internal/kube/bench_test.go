package kube

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/company/k8s-resource-monitor/internal/kube/wire"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// What one pod costs: decoded and reduced, told by a sibling, and recognised.
func BenchmarkPod(b *testing.B) {
	pod := corev1.Pod{}
	pod.Name, pod.Namespace, pod.UID = "server-5d4b8c7f9d-x2x7q", "serving", "0b2c"
	pod.Labels = map[string]string{"app": "vllm", "pod-template-hash": "5d4b8c7f9d"}
	c := corev1.Container{
		Name:  "vllm",
		Image: "vllm/vllm-openai:v0.12.0",
		Args:  []string{"--model", "Qwen/Qwen3-8B", "--tensor-parallel-size", "2"},
	}
	for i := range 10 {
		c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprint("NAME_", i), Value: strings.Repeat("v", 20)})
	}
	pod.Spec.Containers = []corev1.Container{c, c}
	pod.Annotations = map[string]string{"note": strings.Repeat("x", 2000)}
	known := newSiblings()
	alone := func(item []byte) (Pod, error) { return newSiblings().reduce(item, nothing) }
	sibling := func(item []byte) (Pod, error) { return known.reduce(item, nothing) }
	raw := marshal(b, &pod)
	for _, bench := range []struct {
		name   string
		reduce func([]byte) (Pod, error)
	}{{"new", alone}, {"sibling", sibling}, {"known", nil}} {
		b.Run(bench.name, func(b *testing.B) {
			m := wire.NewMemo[Pod]()
			var trimmed []byte
			reduce := func(reduce func([]byte) (Pod, error)) {
				var err error
				if trimmed, err = podTrimmer.Trim(trimmed[:0], raw); err == nil {
					_, err = m.Reduce(trimmed, reduce)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			m.Begin()
			reduce(sibling)
			if bench.reduce == nil {
				m.End()
			}
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				m.Begin() // an empty list, so that the item is new in it
				reduce(bench.reduce)
			}
		})
	}
}

// A second sample of 150 pods, of which none changed, through HTTP. The answers
// are encoded beforehand.
func BenchmarkSecondSample(b *testing.B) {
	answers := map[string][]byte{}
	add := func(c collection, items [][]byte) {
		raw, err := (&runtime.Unknown{Raw: encodeList(metav1.ListMeta{}, items)}).Marshal()
		if err != nil {
			b.Fatal(err)
		}
		answers[c.path("")] = append([]byte("k8s\x00"), raw...)
	}
	var pods, podMetrics, nodes, nodeMetrics [][]byte
	for i := range 150 {
		p, m := corev1.Pod{}, metricsv1beta1.PodMetrics{Timestamp: metav1.NewTime(time.Unix(1e9, 0))}
		p.Name, p.Namespace = fmt.Sprint("pod-", i), "serving"
		p.Annotations = map[string]string{"note": strings.Repeat("x", 3000)}
		m.Name, m.Namespace = p.Name, p.Namespace
		m.Containers = []metricsv1beta1.ContainerMetrics{{Name: "x", Usage: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("123456789n"), corev1.ResourceMemory: resource.MustParse("1234567Ki")}}}
		pods, podMetrics = append(pods, marshal(b, &p)), append(podMetrics, marshal(b, &m))
	}
	for i := range 20 {
		n, m := corev1.Node{}, metricsv1beta1.NodeMetrics{}
		n.Name, m.Name = fmt.Sprint("node-", i), fmt.Sprint("node-", i)
		nodes, nodeMetrics = append(nodes, marshal(b, &n)), append(nodeMetrics, marshal(b, &m))
	}
	add(corePods, pods)
	add(metricsPods, podMetrics)
	add(coreNodes, nodes)
	add(metricsNodes, nodeMetrics)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(answers[r.URL.Path]) }))
	defer server.Close()
	c, err := Open(writeKubeconfig(b, server.URL), "v1")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Sample(b.Context(), Query{Inspect: nothing}); err != nil {
			b.Fatal(err)
		}
	}
}

func marshal(b testing.TB, o interface{ Marshal() ([]byte, error) }) []byte {
	b.Helper()
	raw, err := o.Marshal()
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

// nothing is an Inspect that keeps no pod for scraping.
func nothing(*usage.PodDetail) bool { return false }
