package committed

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// podInstant is a pod at one instant, in Unix milliseconds.
type podInstant struct {
	namespace, pod string
	ts             int64
}

func instantOf(p *usage.Pod) podInstant { return podInstant{p.Namespace, p.Pod, p.TS.UnixMilli()} }

// gpuFigures are a pod's figures of its GPUs.
type gpuFigures struct {
	util, power usage.Opt[float64]
	used, total usage.Opt[int64]
	attribution usage.Opt[string]
}

// fillGPUs sets the figures of pods whose nodes reported their GPUs.
func (s *Source) fillGPUs(pods []usage.Pod) []usage.Pod {
	for i := range pods {
		p := &pods[i]
		if g := s.joined[instantOf(p)]; g != nil {
			p.GPUUtilPercent, p.GPUPowerWatts = g.util, g.power
			p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes = g.used, g.total
			p.GPUAttribution = g.attribution
		}
	}
	return pods
}

// joinNodes attributes the GPUs that NVML read on the nodes to the pods of the
// cluster's snapshot of the same minute, which knows nothing of them. Minutes
// without snapshots of nodes cost no request.
func (r Reader) joinNodes(ctx context.Context, sources []*Source) error {
	for first := 0; first < len(sources); {
		end := first + 1
		for end < len(sources) && sources[end].At.Equal(sources[first].At) {
			end++
		}
		minute := sources[first:end]
		first = end
		if len(minute) == 1 {
			continue
		}
		gpus, err := r.nodesGPUs(ctx, minute)
		if err != nil {
			return err
		}
		for _, s := range minute {
			if err := r.joinPods(ctx, s, gpus); err != nil {
				return err
			}
		}
	}
	return nil
}

// nodesGPUs reads the GPUs of the nodes' snapshots of one minute.
func (r Reader) nodesGPUs(ctx context.Context, minute []*Source) ([]usage.GPU, error) {
	parts := make([][]usage.GPU, len(minute))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallelReads)
	for i, s := range minute {
		if name := s.objects[usage.GPUs]; s.Node != "" && name != "" {
			group.Go(func() (err error) {
				parts[i], err = store.GPUs.Read(groupCtx, r.Bucket, name)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var gpus []usage.GPU
	for _, part := range parts {
		gpus = append(gpus, part...)
	}
	return gpus, nil
}

func (r Reader) joinPods(ctx context.Context, s *Source, gpus []usage.GPU) error {
	if s.objects[usage.Pods] == "" {
		return nil
	}
	rows, err := store.Pods.Merge(ctx, r.Bucket, []store.MergeInput[usage.Pod]{{Name: s.objects[usage.Pods]}})
	if err != nil {
		return err
	}
	var pods []usage.Pod
	err = rows.Each(func(p *usage.Pod) {
		if p.GPUAttribution == usage.Some(usage.Unknown) {
			pods = append(pods, *p)
		}
	})
	if err != nil {
		return err
	}
	gpu.AttributeLater(pods, gpus)
	s.joined = map[podInstant]*gpuFigures{}
	for i := range pods {
		p := &pods[i]
		s.joined[instantOf(p)] = &gpuFigures{p.GPUUtilPercent, p.GPUPowerWatts, p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes, p.GPUAttribution}
	}
	return nil
}
