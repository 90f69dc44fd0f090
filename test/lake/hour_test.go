package lake

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/sim"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/jobs/snapshot"
)

// benchHour is the hour that the benchmark is about, of the cluster "bench".
var benchHour = time.Date(2026, 1, 7, 9, 0, 0, 0, time.UTC)

// writeHour fills dir with that hour of a simulated cluster of so many nodes:
// 60 snapshots of two samples. The cluster is looked at once; from there on
// what is measured walks, counters grow, and some containers start again.
func writeHour(ctx context.Context, dir string, nodes int) error {
	r := rand.New(rand.NewPCG(1, uint64(nodes)))
	now, err := look(ctx, filepath.Join(dir, "look"), nodes)
	if err != nil {
		return err
	}
	complete(r, &now)
	fmt.Fprintf(
		os.Stderr,
		"%d nodes: %d pods, %d GPUs, %d engines, %d gaps a sample\n",
		nodes,
		len(now.Pods),
		len(now.GPUs),
		len(now.Engines),
		len(now.Gaps),
	)
	var both usage.Sample
	for minute := range 60 {
		at := benchHour.Add(time.Duration(minute) * time.Minute)
		sampled := []time.Time{at, at.Add(samplePeriod)}
		both.Pods, both.Nodes, both.GPUs, both.Engines, both.Gaps = both.Pods[:0], both.Nodes[:0], both.GPUs[:0], both.Engines[:0], both.Gaps[:0]
		walk(r, &now, sampled[0], &both)
		walk(r, &now, sampled[1], &both)
		sort(&both)
		if err := commit(ctx, bucket.Dir(dir), "bench", at, "", sampled, both); err != nil {
			return err
		}
		if minute%10 == 9 {
			fmt.Fprintf(os.Stderr, "%d nodes: %d of 60 minutes written\n", nodes, minute+1)
		}
	}
	return nil
}

// look takes one sample of a simulated cluster with the snapshot job.
func look(ctx context.Context, dir string, nodes int) (s usage.Sample, err error) {
	clock := func() time.Time { return benchHour }
	running, err := sim.New(sim.Config{Seed: 1, Nodes: nodes}).Start(ctx, clock)
	if err != nil {
		return s, err
	}
	defer running.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return s, err
	}
	file := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(file, running.Kubeconfig(), 0o600); err != nil {
		return s, err
	}
	client, err := kube.Open(file, "bench")
	if err != nil {
		return s, err
	}
	b := bucket.Mem()
	j := snapshot.Job{Kube: client, HTTP: &http.Client{}, Bucket: b, Cluster: "bench", Interval: samplePeriod, SamplesPerRun: 1,
		Version: "bench", Log: slog.New(slog.DiscardHandler), Now: clock, Wait: func(context.Context, time.Time) error { return nil }}
	if _, err := j.Run(ctx, benchHour); err != nil {
		return s, err
	}
	name := func(table string) string {
		return layout.Object{Tier: layout.Raw, Table: table, Cluster: "bench", Time: benchHour}.Name()
	}
	var errs [4]error
	s.Pods, errs[0] = store.Pods.Read(ctx, b, name(usage.Pods))
	s.Nodes, errs[1] = store.Nodes.Read(ctx, b, name(usage.Nodes))
	s.GPUs, errs[2] = store.GPUs.Read(ctx, b, name(usage.GPUs))
	s.Engines, errs[3] = store.Engines.Read(ctx, b, name(usage.Engines))
	return s, cmp.Or(errs[:]...)
}

