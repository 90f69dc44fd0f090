package alert

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// The default rules over 20 minutes of subjects that do or do not alert.
func TestDefaultRules(t *testing.T) {
	memory := pod("memory-of-request", 10)
	memory.MemoryUsageBytes, memory.MemoryRequestBytes = usage.Some[int64](3<<30), usage.Some[int64](2<<30)
	ofNode := pod("cpu-of-node", 0)
	ofNode.CPULimitMillicores, ofNode.CPUUsageMillicores = usage.Opt[int64]{}, usage.Some[int64](7600)
	busy := pod("busy", 10)
	busy.GPURequest, busy.GPUUtilPercent = 2, usage.Some(97.5)
	loaded := pod("loaded", 10)
	loaded.GPURequest, loaded.GPUUtilPercent = 2, usage.Some(90.0)
	done := pod("done", 99)
	done.Phase, done.Reason = "Succeeded", usage.Some("Completed")
	failed := pod("failed", -1)
	failed.Phase, failed.Reason = "Failed", usage.Some("Evicted")
	crashing := pod("crashing", -1)
	crashing.Reason, crashing.Ready = usage.Some("CrashLoopBackOff"), false
	pending := pod("pending", -1)
	pending.Phase, pending.Node, pending.GPURequest = "Pending", usage.Opt[string]{}, 8
	pods := []usage.Pod{busy, crashing, done, failed, loaded, memory, ofNode, pending, pod("hot", 91), pod("fine", 80), pod("unmeasured", -1)}
	nodes := []usage.Node{node("node-a", true), node("node-b", false)}

	w := newWorld(t, "")
	for i := range 21 {
		w.snapshot(minute(i), usage.Sample{Pods: pods, Nodes: nodes})
	}
	w.run(minute(20))
	var got strings.Builder
	s, _, err := readState(t.Context(), w.b, "c")
	if err != nil {
		t.Fatal(err)
	}
	firedAt := map[string]string{}
	for _, a := range s.Active {
		firedAt[a.Rule+a.Name] = at(a.FiringSince).Format("15:04")
	}
	for _, a := range w.alerts().Firing {
		value := "-"
		if v, ok := a.Value.Get(); ok {
			value = fmt.Sprint(v)
		}
		fmt.Fprintf(&got, "%s %s %s/%s since %s, fired %s: %s [%s]\n", a.Severity, a.Rule, a.Namespace, a.Name,
			a.Since.Format("15:04"), firedAt[a.Rule+a.Name], a.Summary, value)
	}
	golden.Compare(t, "testdata/defaults.golden", []byte(got.String()))
}

func TestStaleSnapshot(t *testing.T) {
	w := newWorld(t, "")
	if posted := w.run(minute(-1)); posted != "" {
		t.Errorf("without any snapshot it posts %q", posted)
	}
	w.snapshot(minute(0), usage.Sample{Nodes: []usage.Node{node("node-a", true)}})
	for _, step := range []struct {
		minute int
		want   string
	}{{0, ""}, {3, ""}, {4, "c: 1 firing"}, {200, ""}} {
		title, _, _ := strings.Cut(w.run(minute(step.minute)), "\n")
		if title != step.want {
			t.Errorf("minute %d: %q, want %q", step.minute, title, step.want)
		}
	}
	if got := w.alerts().Firing[0].Summary; got != "the newest snapshot is 3 h 20 min old, samples are due every 60 s" {
		t.Error(got)
	}
	w.snapshot(minute(201), usage.Sample{Nodes: []usage.Node{node("node-a", true)}})
	if posted := w.run(minute(201)); !strings.HasPrefix(posted, "c: 1 resolved") {
		t.Errorf("with a new snapshot it posts %q", posted)
	}

	// A job that starts long after the collector stopped finds the last snapshot.
	first := newWorld(t, "")
	first.snapshot(minute(0), usage.Sample{Nodes: []usage.Node{node("node-a", true)}})
	if posted := first.run(minute(2000)); !strings.HasPrefix(posted, "c: 1 firing") {
		t.Errorf("a first run posts %q", posted)
	}
}

