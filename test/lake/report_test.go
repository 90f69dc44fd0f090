package lake

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/jobs/rollup/hour"
)

// demoPrices are those that a demo shows costs by.
var demoPrices = hour.Prices{
	GPUHour: map[string]float64{"NVIDIA-H200": 4, "NVIDIA-H100-80GB-HBM3": 3, "NVIDIA-A100-SXM4-80GB": 2, "NVIDIA-L40S": 1},
}

// TestReportEqualsLake holds every figure that the report's pages are drawn
// from to SQL over the raw rows of the demo's day: the cards, the GPU map, the
// tables of pods and nodes, and the hours and sums of models, namespaces, nodes
// and the cluster.
func TestReportEqualsLake(t *testing.T) {
	dir, _ := filled(t)
	site := filepath.Join(dir, "site", "demo")
	var latest report.Latest
	read(t, filepath.Join(site, "latest.json"), &latest)
	db := holdToDefinition(t, dir, told{prices: demoPrices, now: latest.GeneratedAt}, map[string]int{})
	run(t, db, "SET VARIABLE ts = '%s'::TIMESTAMPTZ", latest.SampledAt.Format(time.RFC3339))

	var day, week report.StatisticsData
	read(t, filepath.Join(site, "api/v1/resources/statistics-24.json"), &day)
	read(t, filepath.Join(site, "api/v1/resources/statistics-168.json"), &week)
	compare(t, "statistics of a day", statisticsOf(day, len(day.HourStarts)), wantedStatistics(t, db, day.HourStarts))
	seen, known := map[string]any{}, map[string]any{}
	for i, o := range day.NodesSeen {
		if n, ok := o.Get(); ok {
			seen[day.HourStarts[i].Format("02 15")] = float64(n)
		}
	}
	for hour, n := range figures(t, db, fmt.Sprintf(`SELECT strftime(hour AT TIME ZONE 'UTC', '%%d %%H'), count(*) FROM wanted
		WHERE tbl = 'nodes' AND name = 'samples' AND hour >= '%s'::TIMESTAMPTZ GROUP BY hour`, day.HourStarts[0].Format(time.RFC3339))) {
		known[hour] = n
	}
	compare(t, "nodes of each hour", seen, known)
	compare(t, "sums of a day", totalsOf(day), wantedTotals(t, db, day.HourStarts[0]))
	closed := len(week.HourStarts) - 1 // the open hour is as of the hour's first run
	want := wantedStatistics(t, db, week.HourStarts[:closed])
	maps.DeleteFunc(want, func(key string, _ any) bool { return strings.HasPrefix(key, "nodes ") })
	compare(t, "statistics of a week", statisticsOf(week, closed), want)
	var data report.StatisticsData
	read(t, filepath.Join(site, latest.Objects.Statistics.Path), &data)
	var nodeHours report.NodeHours
	read(t, filepath.Join(site, latest.Objects.NodeHours.Path), &nodeHours)
	if data.Nodes = nodeHours.Nodes; !reflect.DeepEqual(data, day) {
		t.Error("the page's statistics are not the API's")
	}

	summary := latest.ClusterSummary
	if want := map[string]int{usage.VLLM: summary.VLLMPods, usage.SGLang: summary.SGLangPods}; !maps.Equal(summary.ByEngine, want) {
		t.Errorf("pods by engine are %v, want %v", summary.ByEngine, want)
	}
	cards := values(t, "", summary)
	maps.DeleteFunc(cards, func(key string, _ any) bool { return strings.HasSuffix(key, "podsByEngine") })
	compare(t, "cards", cards, rowsOf(t, db, `
		WITH now AS (FROM facts WHERE ts = getvariable('ts') AND inside),
		of_nodes AS (
			SELECT count(*) AS "totalNodes", count(*) FILTER (ready) AS "readyNodes", sum(gpu_allocatable) AS "totalGpus",
				100 * sum(cpu_usage_millicores) / sum(cpu_allocatable_millicores) FILTER (cpu_usage_millicores IS NOT NULL) AS "avgCpuUsage",
				100 * sum(memory_usage_bytes) / sum(memory_allocatable_bytes) FILTER (memory_usage_bytes IS NOT NULL) AS "avgMemoryUsage"
			FROM nodes WHERE ts = getvariable('ts')),
		of_pods AS (
			SELECT count(*) AS "totalPods", count(*) FILTER (engine = 'vllm') AS "vllmPods", count(*) FILTER (engine = 'sglang') AS "sglangPods",
				coalesce(sum(gpu_request) FILTER (node IS NOT NULL), 0) AS "heldGpus", coalesce(sum(gpu_request) FILTER (node IS NULL), 0) AS "pendingGpus",
				coalesce(sum(gpu_request) FILTER (state = 'idle_held'), 0) AS "idleHeldGpus"
			FROM now WHERE NOT ended),
		of_gpus AS (SELECT avg(util_percent) AS "avgGpuUsage" FROM gpus WHERE ts = getvariable('ts')),
		today AS (SELECT sum(v) AS "gpuHoursIdleHeldToday" FROM wanted
			WHERE tbl = 'cluster' AND name = 'gpu_hours_idle_held' AND hour >= date_trunc('day', getvariable('ts')))
		SELECT '' AS key, * FROM of_nodes, of_pods, of_gpus, today`))

	var gpus report.GPUsData
	read(t, filepath.Join(site, latest.Objects.GPUs.Path), &gpus)
	var gpuMap report.GPUMap
	read(t, filepath.Join(site, latest.Objects.GPUMap.Path), &gpuMap)
	if !reflect.DeepEqual(
		gpuMap,
		report.GPUMap{Stamp: gpus.Stamp, Count: gpus.Count, Node: gpus.Node, State: gpus.State, UtilPercent: gpus.UtilPercent},
	) {
		t.Error("the map of the GPUs is not theirs")
	}
	compare(t, "GPUs", columns(t, gpus, "node", "gpuIndex", "migInstance"), rowsOf(t, db, `
		SELECT concat_ws(' ', node, gpu_index, mig_instance) AS key, node, gpu_index AS "gpuIndex", gpu_product AS "gpuProduct", mig_profile AS "migProfile",
			mig_instance AS "migInstance", namespace, pod, share_count AS "shareCount", state, util_percent AS "utilPercent",
			memory_used_bytes AS "memoryUsedBytes", memory_total_bytes AS "memoryTotalBytes", power_watts AS "powerWatts",
			temperature_celsius AS "temperatureCelsius", xid_last AS "xidLast"
		FROM gpus LEFT JOIN (SELECT namespace, pod, state FROM facts WHERE ts = getvariable('ts') AND inside) USING (namespace, pod)
		WHERE ts = getvariable('ts')`))

	pods := map[string]any{}
	for _, o := range latest.Objects.Pods {
		var chunk report.PodsData
		read(t, filepath.Join(site, o.Path), &chunk)
		for k, v := range columns(t, chunk, "namespace", "pod") {
			pods[k] = v
		}
	}
	share := func(name, used, limit, request, allocatable string) string {
		return strings.NewReplacer("NAME", name, "USED", used, "LIMIT", limit, "REQUEST", request, "NODE", allocatable).Replace(
			`100 * USED / coalesce(nullif(LIMIT, 0), nullif(REQUEST, 0), NODE) AS "NAMEUsagePercent",
			CASE WHEN "NAMEUsagePercent" IS NULL THEN NULL WHEN LIMIT > 0 THEN 'limit' WHEN REQUEST > 0 THEN 'request' ELSE 'node' END AS "NAMEBasis"`)
	}
	compare(t, "pods", pods, rowsOf(t, db, `
		SELECT concat_ws(' ', p.namespace, p.pod) AS key, p.namespace, p.pod, p.node, owner_kind AS "ownerKind", owner, phase, reason, p.ready, restarts,
			epoch_ms(p.created_at) AS "createdAtMillis", image, p.engine AS "modelType", p.model, role, replica_group AS "replicaGroup", identified_by AS "identifiedBy",
			p.cpu_usage_millicores AS "cpuUsageMillicores", cpu_request_millicores AS "cpuRequestMillicores", cpu_limit_millicores AS "cpuLimitMillicores",
			p.memory_usage_bytes AS "memoryUsageBytes", memory_request_bytes AS "memoryRequestBytes", memory_limit_bytes AS "memoryLimitBytes",
			gpu_request AS "gpuRequest", gpu_util_percent AS "gpuUsagePercent", gpu_memory_used_bytes AS "gpuMemoryUsedBytes",
			gpu_memory_total_bytes AS "gpuMemoryTotalBytes", gpu_power_watts AS "gpuPowerWatts", gpu_attribution AS "gpuAttribution", state AS "gpuState",
			requests_running AS "requestsRunning", requests_waiting AS "requestsWaiting", kv_cache_usage_ratio AS "kvCacheUsageRatio", `+
		share("cpu", "p.cpu_usage_millicores", "cpu_limit_millicores", "cpu_request_millicores", "n.cpu_allocatable_millicores")+`, `+
		share("memory", "p.memory_usage_bytes", "memory_limit_bytes", "memory_request_bytes", "n.memory_allocatable_bytes")+`
		FROM (FROM facts WHERE inside AND ts = getvariable('ts')) p LEFT JOIN nodes n ON n.ts = p.ts AND n.node = p.node
		LEFT JOIN engines e ON e.ts = p.ts AND e.namespace = p.namespace AND e.pod = p.pod`))

	var nodes report.Nodes
	read(t, filepath.Join(site, latest.Objects.Nodes.Path), &nodes)
	got := map[string]any{}
	for _, n := range nodes.Nodes {
		for k, v := range values(t, n.Name, n) {
			got[k] = v
		}
	}
	compare(t, "nodes", got, rowsOf(t, db, `
		SELECT node AS key, node AS name, ready, unschedulable, roles, pressure, instance_type AS "instanceType", zone, kubelet_version AS "kubeletVersion",
			strftime(created_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS "creationTime",
			100 * cpu_usage_millicores / cpu_allocatable_millicores AS "cpuUsagePercent", cpu_usage_millicores AS "cpuUsageMillicores",
			cpu_requested_millicores AS "cpuRequestedMillicores", cpu_allocatable_millicores AS "cpuAllocatableMillicores", cpu_capacity_millicores AS "cpuCapacityMillicores",
			100 * memory_usage_bytes / memory_allocatable_bytes AS "memoryUsagePercent", memory_usage_bytes AS "memoryUsageBytes",
			memory_requested_bytes AS "memoryRequestedBytes", memory_allocatable_bytes AS "memoryAllocatableBytes", memory_capacity_bytes AS "memoryCapacityBytes",
			pods_running AS "podsRunning", pods_allocatable AS "podsAllocatable", gpu_product AS "gpuProduct", gpu_requested AS "gpuRequested",
			gpu_allocatable AS "gpuAllocatable", util AS "gpuUsagePercent"
		FROM nodes LEFT JOIN (SELECT node, avg(util_percent) AS util FROM gpus WHERE ts = getvariable('ts') GROUP BY node) USING (node)
		WHERE ts = getvariable('ts')`))
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	body, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// compare reports what of the report's figures SQL does not give, or gives
// otherwise: numbers to the six digits that charts have, percentiles by 1 %.
func compare(t *testing.T, what string, got, want map[string]any) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: SQL finds nothing to compare", what)
	}
	keys := map[string]bool{}
	for k := range got {
		keys[k] = true
	}
	for k := range want {
		keys[k] = true
	}
	wrong, numbers := 0, 0
	for k := range keys {
		g, w := got[k], want[k]
		equal := reflect.DeepEqual(g, w)
		if x, ok := g.(float64); ok {
			if y, ok := w.(float64); ok {
				numbers++
				tolerance := 1e-5
				if strings.Contains(k, "p95") {
					tolerance = 0.01
				}
				equal = math.Abs(x-y) <= tolerance*math.Abs(y)+1e-9
			}
		}
		if !equal {
			if wrong++; wrong <= 10 {
				t.Errorf("%s: %s is %v, SQL over raw gives %v", what, k, g, w)
			}
		}
	}
	t.Logf("%s: %d figures are equal, %d of them numbers", what, len(keys)-wrong, numbers)
}

