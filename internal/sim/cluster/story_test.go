package cluster

import (
	"net/netip"
	"strconv"
	"testing"
	"time"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// In a day, all that the package promises happens, and the cluster never holds
// more than its nodes have.
func TestDay(t *testing.T) {
	c := New(Config{Seed: 1})
	if n := len(c.Nodes); n != 14 {
		t.Errorf("%d nodes, want 14", n)
	}
	saw := map[string]bool{}
	var maxRestarts int32
	hashes := map[string]bool{}
	for at := monday.Unix(); at < monday.Unix()+Day; at += 60 {
		truth := c.At(time.Unix(at, 0))
		if truth.Pods < 120 || truth.Pods > 165 {
			t.Fatalf("at %d: %d pods", at, truth.Pods)
		}
		note := func(what string, is bool) { saw[what] = saw[what] || is }
		note("unscheduled", truth.Unscheduled > 0)
		note("crash loop", truth.CrashLooping > 0)
		note("node away", truth.ReadyNodes == 13)
		note("all nodes", truth.ReadyNodes == 14)
		note("GPU pod loading", truth.Loading > 0)
		note("free GPUs", truth.GPUsRequested < truth.GPUs)
		held := map[*Node]map[string]int{}
		holders := map[*Device]*Slot{}
		for _, s := range c.Slots {
			st := s.At(at)
			if st.Until <= at {
				t.Fatalf("%s/%d: a state that ends at %d, at %d", s.Workload.Name, s.Index, st.Until, at)
			}
			if st.ChangedAt > at || st.Phase != Gone && st.CreatedAt > at {
				t.Fatalf("%s/%d: a change in the future", s.Workload.Name, s.Index)
			}
			note("batch done", st.Phase == Succeeded && s.Workload.Name == "embed-catalogue")
			note("batch running", st.Phase == Ready && s.Workload.Name == "embed-catalogue")
			if s.Workload.Story == Crash {
				maxRestarts = max(maxRestarts, st.Restarts)
			}
			if s.Workload.Story == Rollout && s.Index == 0 {
				hashes[s.Workload.TemplateHash(st.Incarnation)] = true
			}
			if st.holds() && s.Workload.GPUs > 0 {
				if len(s.devices) != s.Workload.GPUs {
					t.Fatalf("%s/%d holds %d devices and requests %d", s.Workload.Name, s.Index, len(s.devices), s.Workload.GPUs)
				}
				if held[s.Node] == nil {
					held[s.Node] = map[string]int{}
				}
				held[s.Node][s.devices[0].Resource] += s.Workload.GPUs
				for _, d := range s.devices {
					if holders[d] != nil {
						t.Fatalf("at %d: %s and %s hold %s", at, holders[d].Workload.Name, s.Workload.Name, d.UUID)
					}
					holders[d] = s
				}
			}
			if st.Phase == Ready && s.Serves() {
				f := s.Figures(st, float64(at))
				note("saturated", f.Waiting > 0 && f.KV > 0.9)
				note("idle with GPUs", f.Running == 0 && s.Workload.demand == nobody)
			}
			if s.Node != nil && st.Phase == Ready {
				cpu, mem := s.usageOf(st, at)
				note("CPU above 80 % of the limit", s.Workload.CPU[1] > 0 && cpu > s.Workload.CPU[1]*800_000)
				note("memory above 80 % of the limit", s.Workload.Memory[1] > 0 && mem > s.Workload.Memory[1]*820)
				if s.Workload.Memory[1] > 0 && mem > s.Workload.Memory[1]*1024 || s.Workload.CPU[1] > 0 && cpu > s.Workload.CPU[1]*1_010_000 {
					t.Fatalf("%s uses more than its limit: %d n, %d Ki", s.Workload.Name, cpu, mem)
				}
			}
		}
		for n, by := range held {
			for resource, count := range by {
				if count > n.GPUs()[resource] {
					t.Fatalf("at %d: %s holds %d %s of %d", at, n.Name, count, resource, n.GPUs()[resource])
				}
			}
		}
	}
	for _, what := range []string{"unscheduled", "crash loop", "node away", "all nodes", "GPU pod loading", "free GPUs", "batch done",
		"batch running",
		"saturated", "idle with GPUs", "CPU above 80 % of the limit", "memory above 80 % of the limit"} {
		if !saw[what] {
			t.Errorf("not seen in a day: %s", what)
		}
	}
	if maxRestarts < 50 {
		t.Errorf("the crash loop restarts %d times a day", maxRestarts)
	}
	if len(hashes) != 2 {
		t.Errorf("%d ReplicaSets of the rolling update in a day, want 2", len(hashes))
	}
}

// The integral is that of the rate, across laps too.
func TestCurveIntegral(t *testing.T) {
	c := newCurve(1, crowded, []window{{awayAt, awayAt + awayFor}}, nil)
	for _, from := range []float64{firstLap + lap*3 - 7000, firstLap + 12345, 1.77e9} {
		sum := 0.0
		for i := range 14400 {
			sum += c.at(from + float64(i) + 0.5).busy
		}
		if got := c.Between(from, from+14400).Busy; got < sum-1 || got > sum+1 {
			t.Errorf("from %v: integral %v, sum of rates %v", from, got, sum)
		}
	}
}

// Addresses, uids, names and devices are unique.
func TestUnique(t *testing.T) {
	for _, nodes := range []int{0, 60} {
		c := New(Config{Seed: 1, Nodes: nodes})
		addresses, uuids, names := map[netip.AddrPort]bool{}, map[string]bool{}, map[string]bool{}
		for _, s := range c.Slots {
			for at := monday.Unix(); at < monday.Unix()+2*Day; at += 21600 {
				p := s.At(at)
				if p.Phase == Gone {
					continue
				}
				if name := strconv.FormatInt(at, 10) + s.Workload.Namespace + "/" + s.PodName(p.Incarnation); names[name] {
					t.Errorf("two pods %s", name)
				} else {
					names[name] = true
				}
			}
			a := netip.AddrPortFrom(s.IP, uint16(s.Port()))
			if addresses[a] || !s.IP.IsLoopback() {
				t.Errorf("address %v", a)
			}
			addresses[a] = true
		}
		for _, n := range c.Nodes {
			for _, d := range n.Devices {
				if uuids[d.UUID] {
					t.Errorf("two devices %s", d.UUID)
				}
				uuids[d.UUID] = true
			}
		}
	}
}
