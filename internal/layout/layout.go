// Package layout is the grammar of object names in the bucket. Every name that
// a job reads, writes or deletes is made here, and every name parses back to
// what made it; nobody else joins path segments. It does no I/O.
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
// All times are UTC. A raw object bears its run's scheduled instant; samples
// and hourly objects bear the hour they hold.
package layout

import (
	"regexp"
	"strings"
	"time"
)

// Tier is a class of objects with one writer and one retention.
type Tier string

// The tiers. A manifest commits the raw objects that it lists.
const (
	Raw      Tier = "raw"
	Manifest Tier = "manifest"
	Samples  Tier = "samples"
	Hourly   Tier = "hourly"
	Site     Tier = "site"   // a file of the site itself, shared by all clusters
	Report   Tier = "report" // a JSON document of one cluster under site/
	State    Tier = "state"
)

// Object is what a name says. Fields that a tier does not use are zero, so
// that Parse(o.Name()) gives back o.
type Object struct {
	Tier    Tier
	Table   string    // Raw, Samples, Hourly
	Cluster string    // all but Site
	Time    time.Time // Raw, Manifest: the run's instant, whole seconds; Samples, Hourly: the hour; State: the hour it is of, if it is of one
	Node    string    // Raw, Manifest: the node whose NVML it is of; "": the cluster's snapshot
	Path    string    // Site, Report: the rest of the name; State: the job
}

const (
	secondFormat = "20060102T150405Z"
	hourFormat   = "20060102T15Z"
	dayFormat    = "2006-01-02"
)

// Name is the object's name in the bucket.
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
	rawPattern   = regexp.MustCompile(`^raw/v1/([a-z][a-z0-9_]*)/cluster=([^/]+)/dt=[0-9-]{10}/hh=[0-9]{2}/([0-9]{8}T[0-9]{6}Z)(?:-([^/]+))?\.parquet$`)
	manPattern   = regexp.MustCompile(`^raw/v1/_manifest/cluster=([^/]+)/dt=[0-9-]{10}/hh=[0-9]{2}/([0-9]{8}T[0-9]{6}Z)(?:-([^/]+))?\.json$`)
	hourPattern  = regexp.MustCompile(`^(samples|hourly)/v1/([a-z][a-z0-9_]*)/cluster=([^/]+)/dt=([0-9-]{10})/([0-9]{2})\.parquet$`)
	statePattern = regexp.MustCompile(`^state/([a-z]+)/([^/]+)(?:\.json|/([0-9]{8}T[0-9]{2}Z)\.bin)$`)
	namePattern  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)
)

// siteRoot are the first segments below site/ that belong to the site itself;
// no cluster may bear one of these names.
var siteRoot = map[string]bool{"assets": true, "index.html": true, "clusters.json": true, "metrics": true, "openapi.json": true}

// ValidCluster reports whether a cluster may bear the name: lower-case
// letters, digits, '-' and '.', at most 63 of them, and not the name of a file
// of the site.
func ValidCluster(name string) bool {
	return len(name) <= 63 && namePattern.MatchString(name) && !strings.Contains(name, "..") && !siteRoot[name]
}

// ValidName reports whether s is a name that Kubernetes gives pods, namespaces
// and nodes, and that may therefore stand in an object name.
func ValidName(s string) bool { return namePattern.MatchString(s) && !strings.Contains(s, "..") }

// Parse reads a name back. It accepts exactly the names that Name makes: a
// name that parses, made again, is the same string.
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

// validPath reports whether every segment is plain: not empty, not starting
// with a dot, and of letters, digits, '-', '_' and '.' alone.
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

// HourPrefix is the prefix of all raw objects of one table (or, for
// table "_manifest", of all manifests) in the hour of t.
func HourPrefix(table, cluster string, t time.Time) string {
	return DayPrefix(Raw, table, cluster, t) + "hh=" + t.UTC().Format("15") + "/"
}

// DayPrefix is the prefix of one table's objects of the tier on the day of t.
func DayPrefix(tier Tier, table, cluster string, t time.Time) string {
	return TablePrefix(tier, table, cluster) + "dt=" + t.UTC().Format(dayFormat) + "/"
}

// TablePrefix is the prefix of all of one table's objects of the tier. The
// tier is Raw, Samples or Hourly; the table of manifests is ManifestTable.
func TablePrefix(tier Tier, table, cluster string) string {
	return string(tier) + "/v1/" + table + "/cluster=" + cluster + "/"
}

// ManifestTable stands where a table's name stands in the names of manifests.
// Its underscore makes Athena and Hive pass it over.
const ManifestTable = "_manifest"

// Prefixes are the prefixes below which all of our objects lie.
var Prefixes = [...]string{"raw/v1/", "samples/v1/", "hourly/v1/", "site/", "state/"}
