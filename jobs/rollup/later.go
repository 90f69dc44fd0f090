package rollup

import (
	"context"
	"io"

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
		read := m.runs[i].read
		if s.later == nil || read == nil {
			continue
		}
		m.runs[i].read = func(rows []usage.Pod) (int, error) {
			n, err := read(rows)
			for k := range rows[:n] {
				if g := s.later[podInstant{podKey{rows[k].Namespace, rows[k].Pod}, rows[k].TS.UnixMilli()}]; g != nil {
					g.give(&rows[k])
				}
			}
			return n, err
		}
	}
	return m, nil
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
		var gpus []usage.GPU
		for _, s := range minute {
			if name := s.objects[usage.GPUs]; s.node != "" && name != "" {
				rows, err := store.GPUs.Read(ctx, j.Bucket, name)
				if err != nil {
					return err
				}
				gpus = append(gpus, rows...)
			}
		}
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
	r, err := store.Pods.Open(ctx, j.Bucket, s.objects[usage.Pods])
	if err != nil {
		return err
	}
	defer r.Close()
	var pods []usage.Pod
	for block := make([]usage.Pod, blockRows); ; {
		n, err := r.Read(block)
		if err != nil && err != io.EOF {
			return err
		}
		for i := range block[:n] {
			if block[i].GPUAttribution == usage.Some(usage.Unknown) {
				pods = append(pods, block[i])
			}
		}
		if err == io.EOF {
			break
		}
	}
	gpu.AttributeLater(pods, gpus)
	s.later = map[podInstant]*podGPUs{}
	for i := range pods {
		p := &pods[i]
		s.later[podInstant{podKey{p.Namespace, p.Pod}, p.TS.UnixMilli()}] = &podGPUs{p.GPUUtilPercent, p.GPUPowerWatts, p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes, p.GPUAttribution}
	}
	return nil
}
