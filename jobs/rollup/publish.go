package rollup

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const (
	immutable  = "public, max-age=31536000, immutable"
	revalidate = "no-cache"
	// apiRoot is where the documents of the API lie below a cluster's folder.
	apiRoot = "api/v1/resources/"
)

// publish writes the documents of the newest snapshot, the last of those given:
// first what latest.json names, last latest.json, so that a reader never mixes
// two runs.
func (j *Job) publish(ctx context.Context, res *Result, saved *savedState, snapshots []committed, at time.Time) error {
	newest := snapshots[len(snapshots)-1]
	minute := slices.DeleteFunc(slices.Clone(snapshots), func(s committed) bool { return !s.at.Equal(newest.at) }) // and what its nodes said
	sources, err := j.sources(ctx, minute)
	if err != nil {
		return err
	}
	manifest := sources[len(sources)-1].manifest // the cluster's own: names of nodes' come before it
	pods := 0
	for _, o := range manifest.Objects {
		if o.Table == usage.Pods {
			pods = o.Rows / max(1, len(manifest.SampledAt))
		}
	}
	v, err := newView(j.streams(ctx, sources), pods)
	if err != nil {
		return err
	}
	stamp := report.Stamp{Version: report.Version, Cluster: j.Cluster, GeneratedAt: at, SampledAt: v.at}
	if err := j.publishSite(ctx, res, saved); err != nil {
		return err
	}
	day, err := j.readStatistics(ctx, stamp, 24, true)
	if err != nil {
		return err
	}
	d := j.documents(ctx)
	defer d.group.Wait() // where something else fails
	// The week is read again only when an hour of it was computed anew.
	if digest := j.weekDigest(saved, at); digest != saved.Statistics {
		week, err := j.readStatistics(ctx, stamp, 168, false)
		if err != nil {
			return err
		}
		shorten(&week)
		d.put(apiRoot+"statistics-168.json", week)
		saved.Statistics = digest
	}
	summary := v.summary(day)
	shorten(&day)
	latest := report.Latest{Stamp: stamp, IntervalSeconds: int(j.Interval.Seconds()), ProgramVersion: j.ProgramVersion,
		Currency: j.Currency, Thresholds: j.Thresholds, ClusterSummary: summary, Gaps: manifest.Gaps}
	lines, err := j.readPodLines(ctx, stamp)
	if err != nil {
		return err
	}
	v.putData(d, &latest, day, lines)
	v.putAPI(d, stamp, summary, day, lines)
	if err := d.group.Wait(); err != nil {
		return err
	}
	res.Objects += d.count
	if err := j.publishMetrics(ctx, saved, at, manifest, v); err != nil {
		return err
	}
	res.Objects++
	return j.putJSON(ctx, "latest.json", latest)
}

// documents are the documents of a run, which are written side by side.
type documents struct {
	*Job
	group *errgroup.Group
	ctx   context.Context
	count int
}

func (j *Job) documents(ctx context.Context) *documents {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelReads)
	return &documents{Job: j, group: group, ctx: ctx}
}

// put writes a document that changes, under its name in the cluster's folder.
func (d *documents) put(path string, document any) {
	d.count++
	d.group.Go(func() error { return d.putJSON(d.ctx, path, document) })
}

// putData writes a document that never changes, under a name made of its
// content, and says in where which. These are large: each is made when its turn
// comes.
func (d *documents) putData(where *report.DataObject, document func() any) {
	d.count++
	d.group.Go(func() error {
		body, err := json.Marshal(document())
		if err != nil {
			return err
		}
		*where = report.DataObject{Path: "data/" + contentHash(body) + ".json", Bytes: len(body)}
		_, err = d.Bucket.Put(d.ctx, d.reportName(where.Path), body, bucket.PutOptions{CacheControl: immutable, Gzip: true})
		return err
	})
}

