// Package layout is the grammar of object names in the bucket. Every name that a job reads, writes or deletes is made
// here, and parses back to the Object that made it; no other package joins path segments. It does no I/O.
//
// # The bucket
//
//	raw/v1/<table>/cluster=C/dt=YYYY-MM-DD/hh=HH/YYYYMMDDTHHMMSSZ.parquet         snapshot
//	raw/v1/<table>/cluster=C/dt=YYYY-MM-DD/hh=HH/YYYYMMDDTHHMMSSZ-<node>.parquet  snapshot of one node's NVML
//	raw/v1/_manifest/cluster=C/dt=YYYY-MM-DD/hh=HH/YYYYMMDDTHHMMSSZ.json          snapshot, last of a run
//	raw/v1/_manifest/cluster=C/dt=YYYY-MM-DD/hh=HH/YYYYMMDDTHHMMSSZ-<node>.json   snapshot of one node's NVML, last of a run
//	samples/v1/<table>/cluster=C/dt=YYYY-MM-DD/HH.parquet                         rollup, when the hour has closed
//	hourly/v1/<table>/cluster=C/dt=YYYY-MM-DD/HH.parquet                          rollup
//	site/<file>  site/assets/<file>                                               rollup, per program version
//	site/C/<path>                                                                 rollup (alerts.json: alert)
//	state/<job>/C.json                                                            private to the job
//	state/<job>/C/YYYYMMDDTHHZ.bin                                                private to the job, of one hour
//
// All times are UTC. The name of a raw object has the scheduled time of its run; those of samples and hourly objects have
// the hour that they are of.
package layout

import (
	"regexp"
	"strings"
	"time"
)

// Tier is a class of objects that have one writer and one retention.
type Tier string

// The tiers. A manifest commits the raw objects that it lists: readers ignore raw objects that no manifest lists.
const (
	Raw      Tier = "raw"
	Manifest Tier = "manifest"
	Samples  Tier = "samples"
	Hourly   Tier = "hourly"
	Site     Tier = "site"   // a file of the site itself, shared by all clusters
	Report   Tier = "report" // a JSON document of one cluster under site/
	State    Tier = "state"
)

// Object is a name's content. Fields that a tier does not use are zero, so that Parse(o.Name()) returns o.
type Object struct {
	Tier    Tier
	Table   string    // Raw, Samples, Hourly
	Cluster string    // all but Site
	Time    time.Time // Raw, Manifest: when the run was scheduled, whole seconds; Samples, Hourly, some of State: the hour
	Node    string    // Raw, Manifest: the node, if its NVML was read; "": the cluster's snapshot
	Path    string    // Site, Report: the rest of the name; State: the job
}

const (
	secondFormat = "20060102T150405Z"
	hourFormat   = "20060102T15Z"
	dayFormat    = "2006-01-02"
)

// Name is the object's name in the bucket; "" for an unknown tier.
func (o Object) Name() string {
	t := o.Time.UTC()
	day := "/cluster=" + o.Cluster + "/dt=" + t.Format(dayFormat)
	node := ""
	if o.Node != "" {
		node = "-" + o.Node
	}
	switch o.Tier {
	case Raw:
		return "raw/v1/" + o.Table + day + "/hh=" + t.Format("15") + "/" + t.Format(secondFormat) + node + ".parquet"
	case Manifest:
		return "raw/v1/_manifest" + day + "/hh=" + t.Format("15") + "/" + t.Format(secondFormat) + node + ".json"
	case Samples, Hourly:
		return string(o.Tier) + "/v1/" + o.Table + day + "/" + t.Format("15") + ".parquet"
	case Site:
		return "site/" + o.Path
	case Report:
		return "site/" + o.Cluster + "/" + o.Path
	case State:
		if !o.Time.IsZero() {
			return "state/" + o.Path + "/" + o.Cluster + "/" + t.Format(hourFormat) + ".bin"
		}
		return "state/" + o.Path + "/" + o.Cluster + ".json"
	}
	return ""
}

var (
	runPattern   = `/cluster=([^/]+)/dt=[0-9-]{10}/hh=[0-9]{2}/([0-9]{8}T[0-9]{6}Z)(?:-([^/]+))?`
	rawPattern   = regexp.MustCompile(`^raw/v1/([a-z][a-z0-9_]*)` + runPattern + `\.parquet$`)
	manPattern   = regexp.MustCompile(`^raw/v1/_manifest` + runPattern + `\.json$`)
	hourPattern  = regexp.MustCompile(`^(samples|hourly)/v1/([a-z][a-z0-9_]*)/cluster=([^/]+)/dt=([0-9-]{10})/([0-9]{2})\.parquet$`)
	statePattern = regexp.MustCompile(`^state/([a-z]+)/([^/]+)(?:\.json|/([0-9]{8}T[0-9]{2}Z)\.bin)$`)
	namePattern  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)
)

