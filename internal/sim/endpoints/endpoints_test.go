package endpoints

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// A card reports an error for a part of each day.
func TestXID(t *testing.T) {
	c := cluster.New(cluster.Config{Seed: 1})
	count := func(at int64) (n int) {
		for _, node := range c.Nodes {
			for line := range bytes.Lines(dcgmText(node, nil, at)) {
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
	c := cluster.New(cluster.Config{Seed: 5})
	type run struct{ inc, started int64 }
	last := map[*cluster.Slot]map[string]float64{}
	runs := map[*cluster.Slot]run{}
	resets, tokens := 0, 0.0
	energy := map[string]float64{}
	for at := monday.Unix(); at <= monday.Unix()+cluster.Day; at += 120 {
		for _, s := range c.Slots {
			st := s.At(at)
			if !s.Serves() || st.Phase != cluster.Ready {
				continue
			}
			now := samples(t, engineText(s, nil, st, float64(at)))
			r := run{st.Incarnation, st.StartedAt}
			before, had := last[s]
			if had && runs[s] != r {
				resets++
				had = false
			}
			for series, v := range now {
				if had && counter(series) && v < before[series] {
					t.Fatalf("%s at %d: %s fell from %v to %v", s.Workload.Name, at, series, before[series], v)
				}
				if had && strings.Contains(series, "generation_tokens_total") {
					if rate := (v - before[series]) / 120; rate > s.Workload.Engine.Generation*1.01 {
						t.Fatalf("%s generates %v tokens a second", s.Workload.Name, rate)
					}
					tokens += v - before[series]
				}
			}
			last[s], runs[s] = now, r
		}
		for _, n := range c.Nodes {
			for series, v := range samples(t, dcgmText(n, nil, at)) {
				series, _, _ = strings.Cut(series, ",pci")
				if !strings.HasPrefix(series, "DCGM_FI_DEV_TOTAL_ENERGY") {
					continue
				}
				if old, had := energy[series]; had && (v < old || v-old > n.Spec.GPU.Max*135*1000) {
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
