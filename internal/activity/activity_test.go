package activity

import (
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

var (
	silent  usage.Opt[bool] // no engine says anything
	working = usage.Some(true)
	resting = usage.Some(false)
)

func holder() usage.Pod {
	return usage.Pod{Namespace: "chat", Pod: "vllm-0", PodUID: "uid-0", Node: usage.Some("node-a"),
		Phase: "Running", Ready: true, GPURequest: 1}
}

func TestOf(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*usage.Pod)
		says   usage.Opt[bool]
		want   State
	}{
		"no GPUs":                    {func(p *usage.Pod) { p.GPURequest = 0 }, working, HoldsNone},
		"not on a node":              {func(p *usage.Pod) { p.Node = usage.Opt[string]{} }, silent, HoldsNone},
		"ended":                      {func(p *usage.Pod) { p.Phase = "Failed" }, silent, HoldsNone},
		"not ready":                  {func(p *usage.Pod) { p.Ready = false }, working, Loading},
		"its engine works":           {func(p *usage.Pod) { p.GPUUtilPercent = usage.Some(0.0) }, working, Active},
		"its engine waits":           {func(p *usage.Pod) { p.GPUUtilPercent = usage.Some(99.0) }, resting, IdleHeld},
		"no engine, a busy GPU":      {func(p *usage.Pod) { p.GPUUtilPercent = usage.Some(usage.BusyPercent + 0.1) }, silent, Active},
		"no engine, GPU at the line": {func(p *usage.Pod) { p.GPUUtilPercent = usage.Some(float64(usage.BusyPercent)) }, silent, IdleHeld},
		"nothing measured":           {func(*usage.Pod) {}, silent, Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			p := holder()
			test.change(&p)
			if got := Of(&p, test.says); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// In a replica of several pods the engine of one speaks for those without, and a
// pod's own engine comes first.
func TestOfAll(t *testing.T) {
	leader, worker, alone := holder(), holder(), holder()
	leader.Pod, leader.PodUID = "group-0", "leader"
	worker.Pod, worker.PodUID = "group-1", "worker"
	leader.ReplicaGroup, worker.ReplicaGroup = usage.Some("group"), usage.Some("group")
	elsewhere := worker // the same group's name in another namespace
	elsewhere.Namespace, elsewhere.PodUID = "other", "elsewhere"
	says := map[string]usage.Opt[bool]{"leader": working}
	states := OfAll([]usage.Pod{worker, leader, alone, elsewhere}, func(uid string) usage.Opt[bool] { return says[uid] })
	for _, test := range []struct {
		pod  usage.Pod
		want State
	}{{leader, Active}, {worker, Active}, {alone, Unknown}, {elsewhere, Unknown}} {
		if got := states[test.pod.Name()]; got != test.want {
			t.Errorf("%s/%s is %q, want %q", test.pod.Namespace, test.pod.Pod, got, test.want)
		}
	}
}

// A replica works if one of its engines does, in whatever order they come.
func TestReplicasInAnyOrder(t *testing.T) {
	r := Replica{"chat", "group"}
	all := []usage.Opt[bool]{silent, working, resting}
	for _, a := range all {
		for _, b := range all {
			one, other := Replicas{}, Replicas{}
			one.Add(r, a)
			one.Add(r, b)
			other.Add(r, b)
			other.Add(r, a)
			if one[r] != other[r] {
				t.Errorf("%v then %v gives %v, the other way round %v", a, b, one[r], other[r])
			}
			if want := a == working || b == working; one[r] == working != want {
				t.Errorf("%v and %v give %v", a, b, one[r])
			}
		}
	}
}

// Tokens that moved since the reading before are work, although no request runs
// at either instant; a counter that starts again has moved by what it now says.
func TestReadings(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	row := func(minute int, running usage.Opt[int64], tokens usage.Opt[int64]) *usage.Engine {
		ts := at.Add(time.Duration(minute) * time.Minute)
		return &usage.Engine{TS: ts, PodUID: "uid", RequestsRunning: running, GenerationTokensTotal: tokens}
	}
	none, absent := usage.Some[int64](0), usage.Opt[int64]{}
	readings := Readings{}
	for i, test := range []struct {
		row  *usage.Engine
		want usage.Opt[bool]
	}{
		{row(0, absent, usage.Some[int64](10)), silent}, // no reading before: nothing to compare with
		{row(1, none, usage.Some[int64](30)), working},
		{row(2, none, usage.Some[int64](30)), resting},
		{row(3, usage.Some[int64](1), usage.Some[int64](30)), working},
		{row(4, none, usage.Some[int64](5)), working}, // restarted
		{row(5, absent, absent), silent},
	} {
		if got := readings.Read(test.row).Working; got != test.want {
			t.Errorf("reading %d: %v, want %v", i, got, test.want)
		}
	}
	if last := readings["uid"].At; !last.Equal(at.Add(5 * time.Minute)) {
		t.Errorf("the last reading is of %v", last)
	}
}
