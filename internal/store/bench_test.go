package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// fleet is one sample of n pods as a cluster has them: names and UIDs that
// are all different, everything else shared by many, a tenth with GPUs.
func fleet(n int) []usage.Pod {
	r := rand.New(rand.NewPCG(7, 8))
	at := time.UnixMilli(1_767_225_600_000).UTC()
	pods := make([]usage.Pod, n)
	for i := range pods {
		owner := fmt.Sprintf("service-%d", r.IntN(1+n/10))
		p := usage.Pod{
			TS: at, Namespace: fmt.Sprintf("team-%d", i%40), Pod: fmt.Sprintf("%s-%08x-%05x", owner, r.Uint32(), i),
			PodUID: fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Uint64()>>16),
			Node:   usage.Some(fmt.Sprintf("node-%d", r.IntN(1+n/30))), OwnerKind: usage.Some("Deployment"), Owner: usage.Some(owner),
			Phase: "Running", Ready: true, Restarts: int32(r.IntN(3)), CreatedAt: at.Add(-time.Duration(r.IntN(1e9)) * time.Millisecond),
			StartedAt: usage.Some(at.Add(-time.Hour)), Image: "registry.example/" + owner + ":v1",
			CPUUsageMillicores: usage.Some(r.Int64N(2000)), CPURequestMillicores: usage.Some[int64](1000),
			MemoryUsageBytes: usage.Some(r.Int64N(1 << 33)), MemoryRequestBytes: usage.Some[int64](4 << 30), MemoryLimitBytes: usage.Some[int64](8 << 30),
		}
		if i%10 == 0 {
			p.Engine, p.Model, p.Role, p.IdentifiedBy = usage.VLLM, usage.Some(fmt.Sprintf("model-%d", r.IntN(20))), usage.Some("decode"), usage.Some("command")
			p.GPURequest, p.GPUUtilPercent, p.GPUPowerWatts = 8, usage.Some(float64(r.IntN(800))/8), usage.Some(200+float64(r.IntN(5000))/10)
			p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes, p.GPUAttribution = usage.Some(r.Int64N(640<<30)), usage.Some[int64](640<<30), usage.Some(usage.Exclusive)
		}
		pods[i] = p
	}
	slices.SortFunc(pods, usage.ComparePods)
	return pods
}

func benchmarkEncode(b *testing.B, n int) {
	rows, bytes := fleet(n), 0
	b.ReportAllocs()
	for b.Loop() {
		body, err := Pods.Encode(rows, Metadata{})
		if err != nil {
			b.Fatal(err)
		}
		bytes = len(body)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/float64(n), "bytes/row")
}

func benchmarkDecode(b *testing.B, n int) {
	body, err := Pods.Encode(fleet(n), Metadata{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Pods.Decode(body); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkEncodeSmall(b *testing.B) { benchmarkEncode(b, 100) }
func BenchmarkEncodeLarge(b *testing.B) { benchmarkEncode(b, 100_000) }
func BenchmarkDecodeSmall(b *testing.B) { benchmarkDecode(b, 100) }
func BenchmarkDecodeLarge(b *testing.B) { benchmarkDecode(b, 100_000) }
