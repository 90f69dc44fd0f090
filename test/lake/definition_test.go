package lake

import (
	"database/sql"
	_ "embed"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/jobs/rollup"
	"github.com/company/k8s-resource-monitor/jobs/rollup/hour"
)

// definition is SQL that makes every figure of the hourly tables from raw rows.
//
//go:embed definition.sql
var definition string

// hourlyTables are the tables of statistics: their keys, and the attributes
// that their rows bear beside.
var hourlyTables = [...]struct {
	name            string
	schema          []store.ColumnInfo
	key, attributes string
}{
	{usage.Models, store.ModelHours.Schema(), "namespace, engine, model", ""},
	{usage.Workloads, store.WorkloadHours.Schema(), "namespace, owner_kind, owner", ""},
	{usage.Namespaces, store.NamespaceHours.Schema(), "namespace", ""},
	{usage.Nodes, store.NodeHours.Schema(), "node", "gpu_product"},
	{usage.Pods, store.PodHours.Schema(), "namespace, pod, pod_uid", "node, engine, model"},
	{usage.Cluster, store.ClusterHours.Schema(), "''", ""},
}

// committed are the tables that the definition starts from.
var committed = [...]struct {
	name   string
	schema []store.ColumnInfo
}{
	{usage.Pods, store.Pods.Schema()},
	{usage.Nodes, store.Nodes.Schema()},
	{usage.GPUs, store.GPUs.Schema()},
	{usage.Engines, store.Engines.Schema()},
}

// told is what a rollup was told, and which of its hours are looked at.
type told struct {
	prices hour.Prices
	now    time.Time // the run's, or the newest snapshot's if that is later
	since  time.Time // the first hour; zero: all
}

// holdToDefinition reports every figure of the hourly tables in dir that is
// not what SQL makes of the raw rows, and those that one of the two lacks. It
// adds to seen how many rows have a value in each column, by "table.column",
// and returns what holds the SQL's.
func holdToDefinition(t *testing.T, dir string, s told, seen map[string]int) *sql.DB {
	t.Helper()
	db := duck(t)
	define(t, db, dir, s)
	differ(t, db, dir, seen)
	return db
}

// duck opens DuckDB.
func duck(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1) // SET holds for its connection
	run(tb, db, "SET TimeZone = 'UTC'")
	return db
}

