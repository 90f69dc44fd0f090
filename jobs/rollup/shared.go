package rollup

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/report"
)

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