// complete gives a large cluster the exporters and engines that the simulator
// has no addresses for: every GPU is seen, and every model server answers.
func complete(r *rand.Rand, s *usage.Sample) {
	seen := map[string]bool{} // nodes whose exporter answered
	for i := range s.GPUs {
		seen[s.GPUs[i].Node] = true
	}
	holders := map[string][]*usage.Pod{} // by node, a pod once a GPU
	answered := map[string]bool{}
	for i := range s.Engines {
		answered[s.Engines[i].PodUID] = true
	}
	for i := range s.Pods {
		p := &s.Pods[i]
		node, _ := p.Node.Get()
		for range p.GPURequest {
			if !p.Ended() {
				holders[node] = append(holders[node], p)
			}
		}
		group, grouped := p.ReplicaGroup.Get()
		if p.Engine == usage.NoEngine || !p.Ready || answered[p.PodUID] || grouped && answered[p.Namespace+group] {
			continue
		}
		answered[p.Namespace+group] = grouped
		count := func(up int64) usage.Opt[int64] { return usage.Some(r.Int64N(up)) }
		seconds := func(up float64) usage.Opt[float64] { return usage.Some(up * r.Float64()) }
		s.Engines = append(
			s.Engines,
			usage.Engine{TS: p.TS, Namespace: p.Namespace, Pod: p.Pod, PodUID: p.PodUID, Engine: p.Engine, Model: p.Model,
				RequestsRunning: count(40), RequestsWaiting: count(4), KVCacheUsageRatio: seconds(1), PromptTokensTotal: count(1e9),
				GenerationTokensTotal: count(
					1e8,
				), RequestsTotal: count(1e6), PreemptionsTotal: count(100), PrefixCacheQueriesTotal: count(1e9),
				PrefixCacheHitsTotal: count(
					1e8,
				), TTFTSecondsSum: seconds(1e6), TTFTSecondsCount: count(1e6), InterTokenSecondsSum: seconds(1e6),
				InterTokenSecondsCount: count(1e8), E2ESecondsSum: seconds(1e7), E2ESecondsCount: count(1e6)},
		)
	}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		product, _ := n.GPUProduct.Get()
		for g := range n.GPUAllocatable {
			if seen[n.Node] {
				break
			}
			card := usage.GPU{
				TS:              n.TS,
				Node:            n.Node,
				GPUIndex:        g,
				GPUUUID:         fmt.Sprintf("GPU-%08x-%04x-4000-8000-%012x", r.Uint32(), g, r.Uint64()>>16),
				GPUProduct:      product,
				UtilPercent:     usage.Some(0.0),
				UtilSource:      usage.Some("DCGM_FI_DEV_GPU_UTIL"),
				MemoryUsedBytes: usage.Some(r.Int64N(80 << 30)),
				MemoryTotalBytes: usage.Some[int64](
					80 << 30,
				),
				PowerWatts:             usage.Some(70.0),
				EnergyMillijoulesTotal: usage.Some(r.Int64N(1e13)),
				TemperatureCelsius: usage.Some[int32](
					40,
				),
				SMClockMHz: usage.Some[int32](1980),
				XIDLast:    usage.Some[int32](0),
				Source:     "dcgm",
			}
			if held := holders[n.Node]; len(held) > 0 {
				card.Namespace, card.Pod, card.Container, card.ShareCount = usage.Some(
					held[0].Namespace,
				), usage.Some(
					held[0].Pod,
				), usage.Some(
					"server",
				), 1
				card.UtilPercent, card.PowerWatts = usage.Some(float64(r.IntN(100))), usage.Some(200+300*r.Float64())
				holders[n.Node] = held[1:]
			}
			s.GPUs = append(s.GPUs, card)
		}
	}
	for i := range s.Pods {
		p := &s.Pods[i]
		p.GPUUtilPercent, p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes = usage.Opt[float64]{}, usage.Opt[int64]{}, usage.Opt[int64]{}
		p.GPUPowerWatts, p.GPUAttribution = usage.Opt[float64]{}, usage.Opt[string]{}
	}
}

