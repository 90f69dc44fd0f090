package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/company/k8s-resource-monitor/internal/exposition"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const (
	// maxKubelets bounds the kubelets that are asked at once.
	maxKubelets = 32
	// kubeletTimeout bounds the answer of one, through the API server.
	kubeletTimeout = 10 * time.Second
	// maxKubeletBytes bounds the answer; 110 pods take about 60 KB.
	maxKubeletBytes = 16 << 20
	// maxWindow is the longest time over which use of CPU is averaged: what lies
	// longer back than that is a gap, and is not filled in.
	maxWindow = 5 * time.Minute
)

// CPUCounters are what kubelets counted up to a sample. From one sample to the
// next they grow by exactly the CPU time that was used in between, which is
// more than metrics.k8s.io knows: it averages over its own last seconds.
type CPUCounters struct {
	Pods  map[string]CPUCounter `json:"pods"` // by NAMESPACE/POD
	Nodes map[string]CPUCounter `json:"nodes"`
}

// CPUCounter is CPU time since a pod or a node started.
type CPUCounter struct {
	Seconds float64 `json:"seconds"`
	At      int64   `json:"at"` // Unix milliseconds, by the kubelet's clock
}

// since is the mean use between two readings, to the nearest millicore: absent
// without an earlier one, after a restart, and over longer than maxWindow.
func (c CPUCounter) since(before CPUCounter) usage.Opt[int64] {
	window := time.Duration(c.At-before.At) * time.Millisecond
	if before.At == 0 || window <= 0 || window > maxWindow || c.Seconds < before.Seconds {
		return usage.Opt[int64]{}
	}
	return usage.Some(int64(math.Round((c.Seconds - before.Seconds) / window.Seconds() * 1000)))
}

// kubeletReading is what one kubelet says.
type kubeletReading struct {
	cpu    map[string]CPUCounter // by pod; "" is the node
	memory map[string]int64      // bytes of working set, likewise
}

// kubeletMetrics are the names that are read of /metrics/resource.
var kubeletMetrics = map[string]func(r *kubeletReading, pod string, s *exposition.Sample){
	"pod_cpu_usage_seconds_total":   (*kubeletReading).addCPU,
	"node_cpu_usage_seconds_total":  (*kubeletReading).addCPU,
	"pod_memory_working_set_bytes":  (*kubeletReading).addMemory,
	"node_memory_working_set_bytes": (*kubeletReading).addMemory,
}

func (r *kubeletReading) addCPU(pod string, s *exposition.Sample) {
	if s.Value >= 0 && s.Value < math.MaxInt64 && s.Time > 0 { // not NaN either
		r.cpu[pod] = CPUCounter{s.Value, int64(s.Time)}
	}
}

func (r *kubeletReading) addMemory(pod string, s *exposition.Sample) {
	if s.Value >= 0 && s.Value < math.MaxInt64 {
		r.memory[pod] = int64(s.Value)
	}
}

// parseKubelet reads the text of /metrics/resource.
func parseKubelet(body []byte) (kubeletReading, error) {
	r := kubeletReading{map[string]CPUCounter{}, map[string]int64{}}
	err := exposition.Read(body, kubeletMetrics, func(add func(*kubeletReading, string, *exposition.Sample), s *exposition.Sample) {
		pod := ""
		if name := s.Label("pod"); name != nil {
			pod = podKey(string(s.Label("namespace")), string(name))
		} else if s.Name[0] == 'p' {
			return // a pod's without its name
		}
		add(&r, pod, s)
	})
	return r, err
}

func podKey(namespace, pod string) string { return namespace + "/" + pod }

// readKubelets completes the sample with what the kubelets of its nodes say of
// pods and nodes, and returns what they counted. One that does not answer is a
// gap.
func (c *Client) readKubelets(ctx context.Context, sample *Cluster, before CPUCounters) CPUCounters {
	readings, errs := make([]kubeletReading, len(sample.Nodes)), make([]error, len(sample.Nodes))
	var group errgroup.Group
	group.SetLimit(maxKubelets)
	for i := range sample.Nodes {
		group.Go(func() error {
			readings[i], errs[i] = c.readKubelet(ctx, sample.Nodes[i].Node)
			return nil
		})
	}
	_ = group.Wait() // its functions return nil
	counted := CPUCounters{map[string]CPUCounter{}, map[string]CPUCounter{}}
	memory := map[string]int64{}
	for i, r := range readings {
		n := &sample.Nodes[i]
		if errs[i] != nil {
			sample.Gaps = append(sample.Gaps, kubeletGap(n.Node, errs[i]))
			continue
		}
		if cpu, ok := r.cpu[""]; ok {
			n.CPUUsageMillicores = cpu.since(before.Nodes[n.Node])
			counted.Nodes[n.Node] = cpu
		}
		if bytes, ok := r.memory[""]; ok {
			n.MemoryUsageBytes = usage.Some(bytes)
		}
		delete(r.cpu, "")
		maps.Copy(counted.Pods, r.cpu)
		maps.Copy(memory, r.memory)
	}
	sample.Usage = make([]Usage, len(sample.Pods))
	for i, p := range sample.Pods {
		key := podKey(p.shared.Namespace, p.name)
		if cpu, ok := counted.Pods[key]; ok {
			if last := before.Pods[key]; p.started <= last.At { // else it was counted of another pod of this name
				sample.Usage[i].CPUMillicores = cpu.since(last)
			}
		}
		if bytes, ok := memory[key]; ok {
			sample.Usage[i].MemoryBytes = usage.Some(bytes)
		}
	}
	slices.SortFunc(sample.Gaps, usage.CompareGaps)
	sample.Gaps = slices.Compact(sample.Gaps)
	return counted
}

func (c *Client) readKubelet(ctx context.Context, node string) (kubeletReading, error) {
	ctx, cancel := context.WithTimeout(ctx, kubeletTimeout)
	defer cancel()
	body, err := c.rest.Get().AbsPath("/api/v1/nodes", node, "proxy/metrics/resource").MaxRetries(0).Stream(ctx)
	if err != nil {
		return kubeletReading{}, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxKubeletBytes+1))
	switch {
	case err != nil:
		return kubeletReading{}, err
	case len(text) > maxKubeletBytes:
		return kubeletReading{}, fmt.Errorf("the answer is above the bound of %d bytes", maxKubeletBytes)
	}
	return parseKubelet(text)
}

// kubeletGap says why a kubelet's figures are missing and what mends it. What
// mends all of them at once is one gap.
func kubeletGap(node string, err error) usage.Gap {
	gap := usage.Gap{Source: "kubelet", Target: node, Reason: fmt.Sprintf("/metrics/resource: %v", err)}
	switch {
	case apierrors.IsForbidden(err):
		gap.Target = "nodes/proxy"
		gap.Reason = "the account may not ask kubelets: add the rule {apiGroups: [\"\"], resources: [nodes/proxy], verbs: [get]} " +
			"to its ClusterRole, or take usage from metrics-server"
	case errors.Is(err, context.DeadlineExceeded):
		gap.Reason = fmt.Sprintf("/metrics/resource: no answer within %v: see whether the API server reaches the node's port 10250",
			kubeletTimeout)
	}
	return gap
}
