package alert

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/committed/committedtest"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Each case is one pod's CPU, minute by minute: -1 not measured, -2 no
// snapshot, -3 the pod is gone. want is what was posted in which minute.
func TestTransitions(t *testing.T) {
	const absent, none, gone = -1, -2, -3
	for name, test := range map[string]struct {
		cpu  []int64
		want map[int]string
	}{
		"quiet":                 {[]int64{50, 50, 50, 50, 50}, nil},
		"at the threshold":      {[]int64{80, 80, 80, 80, 80}, nil},
		"fires after its time":  {[]int64{90, 90, 90, 90, 90}, map[int]string{3: "1 firing"}},
		"too short":             {[]int64{90, 90, 90, 50, 90, 90, 90}, nil},
		"resolves below clear":  {[]int64{90, 90, 90, 90, 75, 71, 69, 90}, map[int]string{3: "1 firing", 6: "1 resolved"}},
		"too few samples":       {[]int64{90, none, none, 90, 90}, map[int]string{4: "1 firing"}},
		"absent does not count": {[]int64{90, absent, absent, 90, 90}, map[int]string{4: "1 firing"}},
		"absent keeps firing":   {[]int64{90, 90, 90, 90, absent, absent, 50}, map[int]string{3: "1 firing", 6: "1 resolved"}},
		"absent alone":          {[]int64{absent, absent, absent, absent, absent}, nil},
		"no snapshots":          {[]int64{90, 90, 90, 90, none, none, 90}, map[int]string{3: "1 firing"}},
		"gone resolves":         {[]int64{90, 90, 90, 90, gone}, map[int]string{3: "1 firing", 4: "1 resolved"}},
		"gone while pending":    {[]int64{90, 90, gone, 90, 90}, nil},
		"a hole waits anew":     {[]int64{90, 90, none, none, none, 90, 90, 90, 90}, map[int]string{8: "1 firing"}},
		"fires again":           {[]int64{90, 90, 90, 90, 50, 90, 90, 90, 90}, map[int]string{3: "1 firing", 4: "1 resolved", 8: "1 firing"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, cpuRule)
			for i, cpu := range test.cpu {
				s := usage.Sample{Nodes: []usage.Node{node("node-a", true)}}
				if cpu != gone {
					s.Pods = []usage.Pod{pod("vllm-0", cpu)}
				}
				if cpu != none {
					w.snapshot(minute(i), s)
				}
				title, _, _ := strings.Cut(w.run(minute(i)), "\n")
				if want := test.want[i]; strings.TrimPrefix(title, "c: ") != want {
					t.Errorf("minute %d posts %q, want %q", i, title, want)
				}
			}
		})
	}
}

// One late run sees what the runs that it replaces would have seen.
func TestLateRun(t *testing.T) {
	w, late := newWorld(t, cpuRule), newWorld(t, cpuRule)
	for i, cpu := range []int64{90, 90, 90, 90, 90, 95} {
		s := usage.Sample{Pods: []usage.Pod{pod("vllm-0", cpu)}}
		w.snapshot(minute(i), s)
		late.snapshot(minute(i), s)
		w.run(minute(i))
	}
	late.run(minute(5))
	got, want := late.alerts(), w.alerts()
	if fmt.Sprint(got) != fmt.Sprint(want) || len(got.Firing) != 1 || got.Firing[0].Since != minute(0) {
		t.Errorf("late %+v, want %+v", got, want)
	}
}

// An alert that came and went between two runs is recorded and not posted.
func TestResolvedBeforeToldIsNotTold(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i, cpu := range []int64{90, 90, 90, 90, 50} {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", cpu)}})
	}
	if posted := w.run(minute(4)); posted != "" || len(w.alerts().Resolved) != 1 {
		t.Errorf("posted %q, %+v", posted, w.alerts())
	}
}

func TestRerunChangesNothing(t *testing.T) {
	w := newWorld(t, "")
	for i := range 20 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("a", 90), pod("b", 10)}, Nodes: []usage.Node{node("node-a", i < 5)}})
	}
	if posted := w.run(minute(19)); !strings.HasPrefix(posted, "c: 2 firing") {
		t.Fatalf("posted %q", posted)
	}
	before := w.contents()
	for _, at := range []time.Time{minute(19), minute(19), minute(10)} {
		if posted := w.run(at); posted != "" {
			t.Errorf("a rerun posts %q", posted)
		}
		if w.contents() != before {
			t.Error("a rerun changes the bucket")
		}
	}
}

func TestOnlyCommittedRowsCount(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 6 {
		w.uncommitted(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	}
	if posted := w.run(minute(5)); posted != "" || len(w.alerts().Firing) != 0 {
		t.Errorf("posted %q", posted)
	}
}

// A rule that was taken out of the configuration ends its alerts, with or
// without new samples.
func TestRuleRemoved(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 4 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	}
	w.run(minute(3))
	w.job.Rules = nil
	if posted := w.run(minute(4)); !strings.HasPrefix(posted, "c: 1 resolved") {
		t.Errorf("posted %q", posted)
	}
}

// An instant that two manifests commit counts once.
func TestInstantCountsOnce(t *testing.T) {
	w := newWorld(t, "- {name: seen, on: pod, when: ready, for: {samples: 3}, severity: INFO, summary: x}")
	w.snapshot(minute(0), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	var again usage.Sample // the next run samples minute 0 as well
	for _, ts := range []time.Time{minute(0), minute(1)} {
		committedtest.Append(&again, sampled(ts, usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}, Nodes: []usage.Node{node("node-a", true)}}))
	}
	committedtest.Put(t, w.b, committedtest.Encode(t, "c", minute(1), time.Minute, again))
	if posted := w.run(minute(1)); posted != "" {
		t.Errorf("two instants post %q", posted)
	}
	w.snapshot(minute(2), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	if posted := w.run(minute(2)); !strings.HasPrefix(posted, "c: 1 firing") {
		t.Errorf("three instants post %q", posted)
	}
}