// putData writes the immutable objects and names them in latest.
func (v *view) putData(d *documents, latest *report.Latest, day report.StatisticsData, lines map[podKey]*line) {
	objects, chunks := &latest.Objects, v.podChunks()
	objects.Pods = make([]report.PodsObject, len(chunks))
	for i, chunk := range chunks {
		o := &objects.Pods[i]
		o.Count, o.FirstNamespace, o.LastNamespace = len(chunk), chunk[0].Namespace, chunk[len(chunk)-1].Namespace
		d.putData(&o.DataObject, func() any { return v.podsData(latest.Stamp, chunk) })
	}
	d.putData(&objects.PodHours, func() any { return v.podHours(latest.Stamp, lines) })
	d.putData(&objects.Nodes, func() any { return report.Nodes{Stamp: latest.Stamp, Nodes: v.nodeDocuments()} })
	d.putData(&objects.GPUs, func() any { return v.gpusData(latest.Stamp) })
	d.putData(&objects.GPUMap, func() any { return v.gpuMap(latest.Stamp) })
	d.putData(&objects.Statistics, func() any { return withoutNodes(day) })
	d.putData(&objects.NodeHours, func() any {
		return report.NodeHours{Stamp: day.Stamp, HourStarts: day.HourStarts, Nodes: day.Nodes}
	})
}

// withoutNodes is what most of the page needs: a large cluster's nodes would
// be most of the document.
func withoutNodes(doc report.StatisticsData) report.StatisticsData {
	doc.Nodes = []report.NodeStatistics{}
	return doc
}

// How many pods the documents by namespace, and by pod, are of that one minute
// writes. Where there are more, documents take turns: each is as old as it says.
const (
	podsInAMinute      = 10_000
	historiesInAMinute = 250
)

// turns says which documents are written in a minute.
type turns struct{ now, of uint64 }

func turnsOf(count, inAMinute int, at time.Time) turns {
	of := uint64(max(1, (count+inAMinute-1)/inAMinute))
	return turns{uint64(at.Unix()/60) % of, of}
}

func (t turns) has(name string) bool {
	h := fnv.New64a()
	h.Write([]byte(name)) // takes everything
	return h.Sum64()%t.of == t.now
}

// putAPI writes the documents of the API.
func (v *view) putAPI(d *documents, stamp report.Stamp, summary report.ClusterSummary, day report.StatisticsData, lines map[podKey]*line) {
	d.put(apiRoot+"nodes.json", report.Nodes{Stamp: stamp, Nodes: v.nodeDocuments()})
	d.put(apiRoot+"statistics-24.json", day)
	serving := []report.Pod{}
	byNamespace := map[string][]report.Pod{}
	turns := turnsOf(len(v.pods), podsInAMinute, stamp.SampledAt)
	for i := range v.pods {
		due := layout.ValidName(v.pods[i].Namespace) && turns.has(v.pods[i].Namespace)
		if !due && v.pods[i].Engine == usage.NoEngine {
			continue
		}
		p := v.podDocument(&v.pods[i])
		if due {
			byNamespace[p.Namespace] = append(byNamespace[p.Namespace], p)
		}
		if p.ModelType != "" {
			serving = append(serving, p)
		}
	}
	d.put(apiRoot+"usage.json", report.Usage{Stamp: stamp, Pods: serving, ClusterSummary: summary})
	for namespace, pods := range byNamespace {
		d.put(apiRoot+"pods/"+namespace+".json", report.Pods{Stamp: stamp, Namespace: namespace, Pods: pods})
	}
	turns = turnsOf(len(serving), historiesInAMinute, stamp.SampledAt)
	due := slices.DeleteFunc(slices.Clone(serving), func(p report.Pod) bool { return !turns.has(p.Namespace + "/" + p.Name) })
	for _, h := range histories(stamp, due, lines) {
		d.put(apiRoot+"pods/"+h.Pod.Namespace+"/"+h.Pod.Name+".json", h)
	}
}

// putJSON writes a document that changes, under its name in the cluster's folder.
func (j *Job) putJSON(ctx context.Context, path string, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	_, err = j.Bucket.Put(ctx, j.reportName(path), body, bucket.PutOptions{CacheControl: revalidate, Gzip: true})
	return err
}

func (j *Job) reportName(path string) string {
	return layout.Object{Tier: layout.Report, Cluster: j.Cluster, Path: path}.Name()
}