// walk moves everything on to the instant and appends a copy of it. Half of
// the pods do next to nothing, as pods do.
func walk(r *rand.Rand, now *usage.Sample, ts time.Time, into *usage.Sample) {
	near := func(v usage.Opt[int64], by float64) usage.Opt[int64] {
		x, ok := v.Get()
		if !ok {
			return v
		}
		return usage.Some(max(1, x+int64(by*float64(x)*(r.Float64()-0.5))))
	}
	percent := func(v usage.Opt[float64]) usage.Opt[float64] {
		x, ok := v.Get()
		if !ok || x == 0 {
			return v
		}
		return usage.Some(min(100, max(1, float64(int(x+10*(r.Float64()-0.5))))))
	}
	grow := func(v *usage.Opt[int64], by int64) {
		if x, ok := v.Get(); ok && by > 0 {
			*v = usage.Some(x + r.Int64N(by))
		}
	}
	growSeconds := func(v *usage.Opt[float64], by float64) {
		if x, ok := v.Get(); ok {
			*v = usage.Some(x + by*r.Float64())
		}
	}
	restarted := map[string]bool{}
	for i := range now.Pods {
		p := &now.Pods[i]
		p.TS = ts
		if i%2 == 0 || r.IntN(8) == 0 {
			p.CPUUsageMillicores = near(p.CPUUsageMillicores, 0.2)
		}
		if i%2 == 0 || r.IntN(4) == 0 {
			p.MemoryUsageBytes = near(p.MemoryUsageBytes, 0.02)
			if x, ok := p.MemoryUsageBytes.Get(); ok {
				p.MemoryUsageBytes = usage.Some(x &^ 4095)
			}
		}
		if r.IntN(200_000) == 0 {
			p.Restarts++
			restarted[p.PodUID] = true
		}
	}
	for i := range now.Nodes {
		n := &now.Nodes[i]
		n.TS, n.CPUUsageMillicores, n.MemoryUsageBytes = ts, near(n.CPUUsageMillicores, 0.1), near(n.MemoryUsageBytes, 0.01)
	}
	for i := range now.GPUs {
		g := &now.GPUs[i]
		g.TS, g.UtilPercent = ts, percent(g.UtilPercent)
		if w, ok := g.PowerWatts.Get(); ok {
			w = max(60, w+20*(r.Float64()-0.5))
			w = float64(int(w*1000)) / 1000
			g.PowerWatts = usage.Some(w)
			if e, ok := g.EnergyMillijoulesTotal.Get(); ok {
				g.EnergyMillijoulesTotal = usage.Some(e + int64(w*1000*samplePeriod.Seconds()))
			}
		}
	}
	for i := range now.Engines {
		e := &now.Engines[i]
		e.TS = ts
		if restarted[e.PodUID] {
			e.PromptTokensTotal, e.GenerationTokensTotal, e.RequestsTotal = usage.Some[int64](0), usage.Some[int64](0), usage.Some[int64](0)
		}
		running, ok := e.RequestsRunning.Get()
		if ok {
			running = max(0, running+r.Int64N(7)-3)
			e.RequestsRunning = usage.Some(running)
		}
		if e.RequestsWaiting.Present() {
			e.RequestsWaiting = usage.Some(max(0, running-30))
		}
		if x, ok := e.KVCacheUsageRatio.Get(); ok {
			e.KVCacheUsageRatio = usage.Some(min(1, max(0, x+0.05*(r.Float64()-0.5))))
		}
		requests := running * 3
		grow(&e.RequestsTotal, requests)
		grow(&e.PromptTokensTotal, requests*800)
		grow(&e.GenerationTokensTotal, requests*200)
		grow(&e.PrefixCacheQueriesTotal, requests*800)
		grow(&e.PrefixCacheHitsTotal, requests*300)
		grow(&e.TTFTSecondsCount, requests)
		grow(&e.InterTokenSecondsCount, requests*200)
		grow(&e.E2ESecondsCount, requests)
		growSeconds(&e.TTFTSecondsSum, float64(requests)*0.3)
		growSeconds(&e.InterTokenSecondsSum, float64(requests)*4)
		growSeconds(&e.E2ESecondsSum, float64(requests)*5)
	}
	first := len(into.Pods)
	into.Pods, into.Nodes = append(into.Pods, now.Pods...), append(into.Nodes, now.Nodes...)
	into.GPUs, into.Engines = append(into.GPUs, now.GPUs...), append(into.Engines, now.Engines...)
	gpu.Attribute(into.Pods[first:], now.GPUs)
	for range 3 {
		n := now.Nodes[r.IntN(len(now.Nodes))].Node
		into.Gaps = append(into.Gaps, usage.Gap{TS: ts, Source: "dcgm", Target: n, Reason: "connection refused"})
	}
}