// siteRoot are the first segments below site/ that belong to the site itself; no cluster may have one of these names.
var siteRoot = map[string]bool{"assets": true, "index.html": true, "clusters.json": true, "metrics": true, "openapi.json": true}

// ValidCluster reports whether a cluster may have this name: lower-case letters, digits, '-' and '.', at most 63 of
// them, and not the name of a file of the site.
func ValidCluster(name string) bool {
	return len(name) <= 63 && namePattern.MatchString(name) && !strings.Contains(name, "..") && !siteRoot[name]
}

// ValidName reports whether s can be the name of a pod, namespace or node in Kubernetes; such a name may be part of an
// object's name.
func ValidName(s string) bool { return namePattern.MatchString(s) && !strings.Contains(s, "..") }

// Parse returns the Object whose Name is name; false if there is none.
func Parse(name string) (Object, bool) {
	o, ok := parse(name)
	return o, ok && o.Name() == name
}

func parse(name string) (Object, bool) {
	if m := manPattern.FindStringSubmatch(name); m != nil {
		t, err := time.Parse(secondFormat, m[2])
		return Object{Tier: Manifest, Cluster: m[1], Time: t, Node: m[3]},
			err == nil && ValidCluster(m[1]) && (m[3] == "" || ValidName(m[3]))
	}
	if m := rawPattern.FindStringSubmatch(name); m != nil {
		t, err := time.Parse(secondFormat, m[3])
		return Object{Tier: Raw, Table: m[1], Cluster: m[2], Time: t, Node: m[4]},
			err == nil && ValidCluster(m[2]) && (m[4] == "" || ValidName(m[4]))
	}
	if m := hourPattern.FindStringSubmatch(name); m != nil {
		t, err := time.Parse(dayFormat+"/15", m[4]+"/"+m[5])
		return Object{Tier: Tier(m[1]), Table: m[2], Cluster: m[3], Time: t}, err == nil && ValidCluster(m[3])
	}
	if m := statePattern.FindStringSubmatch(name); m != nil {
		o := Object{Tier: State, Path: m[1], Cluster: m[2]}
		if m[3] != "" {
			t, err := time.Parse(hourFormat, m[3])
			if err != nil {
				return o, false
			}
			o.Time = t
		}
		return o, ValidCluster(m[2])
	}
	rest, ok := strings.CutPrefix(name, "site/")
	if !ok || !validPath(rest) {
		return Object{}, false
	}
	first, path, nested := strings.Cut(rest, "/")
	if siteRoot[first] || !nested {
		return Object{Tier: Site, Path: rest}, siteRoot[first]
	}
	return Object{Tier: Report, Cluster: first, Path: path}, ValidCluster(first)
}

// validPath reports whether every segment consists of letters, digits, '-', '_' and '.', and neither is empty nor starts
// with a dot.
func validPath(p string) bool {
	for seg := range strings.SplitSeq(p, "/") {
		if seg == "" || seg[0] == '.' {
			return false
		}
		for _, c := range []byte(seg) {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
				return false
			}
		}
	}
	return true
}

// HourPrefix is the prefix of one table's raw objects in the hour of t; for ManifestTable, of the manifests.
func HourPrefix(table, cluster string, t time.Time) string {
	return DayPrefix(Raw, table, cluster, t) + "hh=" + t.UTC().Format("15") + "/"
}

// DayPrefix is the prefix of one table's objects of the tier on the day of t.
func DayPrefix(tier Tier, table, cluster string, t time.Time) string {
	return TablePrefix(tier, table, cluster) + "dt=" + t.UTC().Format(dayFormat) + "/"
}

// TablePrefix is the prefix of all objects of one table and tier. The tier is Raw, Samples or Hourly; the table of
// manifests is ManifestTable, of the tier Raw.
func TablePrefix(tier Tier, table, cluster string) string {
	return string(tier) + "/v1/" + table + "/cluster=" + cluster + "/"
}

// ManifestTable is in the names of manifests what a table's name is in those of raw objects. Athena and Hive ignore
// folders that begin with an underscore.
const ManifestTable = "_manifest"

// ReportPrefix is the prefix of all documents of one cluster's report.
func ReportPrefix(cluster string) string { return "site/" + cluster + "/" }
