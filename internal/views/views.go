// Package views makes the SQL that lays tables over a bucket, for the engines
// that people ask it with. It knows no row and reads no object: names come from
// layout, columns from store.
//
// # The views
//
// pods, nodes, gpus, engines and gaps are the samples, whether an hour still
// lies in raw/ or is in samples/ already; hourly_models, hourly_workloads,
// hourly_namespaces, hourly_nodes, hourly_pods and hourly_cluster are the
// statistics. Each has the columns of its table and
//
//	cluster, dt, hh    of the object that holds the row, as text: prod, 2026-01-31, 09 (the hourly ones have no hh)
//
// which cost nothing to filter by: objects of other days are not opened. The
// samples of an hour are in the objects of that hour, by the instant of the run
// that took them. pods, nodes and gpus also have the percents that alert rules
// know by the same names: cpu_percent, cpu_basis, memory_percent, memory_basis,
// gpu_memory_percent.
//
// # Hour by hour
//
// raw/ and samples/ overlap: an hour is in samples/ soon after it has closed,
// and its raw objects are kept for days. So that nothing counts twice, an hour
// of a table comes from its object in samples/ if there is one, and else from
// raw/. This goes by the names of the objects, never by ts, and for each table
// by its own: a rollup that was killed between two tables hides no rows, and a
// table without rows in an hour (often gaps) has no object of it in either.
package views

import (
	"fmt"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/config"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
)

// Dialect is an engine's SQL.
type Dialect string

// The dialects.
const (
	DuckDB Dialect = "duckdb"
	Athena Dialect = "athena"
	Trino  Dialect = "trino"
)

// Lake is what the SQL is about.
type Lake struct {
	Bucket   bucket.URL
	Cluster  string           // the only one to see; "": all
	Clusters []string         // all that there are: Athena, and no other, has to be told
	Keep     config.Retention // how far back Athena looks for objects
	Endpoint string           // of a store other than AWS's, a URL as in AWS_ENDPOINT_URL_S3; DuckDB has to be told
}

// SQL returns the statements that make the views. Each ends in a semicolon at
// the end of a line, and no other line does. The same lake gives the same
// bytes, and no credential is in them.
func (l Lake) SQL(d Dialect) (string, error) {
	switch d {
	case DuckDB:
		return l.duckDB()
	case Athena:
		return l.athena()
	case Trino:
		return l.trino()
	}
	return "", fmt.Errorf("no dialect %q: there are duckdb, athena and trino", d)
}

// table is a table of the bucket, and the view of it.
type table struct {
	view    string
	tiers   []layout.Tier // where its objects are
	name    string        // in their names
	columns []store.ColumnInfo
}

// tables are all of them; nodes before pods, whose view reads that of nodes.
func tables() []table {
	samples := func(name string, columns []store.ColumnInfo) table {
		return table{name, []layout.Tier{layout.Raw, layout.Samples}, name, columns}
	}
	hours := func(name string, columns []store.ColumnInfo) table {
		return table{"hourly_" + name, []layout.Tier{layout.Hourly}, name, columns}
	}
	return []table{
		samples(store.Nodes.Name(), store.Nodes.Schema()),
		samples(store.Pods.Name(), store.Pods.Schema()),
		samples(store.GPUs.Name(), store.GPUs.Schema()),
		samples(store.Engines.Name(), store.Engines.Schema()),
		samples(store.Gaps.Name(), store.Gaps.Schema()),
		hours(store.ModelHours.Name(), store.ModelHours.Schema()),
		hours(store.WorkloadHours.Name(), store.WorkloadHours.Schema()),
		hours(store.NamespaceHours.Name(), store.NamespaceHours.Schema()),
		hours(store.NodeHours.Name(), store.NodeHours.Schema()),
		hours(store.PodHours.Name(), store.PodHours.Schema()),
		hours(store.ClusterHours.Name(), store.ClusterHours.Schema()),
	}
}

// isHourly reports whether the table has one tier, and no hour is in two.
func (t table) isHourly() bool { return t.tiers[0] == layout.Hourly }

// folder is what the names of the table's objects in a tier start with, up to
// the cluster.
func (t table) folder(tier layout.Tier) string {
	return strings.TrimSuffix(layout.TablePrefix(tier, t.name, ""), "cluster=/")
}

// body is the view's query, the same in every dialect: stored is the query of
// the table's rows, each once, and qualifier stands before the names of views.
func (t table) body(stored, qualifier string) string {
	with := "WITH stored AS (\n" + indent(stored) + "\n)\n"
	percents, join := t.percents(qualifier)
	if len(percents) == 0 {
		return with + "SELECT * FROM stored"
	}
	return with + "SELECT stored.*,\n  " + strings.Join(percents, ",\n  ") + "\nFROM stored" + join
}

// percents are the columns that no object has, and what their view joins for them.
func (t table) percents(qualifier string) (columns []string, join string) {
	switch t.view {
	case store.Pods.Name():
		columns = append(percentOfFirst("cpu", "millicores"), percentOfFirst("memory", "bytes")...)
		join = "\nLEFT JOIN " + qualifier + "nodes AS nodes ON nodes.cluster = stored.cluster AND nodes.dt = stored.dt AND nodes.hh = stored.hh\n" +
			"  AND nodes.ts = stored.ts AND nodes.node = stored.node"
		return append(columns, percent("gpu_memory_used_bytes", "gpu_memory_total_bytes", "gpu_memory_percent")), join
	case store.Nodes.Name():
		return []string{percent("cpu_usage_millicores", "cpu_allocatable_millicores", "cpu_percent"),
			percent("memory_usage_bytes", "memory_allocatable_bytes", "memory_percent")}, ""
	case store.GPUs.Name():
		return []string{percent("memory_used_bytes", "memory_total_bytes", "gpu_memory_percent")}, ""
	}
	return nil, ""
}

// percent is usage.Percent in SQL. 100e0 is a double in every dialect, where
// 100 and 100.0 are whole or decimal in some.
func percent(part, whole, name string) string {
	return fmt.Sprintf("CASE WHEN stored.%[2]s > 0 THEN 100e0 * stored.%[1]s / stored.%[2]s END AS %[3]s", part, whole, name)
}

// percentOfFirst are usage.Share's percent and basis in SQL.
func percentOfFirst(resource, unit string) []string {
	of := func(limit, request, node string) string {
		return fmt.Sprintf("CASE WHEN stored.%[1]s_limit_%[2]s > 0 THEN %[3]s\n       WHEN stored.%[1]s_request_%[2]s > 0 THEN %[4]s\n"+
			"       WHEN nodes.%[1]s_allocatable_%[2]s > 0 THEN %[5]s END", resource, unit, limit, request, node)
	}
	used := fmt.Sprintf("stored.%s_usage_%s", resource, unit)
	whole := of(fmt.Sprintf("stored.%s_limit_%s", resource, unit), fmt.Sprintf("stored.%s_request_%s", resource, unit),
		fmt.Sprintf("nodes.%s_allocatable_%s", resource, unit))
	return []string{
		fmt.Sprintf("100e0 * %s /\n  %s AS %s_percent", used, whole, resource),
		fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN\n  %s END AS %s_basis", used, of("'limit'", "'request'", "'node'"), resource),
	}
}

// text quotes a string of standard SQL.
func text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// name quotes an identifier of standard SQL.
func name(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// each joins what write makes of the elements.
func each[T any](elements []T, separator string, write func(T) string) string {
	written := make([]string, len(elements))
	for i, e := range elements {
		written[i] = write(e)
	}
	return strings.Join(written, separator)
}

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }
