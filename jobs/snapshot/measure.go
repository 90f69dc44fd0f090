package snapshot

import (
	"cmp"
	"context"
	"time"

	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/gpu/nvml"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/serving"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// inspect completes a pod's row with what it serves, and keeps of its
// specification what there is to scrape.
func (j *Job) inspect(d *usage.PodDetail) (keep bool) {
	id := serving.Identify(d)
	row := &d.Row
	row.Image = cmp.Or(id.Image, row.Image)
	row.Engine, row.Model, row.ModelPath = id.Engine, id.Model, id.ModelPath
	row.Role, row.ReplicaGroup, row.IdentifiedBy = id.Role, id.ReplicaGroup, id.IdentifiedBy
	if _, ok := serving.Target(d, id); ok {
		j.engines[d] = id
		d.Labels, d.Annotations, d.Containers = nil, nil, nil // they have told
		return true
	}
	return gpu.IsExporter(d)
}

// measure completes one sample of the cluster with what exporters and engines
// say and appends its rows. Whoever does not answer is a gap; the error is the
// context's alone.
func (j *Job) measure(ctx context.Context, ts time.Time, cluster *kube.Cluster, scrapes *scrapes, all *samples) error {
	scrapes.wait(scrapeTime)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	gpus, engines, gaps := scrapes.answers(cluster.Nodes, j.targets(cluster))
	all.pods = append(all.pods, sampledPods(cluster, gpus, scrapes.engines))
	all.engines = append(all.engines, engines...)
	all.gpus = append(all.gpus, gpus...)
	for _, n := range cluster.Nodes {
		n.TS = ts
		all.nodes = append(all.nodes, n)
	}
	for _, g := range append(gaps, cluster.Gaps...) {
		g.TS = ts
		all.gaps = append(all.gaps, g)
	}
	all.taken = append(all.taken, ts)
	return nil
}

// measureNode appends the GPUs of the node that this runs on, or why they could
// not be read; the error is the context's alone.
func (j *Job) measureNode(ctx context.Context, ts time.Time, all *samples) error {
	gpus, gaps, err := nvml.ReadNode(ctx, j.KubeletSocket, j.Node, ts)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		j.Log.Warn("the node's GPUs cannot be read", "node", j.Node, "err", err)
		gaps = append(gaps, usage.Gap{TS: ts, Source: gpu.NVMLSource, Target: j.Node, Reason: err.Error()})
	}
	all.gpus, all.gaps = append(all.gpus, gpus...), append(all.gaps, gaps...)
	all.taken = append(all.taken, ts)
	return nil
}

// targets are the pods that there is something to scrape of. What is known of
// the engines among pods that are no more is forgotten.
func (j *Job) targets(cluster *kube.Cluster) (details []*usage.PodDetail) {
	engines := make(map[*usage.PodDetail]serving.Identity, len(j.engines))
	for _, p := range cluster.Pods {
		if p.Detail == nil {
			continue
		}
		details = append(details, p.Detail)
		if id, ok := j.engines[p.Detail]; ok {
			engines[p.Detail] = id
		}
	}
	j.engines = engines
	return details
}
