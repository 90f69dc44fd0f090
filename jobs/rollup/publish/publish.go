// Package publish makes the report of a cluster: the JSON documents under
// site/<cluster>/, what all clusters share (clusters.json, metrics), and the
// site's own files. What the documents look like is in report; the statistics in
// them are read from hourly/, which the rollup has written before.
package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/committed"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const (
	immutable  = "public, max-age=31536000, immutable"
	revalidate = "no-cache"
	// apiRoot is where the documents of the API lie below a cluster's folder.
	apiRoot = "api/v1/resources/"
	// parallelRequests bounds the objects that are read or written at once.
	parallelRequests = 16
)

// Publisher publishes the report of one cluster.
type Publisher struct {
	Bucket         bucket.Bucket
	Cluster        string
	Interval       time.Duration // between two samples
	Currency       string        // of the prices; "": none
	Thresholds     report.Thresholds
	ProgramVersion string
	Site           SiteFiles
	State          *State // is updated
}

// State is what publishing remembers from run to run.
type State struct {
	Site       string         `json:"site"`       // digest of the site's files that were published
	Statistics string         `json:"statistics"` // digest behind statistics-168.json
	At         time.Time      `json:"at"`         // of the last run
	Alerts     map[string]int `json:"alerts"`     // firing alerts by severity, as that run found them
}

// ServingName is where an hour's rows of model-serving pods are kept a second
// time: they are few of all pods, and each run reads those of a day.
func ServingName(cluster string, hour time.Time) string {
	return layout.Object{Tier: layout.State, Path: "serving", Cluster: cluster, Time: hour}.Name()
}

func (p *Publisher) reader() committed.Reader {
	return committed.Reader{Bucket: p.Bucket, Cluster: p.Cluster}
}

// Publish writes the documents of the newest snapshot: first those that
// latest.json names, latest.json last, so that a reader never mixes two runs.
// minute is the cluster's snapshot and those of its nodes; working is what a
// pod's engine says of its work at the newest instant, by pod UID; closedHours
// identifies the statistics of the hours that are closed. It returns how many
// objects it wrote.
func (p *Publisher) Publish(ctx context.Context, at time.Time, minute []*committed.Source, working func(podUID string) usage.Opt[bool],
	closedHours string) (written int, err error) {
	manifest := minute[len(minute)-1].Manifest // the cluster's own: nodes come before it
	v, err := p.readView(ctx, minute, working)
	if err != nil {
		return 0, err
	}
	stamp := report.Stamp{Version: report.Version, Cluster: p.Cluster, GeneratedAt: at, SampledAt: v.at}
	if written, err = p.publishSite(ctx); err != nil {
		return written, err
	}
	day, err := p.readStatistics(ctx, stamp, 24, true)
	if err != nil {
		return written, err
	}
	d := p.documents(ctx)
	defer d.group.Wait() // if something else fails
	// The week is read again only when an hour of it was computed again. Its open
	// hour is as of that hour's first run.
	if digest := contentHash([]byte(at.Truncate(time.Hour).Format(time.RFC3339) + closedHours)); digest != p.State.Statistics {
		week, err := p.readStatistics(ctx, stamp, 168, false)
		if err != nil {
			return written, err
		}
		shorten(&week)
		d.put(apiRoot+"statistics-168.json", week)
		p.State.Statistics = digest
	}
	summary := v.summary(day)
	shorten(&day)
	latest := report.Latest{
		Stamp: stamp, IntervalSeconds: int(p.Interval.Seconds()), ProgramVersion: p.ProgramVersion,
		Currency: p.Currency, Thresholds: p.Thresholds, ClusterSummary: summary, Gaps: manifest.Gaps,
	}
	lines, err := p.readPodLines(ctx, stamp)
	if err != nil {
		return written, err
	}
	v.putData(d, &latest, day, lines)
	v.putAPI(d, stamp, summary, day, lines)
	if err := d.group.Wait(); err != nil {
		return written, err
	}
	written += d.count
	if err := p.publishMetrics(ctx, at, manifest, v); err != nil {
		return written, err
	}
	return written + 1, p.putJSON(ctx, "latest.json", latest)
}

// documents are the documents of a run, which are written side by side.
type documents struct {
	*Publisher
	group *errgroup.Group
	ctx   context.Context
	count int
}

func (p *Publisher) documents(ctx context.Context) *documents {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelRequests)
	return &documents{Publisher: p, group: group, ctx: ctx}
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
func (v *view) putData(d *documents, latest *report.Latest, day report.StatisticsData, lines map[usage.PodName]*line) {
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
func (v *view) putAPI(d *documents, stamp report.Stamp, summary report.ClusterSummary, day report.StatisticsData,
	lines map[usage.PodName]*line) {
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
		if p.Engine != "" {
			serving = append(serving, p)
		}
	}
	d.put(apiRoot+"usage.json", report.Usage{Stamp: stamp, Pods: serving, ClusterSummary: summary})
	for namespace, pods := range byNamespace {
		d.put(apiRoot+"pods/"+namespace+".json", report.Pods{Stamp: stamp, Namespace: namespace, Pods: pods})
	}
	turns = turnsOf(len(serving), historiesInAMinute, stamp.SampledAt)
	due := slices.DeleteFunc(slices.Clone(serving), func(p report.Pod) bool { return !turns.has(p.Namespace + "/" + p.Pod) })
	for _, h := range histories(stamp, due, lines) {
		d.put(apiRoot+"pods/"+h.Pod.Namespace+"/"+h.Pod.Pod+".json", h)
	}
}

// putJSON writes a document that changes, under its name in the cluster's folder.
func (p *Publisher) putJSON(ctx context.Context, path string, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	_, err = p.Bucket.Put(ctx, p.reportName(path), body, bucket.PutOptions{CacheControl: revalidate, Gzip: true})
	return err
}

func (p *Publisher) reportName(path string) string {
	return layout.Object{Tier: layout.Report, Cluster: p.Cluster, Path: path}.Name()
}

// contentHash names content: the first 128 bits of its SHA-256, in hex.
func contentHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}
