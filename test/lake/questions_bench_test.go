package lake

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/internal/views"
)

// BenchmarkQuestions asks DuckDB what people ask, of a month of 1,000 pods: 720
// hours of statistics, a week of samples, and the open hour's raw objects. The
// views are made anew for each, as a session is that asks one question.
func BenchmarkQuestions(b *testing.B) {
	dir := b.TempDir()
	if err := writeMonth(b.Context(), dir, time.Now().UTC().Truncate(time.Minute)); err != nil {
		b.Fatal(err)
	}
	for _, name := range views.QuestionNames {
		q, err := views.Ask(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			rows := 0
			for b.Loop() {
				b.StopTimer()
				db := openViews(b, dir, "bench")
				b.StartTimer()
				rows = 0
				answer, err := db.Query(q.SQL)
				if err != nil {
					b.Fatal(err)
				}
				for answer.Next() {
					rows++
				}
				if err := answer.Err(); err != nil {
					b.Fatal(err)
				}
				answer.Close()
				b.StopTimer()
				db.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(rows), "rows")
		})
	}
	b.Run("session", func(b *testing.B) {
		for b.Loop() {
			openViews(b, dir, "bench").Close()
		}
	})
}

// writeMonth fills dir with the month before now of a cluster of 1,000 pods.
func writeMonth(ctx context.Context, dir string, now time.Time) error {
	r := rand.New(rand.NewPCG(1, 1))
	s, err := look(ctx, dir+"/look", 32)
	if err != nil {
		return err
	}
	complete(r, &s)
	fmt.Fprintf(os.Stderr, "a month of %d pods, %d GPUs, %d engines\n", len(s.Pods), len(s.GPUs), len(s.Engines))
	into, open := bucket.Dir(dir), now.Truncate(time.Hour)
	for hour := open.Add(-30 * 24 * time.Hour); hour.Before(open); hour = hour.Add(time.Hour) {
		if err := writeStatistics(ctx, r, into, hour, &s); err != nil {
			return err
		}
	}
	sort(&s) // as complete left its GPUs and engines, they are not in order
	var rows usage.Sample
	for hour := open.Add(-7 * 24 * time.Hour); hour.Before(open); hour = hour.Add(time.Hour) {
		rows.Pods, rows.Nodes, rows.GPUs, rows.Engines = rows.Pods[:0], rows.Nodes[:0], rows.GPUs[:0], rows.Engines[:0]
		for i := range 120 {
			walk(r, &s, hour.Add(time.Duration(i)*samplePeriod), &rows)
		}
		if err := writeSamples(ctx, into, hour, rows); err != nil {
			return err
		}
	}
	for at := open; at.Before(now); at = at.Add(time.Minute) {
		rows = usage.Sample{}
		sampled := []time.Time{at, at.Add(samplePeriod)}
		walk(r, &s, sampled[0], &rows)
		walk(r, &s, sampled[1], &rows)
		sort(&rows)
		if err := commit(ctx, into, "bench", at, "", sampled, rows); err != nil {
			return err
		}
	}
	return nil
}

// writeSamples writes an hour's rows as the rollup does when it has closed.
// They come an instant after the other.
func writeSamples(ctx context.Context, b bucket.Bucket, hour time.Time, s usage.Sample) error {
	name := func(table string) string {
		return layout.Object{Tier: layout.Samples, Table: table, Cluster: "bench", Time: hour}.Name()
	}
	return cmp.Or(
		write(ctx, b, store.Pods, name(usage.Pods), together(s.Pods)),
		write(ctx, b, store.Nodes, name(usage.Nodes), together(s.Nodes)),
		write(ctx, b, store.GPUs, name(usage.GPUs), together(s.GPUs)),
		write(ctx, b, store.Engines, name(usage.Engines), together(s.Engines)))
}

// together puts the rows of 120 instants that belong to one thing together.
func together[T any](rows []T) []T {
	things := len(rows) / 120
	out := make([]T, 0, len(rows))
	for i := range things {
		for k := range 120 {
			out = append(out, rows[k*things+i])
		}
	}
	return out
}

