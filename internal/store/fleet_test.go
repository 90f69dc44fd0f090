package store

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// letters is the alphabet of the random part of Kubernetes' names.
const letters = "bcdfghjklmnpqrstvwxz2456789"

func randomName(r *rand.Rand, alphabet string, n int) string {
	name := make([]byte, n)
	for i := range name {
		name[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(name)
}

// fleet is a cluster's pods, each with the given number of samples 30 s apart.
// It has what makes such rows large and what makes them small: names and UIDs
// that are random, Deployments of many like pods, rollouts to the second,
// requests of a few sizes, memory in whole pages, a tenth of the pods with
// GPUs. A pod's samples share most values, as strings even their memory.
func fleet(pods, samples int) []usage.Pod {
	r := rand.New(rand.NewPCG(7, 8))
	at := time.UnixMilli(1_767_225_600_000).UTC()
	rows := make([]usage.Pod, 0, pods*samples)
	nodes := make([]string, 1+pods/30)
	for i := range nodes {
		nodes[i] = fmt.Sprintf("ip-10-%d-%d-%d.eu-west-1.compute.internal", r.IntN(64), r.IntN(256), r.IntN(256))
	}
	for len(rows) < pods*samples {
		service := "svc-" + randomName(r, "abcdefghijklmnopqrstuvwxyz", 3)
		set := service + "-" + randomName(r, "456789bcdf", 8+r.IntN(3))
		rollout := at.Add(-time.Duration(r.IntN(30*86400)) * time.Second)
		model := fmt.Sprintf("org/model-%d", r.IntN(20))
		onGPUs := r.IntN(10) == 0
		replicas := int(math.Exp(5.3 * r.Float64())) // 1 to 200, most Deployments have few and most pods have many
		wave := 1 + replicas/4                       // maxSurge 25 %
		p := usage.Pod{
			Namespace: fmt.Sprintf("team-%d", r.IntN(1+pods/750)), OwnerKind: usage.Some("Deployment"), Owner: usage.Some(service),
			Phase: "Running", Ready: true, Image: fmt.Sprintf("registry.example.com/platform/%s:v1.%d.%d", service, r.IntN(30), r.IntN(10)),
			CPURequestMillicores: usage.Some(int64(100 * (1 + r.IntN(20)))), MemoryRequestBytes: usage.Some(int64(256<<20) << r.IntN(6)),
		}
		p.MemoryLimitBytes = p.MemoryRequestBytes
		if onGPUs {
			p.Engine, p.Model, p.ModelPath = usage.VLLM, usage.Some(model), usage.Some("/models/"+model)
			p.Role, p.IdentifiedBy, p.GPURequest = usage.Some("decode"), usage.Some("command"), 1<<r.IntN(4)
			p.GPUMemoryTotalBytes, p.GPUAttribution = usage.Some(int64(p.GPURequest)*(80<<30)), usage.Some(usage.Exclusive)
		}
		load := r.Float64()
		for i := range min(replicas, pods-len(rows)/samples) {
			p := p
			p.Pod = set + "-" + randomName(r, letters, 5)
			p.PodUID = fmt.Sprintf(
				"%08x-%04x-4%03x-%x%03x-%012x",
				r.Uint32(),
				r.IntN(1<<16),
				r.IntN(1<<12),
				8+r.IntN(4),
				r.IntN(1<<12),
				r.Uint64()>>16,
			)
			p.Node = usage.Some(nodes[r.IntN(len(nodes))])
			p.CreatedAt = rollout.Add(time.Duration(i/wave*25) * time.Second)
			p.StartedAt = usage.Some(p.CreatedAt.Add(time.Duration(1+r.IntN(3)) * time.Second))
			if r.IntN(20) == 0 {
				p.Restarts = int32(r.IntN(9))
			}
			request, _ := p.CPURequestMillicores.Get()
			cpu := float64(request) * load * load * math.Exp(r.NormFloat64()/3)
			memory, _ := p.MemoryRequestBytes.Get()
			pages := int64(float64(memory>>12) * (0.3 + load/2 + r.Float64()/20))
			gpuMemory := int64(p.GPURequest) * (70<<30 + int64(r.IntN(64))<<20)
			for s := range samples {
				p.TS = at.Add(time.Duration(s) * 30 * time.Second)
				p.CPUUsageMillicores = usage.Some(1 + int64(cpu*(0.9+r.Float64()/5)))
				pages += int64(r.IntN(33) - 16)
				p.MemoryUsageBytes = usage.Some(pages << 12)
				if onGPUs {
					p.GPUUtilPercent = usage.Some(float64(r.IntN(int(100*p.GPURequest))) / float64(p.GPURequest))
					p.GPUPowerWatts = usage.Some(float64(p.GPURequest) * float64(3000+r.IntN(3000)) / 10)
					p.GPUMemoryUsedBytes = usage.Some(gpuMemory)
				}
				rows = append(rows, p)
			}
		}
	}
	Pods.Sort(rows)
	return rows
}
