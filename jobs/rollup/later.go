package rollup

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// openPods opens the pods, with the GPU figures that their nodes gave.
func (j *Job) openPods(ctx context.Context, sources []*source) (*merger[usage.Pod], error) {
	m, err := open(ctx, j, sources, store.Pods, podOrder)
	if err != nil {
		return nil, err
	}
	for i, s := range sources {
		if s.later == nil {
			continue
		}
		s.giveLater(m.runs[i].rows)
		if read := m.runs[i].read; read != nil {
			m.runs[i].read = func(rows []usage.Pod) (int, error) {
				n, err := read(rows)
				s.giveLater(rows[:n])
				return n, err
			}
		}
	}
	return m, nil
}

// giveLater gives pods the figures of their GPUs that came later.
func (s *source) giveLater(pods []usage.Pod) {
	for i := range pods {
		if g := s.later[podInstant{podKey{pods[i].Namespace, pods[i].Pod}, pods[i].TS.UnixMilli()}]; g != nil {
			g.give(&pods[i])
		}
	}
}

// podInstant is a pod at one instant, in Unix milliseconds.
type podInstant struct {
	podKey
	ts int64
}

// podGPUs are a pod's figures of its GPUs.
type podGPUs struct {
	util, power usage.Opt[float64]
	used, total usage.Opt[int64]
	attribution usage.Opt[string]
}

func (g *podGPUs) give(p *usage.Pod) {
	p.GPUUtilPercent, p.GPUPowerWatts, p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes, p.GPUAttribution = g.util, g.power, g.used, g.total, g.attribution
}

// attributeLater gives the pods of a minute the figures of the GPUs that NVML
// read on their nodes, of which the cluster's own snapshot knows nothing.
func (j *Job) attributeLater(ctx context.Context, sources []*source) error {
	for first := 0; first < len(sources); {
		end := first + 1
		for end < len(sources) && sources[end].at.Equal(sources[first].at) {
			end++
		}
		minute := sources[first:end]
		if first = end; len(minute) == 1 {
			continue
		}
		parts := make([][]usage.GPU, len(minute))
		group, groupCtx := errgroup.WithContext(ctx)
		group.SetLimit(parallelReads)
		for i, s := range minute {
			if name := s.objects[usage.GPUs]; s.node != "" && name != "" {
				group.Go(func() (err error) { parts[i], err = store.GPUs.Read(groupCtx, j.Bucket, name); return err })
			}
		}
		if err := group.Wait(); err != nil {
			return err
		}
		gpus := slices.Concat(parts...)
		for _, s := range minute {
			if err := j.attributePods(ctx, s, gpus); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *Job) attributePods(ctx context.Context, s *source, gpus []usage.GPU) error {
	if s.objects[usage.Pods] == "" {
		return nil
	}
	m, err := open(ctx, j, []*source{s}, store.Pods, podOrder)
	if err != nil {
		return err
	}
	var pods []usage.Pod
	err = each(m, func(p *usage.Pod) {
		if p.GPUAttribution == usage.Some(usage.Unknown) {
			pods = append(pods, *p)
		}
	})
	if err != nil {
		return err
	}
	gpu.AttributeLater(pods, gpus)
	s.later = map[podInstant]*podGPUs{}
	for i := range pods {
		p := &pods[i]
		s.later[podInstant{podKey{p.Namespace, p.Pod}, p.TS.UnixMilli()}] = &podGPUs{p.GPUUtilPercent, p.GPUPowerWatts, p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes, p.GPUAttribution}
	}
	return nil
}
