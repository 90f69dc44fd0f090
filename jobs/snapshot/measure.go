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

// measure completes one sample of the cluster with what exporters and engines
// say and appends its rows. Whoever does not answer is a gap; the error is the
// context's alone.
func (j *Job) measure(ctx context.Context, ts time.Time, cluster *kube.Cluster, all *usage.Sample) error {
	identities := j.identify(cluster.Pods)
	gpus, engines, gaps := j.scrape(ctx, ts, cluster, identities)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// A server whose specification does not name its model names it itself.
	named := make(map[*usage.PodDetail]usage.Opt[string], len(engines))
	for _, e := range engines {
		named[e.detail] = e.row.Model
		all.Engines = append(all.Engines, e.row)
	}
	first := len(all.Pods)
	if first == 0 {
		all.Pods = make([]usage.Pod, 0, j.SamplesPerRun*len(cluster.Pods))
	}
	for i, d := range cluster.Pods {
		row, id := d.Row, identities[i]
		row.TS = ts
		row.Image = cmp.Or(id.Image, row.Image)
		row.Engine, row.Model, row.ModelPath = id.Engine, cmp.Or(id.Model, named[d]), id.ModelPath
		row.Role, row.ReplicaGroup, row.IdentifiedBy = id.Role, id.ReplicaGroup, id.IdentifiedBy
		u := cluster.PodUsage[kube.Name{Namespace: row.Namespace, Pod: row.Pod}] // absent figures where it was not measured
		row.CPUUsageMillicores, row.MemoryUsageBytes = u.CPUMillicores, u.MemoryBytes
		all.Pods = append(all.Pods, row)
	}
	gpu.Attribute(all.Pods[first:], gpus)
	all.GPUs = append(all.GPUs, gpus...)
	for _, n := range cluster.Nodes {
		n.TS = ts
		all.Nodes = append(all.Nodes, n)
	}
	for _, g := range append(gaps, cluster.Gaps...) {
		g.TS = ts
		all.Gaps = append(all.Gaps, g)
	}
	return nil
}

// identify says what each pod serves. A pod that has not changed since the
// last sample is the same detail, and serves the same.
func (j *Job) identify(pods []*usage.PodDetail) []serving.Identity {
	identities := make([]serving.Identity, len(pods))
	known := make(map[*usage.PodDetail]serving.Identity, len(pods))
	for i, d := range pods {
		id, ok := j.identities[d]
		if !ok {
			id = serving.Identify(d)
		}
		identities[i], known[d] = id, id
	}
	j.identities = known
	return identities
}

// engine is an engine's row and whose it is.
type engine struct {
	detail *usage.PodDetail
	row    usage.Engine
}

// scrape asks all exporters and engines, in an order of their own, and gives
// the answers in the order of nodes and pods.
func (j *Job) scrape(ctx context.Context, ts time.Time, cluster *kube.Cluster, identities []serving.Identity) (gpus []usage.GPU, engines []engine, gaps []usage.Gap) {
	ctx, cancel := context.WithTimeoutCause(ctx, scrapeTime, errScrapeTime)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(maxScrapes)

	exporters := gpu.Exporters(cluster.Pods)
	gpusOf, gpuErrs := make([][]usage.GPU, len(exporters)), make([]error, len(exporters))
	for i, e := range exporters {
		group.Go(func() error {
			gpusOf[i], gpuErrs[i] = gpu.Scrape(ctx, j.HTTP, e, ts)
			gpuErrs[i] = because(ctx, gpuErrs[i])
			return nil
		})
	}
	rows, engineErrs := make([]usage.Engine, len(cluster.Pods)), make([]error, len(cluster.Pods))
	asked := make([]bool, len(cluster.Pods))
	for i, d := range cluster.Pods {
		if _, asked[i] = serving.Target(d, identities[i]); asked[i] {
			group.Go(func() error {
				rows[i], engineErrs[i] = serving.Scrape(ctx, j.HTTP, d, identities[i], ts)
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
	for _, n := range cluster.Nodes {
		if n.GPUAllocatable > 0 && n.Ready && !scraped[n.Node] {
			gaps = append(gaps, usage.Gap{Source: "dcgm", Target: n.Node, Reason: "no DCGM exporter runs on this node, " +
				"or none in a namespace that is watched: install the GPU operator or the dcgm-exporter chart"})
		}
	}
	for i, d := range cluster.Pods {
		switch {
		case !asked[i]:
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
