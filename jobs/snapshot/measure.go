package snapshot

import (
	"cmp"
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/serving"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// maxScrapes bounds the exporters and engines that are asked at once.
const maxScrapes = 64

// scrapeTime bounds the scrapes of one sample together, so that a network that
// swallows them all does not eat the next sample's time.
const scrapeTime = 20 * time.Second

// errScrapeTime is why a scrape that was due after scrapeTime was not made.
var errScrapeTime = errors.New("the scrapes of this sample took too long together: " +
	"many targets do not answer, so a NetworkPolicy may keep the monitor out")

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
func (j *Job) measure(ctx context.Context, ts time.Time, cluster *kube.Cluster, all *samples) error {
	targets := j.targets(cluster)
	gpus, engines, gaps := j.scrape(ctx, ts, cluster.Nodes, targets)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// A server whose specification does not name its model names it itself, and
	// in an image of another engine it says which it is.
	answered := make(map[*usage.PodDetail]usage.Engine, len(engines))
	for _, e := range engines {
		answered[e.detail] = e.row
		all.engines = append(all.engines, e.row)
	}
	all.pods = append(all.pods, sampledPods(cluster, gpus, answered))
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
	gpus, gaps, err := gpu.ReadNode(ctx, j.KubeletSocket, j.Node, ts)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		j.Log.Warn("the node's GPUs cannot be read", "node", j.Node, "err", err)
		gaps = append(gaps, usage.Gap{TS: ts, Source: "nvml", Target: j.Node, Reason: err.Error()})
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

// engine is an engine's row and whose it is.
type engine struct {
	detail *usage.PodDetail
	row    usage.Engine
}

// scrape asks all exporters and engines among the targets, in an order of its
// own, and gives the answers in the order of nodes and pods.
func (j *Job) scrape(ctx context.Context, ts time.Time, nodes []usage.Node, targets []*usage.PodDetail) (gpus []usage.GPU, engines []engine, gaps []usage.Gap) {
	ctx, cancel := context.WithTimeoutCause(ctx, scrapeTime, errScrapeTime)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(maxScrapes)

	var exporters []gpu.Exporter
	if !j.NoExporters {
		exporters = gpu.Exporters(targets)
	}
	gpusOf, gpuErrs := make([][]usage.GPU, len(exporters)), make([]error, len(exporters))
	for i, e := range exporters {
		group.Go(func() error {
			gpusOf[i], gpuErrs[i] = gpu.Scrape(ctx, j.HTTP, e, ts)
			gpuErrs[i] = because(ctx, gpuErrs[i])
			return nil
		})
	}
	rows, engineErrs := make([]usage.Engine, len(targets)), make([]error, len(targets))
	for i, d := range targets {
		if id, ok := j.engines[d]; ok {
			group.Go(func() error {
				rows[i], engineErrs[i] = serving.Scrape(ctx, j.HTTP, d, id, ts)
				engineErrs[i] = because(ctx, engineErrs[i])
				return nil
			})
		}
	}
	_ = group.Wait() // its functions return nil

	scraped := make(map[string]bool, len(exporters))
	for i, e := range exporters {
		scraped[e.Node] = true
		if gpuErrs[i] != nil {
			gaps = append(gaps, usage.Gap{Source: "dcgm", Target: e.Node, Reason: gpuErrs[i].Error()})
		}
		gpus = append(gpus, gpusOf[i]...)
	}
	for _, n := range nodes {
		if !j.NoExporters && n.GPUAllocatable > 0 && n.Ready && !scraped[n.Node] {
			gaps = append(gaps, usage.Gap{Source: "dcgm", Target: n.Node, Reason: "no DCGM exporter runs on this node, " +
				"or none in a namespace that is watched: install the GPU operator or the dcgm-exporter chart"})
		}
	}
	for i, d := range targets {
		switch _, asked := j.engines[d]; {
		case !asked:
		case engineErrs[i] != nil:
			gaps = append(gaps, usage.Gap{Source: "engine", Target: d.Row.Namespace + "/" + d.Row.Pod, Reason: engineErrs[i].Error()})
		default:
			engines = append(engines, engine{d, rows[i]})
		}
	}
	return gpus, engines, gaps
}

// because replaces the error of a scrape that the end of all scrapes cut off.
func because(ctx context.Context, err error) error {
	if err != nil && context.Cause(ctx) == errScrapeTime {
		return errScrapeTime
	}
	return err
}