// A server that answers short requests has none running at most instants, and
// moves tokens. What it did since the sample before decides, over runs as well.
func TestRulesSeeWhatGPUsDo(t *testing.T) {
	w := newWorld(t, "- {name: idle, on: pod, when: gpu_state == 'idle_held', for: {samples: 2}, severity: INFO, summary: x}")
	for i := range 5 {
		pods := []usage.Pod{pod("busy", 1), pod("idle", 1), pod("worker", 1)}
		for p := range pods {
			pods[p].GPURequest, pods[p].Engine = 1, usage.VLLM
		}
		pods[0].ReplicaGroup, pods[2].ReplicaGroup = usage.Some("busy"), usage.Some("busy") // the worker has no engine metrics
		engines := []usage.Engine{
			{Namespace: "chat", Pod: "busy", PodUID: "busy", GenerationTokensTotal: usage.Some(int64(100 * i))},
			{Namespace: "chat", Pod: "idle", PodUID: "idle", GenerationTokensTotal: usage.Some[int64](7)},
		}
		for e := range engines {
			engines[e].RequestsRunning = usage.Some[int64](0)
		}
		w.snapshot(minute(i), usage.Sample{Nodes: []usage.Node{node("node-a", true)}, Pods: pods, Engines: engines})
		w.run(minute(i))
	}
	var names []string
	for _, a := range w.alerts().Firing {
		names = append(names, a.Name)
	}
	if !slices.Equal(names, []string{"idle"}) {
		t.Errorf("%q are idle, want the idle server alone", names)
	}
}

// A GPU without a row is gone with its node or beside others of its node, and
// not measured if its node reports none.
func TestGPUAndModelSubjects(t *testing.T) {
	w := newWorld(t, `
- {name: hot, on: gpu, when: temperature_celsius > 80, severity: WARNING,
   summary: "{temperature_celsius} degrees, {gpu_memory_percent} full"}
- {name: queue, on: model, when: requests_waiting > 10 && kv_cache_usage_ratio > 0.9, severity: CRITICAL,
   summary: "{requests_waiting} wait for {model} on {pods} pods"}
`)
	gpu := func(uuid string, celsius int32) usage.GPU {
		index := int32(uuid[len(uuid)-1] - '0')
		return usage.GPU{Node: "node-a", GPUIndex: index, GPUUUID: uuid, TemperatureCelsius: usage.Some(celsius),
			MemoryUsedBytes: usage.Some[int64](40), MemoryTotalBytes: usage.Some[int64](80)}
	}
	a, b := pod("vllm-0", 1), pod("vllm-1", 1)
	for _, p := range []*usage.Pod{&a, &b} {
		p.Engine, p.Model = usage.VLLM, usage.Some("Qwen3-32B")
	}
	engine := func(pod string, waiting int64, ratio float64) usage.Engine {
		return usage.Engine{Namespace: "chat", Pod: pod, PodUID: pod, RequestsWaiting: usage.Some(waiting), KVCacheUsageRatio: usage.Some(ratio)}
	}
	nodes := []usage.Node{node("node-a", true)}
	w.snapshot(minute(0), usage.Sample{Nodes: nodes, GPUs: []usage.GPU{gpu("GPU-0", 60), gpu("GPU-1", 85)}, Pods: []usage.Pod{a, b},
		Engines: []usage.Engine{engine("vllm-0", 7, 0.2), engine("vllm-1", 8, 0.95)}})
	w.run(minute(0))
	var summaries []string
	for _, a := range w.alerts().Firing {
		summaries = append(summaries, a.Name+": "+a.Summary)
	}
	if want := []string{"Qwen3-32B: 15 wait for Qwen3-32B on 2 pods", "GPU-1: 85 degrees, 50 % full"}; !slices.Equal(summaries, want) {
		t.Errorf("%q, want %q", summaries, want)
	}
	for i, step := range []struct {
		sample usage.Sample
		firing int
	}{
		{usage.Sample{Nodes: nodes, Pods: []usage.Pod{a, b}}, 2},                          // neither exporter nor engine answer
		{usage.Sample{Nodes: nodes, GPUs: []usage.GPU{gpu("GPU-0", 60)}}, 0},              // no GPU-1 beside GPU-0, no pod
		{usage.Sample{Nodes: nodes, GPUs: []usage.GPU{gpu("GPU-1", 99)}}, 1},              // again
		{usage.Sample{Nodes: []usage.Node{node("node-b", true)}, GPUs: []usage.GPU{}}, 0}, // the node is gone
	} {
		w.snapshot(minute(i+1), step.sample)
		w.run(minute(i + 1))
		if got := len(w.alerts().Firing); got != step.firing {
			t.Errorf("step %d: %d fire, want %d", i, got, step.firing)
		}
	}
}
