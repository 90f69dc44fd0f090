package sim

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// In a day, all that the package promises happens, and the cluster never holds
// more than its nodes have.
func TestDay(t *testing.T) {
	c := New(Config{Seed: 1})
	if n := len(c.nodes); n != 14 {
		t.Errorf("%d nodes, want 14", n)
	}
	saw := map[string]bool{}
	var maxRestarts int32
	hashes := map[string]bool{}
	for at := monday.Unix(); at < monday.Unix()+day; at += 60 {
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
		held := map[*node]map[string]int{}
		holders := map[*device]*slot{}
		for _, s := range c.slots {
			st := s.at(at)
			if st.until <= at {
				t.Fatalf("%s/%d: a state that ends at %d, at %d", s.w.name, s.index, st.until, at)
			}
			if st.changed > at || st.phase != gone && st.created > at {
				t.Fatalf("%s/%d: a change in the future", s.w.name, s.index)
			}
			note("batch done", st.phase == succeeded && s.w.name == "embed-catalogue")
			note("batch running", st.phase == ready && s.w.name == "embed-catalogue")
			if s.w.story == crash {
				maxRestarts = max(maxRestarts, st.restarts)
			}
			if s.w.story == rollout && s.index == 0 {
				hashes[s.w.templateHash(st.inc)] = true
			}
			if st.holds() && s.w.gpus > 0 {
				if len(s.devices) != s.w.gpus {
					t.Fatalf("%s/%d holds %d devices and requests %d", s.w.name, s.index, len(s.devices), s.w.gpus)
				}
				if held[s.node] == nil {
					held[s.node] = map[string]int{}
				}
				held[s.node][s.devices[0].resource] += s.w.gpus
				for _, d := range s.devices {
					if holders[d] != nil {
						t.Fatalf("at %d: %s and %s hold %s", at, holders[d].w.name, s.w.name, d.uuid)
					}
					holders[d] = s
				}
			}
			if st.phase == ready && s.serves() {
				f := s.figures(st, float64(at))
				note("saturated", f.waiting > 0 && f.kv > 0.9)
				note("idle with GPUs", f.running == 0 && s.w.demand == nobody)
			}
			if s.node != nil && st.phase == ready {
				cpu, mem := s.usageOf(st, at)
				note("CPU above 80 % of the limit", s.w.cpu[1] > 0 && cpu > s.w.cpu[1]*800_000)
				note("memory above 80 % of the limit", s.w.memory[1] > 0 && mem > s.w.memory[1]*820)
				if s.w.memory[1] > 0 && mem > s.w.memory[1]*1024 || s.w.cpu[1] > 0 && cpu > s.w.cpu[1]*1_010_000 {
					t.Fatalf("%s uses more than its limit: %d n, %d Ki", s.w.name, cpu, mem)
				}
			}
		}
		for n, by := range held {
			for resource, count := range by {
				if count > n.gpus()[resource] {
					t.Fatalf("at %d: %s holds %d %s of %d", at, n.name, count, resource, n.gpus()[resource])
				}
			}
		}
	}
	for _, what := range []string{"unscheduled", "crash loop", "node away", "all nodes", "GPU pod loading", "free GPUs", "batch done", "batch running",
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

// A card reports an error for a part of each day.
func TestXID(t *testing.T) {
	c := New(Config{Seed: 1})
	count := func(at int64) (n int) {
		for _, node := range c.nodes {
			for line := range bytes.Lines(node.dcgm(nil, at)) {
				if bytes.HasPrefix(line, []byte("DCGM_FI_DEV_XID_ERRORS")) && bytes.HasSuffix(line, []byte("} 94\n")) {
					n++
				}
			}
		}
		return n
	}
	if before, during := count(monday.Unix()), count(monday.Unix()+xidAt+60); before != 0 || during != 1 {
		t.Errorf("cards with an XID: %d before, %d during; want 0 and 1", before, during)
	}
}

// samples reads the samples of a metrics text by series.
func samples(t *testing.T, text []byte) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		i := strings.LastIndexByte(line, ' ')
		v, err := strconv.ParseFloat(strings.TrimSpace(line[i+1:]), 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if _, twice := out[line[:i]]; twice {
			t.Fatalf("twice: %s", line[:i])
		}
		out[line[:i]] = v
	}
	return out
}

func counter(series string) bool {
	name, _, _ := strings.Cut(series, "{")
	for _, end := range []string{"_total", "_bucket", "_count", "_sum", "ENERGY_CONSUMPTION"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// Counters never fall while a container runs, and begin again with a new one;
// energy only grows, by no more than the card can draw.
func TestCounters(t *testing.T) {
	c := New(Config{Seed: 5})
	type run struct{ inc, started int64 }
	last := map[*slot]map[string]float64{}
	runs := map[*slot]run{}
	resets, tokens := 0, 0.0
	energy := map[string]float64{}
	for at := monday.Unix(); at <= monday.Unix()+day; at += 120 {
		for _, s := range c.slots {
			st := s.at(at)
			if !s.serves() || st.phase != ready {
				continue
			}
			now := samples(t, s.text(nil, st, float64(at)))
			r := run{st.inc, st.started}
			before, had := last[s]
			if had && runs[s] != r {
				resets++
				had = false
			}
			for series, v := range now {
				if had && counter(series) && v < before[series] {
					t.Fatalf("%s at %d: %s fell from %v to %v", s.w.name, at, series, before[series], v)
				}
				if had && strings.Contains(series, "generation_tokens_total") {
					if rate := (v - before[series]) / 120; rate > s.w.engine.generation*1.01 {
						t.Fatalf("%s generates %v tokens a second", s.w.name, rate)
					}
					tokens += v - before[series]
				}
			}
			last[s], runs[s] = now, r
		}
		for _, n := range c.nodes {
			for series, v := range samples(t, n.dcgm(nil, at)) {
				series, _, _ = strings.Cut(series, ",pci")
				if !strings.HasPrefix(series, "DCGM_FI_DEV_TOTAL_ENERGY") {
					continue
				}
				if old, had := energy[series]; had && (v < old || v-old > n.spec.gpu.max*135*1000) {
					t.Fatalf("%s at %d: energy from %v to %v", series, at, old, v)
				}
				energy[series] = v
			}
		}
	}
	if resets < 3 {
		t.Errorf("%d restarts in a day, want a rollout of two and a restart", resets)
	}
	if tokens < 1e8 || tokens > 3e9 {
		t.Errorf("%v tokens in a day", tokens)
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
		if got := c.between(from, from+14400).busy; got < sum-1 || got > sum+1 {
			t.Errorf("from %v: integral %v, sum of rates %v", from, got, sum)
		}
	}
}

// Addresses, uids, names and devices are unique.
func TestUnique(t *testing.T) {
	for _, nodes := range []int{0, 60} {
		c := New(Config{Seed: 1, Nodes: nodes})
		addresses, uuids, names := map[netip.AddrPort]bool{}, map[string]bool{}, map[string]bool{}
		for _, s := range c.slots {
			for at := monday.Unix(); at < monday.Unix()+2*day; at += 21600 {
				p := s.at(at)
				if p.phase == gone {
					continue
				}
				if name := strconv.FormatInt(at, 10) + s.w.namespace + "/" + s.podName(p.inc); names[name] {
					t.Errorf("two pods %s", name)
				} else {
					names[name] = true
				}
			}
			a := netip.AddrPortFrom(s.ip, uint16(s.port()))
			if addresses[a] || !s.ip.IsLoopback() {
				t.Errorf("address %v", a)
			}
			addresses[a] = true
		}
		for _, n := range c.nodes {
			for _, d := range n.devices {
				if uuids[d.uuid] {
					t.Errorf("two devices %s", d.uuid)
				}
				uuids[d.uuid] = true
			}
		}
	}
}
