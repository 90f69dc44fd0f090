package alert

import (
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

func TestDamagedState(t *testing.T) {
	for _, body := range []string{"{", `{"version":9,"cluster":"c"}`, `{"version":1,"cluster":"d"}`} {
		w := newWorld(t, cpuRule)
		if _, err := w.b.Put(t.Context(), "state/alert/c.json", []byte(body), bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.job.Run(t.Context(), minute(0)); err == nil || !strings.Contains(err.Error(), "state/alert/c.json") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// What is resolved and not yet told outlives its time in the list, and the
// list is bounded.
func TestTidy(t *testing.T) {
	s := state{At: start}
	old := resolved(firing("cpu", "WARNING", "old", "x"))
	old.ResolvedAt = usage.Some(start.Add(-31 * 24 * time.Hour))
	untold := old
	untold.Sent = sentBy{"slack": sentFiring}
	tooOld := untold
	tooOld.ResolvedAt = usage.Some(start.Add(-61 * 24 * time.Hour))
	s.Resolved = append(many(keepResolvedMost+5, resolved(firing("cpu", "WARNING", "", "x"))), old, untold, tooOld)
	s.tidy()
	last := s.Resolved[len(s.Resolved)-1]
	if len(s.Resolved) != keepResolvedMost+1 || last.Sent["slack"] != sentFiring {
		t.Errorf("%d are kept, the last %+v", len(s.Resolved), last)
	}
}

func TestResolvedAreForgotten(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i, cpu := range []int64{90, 90, 90, 90, 50} {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", cpu)}})
		w.run(minute(i))
	}
	for days, want := range map[int]int{29: 1, 31: 0} {
		clone := *w
		clone.b = bucket.Mem()
		object, err := w.b.Get(t.Context(), "state/alert/c.json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := clone.b.Put(t.Context(), "state/alert/c.json", object.Body, bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		j := *w.job
		j.Bucket = clone.b
		if _, err := j.Run(t.Context(), start.Add(time.Duration(days)*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := len(clone.alerts().Resolved); got != want {
			t.Errorf("after %d days %d are kept, want %d", days, got, want)
		}
	}
}
