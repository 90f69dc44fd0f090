package gpu

import (
	"reflect"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

func ended(p usage.Pod) usage.Pod { p.Phase = "Succeeded"; return p }

// pod is a running pod of node-1 that requests GPUs.
func pod(namespace, name string, gpus int32) usage.Pod {
	return usage.Pod{Namespace: namespace, Pod: name, Node: usage.Some("node-1"), Phase: "Running", GPURequest: gpus}
}

func TestAttribute(t *testing.T) {
	const watts = 610.5 + 611.5 + 612.5 + 613.5
	pending := usage.Pod{Namespace: "models", Pod: "mig-a", Phase: "Pending", GPURequest: 1}
	moved := pod("models", "mig-a", 1)
	moved.Node = usage.Some("node-2")
	for name, test := range map[string]struct {
		fixture     string
		pod         usage.Pod
		attribution string
		util, watts float64 // -1: absent
		used, total int64   // MiB, -1: absent
	}{
		"four whole devices":    {"eight-gpus", pod("models", "llama-70b-0", 4), usage.Exclusive, 75, watts, 4 * 73000, 4 * 81559},
		"namespace counts":      {"eight-gpus", pod("chat", "llama-70b-0", 4), usage.Unknown, -1, -1, -1, -1},
		"no GPU":                {"eight-gpus", pod("models", "web-0", 0), "", -1, -1, -1, -1},
		"held but not in spec":  {"eight-gpus", pod("models", "llama-70b-0", 0), usage.Exclusive, 75, watts, 4 * 73000, 4 * 81559},
		"instance":              {"mig", pod("models", "mig-a", 1), usage.MIG, 25, -1, 20000, 40000},
		"whole beside MIG":      {"mig", pod("models", "whole-0", 1), usage.Exclusive, 75, 611.5, 73000, 81559},
		"named sharer":          {"time-sliced", pod("team-a", "slice-b", 1), usage.Shared, 75, 610.5, 73000, 81559},
		"another sharer":        {"time-sliced", pod("team-b", "slice-c", 1), usage.Shared, 75, 610.5, 73000, 81559},
		"no figures":            {"renamed-fields", pod("models", "new-0", 1), usage.Exclusive, 50, -1, 1000, 81559},
		"through Prometheus":    {"exported-labels", pod("models", "llama-0", 1), usage.Exclusive, 75, 610.5, 73000, 81559},
		"the exporter's own":    {"exported-labels", pod("gpu-operator", exporterPod, 0), "", -1, -1, -1, -1},
		"ended":                 {"mig", ended(pod("models", "mig-a", 1)), usage.Unknown, -1, -1, -1, -1},
		"not scheduled":         {"mig", pending, usage.Unknown, -1, -1, -1, -1},
		"moved to another node": {"mig", moved, usage.Unknown, -1, -1, -1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			pods := []usage.Pod{test.pod}
			Attribute(pods, parse(t, test.fixture))
			want := test.pod
			want.GPUAttribution = usage.SomeUnless(test.attribution, "")
			want.GPUUtilPercent = usage.SomeUnless(test.util, -1)
			want.GPUPowerWatts = usage.SomeUnless(test.watts, -1)
			if test.used >= 0 {
				want.GPUMemoryUsedBytes, want.GPUMemoryTotalBytes = usage.Some(test.used*mib), usage.Some(test.total*mib)
			}
			if !reflect.DeepEqual(pods[0], want) {
				t.Errorf("got %+v\nwant %+v", pods[0], want)
			}
		})
	}
}

// TestAttributePartial checks that a sum over some of the devices is no sum.
func TestAttributePartial(t *testing.T) {
	gpus := parse(t, "eight-gpus")
	gpus[1].PowerWatts = usage.Opt[float64]{}
	gpus[2].MemoryUsedBytes = usage.Opt[int64]{}
	gpus[3].UtilPercent = usage.Some(15.0)
	gpus[0].UtilPercent = usage.Opt[float64]{}
	pods := []usage.Pod{pod("models", "llama-70b-0", 4)}
	Attribute(pods, gpus)
	p := pods[0]
	if p.GPUPowerWatts.Present() || p.GPUMemoryUsedBytes.Present() || !p.GPUMemoryTotalBytes.Present() ||
		p.GPUUtilPercent != usage.Some(55.0) {
		t.Errorf("%+v", p)
	}
	// Two shared devices on the node: a sharer that no row names is unknown.
	gpus = parse(t, "time-sliced")
	gpus[1].ShareCount = 2
	pods = []usage.Pod{pod("team-b", "slice-c", 1)}
	Attribute(pods, gpus)
	if pods[0].GPUAttribution != usage.Some(usage.Unknown) || pods[0].GPUUtilPercent.Present() {
		t.Errorf("%+v", pods[0])
	}
}

