package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
)

// publishMetrics rewrites this cluster's part of the two objects that all
// clusters share, site/clusters.json and site/metrics.
func (p *Publisher) publishMetrics(ctx context.Context, at time.Time, m report.Manifest, v *view) error {
	err := p.update(ctx, layout.Object{Tier: layout.Site, Path: "clusters.json"}.Name(), func(old []byte) ([]byte, error) {
		return mergeClusters(old, p.Cluster)
	})
	if err != nil {
		return err
	}
	// The alert job runs after this one. A rerun shows the alerts that the first
	// run at the instant saw, or it would not end in the same bytes.
	if !p.State.At.Equal(at) {
		if p.State.Alerts, err = p.firing(ctx); err != nil {
			return err
		}
		p.State.At = at
	}
	return p.update(ctx, layout.Object{Tier: layout.Site, Path: "metrics"}.Name(), func(old []byte) ([]byte, error) {
		return mergeMetrics(old, p.Cluster, m, v, p.State.Alerts), nil
	})
}

// firing counts the alerts of the last alert run, by severity; none before
// its first.
func (p *Publisher) firing(ctx context.Context) (map[string]int, error) {
	object, err := p.Bucket.Get(ctx, p.reportName(apiRoot+"alerts.json"))
	if errors.Is(err, bucket.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var doc report.Alerts
	if err := json.Unmarshal(object.Body, &doc); err != nil {
		return nil, fmt.Errorf("%salerts.json: %w: run the alert job to write it anew", apiRoot, err)
	}
	counts := map[string]int{"INFO": 0, "WARNING": 0, "CRITICAL": 0}
	for _, a := range doc.Firing {
		counts[a.Severity]++
	}
	return counts, nil
}

// update changes a shared object by compare-and-swap.
func (p *Publisher) update(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error {
	const attempts = 5
	var err error
	for range attempts {
		options := bucket.PutOptions{CacheControl: revalidate, IfNoneMatch: true}
		var old bucket.Object
		old, err = p.Bucket.Get(ctx, name)
		switch {
		case err == nil:
			options.IfNoneMatch, options.IfMatch = false, old.ETag
		case !errors.Is(err, bucket.ErrNotExist):
			return err
		}
		var body []byte
		if body, err = change(old.Body); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if string(body) == string(old.Body) {
			return nil
		}
		if _, err = p.Bucket.Put(ctx, name, body, options); !errors.Is(err, bucket.ErrPrecondition) {
			return err
		}
	}
	return fmt.Errorf("%s: other clusters kept writing it: %w", name, err)
}

// mergeClusters adds a cluster to site/clusters.json.
func mergeClusters(old []byte, cluster string) ([]byte, error) {
	doc := report.Clusters{Version: report.Version}
	if len(old) > 0 {
		if err := json.Unmarshal(old, &doc); err != nil {
			return nil, fmt.Errorf("not a list of clusters (%w): delete it, and each cluster's rollup adds itself again", err)
		}
	}
	entry := report.ClusterEntry{Name: cluster}
	if !slices.Contains(doc.Clusters, entry) {
		doc.Clusters = append(doc.Clusters, entry)
	}
	slices.SortFunc(doc.Clusters, func(a, b report.ClusterEntry) int { return strings.Compare(a.Name, b.Name) })
	return json.Marshal(doc)
}

// families of site/metrics, in order. The names are a promise to the users of
// the program's own metrics; the cluster label tells clusters apart.
var families = [...]struct{ name, help string }{
	{"k8s_monitor_alerts_total", "Alerts firing, by severity."},
	{"k8s_monitor_collection_duration_seconds", "How long the newest snapshot took, its wait between samples included."},
	{"k8s_monitor_gaps_total", "Sources that the newest snapshot could not read."},
	{"k8s_monitor_pods_total", "Pods in the newest snapshot, by engine."},
	{"k8s_monitor_sampled_timestamp_seconds", "Unix time of the newest sample."},
}

// mergeMetrics replaces one cluster's lines of site/metrics. All are gauges:
// each describes the newest run, and none is a count since a start.
func mergeMetrics(old []byte, cluster string, m report.Manifest, v *view, alerts map[string]int) []byte {
	label := "{cluster=" + strconv.Quote(cluster)
	lines := map[string][]string{}
	for line := range strings.Lines(string(old)) {
		line = strings.TrimSuffix(line, "\n")
		name, rest, ok := strings.Cut(line, "{")
		if ok && !strings.HasPrefix(line, "#") && !strings.HasPrefix("{"+rest, label) {
			lines[name] = append(lines[name], line)
		}
	}
	add := func(name, more string, value float64) {
		lines[name] = append(lines[name], name+label+more+"} "+strconv.FormatFloat(value, 'f', -1, 64))
	}
	for severity, n := range alerts {
		add("k8s_monitor_alerts_total", ",severity="+strconv.Quote(severity), float64(n))
	}
	add("k8s_monitor_collection_duration_seconds", "", m.DurationSeconds)
	add("k8s_monitor_gaps_total", "", float64(len(m.Gaps)))
	for engine, n := range v.podsByEngine() {
		add("k8s_monitor_pods_total", ",engine="+strconv.Quote(engine), float64(n))
	}
	add("k8s_monitor_sampled_timestamp_seconds", "", float64(v.at.Unix()))

	var b strings.Builder
	for _, f := range families {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", f.name, f.help, f.name)
		slices.Sort(lines[f.name])
		for _, line := range lines[f.name] {
			b.WriteString(line + "\n")
		}
	}
	return []byte(b.String())
}