// rowsOf are the values of rows that are not NULL, by the row's key and the
// column; the first column is the key.
func rowsOf(t *testing.T, db *sql.DB, query string) map[string]any {
	t.Helper()
	rows, err := db.Query(`SELECT to_json(r) FROM (` + query + `) r`)
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	defer rows.Close()
	out := map[string]any{}
	for rows.Next() {
		var row any
		if err := rows.Scan(&row); err != nil {
			t.Fatal(err)
		}
		fields, ok := row.(map[string]any)
		if !ok {
			t.Fatalf("a row is %T", row)
		}
		for name, v := range fields {
			if name != "key" && v != nil {
				out[fields["key"].(string)+" "+name] = v
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// values are the fields of a document that are not null.
func values(t *testing.T, key string, document any) map[string]any {
	t.Helper()
	body, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	for name, v := range fields {
		if v != nil {
			out[key+" "+name] = v
		}
	}
	return out
}

// columns are the values of a document in columns, row by row.
func columns(t *testing.T, document any, key ...string) map[string]any {
	t.Helper()
	body, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatal(err)
	}
	rows := make([]map[string]any, int(fields["count"].(float64)))
	for i := range rows {
		rows[i] = map[string]any{}
	}
	for name, column := range fields {
		switch c := column.(type) {
		case []any:
			for i, v := range c {
				rows[i][name] = v
			}
		case map[string]any:
			words := c["dictionary"].([]any)
			for i, at := range c["indexes"].([]any) {
				if n := int(at.(float64)); n >= 0 {
					rows[i][name] = words[n]
				}
			}
		}
	}
	out := map[string]any{}
	for _, row := range rows {
		var parts []string
		for _, k := range key {
			if v := row[k]; v != nil {
				parts = append(parts, fmt.Sprint(v))
			}
		}
		for name, v := range row {
			if v != nil {
				out[strings.Join(parts, " ")+" "+name] = v
			}
		}
	}
	return out
}

var capital = regexp.MustCompile(`[A-Z]`)

// sqlName is the column of the hourly tables that a field of the report shows.
func sqlName(field string) string {
	return capital.ReplaceAllStringFunc(field, func(c string) string { return "_" + strings.ToLower(c) })
}

// jsonName is a field's name in the document.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// statisticsOf are the first hours of all series.
func statisticsOf(doc report.StatisticsData, hours int) map[string]any {
	out := map[string]any{}
	add := func(key string, series report.Series) {
		v := reflect.ValueOf(series)
		for i := range v.NumField() {
			field := jsonName(v.Type().Field(i))
			for h, o := range v.Field(i).Interface().(report.Floats)[:hours] {
				if x, ok := o.Get(); ok {
					out[fmt.Sprintf("%s %s %s", key, doc.HourStarts[h].Format("02 15:04"), sqlName(field))] = x
				}
			}
		}
	}
	add("cluster ", doc.ClusterAll)
	eachKey(doc, func(key string, _ report.Totals, series report.Series) { add(key, series) })
	return out
}

func eachKey(doc report.StatisticsData, do func(string, report.Totals, report.Series)) {
	for _, m := range doc.Models {
		do("models "+strings.Join([]string{m.Namespace, m.ModelType, m.Model}, " "), m.Total, m.Series)
	}
	for _, n := range doc.Namespaces {
		do("namespaces "+n.Namespace, n.Total, n.Series)
	}
	for _, n := range doc.Nodes {
		do("nodes "+n.Node, n.Total, n.Series)
	}
}

// figuresOfReport is what the report shows of hours beside what they have.
const figuresOfReport = `
	SELECT tbl, key, hour, name, v FROM wanted
	UNION ALL SELECT tbl, key, hour, 'energy_kilowatt_hours', v / 3.6e9 FROM wanted WHERE name = 'energy_millijoules'
	UNION ALL SELECT tbl, key, hour, 'coverage', s.v / e.v FROM (FROM wanted WHERE name = 'samples') s JOIN (FROM wanted WHERE name = 'expected_samples') e USING (tbl, key, hour)`

// wantedStatistics are the figures of the hours by SQL, under statisticsOf's names.
func wantedStatistics(t *testing.T, db *sql.DB, hours []time.Time) map[string]any {
	t.Helper()
	var names []string
	for f := range reflect.TypeFor[report.Series]().Fields() {
		names = append(names, "'"+sqlName(jsonName(f))+"'")
	}
	out := map[string]any{}
	for k, v := range figures(t, db, fmt.Sprintf(`SELECT tbl || ' ' || key || ' ' || strftime(hour AT TIME ZONE 'UTC', '%%d %%H:%%M') || ' ' || name, v FROM (%s)
		WHERE tbl IN ('cluster', 'models', 'namespaces', 'nodes') AND name IN (%s) AND hour BETWEEN '%s'::TIMESTAMPTZ AND '%s'::TIMESTAMPTZ`,
		figuresOfReport, strings.Join(names, ", "), hours[0].Format(time.RFC3339), hours[len(hours)-1].Format(time.RFC3339))) {
		out[k] = v
	}
	return out
}

// totalsOf are the sums of all keys.
func totalsOf(doc report.StatisticsData) map[string]any {
	out := map[string]any{}
	eachKey(doc, func(key string, total report.Totals, _ report.Series) {
		v := reflect.ValueOf(total)
		for i := range v.NumField() {
			field := jsonName(v.Type().Field(i))
			switch o := v.Field(i).Interface().(type) {
			case int64:
				out[key+" "+sqlName(field)] = float64(o)
			case usage.Opt[int64]:
				if n, ok := o.Get(); ok {
					out[key+" "+sqlName(field)] = float64(n)
				}
			case usage.Opt[float64]:
				if n, ok := o.Get(); ok {
					out[key+" "+sqlName(field)] = n
				}
			}
		}
	})
	return out
}

// wantedTotals are the sums by SQL: ratios are of the sums.
func wantedTotals(t *testing.T, db *sql.DB, from time.Time) map[string]any {
	t.Helper()
	out := map[string]any{}
	for k, v := range figures(t, db, fmt.Sprintf(`
		WITH sums AS (
			SELECT tbl, key, name, sum(v) AS v FROM (%s)
			WHERE tbl IN ('models', 'namespaces', 'nodes') AND hour >= '%s'::TIMESTAMPTZ AND (name LIKE 'gpu_hours_%%'
				OR name IN ('samples', 'expected_samples', 'prompt_tokens', 'generation_tokens', 'requests', 'restarts', 'cost', 'energy_kilowatt_hours'))
			GROUP BY ALL),
		maps AS (SELECT tbl, key, map_from_entries(list((name, v))) AS m FROM sums GROUP BY ALL),
		ratios AS (
			SELECT tbl, key, coalesce(m['prompt_tokens'] + m['generation_tokens'], m['prompt_tokens'], m['generation_tokens']) AS tokens,
				tokens / nullif(m['gpu_hours_allocated'], 0) AS tokens_per_gpu_hour, tokens / nullif(m['energy_kilowatt_hours'], 0) AS tokens_per_kilowatt_hour FROM maps)
		SELECT tbl || ' ' || key || ' ' || name, v FROM (
			FROM sums UNION ALL FROM (UNPIVOT (SELECT * EXCLUDE tokens FROM ratios) ON tokens_per_gpu_hour, tokens_per_kilowatt_hour INTO NAME name VALUE v))`,
		figuresOfReport, from.Format(time.RFC3339))) {
		out[k] = v
	}
	return out
}