// differ reports where the hourly tables in dir differ from wanted: percentiles
// may by 1 %.
func differ(t *testing.T, db *sql.DB, dir string, seen map[string]int) {
	t.Helper()
	gather(t, db, dir)
	rows, err := db.Query(`SELECT tbl, strftime(hour AT TIME ZONE 'UTC', '%d %H:00'), key, name, got.v, wanted.v
		FROM (FROM got SEMI JOIN hours USING (hour)) AS got FULL JOIN (FROM wanted SEMI JOIN figures USING (tbl, name)) AS wanted USING (tbl, key, hour, name)
		WHERE got.v IS NULL OR wanted.v IS NULL
			OR abs(got.v - wanted.v) > abs(wanted.v) * CASE WHEN regexp_matches(name, '_p(50|95)(_|$)') THEN 0.01 ELSE 1e-9 END
		ORDER BY ALL`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	wrong := map[string]int{}
	for rows.Next() {
		var table, hour, key, name string
		var got, want sql.NullFloat64
		if err := rows.Scan(&table, &hour, &key, &name, &got, &want); err != nil {
			t.Fatal(err)
		}
		if wrong[table+name]++; wrong[table+name] <= 3 {
			t.Errorf("%s %s %s: %s is %v, SQL over raw gives %v", table, hour, key, name, value(got), value(want))
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for column, n := range figures(t, db, "SELECT tbl || '.' || name, count(*) FROM got GROUP BY ALL") {
		seen[column] += int(n)
	}
	conserved(t, db, dir)
}

// conserved reports hours whose GPU-hours do not add up. All of a pod's rows
// say whether it serves a model, so its hour stands with a model's or with none.
func conserved(t *testing.T, db *sql.DB, dir string) {
	t.Helper()
	for _, row := range listed(t, db, fmt.Sprintf(`WITH sums AS (
			SELECT hour, tbl, name, sum(v) AS v FROM got WHERE name LIKE 'gpu_hours_%%' GROUP BY ALL
			UNION ALL SELECT hour, 'others', 'gpu_hours_allocated', coalesce(sum(gpu_hours_allocated) FILTER (engine = ''), 0)
			FROM read_parquet('%s/hourly/v1/pods/**/*.parquet', hive_partitioning = false) GROUP BY hour),
		hours AS (SELECT hour, map_from_entries(list((tbl || ' ' || replace(name, 'gpu_hours_', ''), v))) AS m FROM sums GROUP BY hour),
		equal AS (
			SELECT hour, m['cluster total'] AS whole, unnest([
				('the nodes'' total', m['nodes total'], whole),
				('models, other pods and what is free', coalesce(m['models allocated'], 0) + m['others allocated'] + m['nodes unallocated'], whole),
				('the cluster''s states and what is free', m['cluster active'] + m['cluster idle_held'] + m['cluster loading'] + m['cluster unknown'] + m['cluster unallocated'], whole),
				('pods', m['pods allocated'], m['cluster allocated']), ('namespaces', m['namespaces allocated'], m['cluster allocated']),
				('workloads', m['workloads allocated'], m['cluster allocated']), ('nodes', m['nodes allocated'], m['cluster allocated']),
				('idle pods', m['pods idle_held'], m['cluster idle_held']), ('idle nodes', m['nodes idle_held'], m['cluster idle_held'])]) AS e
			FROM hours)
		SELECT hour || ': ' || e[1] || ': ' || e[2] || ',
  not ' || e[3] FROM equal WHERE abs(e[2] - e[3]) > 1e-9 * e[3] OR e[2] IS NULL ORDER BY 1`, dir)) {
		t.Errorf("GPU-hours are not conserved: %s", row)
	}
}

func value(v sql.NullFloat64) any {
	if !v.Valid {
		return "NULL"
	}
	return v.Float64
}

// run executes statements that give no rows.
func run(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	query = fmt.Sprintf(query, args...)
	if _, err := db.Exec(query); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
}

// define makes wanted of what manifests commit.
func define(t *testing.T, db *sql.DB, dir string, s told) {
	t.Helper()
	since := s.since.UTC().Format(time.RFC3339)
	for _, table := range committed {
		var columns []string
		for _, c := range table.schema {
			columns = append(columns, c.Name)
		}
		run(t, db, `SET VARIABLE files = (SELECT list('%s/' || o.name) FROM (
			SELECT unnest(objects) AS o FROM read_json('%[1]s/raw/v1/_manifest/**/*.json', columns = {"at": 'VARCHAR',
  objects: 'STRUCT(name VARCHAR, "table" VARCHAR)[]'})
			WHERE "at"::TIMESTAMPTZ >= '%[2]s'::TIMESTAMPTZ - INTERVAL 1 HOUR) WHERE o."table" = '%[3]s')`, dir, since, table.name)
		run(
			t,
			db,
			"CREATE OR REPLACE VIEW raw_%s AS SELECT %s FROM read_parquet(getvariable('files'))",
			table.name,
			strings.Join(columns, ", "),
		)
		run(t, db, "CREATE TABLE committed_%s AS FROM raw_%[1]s", table.name)
		run(t, db, "CREATE OR REPLACE VIEW raw_%s AS FROM committed_%[1]s", table.name)
	}
	run(
		t,
		db,
		`CREATE TABLE hours AS SELECT DISTINCT date_trunc('hour', "at"::TIMESTAMPTZ) AS hour FROM read_json('%s/raw/v1/_manifest/**/*.json',
		columns = {"at": 'VARCHAR'}, filename = true) WHERE filename NOT LIKE '%%Z-%%' AND hour >= '%s'::TIMESTAMPTZ`,
		dir,
		since,
	) // not the nodes' own
	run(t, db, "SET VARIABLE interval_ms = %d", samplePeriod.Milliseconds())
	run(t, db, "SET VARIABLE now = '%s'::TIMESTAMPTZ", s.now.UTC().Format(time.RFC3339))
	run(t, db, "SET VARIABLE priced = %v", len(s.prices.GPUHour) > 0 || s.prices.CPUCoreHour.Present() || s.prices.MemoryGiBHour.Present())
	for name, price := range map[string]usage.Opt[float64]{"core_price": s.prices.CPUCoreHour, "gib_price": s.prices.MemoryGiBHour} {
		if v, ok := price.Get(); ok {
			run(t, db, "SET VARIABLE %s = %v::DOUBLE", name, v)
		} else {
			run(t, db, "SET VARIABLE %s = NULL::DOUBLE", name)
		}
	}
	run(t, db, "CREATE TABLE gpu_prices (gpu_product VARCHAR, price DOUBLE)")
	for product, price := range s.prices.GPUHour {
		run(t, db, "INSERT INTO gpu_prices VALUES ('%s', %v)", product, price)
	}
	if _, err := db.Exec(definition); err != nil {
		t.Fatal(err)
	}
}

// gather makes got of the hourly tables in dir, in the form of wanted, and
// figures of the columns that there are.
func gather(t *testing.T, db *sql.DB, dir string) {
	t.Helper()
	run(t, db, "CREATE OR REPLACE TABLE got (tbl VARCHAR, key VARCHAR, hour TIMESTAMPTZ, name VARCHAR, v DOUBLE)")
	run(t, db, "CREATE OR REPLACE TABLE figures (tbl VARCHAR, name VARCHAR)")
	for _, table := range hourlyTables {
		var names []string
		for _, c := range table.schema {
			if c.Type == "int" || c.Type == "bigint" || c.Type == "double" {
				names = append(names, c.Name)
				run(t, db, "INSERT INTO figures VALUES ('%s', '%s')", table.name, c.Name)
			}
		}
		list := strings.Join(names, ", ")
		from := fmt.Sprintf("read_parquet('%s/hourly/v1/%s/**/*.parquet', hive_partitioning = false)", dir, table.name)
		run(t, db, `INSERT INTO got SELECT '%s', key, hour, name, v FROM (
			UNPIVOT (SELECT concat_ws(' ', %s) AS key, hour, COLUMNS(['%s'])::DOUBLE FROM %[5]s) ON %[4]s INTO NAME name VALUE v)`,
			table.name, table.key, strings.Join(names, "', '"), list, from)
		if table.attributes != "" {
			run(
				t,
				db,
				"INSERT INTO got SELECT '%s', concat_ws(' ', %s), hour, 'of ' || [%s]::VARCHAR[]::VARCHAR, 1 FROM %s",
				table.name,
				table.key,
				table.attributes,
				from,
			)
		}
	}
	run(t, db, "INSERT INTO figures SELECT DISTINCT tbl, name FROM (FROM got UNION ALL FROM wanted) WHERE starts_with(name, 'of ')")
}

// Whatever happens to a cluster and its monitor, and in whatever order it
// becomes known, each figure is that of the definition.
func TestWorldsEqualDefinition(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { holdWorld(t, seed, 7, seen) })
	}
	for _, table := range hourlyTables {
		for _, c := range table.schema {
			figure := c.Type == "int" || c.Type == "bigint" || c.Type == "double"
			ofNodes := table.name == usage.Nodes || table.name == usage.Cluster
			applies := ofNodes || c.Name != "gpu_hours_unallocated" && c.Name != "gpu_hours_total"
			applies = applies && !(table.name == usage.Nodes && strings.HasPrefix(c.Name, "replicas_"))
			if has := seen[table.name+"."+c.Name] > 0; figure && has != applies {
				t.Errorf("%s.%s: is there a figure in any world? %v", table.name, c.Name, has)
			}
		}
	}
}

// holdWorld lets a world land, minutes and hours late, and rolls it up again
// and again.
func holdWorld(t *testing.T, seed uint64, hours int, seen map[string]int) {
	dir, w := t.TempDir(), newWorld(seed)
	j := rollup.Job{
		Bucket:         bucket.Dir(dir),
		Cluster:        "world",
		Interval:       samplePeriod,
		RawRetention:   48 * time.Hour,
		ProgramVersion: "test",
		Log:            slog.New(slog.DiscardHandler),
	}
	switch seed % 3 {
	case 1: // none for an L4
		j.Prices = hour.Prices{GPUHour: map[string]float64{"H100": 3.5, "H200": 4, "A100": 1.25}, CPUCoreHour: usage.Some(0.03)}
	case 2:
		j.Prices = hour.Prices{
			GPUHour:       map[string]float64{"H100": 3.5, "H200": 4, "A100": 1.25, "L4": 0.7},
			CPUCoreHour:   usage.Some(0.03),
			MemoryGiBHour: usage.Some(0.004),
		}
	}
	roll := func(at time.Time, span rollup.Range) {
		t.Helper()
		if _, err := j.Run(t.Context(), at, span); err != nil {
			t.Fatal(err)
		}
	}
	left, newest := w.live(hours), time.Time{}
	end := w.start.Add(time.Duration(hours)*time.Hour + 15*time.Minute) // all hours are in samples/
	for at := w.start.Add(time.Minute); len(left) > 0 || at.Before(end); at = at.Add(time.Duration(1+w.r.IntN(25)) * time.Minute) {
		for len(left) > 0 && !left[0].lands.After(at) {
			l := left[0]
			if left = left[1:]; l.at.After(newest) {
				newest = l.at
			}
			if err := commit(t.Context(), j.Bucket, j.Cluster, l.at, l.node, l.sampled, l.rows); err != nil {
				t.Fatal(err)
			}
			if l.killed {
				manifest := layout.Object{Tier: layout.Manifest, Cluster: j.Cluster, Time: l.at, Node: l.node}
				if err := j.Bucket.Delete(t.Context(), manifest.Name()); err != nil {
					t.Fatal(err)
				}
			}
		}
		roll(at, rollup.Range{})
		if at.Sub(w.start) > time.Hour && w.chance(20) {
			holdToDefinition(t, dir, told{prices: j.Prices, now: later(at, newest)}, seen)
			if t.Failed() {
				t.Fatalf("as of %v", at)
			}
		}
		end = later(end, at)
	}
	roll(end, rollup.Range{})
	db := holdToDefinition(t, dir, told{prices: j.Prices, now: end}, seen)
	all := rollup.Range{From: w.start, To: w.start.Add(time.Duration(hours) * time.Hour)}
	roll(end, all)
	differ(t, db, dir, seen)
	if err := os.RemoveAll(filepath.Join(dir, "raw")); err != nil {
		t.Fatal(err)
	}
	roll(end, all) // from samples/
	differ(t, db, dir, seen)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func TestDemoEqualsDefinition(t *testing.T) {
	dir, err := demo()
	if err != nil {
		t.Fatal(err)
	}
	var now time.Time
	if err := duck(t).QueryRow("SELECT max(ts) FROM read_parquet('" + dir + "/raw/v1/nodes/**/*.parquet')").Scan(&now); err != nil {
		t.Fatal(err)
	}
	now = now.Truncate(time.Minute)
	prices := hour.Prices{
		GPUHour: map[string]float64{"NVIDIA-H200": 4, "NVIDIA-H100-80GB-HBM3": 3, "NVIDIA-A100-SXM4-80GB": 2, "NVIDIA-L40S": 1},
	} // internal/demo's
	holdToDefinition(t, dir, told{prices: prices, now: now, since: now.Truncate(time.Hour).Add(-3 * time.Hour)}, map[string]int{})
}