// TestAttributeHonesty takes whole nodes: what each of their pods is told.
func TestAttributeHonesty(t *testing.T) {
	const none = -1
	type told struct {
		attribution string
		util        float64 // none: absent
		usedMiB     int64
	}
	for name, test := range map[string]struct {
		fixture string
		pods    []usage.Pod
		want    []told
	}{
		"instances weigh their slices": {"mig-shared", []usage.Pod{pod("models", "two-0", 2)},
			[]told{{usage.MIG, (3*80.0 + 1*40.0) / 4, 35000}}},
		"a shared instance": {"mig-shared", []usage.Pod{pod("team-a", "a-0", 1), pod("team-b", "b-0", 1)},
			[]told{{usage.Shared, 30, 100}, {usage.Shared, 30, 100}}},
		"fewer seen than requested": {"eight-gpus", []usage.Pod{pod("models", "llama-70b-0", 8)},
			[]told{{usage.Unknown, none, none}}},
		"sharing untold": {"time-sliced-untold",
			[]usage.Pod{pod("team-b", "slice-c", 1), pod("team-b", "slice-b", 1), pod("team-a", "slice-a", 1)},
			[]told{{usage.Shared, 90, 73000}, {usage.Unknown, none, none}, {usage.Shared, 20, 1000}}},
		"a pod took the place of one that ended": {"time-sliced-untold",
			[]usage.Pod{ended(pod("team-b", "slice-c", 1)), pod("team-b", "slice-b", 1), pod("team-a", "slice-a", 1)},
			[]told{{usage.Unknown, none, none}, {usage.Unknown, none, none}, {usage.Exclusive, 20, 1000}}},
		"more sharers than holders": {"time-sliced",
			[]usage.Pod{pod("team-a", "slice-b", 1), pod("a", "a", 1), pod("b", "b", 1), pod("c", "c", 1)},
			[]told{{usage.Shared, 75, 73000}, {usage.Unknown, none, none}, {usage.Unknown, none, none}, {usage.Unknown, none, none}}},
		"several shares of one card": {"time-sliced", []usage.Pod{pod("team-a", "slice-b", 2), pod("models", "alone-0", 1)},
			[]told{{usage.Shared, 75, 73000}, {usage.Exclusive, 75, 73000}}},
		"claimed, not requested": {"time-sliced", []usage.Pod{pod("models", "alone-0", 0), pod("models", "web-0", 0)},
			[]told{{usage.Exclusive, 75, 73000}, {"", none, none}}},
		"exporter without pods": {"blanks", []usage.Pod{pod("a", "a", 1), pod("b", "b", 1)},
			[]told{{usage.Unknown, none, none}, {usage.Unknown, none, none}}},
	} {
		t.Run(name, func(t *testing.T) {
			Attribute(test.pods, parse(t, test.fixture))
			for i, p := range test.pods {
				got := told{util: none, usedMiB: none}
				got.attribution, _ = p.GPUAttribution.Get()
				if v, ok := p.GPUUtilPercent.Get(); ok {
					got.util = v
				}
				if v, ok := p.GPUMemoryUsedBytes.Get(); ok {
					got.usedMiB = v >> 20
				}
				if got != test.want[i] {
					t.Errorf("%s/%s: got %+v, want %+v", p.Namespace, p.Pod, got, test.want[i])
				}
				if got.attribution == usage.Unknown && (p.GPUMemoryTotalBytes.Present() || p.GPUPowerWatts.Present()) {
					t.Errorf("%s/%s is unknown and has figures: %+v", p.Namespace, p.Pod, p)
				}
			}
		})
	}
}

// TestAttributeUnlike checks that cards and instances have no common mean, and
// that an instance without a profile weighs nothing among others.
func TestAttributeUnlike(t *testing.T) {
	gpus := parse(t, "mig-shared")[:2]
	gpus[1].MIGProfile = usage.Opt[string]{}
	pods := []usage.Pod{pod("models", "two-0", 2)}
	Attribute(pods, gpus)
	if pods[0].GPUUtilPercent != usage.Some(80.0) {
		t.Errorf("%+v", pods[0])
	}
	gpus[1].MIGInstance = usage.Opt[int32]{}
	pods = []usage.Pod{pod("models", "two-0", 2)}
	Attribute(pods, gpus)
	if pods[0].GPUUtilPercent.Present() || pods[0].GPUPowerWatts.Present() || pods[0].GPUAttribution != usage.Some(usage.MIG) {
		t.Errorf("%+v", pods[0])
	}
}

func TestSlices(t *testing.T) {
	for profile, want := range map[string]int{
		"1g.10gb": 1, "7g.80gb": 7, "1g.10gb+me": 1, "1c.3g.40gb": 1, "2c.7g.80gb": 2, "14g.x": 14,
		"": 0, "g": 0, "0g.5gb": 0, "3": 0, "H100": 0, "-1g": 0, "99999999999999999999g": 0,
	} {
		if n, ok := Slices(profile); n != want || ok != (want > 0) {
			t.Errorf("%q: %d, %v, want %d", profile, n, ok, want)
		}
	}
}
