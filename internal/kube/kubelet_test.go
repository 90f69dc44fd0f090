package kube

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// kubeletText is what a kubelet says when its pods have used so many seconds
// of CPU; the instants of cAdvisor's readings differ by container.
func kubeletText(seconds float64, at int64) string {
	return fmt.Sprintf(`# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in core-seconds
# TYPE node_cpu_usage_seconds_total counter
node_cpu_usage_seconds_total %[2]g %[1]d
node_memory_working_set_bytes 1.7736e+10 %[1]d
container_cpu_usage_seconds_total{container="x",namespace="serving",pod="c"} 1 %[1]d
pod_cpu_usage_seconds_total{namespace="serving",pod="c"} %[3]g %[1]d
pod_memory_working_set_bytes{namespace="serving",pod="c"} 4.194304e+06 %[1]d
pod_cpu_usage_seconds_total{namespace="default",pod="b"} NaN %[1]d
scrape_error 0
`, at, 10*seconds, seconds)
}

func TestKubelets(t *testing.T) {
	f := smallCluster(t)
	c := f.open(t)
	const proxy = "/api/v1/nodes/gpu-1/proxy/metrics/resource"
	start := int64(1_795_510_000_000) // after the pods'
	var before CPUCounters
	for i, test := range []struct {
		seconds float64
		at      int64
		pod     usage.Opt[int64]
	}{
		{100, start, usage.Opt[int64]{}},                    // nothing to compare with
		{115, start + 30_000, usage.Some[int64](500)},       // half a core
		{115.25, start + 60_000, usage.Some[int64](8)},      // 8.33
		{115.25, start + 60_000, usage.Opt[int64]{}},        // the kubelet has not looked again
		{3, start + 90_000, usage.Opt[int64]{}},             // restarted
		{903, start + 90_000 + 301_000, usage.Opt[int64]{}}, // too long ago
	} {
		f.text = map[string]string{proxy: kubeletText(test.seconds, test.at)}
		got, err := c.Sample(t.Context(), Query{Inspect: nothing, Kubelets: true, Before: before})
		if err != nil || len(got.Gaps) != 0 {
			t.Fatal(err, got.Gaps)
		}
		before = got.CPU
		if want := (Usage{test.pod, usage.Some[int64](4 << 20)}); got.Usage[6] != want {
			t.Errorf("%d: the pod uses %v, want %v", i, got.Usage[6], want)
		}
		if n := got.Nodes[0]; n.CPUUsageMillicores.Present() != test.pod.Present() ||
			n.MemoryUsageBytes != usage.Some[int64](17_736_000_000) {
			t.Errorf("%d: the node uses %v and %v", i, n.CPUUsageMillicores, n.MemoryUsageBytes)
		}
		if (got.Usage[0] != Usage{}) {
			t.Errorf("%d: a pod of which the kubelet said NaN uses %v", i, got.Usage[0])
		}
	}
	if n := f.requests["/apis/metrics.k8s.io/v1beta1/pods"]; n != 0 {
		t.Errorf("metrics.k8s.io was asked %d times", n)
	}

	// Of a pod that started after the last reading, an earlier one of its name was counted.
	early := CPUCounters{Pods: map[string]CPUCounter{"serving/c": {1, 1_000}}, Nodes: map[string]CPUCounter{}}
	f.text[proxy] = kubeletText(2, 2_000)
	if got, err := c.Sample(t.Context(), Query{Inspect: nothing, Kubelets: true, Before: early}); err != nil ||
		got.Usage[6].CPUMillicores.Present() {
		t.Errorf("use of another pod's counter: %v, %v", got.Usage[6], err)
	}
}

func TestKubeletGaps(t *testing.T) {
	for code, want := range map[int]string{403: "nodes/proxy", 502: "/metrics/resource"} {
		f := smallCluster(t)
		f.fail["/api/v1/nodes/gpu-1/proxy/metrics/resource"] = code
		got, err := f.open(t).Sample(t.Context(), Query{Inspect: nothing, Kubelets: true})
		if err != nil || len(got.Gaps) != 1 || got.Gaps[0].Source != "kubelet" || !strings.Contains(got.Gaps[0].Reason, want) {
			t.Errorf("%d: %v, %v", code, got, err)
		}
		if got.Nodes[0].CPUUsageMillicores.Present() || !reflect.DeepEqual(got.Usage, make([]Usage, len(got.Pods))) {
			t.Errorf("%s: usage without a reading", http.StatusText(code))
		}
	}
}