func write[T any](ctx context.Context, b bucket.Bucket, table *store.Table[T], name string, rows []T) error {
	_, err := table.Write(ctx, b, name, rows, store.Metadata{Cluster: "bench"})
	return err
}

// writeStatistics writes an hour of figures of all pods, models and nodes.
func writeStatistics(ctx context.Context, r *rand.Rand, b bucket.Bucket, hour time.Time, s *usage.Sample) error {
	around := func(v float64) usage.Distribution {
		v *= 0.9 + 0.2*r.Float64()
		return usage.Distribution{Avg: usage.Some(v), P50: usage.Some(v * 0.98), P95: usage.Some(v * 1.2), Max: usage.Some(v * 1.3)}
	}
	opt := func(v usage.Opt[int64]) float64 { x, _ := v.Get(); return float64(x) }
	figures := func(cpu, memory float64, gpus int32, tokens bool) usage.Statistics {
		st := usage.Statistics{
			Samples:            120,
			ExpectedSamples:    120,
			CPUUsageMillicores: around(cpu),
			MemoryUsageBytes:   around(memory),
			Pods:               around(1),
			Replicas:           around(1),
		}
		if gpus > 0 {
			idle := float64(gpus) * r.Float64()
			st.GPUUtilPercent, st.GPUPowerWatts = around(60), around(300*float64(gpus))
			st.GPUHoursAllocated, st.GPUHoursIdleHeld, st.GPUHoursActive = usage.Some(
				float64(gpus),
			), usage.Some(
				idle,
			), usage.Some(
				float64(gpus)-idle,
			)
			st.EnergyMillijoules = usage.Some(int64(300 * float64(gpus) * 3.6e6))
		}
		if tokens {
			st.PromptTokens, st.GenerationTokens, st.Requests = usage.Some(
				r.Int64N(1e8),
			), usage.Some(
				r.Int64N(1e7),
			), usage.Some(
				r.Int64N(1e5),
			)
			st.TokensPerGPUHour = usage.Some(1e6 * r.Float64())
		}
		return st
	}
	var pods []usage.PodHour
	gpus := map[[3]string]int32{} // of the models
	for i := range s.Pods {
		p := &s.Pods[i]
		pods = append(
			pods,
			usage.PodHour{Hour: hour, Namespace: p.Namespace, Pod: p.Pod, PodUID: p.PodUID, Node: p.Node, Engine: p.Engine, Model: p.Model,
				Statistics: figures(opt(p.CPUUsageMillicores), opt(p.MemoryUsageBytes), p.GPURequest, p.Engine != usage.NoEngine)},
		)
		if p.Engine != usage.NoEngine {
			model, _ := p.Model.Get()
			gpus[[3]string{p.Namespace, p.Engine, model}] += p.GPURequest
		}
	}
	var models []usage.ModelHour
	for _, k := range slices.SortedFunc(maps.Keys(gpus), func(a, b [3]string) int { return slices.Compare(a[:], b[:]) }) {
		models = append(
			models,
			usage.ModelHour{Hour: hour, Namespace: k[0], Engine: k[1], Model: k[2], Statistics: figures(4000, 1e11, gpus[k], true)},
		)
	}
	var nodes []usage.NodeHour
	for i := range s.Nodes {
		n := &s.Nodes[i]
		nodes = append(
			nodes,
			usage.NodeHour{
				Hour:       hour,
				Node:       n.Node,
				GPUProduct: n.GPUProduct,
				Statistics: figures(opt(n.CPUUsageMillicores), opt(n.MemoryUsageBytes), n.GPUAllocatable, false),
			},
		)
	}
	name := func(table string) string {
		return layout.Object{Tier: layout.Hourly, Table: table, Cluster: "bench", Time: hour}.Name()
	}
	return cmp.Or(
		write(ctx, b, store.PodHours, name(usage.Pods), pods),
		write(ctx, b, store.ModelHours, name(usage.Models), models),
		write(ctx, b, store.NodeHours, name(usage.Nodes), nodes),
		write(
			ctx,
			b,
			store.ClusterHours,
			name(usage.Cluster),
			[]usage.ClusterHour{{Hour: hour, Statistics: figures(1e6, 1e13, 100, true)}},
		),
	)
}
