// Package views makes SQL views over the objects of a bucket, in the dialects of DuckDB, Athena and Trino. It reads no
// object: names come from layout, columns from store, the states of GPUs from activity.
//
// # The views
//
// pods, nodes, gpus, engines and gaps are the samples, whether their hour is still in raw/ or already in samples/.
// hourly_models, hourly_workloads, hourly_namespaces, hourly_nodes, hourly_pods and hourly_cluster are the statistics.
// Each has the columns of its table and
//
//	cluster, dt, hh    of the object in which the row is, as text: prod, 2026-01-31, 09 (the hourly views have no hh)
//
// Filters on these are cheap: objects of other days are not opened. The hour in an object's name is that of the run that
// took the samples. pods, nodes and gpus also have the percents that alert rules know by the same names: cpu_percent,
// cpu_basis, memory_percent, memory_basis, gpu_memory_percent.
//
// pod_gpu_states says for each pod and sample in gpu_state what the GPUs that the pod holds are doing, as activity
// defines it and alert rules know it: active, idle_held, loading or unknown, and NULL where the pod holds none. It is a
// view of its own, because the state needs the samples of engines.
//
// # Hour by hour
//
// raw/ and samples/ overlap: an hour is in samples/ soon after it has ended, and its raw objects are kept for days. So
// that no row counts twice, a table's hour is read from its object in samples/ if there is one, and otherwise from raw/.
// The names of objects decide this, not ts, and each table by itself: a rollup that was killed between two tables hides
// no rows, and a table without rows in an hour (often gaps) has no object for it in either tier.
package views

import (
	"fmt"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/config"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Dialect is an engine's SQL.
type Dialect string

// The dialects.
const (
	DuckDB Dialect = "duckdb"
	Athena Dialect = "athena"
	Trino  Dialect = "trino"
)

// Lake is the bucket for which SQL is made.
type Lake struct {
	Bucket   bucket.URL
	Cluster  string           // the views show this cluster alone; "": all clusters
	Clusters []string         // the names of all clusters: only Athena needs them
	Keep     config.Retention // how far back Athena looks for objects
	Endpoint string           // of a store other than AWS, a URL as in AWS_ENDPOINT_URL_S3; only DuckDB needs it
}

// SQL returns the statements that make the views. Each statement ends in a semicolon at the end of a line, and no other
// line does. The same lake gives the same bytes, and they contain no credential. The error says what to set.
func (l Lake) SQL(d Dialect) (string, error) { return l.write(d, tables()) }

func (l Lake) write(d Dialect, tables []table) (string, error) {
	switch d {
	case DuckDB:
		return l.duckDB(tables)
	case Athena:
		return l.athena(tables)
	case Trino:
		return l.trino(tables)
	}
	return "", fmt.Errorf("no dialect %q: there are duckdb, athena and trino", d)
}

// table is a table in the bucket, and its view.
type table struct {
	view    string
	tiers   []layout.Tier // that have objects of it
	name    string        // in the names of objects
	columns []store.ColumnInfo
}

// tables are all tables; nodes come before pods, because the view of pods reads that of nodes.
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

// isHourly reports whether the table has statistics, which are in one tier, and not samples, which are in two.
func (t table) isHourly() bool { return t.tiers[0] == layout.Hourly }

// folder is the prefix of the table's objects in a tier, up to the cluster.
func (t table) folder(tier layout.Tier) string {
	return strings.TrimSuffix(layout.TablePrefix(tier, t.name, ""), "cluster=/")
}

// body is the view's query, the same in every dialect. stored is the query for the table's rows, each once; qualifier
// precedes the names of views.
func (t table) body(stored, qualifier string) string {
	with := "WITH stored AS (\n" + indent(stored) + "\n)\n"
	percents, join := t.percents(qualifier)
	if len(percents) == 0 {
		return with + "SELECT * FROM stored"
	}
	return with + "SELECT stored.*,\n  " + strings.Join(percents, ",\n  ") + "\nFROM stored" + join
}

// percents are the columns that a view adds to those of its table, and the join that they need.
func (t table) percents(qualifier string) (columns []string, join string) {
	switch t.view {
	case store.Pods.Name():
		columns = append(percentOfFirst("cpu", "millicores"), percentOfFirst("memory", "bytes")...)
		join = "\nLEFT JOIN " + qualifier + "nodes AS nodes ON nodes.cluster = stored.cluster AND nodes.dt = stored.dt " +
			"AND nodes.hh = stored.hh\n  AND nodes.ts = stored.ts AND nodes.node = stored.node"
		return append(columns, percent("gpu_memory_used_bytes", "gpu_memory_total_bytes", "gpu_memory_percent")), join
	case store.Nodes.Name():
		return []string{percent("cpu_usage_millicores", "cpu_allocatable_millicores", "cpu_percent"),
			percent("memory_usage_bytes", "memory_allocatable_bytes", "memory_percent")}, ""
	case store.GPUs.Name():
		return []string{percent("memory_used_bytes", "memory_total_bytes", "gpu_memory_percent")}, ""
	}
	return nil, ""
}

// percent is usage.Percent in SQL. 100e0 is a double in every dialect; 100 and 100.0 are an integer or a decimal in some.
func percent(part, whole, name string) string {
	return fmt.Sprintf("CASE WHEN stored.%[2]s > 0 THEN 100e0 * stored.%[1]s / stored.%[2]s END AS %[3]s", part, whole, name)
}

// percentOfFirst is usage.Share in SQL: a percent and its basis.
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
		fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN\n  %s END AS %s_basis", used,
			of(text(string(usage.OfLimit)), text(string(usage.OfRequest)), text(string(usage.OfNode))), resource),
	}
}

// text quotes a string of standard SQL.
func text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// name quotes an identifier of standard SQL.
func name(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// each writes every element and joins the results.
func each[T any](elements []T, separator string, write func(T) string) string {
	written := make([]string, len(elements))
	for i, e := range elements {
		written[i] = write(e)
	}
	return strings.Join(written, separator)
}

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }
