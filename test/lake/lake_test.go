package lake

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
)

// demo fills one bucket for all tests of the package.
var demo = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "k8s-monitor-lake-")
	if err != nil {
		return "", err
	}
	demoDir = dir
	command := exec.Command("go", "run", "./jobs", "demo", "--once", "--dir", dir, "--days", "1")
	command.Dir = filepath.Join("..", "..")
	out, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("demo --once: %w\n%s", err, out)
	}
	return dir, err
})

var demoDir string // once there is one

func TestMain(m *testing.M) {
	if play() {
		return // what a benchmark measures
	}
	code := m.Run()
	if demoDir != "" {
		os.RemoveAll(demoDir)
	}
	os.Exit(code)
}

func filled(t *testing.T) (string, *sql.DB) {
	t.Helper()
	dir, err := demo()
	if err != nil {
		t.Fatal(err)
	}
	return dir, Open(t, dir)
}

// duckTypes are the types that DuckDB gives the documented ones.
var duckTypes = map[string]string{"string": "VARCHAR", "bigint": "BIGINT", "int": "INTEGER", "double": "DOUBLE",
	"boolean": "BOOLEAN", "timestamp": "TIMESTAMP WITH TIME ZONE"}

func TestColumnsAndTypes(t *testing.T) {
	_, db := filled(t)
	for view, columns := range map[string][]store.ColumnInfo{
		"raw_pods": store.Pods.Schema(), "raw_nodes": store.Nodes.Schema(), "raw_gpus": store.GPUs.Schema(),
		"raw_engines": store.Engines.Schema(), "raw_gaps": store.Gaps.Schema(), "hourly_models": store.ModelHours.Schema(),
		"hourly_workloads": store.WorkloadHours.Schema(), "hourly_namespaces": store.NamespaceHours.Schema(),
		"hourly_nodes": store.NodeHours.Schema(), "hourly_pods": store.PodHours.Schema(), "hourly_cluster": store.ClusterHours.Schema(),
	} {
		rows, err := db.Query("SELECT column_name, column_type FROM (DESCRIBE " + view + ") WHERE column_name NOT IN ('cluster', 'dt', 'hh')")
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for rows.Next() {
			var name, typ string
			if err := rows.Scan(&name, &typ); err != nil {
				t.Fatal(err)
			}
			got = append(got, name+" "+typ)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		for _, c := range columns {
			want = append(want, c.Name+" "+duckTypes[c.Type])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: DuckDB sees\n%v\nwant\n%v", view, got, want)
		}
	}
}

// weights is the time, in hours, that each sample instant stands for in each
// hour: until the next instant, at most two intervals, cut at the hour's end.
const weights = `
WITH instants AS (SELECT DISTINCT ts FROM raw_nodes),
spans AS (SELECT ts, least(coalesce(lead(ts) OVER (ORDER BY ts), ts + INTERVAL 30 SECOND), ts + INTERVAL 60 SECOND) AS until FROM instants),
halves AS (SELECT ts, until, unnest([date_trunc('hour', ts), date_trunc('hour', ts) + INTERVAL 1 HOUR]) AS hour FROM spans),
weights AS (SELECT ts, hour, epoch(least(until, hour + INTERVAL 1 HOUR) - greatest(ts, hour)) / 3600 AS hours
            FROM halves WHERE until > hour AND ts < hour + INTERVAL 1 HOUR)
`

// figures reads (key, value) rows.
func figures(t *testing.T, db *sql.DB, query string) map[string]float64 {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	defer rows.Close()
	out := map[string]float64{}
	for rows.Next() {
		var key string
		var value sql.NullFloat64
		if err := rows.Scan(&key, &value); err != nil {
			t.Fatal(err)
		}
		if value.Valid {
			out[key] = value.Float64
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func same(t *testing.T, what string, got, want map[string]float64) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: SQL over raw finds nothing to compare", what)
	}
	keys := maps.Clone(want)
	maps.Copy(keys, got)
	wrong := 0
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		g, ok := got[k]
		w, ok2 := want[k]
		if ok != ok2 || math.Abs(g-w) > 1e-6*max(1, math.Abs(w)) {
			if wrong++; wrong <= 5 {
				t.Errorf("%s: %s is %v (%v), SQL over raw gives %v (%v)", what, k, g, ok, w, ok2)
			}
		}
	}
}

const modelKey = "strftime(hour AT TIME ZONE 'UTC', '%d %H') || ' ' || namespace || ' ' || engine || ' ' || coalesce(model, '')"

func TestModelsEqualSQLOverRaw(t *testing.T) {
	_, db := filled(t)
	same(t, "GPU-hours allocated",
		figures(t, db, "SELECT "+modelKey+", gpu_hours_allocated FROM hourly_models WHERE gpu_hours_allocated > 0"),
		figures(t, db, weights+"SELECT "+modelKey+`, sum(gpu_request * hours) FROM raw_pods JOIN weights USING (ts)
			WHERE engine <> '' AND gpu_request > 0 AND node IS NOT NULL AND phase NOT IN ('Succeeded', 'Failed') GROUP BY 1`))
	same(t, "generation tokens",
		figures(t, db, "SELECT "+modelKey+", generation_tokens FROM hourly_models WHERE generation_tokens IS NOT NULL"),
		figures(t, db, `WITH steps AS (SELECT ts, namespace, pod, generation_tokens_total AS v,
				lag(generation_tokens_total) OVER (PARTITION BY pod_uid ORDER BY ts) AS before FROM raw_engines)
			SELECT strftime(date_trunc('hour', ts) AT TIME ZONE 'UTC', '%d %H') || ' ' || namespace || ' ' || engine || ' ' || coalesce(model, ''),
				sum(CASE WHEN v >= before THEN v - before WHEN v < before THEN v END)
			FROM steps JOIN (SELECT ts, namespace, pod, engine, model FROM raw_pods) USING (ts, namespace, pod) GROUP BY 1`))
	same(t, "CPU average",
		figures(t, db, "SELECT "+modelKey+", cpu_usage_millicores_avg FROM hourly_models WHERE cpu_usage_millicores_avg IS NOT NULL"),
		figures(t, db, weights+`, sums AS (SELECT ts, hour, hours, namespace, engine, model, sum(cpu_usage_millicores) AS used
				FROM raw_pods JOIN weights USING (ts) WHERE engine <> '' GROUP BY ALL)
			SELECT `+modelKey+`, sum(used * hours) / sum(hours) FROM sums WHERE used IS NOT NULL GROUP BY 1`))
	same(t, "samples",
		figures(t, db, "SELECT "+modelKey+", samples FROM hourly_models WHERE samples > 0"),
		figures(t, db, `SELECT strftime(date_trunc('hour', ts) AT TIME ZONE 'UTC', '%d %H') || ' ' || namespace || ' ' || engine || ' ' || coalesce(model, ''),
			count(DISTINCT ts) FROM raw_pods WHERE engine <> '' GROUP BY 1`))
}

func TestGPUHoursAreConserved(t *testing.T) {
	_, db := filled(t)
	hour := "strftime(hour AT TIME ZONE 'UTC', '%d %H')"
	total := figures(t, db, "SELECT "+hour+", sum(gpu_hours_total) FROM hourly_nodes GROUP BY 1")
	same(t, "namespaces and unallocated",
		figures(t, db, "SELECT h, sum(v) FROM (SELECT "+hour+" AS h, gpu_hours_allocated AS v FROM hourly_namespaces UNION ALL SELECT "+hour+", gpu_hours_unallocated FROM hourly_nodes) GROUP BY 1"), total)
	same(t, "the cluster", figures(t, db, "SELECT "+hour+", gpu_hours_total FROM hourly_cluster"), total)
	same(t, "the states", figures(t, db, "SELECT "+hour+", gpu_hours_active + gpu_hours_idle_held + gpu_hours_loading + gpu_hours_unknown FROM hourly_cluster"),
		figures(t, db, "SELECT "+hour+", gpu_hours_allocated FROM hourly_cluster"))
}

// TestSiteEqualsLake holds the numbers that the page shows to SQL over raw.
func TestSiteEqualsLake(t *testing.T) {
	dir, db := filled(t)
	body, err := os.ReadFile(filepath.Join(dir, "site", "demo", "api", "v1", "resources", "statistics-24.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc report.StatisticsData
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	hours, tokens := map[string]float64{}, map[string]float64{}
	for _, m := range doc.Models {
		key := strings.Join([]string{m.Namespace, m.ModelType, m.Model}, " ")
		if v, ok := m.Total.GPUHoursAllocated.Get(); ok && v > 0 {
			hours[key] = v
		}
		if v, ok := m.Total.GenerationTokens.Get(); ok {
			tokens[key] = float64(v)
		}
	}
	from := doc.HourStarts[0].Format("'2006-01-02T15:04:05Z'")
	key := "namespace || ' ' || engine || ' ' || coalesce(model, '')"
	same(t, "the page's GPU-hours", hours, figures(t, db, weights+"SELECT "+key+`, sum(gpu_request * hours) FROM raw_pods JOIN weights USING (ts)
		WHERE hour >= `+from+` AND engine <> '' AND gpu_request > 0 AND node IS NOT NULL AND phase NOT IN ('Succeeded', 'Failed') GROUP BY 1`))
	same(t, "the page's tokens", tokens, figures(t, db, `WITH steps AS (SELECT ts, namespace, pod, generation_tokens_total AS v,
			lag(generation_tokens_total) OVER (PARTITION BY pod_uid ORDER BY ts) AS before FROM raw_engines)
		SELECT `+key+`, sum(CASE WHEN v >= before THEN v - before WHEN v < before THEN v END)
		FROM steps JOIN (SELECT ts, namespace, pod, engine, model FROM raw_pods) USING (ts, namespace, pod) WHERE ts >= `+from+` GROUP BY 1`))
}
