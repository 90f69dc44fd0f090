package lake

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/internal/views"
)

// openViews opens DuckDB with the views that k8s-monitor sql duckdb makes of
// the bucket in dir.
func openViews(tb testing.TB, dir, cluster string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1) // the views are the session's
	loadViews(tb, db, dir, cluster)
	return db
}

func loadViews(tb testing.TB, db *sql.DB, dir, cluster string) {
	tb.Helper()
	script, err := views.Lake{Bucket: bucket.URL{Scheme: "file", Path: dir}, Cluster: cluster}.SQL(views.DuckDB)
	if err != nil {
		tb.Fatal(err)
	}
	for statement := range strings.SplitSeq(strings.TrimSuffix(script, ";\n"), ";\n") {
		if _, err := db.Exec(statement); err != nil {
			tb.Fatalf("%v\n%s", err, statement)
		}
	}
}

// viewed are the views of samples, and the columns that their objects have.
var viewed = map[string][]store.ColumnInfo{
	usage.Pods: store.Pods.Schema(), usage.Nodes: store.Nodes.Schema(), usage.GPUs: store.GPUs.Schema(),
	usage.Engines: store.Engines.Schema(), usage.Gaps: store.Gaps.Schema(),
}

func names(columns []store.ColumnInfo) string {
	var out []string
	for _, c := range columns {
		out = append(out, `"`+c.Name+`"`)
	}
	return strings.Join(out, ", ")
}

func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return n
}

// digest is how many rows a query has, and a sum over what is in them, whatever
// their order.
func digest(t *testing.T, db *sql.DB, columns, from string) string {
	t.Helper()
	rows := listed(t, db, "SELECT count(*) || ' rows, ' || coalesce(sum(CAST(hash("+columns+") AS HUGEINT)), 0) FROM "+from)
	if strings.HasPrefix(rows[0], "0 rows") {
		t.Errorf("there is nothing in %s", from)
	}
	return rows[0]
}

// link makes dir hold the same objects as the tiers of another bucket.
func link(t *testing.T, from, dir string, tiers ...string) string {
	t.Helper()
	for _, tier := range tiers {
		err := filepath.WalkDir(filepath.Join(from, tier), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			to := filepath.Join(dir, strings.TrimPrefix(name, from))
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			return os.Link(name, to)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What the jobs wrote, wherever of it there is: raw and samples overlap, raw
// alone, samples alone.
func TestViewsCountEachRowOnce(t *testing.T) {
	dir, raw := filled(t)
	hours := count(t, raw, "SELECT count(*) FROM glob('"+dir+"/samples/v1/nodes/**')")
	if hours < 20 {
		t.Fatalf("only %d hours are in samples/", hours)
	}
	for _, test := range []struct {
		name, dir, of string
	}{
		{"raw and samples", dir, "raw"},
		{"raw", link(t, dir, t.TempDir(), "raw"), "raw"},
		{"samples", link(t, dir, t.TempDir(), "samples"), "samples"},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := openViews(t, test.dir, "")
			for view, columns := range viewed {
				objects := fmt.Sprintf(
					"read_parquet('%s/%s/v1/%s/**/*.parquet', hive_partitioning = false, filename = true)",
					dir,
					test.of,
					view,
				)
				want := digest(
					t,
					raw,
					names(columns)+", regexp_extract(filename, '/cluster=([^/]+)', 1), regexp_extract(filename, '/dt=([^/]+)', 1), "+
						"regexp_extract(filename, '(hh=|/)([0-9]{2})(/[^/]*|)[.]parquet$', 2)",
					objects,
				)
				if got := digest(t, db, names(columns)+", cluster, dt, hh", view); got != want {
					t.Errorf("%s has %s, and the objects have %s", view, got, want)
				}
			}
		})
	}
}

func TestViewsOfHoursAreTheirTables(t *testing.T) {
	dir, raw := filled(t)
	db := openViews(t, dir, "")
	for table, columns := range map[string][]store.ColumnInfo{
		"models": store.ModelHours.Schema(), "workloads": store.WorkloadHours.Schema(), "namespaces": store.NamespaceHours.Schema(),
		"nodes": store.NodeHours.Schema(), "pods": store.PodHours.Schema(), "cluster": store.ClusterHours.Schema(),
	} {
		columns := names(columns)
		want := digest(
			t,
			raw,
			columns+", cluster, CAST(dt AS VARCHAR)",
			"read_parquet('"+dir+"/hourly/v1/"+table+"/**/*.parquet', hive_partitioning = true)",
		)
		if got := digest(t, db, columns+", cluster, dt", "hourly_"+table); got != want {
			t.Errorf("hourly_%s has %s, and the objects have %s", table, got, want)
		}
	}
}

// A bucket made by hand: put writes one object.
var day = time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)

func put[T any](t *testing.T, dir string, table *store.Table[T], tier layout.Tier, cluster string, at time.Duration, rows ...T) {
	t.Helper()
	o := layout.Object{Tier: tier, Table: table.Name(), Cluster: cluster, Time: day.Add(at)}
	if _, err := table.Write(t.Context(), bucket.Dir(dir), o.Name(), rows, store.Metadata{Cluster: cluster}); err != nil {
		t.Fatal(err)
	}
}

func node(name string, at time.Duration) usage.Node { return usage.Node{TS: day.Add(at), Node: name} }

func gap(target string, at time.Duration) usage.Gap {
	return usage.Gap{TS: day.Add(at), Source: "dcgm", Target: target}
}

// listed are the rows of a query of one text column, in order.
func listed(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

const (
	nodesSeen = "SELECT cluster || ' ' || dt || ' ' || hh || ' ' || strftime(ts, '%H:%M:%S') || ' ' || node FROM nodes ORDER BY ALL"
	gapsSeen  = "SELECT cluster || ' ' || hh || ' ' || target FROM gaps ORDER BY ALL"
)

func TestViewsHourByHour(t *testing.T) {
	const h, m = time.Hour, time.Minute
	dir := t.TempDir()
	// Hour 9 is in both; a late snapshot of it has come since.
	put(t, dir, store.Nodes, layout.Raw, "prod", 9*h, node("a", 9*h))
	put(t, dir, store.Nodes, layout.Raw, "prod", 9*h+m, node("late", 9*h+m))
	put(t, dir, store.Nodes, layout.Samples, "prod", 9*h, node("a", 9*h))
	// The run of 10:59 was still taking samples at 11:00, of which there are
	// others. Hour 10 is in both, hour 11 in raw alone.
	put(t, dir, store.Nodes, layout.Raw, "prod", 10*h+59*m, node("a", 10*h+59*m), node("a", 11*h))
	put(t, dir, store.Nodes, layout.Samples, "prod", 10*h, node("a", 10*h+59*m), node("a", 11*h))
	put(t, dir, store.Nodes, layout.Raw, "prod", 11*h, node("a", 11*h+30*time.Second))
	// Of hour 8 the raw objects are gone.
	put(t, dir, store.Nodes, layout.Samples, "prod", 8*h, node("a", 8*h))
	// Another cluster has not come to samples/ at hour 9, nor prod the day before.
	put(t, dir, store.Nodes, layout.Raw, "test", 9*h, node("t", 9*h))
	put(t, dir, store.Nodes, layout.Raw, "prod", -15*h, node("a", -15*h))
	// Hour 9 had no gap when it was rolled up, hour 10 had one, and hour 12 is
	// half rolled up: nodes are in samples/ and gaps are not yet.
	put(t, dir, store.Gaps, layout.Raw, "prod", 10*h+59*m, gap("ten", 10*h+59*m))
	put(t, dir, store.Gaps, layout.Samples, "prod", 10*h, gap("ten", 10*h+59*m))
	put(t, dir, store.Gaps, layout.Raw, "prod", 12*h, gap("twelve", 12*h))
	put(t, dir, store.Nodes, layout.Raw, "prod", 12*h, node("a", 12*h))
	put(t, dir, store.Nodes, layout.Samples, "prod", 12*h, node("a", 12*h))

	prod := []string{
		"prod 2026-01-30 09 09:00:00 a", "prod 2026-01-31 08 08:00:00 a", "prod 2026-01-31 09 09:00:00 a",
		"prod 2026-01-31 10 10:59:00 a", "prod 2026-01-31 10 11:00:00 a", "prod 2026-01-31 11 11:00:30 a", "prod 2026-01-31 12 12:00:00 a",
	}
	db := openViews(t, dir, "")
	for query, want := range map[string][]string{
		nodesSeen: append(slices.Clip(prod), "test 2026-01-31 09 09:00:00 t"),
		gapsSeen:  {"prod 10 ten", "prod 12 twelve"},
	} {
		if got := listed(t, db, query); !slices.Equal(got, want) {
			t.Errorf("%s\ngives %q\nwant  %q", query, got, want)
		}
	}
	if got := listed(t, openViews(t, dir, "prod"), nodesSeen); !slices.Equal(got, prod) {
		t.Errorf("of the cluster prod there are %q\nwant %q", got, prod)
	}

	// The session lasts, and hour 11 comes to samples/, with a new snapshot of
	// the next one.
	put(t, dir, store.Nodes, layout.Samples, "prod", 11*h, node("a", 11*h+30*time.Second))
	put(t, dir, store.Nodes, layout.Raw, "prod", 13*h, node("a", 13*h))
	want := append(slices.Clip(prod), "prod 2026-01-31 13 13:00:00 a", "test 2026-01-31 09 09:00:00 t")
	if got := listed(t, db, nodesSeen); !slices.Equal(got, want) {
		t.Errorf("later in the session there are %q\nwant %q", got, want)
	}
}

// A prefix without an object is a view without rows, whatever else there is.
func TestViewsOfWhatIsNotThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's [1]*? new")
	db := openViews(t, dir, "")
	for _, view := range []string{"pods", "nodes", "gpus", "engines", "gaps", "pod_gpu_states", "hourly_models", "hourly_workloads",
		"hourly_namespaces", "hourly_nodes", "hourly_pods", "hourly_cluster"} {
		if n := count(t, db, "SELECT count(*) FROM "+view+" WHERE dt >= '2026-01-01' AND cluster = 'prod'"); n != 0 {
			t.Errorf("%s has %d rows of nothing", view, n)
		}
	}
	for _, name := range views.QuestionNames {
		if rows := ask(t, db, name); len(rows) != 0 {
			t.Errorf("of nothing, %s answers %v", name, rows)
		}
	}
	put(t, dir, store.Nodes, layout.Raw, "prod", 0, node("a", 0))
	loadViews(t, db, dir, "")
	if got, want := listed(t, db, nodesSeen), []string{"prod 2026-01-31 00 00:00:00 a"}; !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q", got, want)
	}
	if n := count(t, db, "SELECT count(*) FROM pods"); n != 0 {
		t.Errorf("pods has %d rows of nothing", n)
	}
}

// An object that was written before a column was added lacks it.
func TestViewsOfOlderObjects(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, layout.Object{Tier: layout.Hourly, Table: usage.Models, Cluster: "prod", Time: day}.Name())
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	db := openViews(t, dir, "")
	if _, err := db.Exec("COPY (SELECT TIMESTAMPTZ '2026-01-31T00:00:00Z' AS hour, 'models' AS namespace, 'vllm' AS engine, 'llama' AS model) TO '" + name + "'"); err != nil {
		t.Fatal(err)
	}
	put(
		t,
		dir,
		store.ModelHours,
		layout.Hourly,
		"prod",
		time.Hour,
		usage.ModelHour{Hour: day.Add(time.Hour), Namespace: "models", Engine: "vllm", Model: "llama",
			Statistics: usage.Statistics{Cost: usage.Some(2.5)}},
	)
	loadViews(t, db, dir, "")
	want := []string{"llama NULL", "llama 2.5"}
	if got := listed(t, db, "SELECT model || ' ' || coalesce(CAST(cost AS VARCHAR), 'NULL') FROM hourly_models ORDER BY hour"); !slices.Equal(
		got,
		want,
	) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The percents are those that the page and the alerts reckon.
func TestViewsReckonPercents(t *testing.T) {
	dir, at := t.TempDir(), day
	absent, zero, some := usage.Opt[int64]{}, usage.Some(int64(0)), usage.Some(int64(700))
	var pods []usage.Pod
	for _, used := range []usage.Opt[int64]{absent, zero, usage.Some(int64(333))} {
		for _, limit := range []usage.Opt[int64]{absent, zero, some} {
			for _, request := range []usage.Opt[int64]{absent, zero, usage.Some(int64(90))} {
				for _, on := range []usage.Opt[string]{{}, usage.Some("a"), usage.Some("none")} {
					pods = append(pods, usage.Pod{TS: at, Namespace: "n", Pod: fmt.Sprintf("p%03d", len(pods)), Node: on,
						CPUUsageMillicores: used, CPULimitMillicores: limit, CPURequestMillicores: request,
						MemoryUsageBytes: used, MemoryLimitBytes: request, MemoryRequestBytes: limit,
						GPUMemoryUsedBytes: used, GPUMemoryTotalBytes: limit})
				}
			}
		}
	}
	a := usage.Node{
		TS:                       at,
		Node:                     "a",
		CPUAllocatableMillicores: 4000,
		MemoryAllocatableBytes:   9e9,
		CPUUsageMillicores:       usage.Some(int64(1234)),
		MemoryUsageBytes:         usage.Some(int64(3e9)),
	}
	put(t, dir, store.Pods, layout.Raw, "prod", 0, pods...)
	put(t, dir, store.Nodes, layout.Raw, "prod", 0, a, usage.Node{TS: at, Node: "none"})
	// The same node at another instant and in another cluster is not asked.
	put(t, dir, store.Nodes, layout.Raw, "prod", time.Minute, usage.Node{TS: at.Add(time.Minute), Node: "a", CPUAllocatableMillicores: 1})
	put(t, dir, store.Nodes, layout.Raw, "test", 0, usage.Node{TS: at, Node: "a", CPUAllocatableMillicores: 1})

	show := func(percent usage.Opt[float64], basis usage.Opt[usage.Basis]) string {
		p, ok := percent.Get()
		b, _ := basis.Get()
		if !ok {
			return "NULL "
		}
		return strconv.FormatFloat(p, 'g', -1, 64) + " " + string(b)
	}
	db := openViews(t, dir, "")
	rows, err := db.Query("SELECT cpu_percent, cpu_basis, memory_percent, memory_basis, gpu_memory_percent FROM pods ORDER BY pod")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	bases, n := map[string]bool{}, 0
	for ; rows.Next(); n++ {
		var cpu, memory, gpu sql.NullFloat64
		var cpuBasis, memoryBasis sql.NullString
		if err := rows.Scan(&cpu, &cpuBasis, &memory, &memoryBasis, &gpu); err != nil {
			t.Fatal(err)
		}
		p, allocatable, bytes := pods[n], usage.Opt[int64]{}, usage.Opt[int64]{}
		if on, _ := p.Node.Get(); on == "a" {
			allocatable, bytes = usage.Some(a.CPUAllocatableMillicores), usage.Some(a.MemoryAllocatableBytes)
		}
		for _, pair := range []struct {
			percent sql.NullFloat64
			basis   sql.NullString
			want    usage.Share
		}{{cpu, cpuBasis, p.CPUShare(allocatable)}, {memory, memoryBasis, p.MemoryShare(bytes)},
			{gpu, sql.NullString{}, usage.Share{Percent: usage.Percent(p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes)}}} {
			got := show(usage.Opt[float64]{}, usage.Opt[usage.Basis]{})
			if pair.percent.Valid {
				got = show(usage.Some(pair.percent.Float64), usage.Some(usage.Basis(pair.basis.String)))
			}
			if want := show(pair.want.Percent, pair.want.Basis); got != want || pair.basis.Valid && !pair.percent.Valid {
				t.Errorf("%+v: the view says %s, want %s", p, got, want)
			}
			bases[pair.basis.String] = true
		}
	}
	if err := rows.Err(); err != nil || n != len(pods) || len(bases) != 4 {
		t.Errorf("%d rows of %d pods, with the bases %v, %v", n, len(pods), bases, err)
	}
	want := []string{"a 30.85 33.33", "none NULL NULL"}
	if got := listed(t, db, `SELECT node || ' ' || coalesce(CAST(round(cpu_percent, 2) AS VARCHAR), 'NULL') || ' ' || coalesce(CAST(round(memory_percent, 2) AS VARCHAR), 'NULL')
		FROM nodes WHERE cluster = 'prod' AND ts = '2026-01-31T00:00:00Z' ORDER BY node`); !slices.Equal(
		got,
		want,
	) {
		t.Errorf("the nodes are %q, want %q", got, want)
	}
}

// Whoever asks for a few hours opens no object of others, and no raw object of
// an hour that is in samples/: on S3 every object opened is two requests.
func TestViewsOpenWhatIsAskedFor(t *testing.T) {
	dir, raw := filled(t)
	db := openViews(t, dir, "")
	sampled := listed(t, raw, "SELECT file FROM glob('"+dir+"/samples/v1/pods/**') ORDER BY file")
	o, ok := layout.Parse(strings.TrimPrefix(sampled[len(sampled)-1], dir+"/"))
	if !ok {
		t.Fatal(sampled)
	}
	late := count(t, raw, fmt.Sprintf("SELECT count(*) FROM glob('%s/raw/v1/pods/**') WHERE file > '%s'", dir,
		filepath.Join(dir, layout.HourPrefix(usage.Pods, "demo", o.Time.Add(time.Hour)))))
	for where, want := range map[string]int{
		fmt.Sprintf("dt = '%s' AND hh = '%s'", o.Time.Format("2006-01-02"), o.Time.Format("15")): 1,
		"TRUE":              len(sampled) + late,
		"dt < '2000-01-01'": 0,
	} {
		var kind, plan string
		if err := db.QueryRow("EXPLAIN ANALYZE SELECT max(cpu_percent) FROM pods WHERE "+where).Scan(&kind, &plan); err != nil {
			t.Fatal(err)
		}
		read := regexp.MustCompile(`Total Files Read:[│\s]*(\d+)`).FindAllStringSubmatch(plan, -1)
		for _, scan := range read { // of pods and of nodes
			if scan[1] != strconv.Itoa(want) {
				t.Errorf("where %s: %s objects are opened, want %d", where, scan[1], want)
			}
		}
		if len(read) != 2 && want > 0 {
			t.Errorf("where %s: the plan tells of %d scans:\n%s", where, len(read), plan)
		}
	}
}

// ask runs a question and returns its rows as texts, by column.
func ask(t *testing.T, db *sql.DB, name string) (out []map[string]string) {
	t.Helper()
	q, err := views.Ask(name)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(q.SQL)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, row := make([]any, len(columns)), map[string]string{}
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		for i, c := range columns {
			row[c] = fmt.Sprint(*values[i].(*any))
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestQuestionsAreAnswered(t *testing.T) {
	dir, raw := filled(t)
	db := openViews(t, dir, "")
	number := func(row map[string]string, column string) float64 {
		v, err := strconv.ParseFloat(row[column], 64)
		if err != nil {
			t.Errorf("%v: %s: %v", row, column, err)
		}
		return v
	}
	key := func(row map[string]string) string { return row["namespace"] + " " + row["model"] }

	hours := map[string]float64{}
	for _, row := range ask(t, db, "gpu-hours") {
		hours[key(row)] = number(row, "gpu_hours")
	}
	same(
		t,
		"gpu-hours",
		hours,
		figures(
			t,
			raw,
			"SELECT namespace || ' ' || model, round(sum(gpu_hours_allocated), 1) FROM hourly_models GROUP BY ALL HAVING sum(gpu_hours_allocated) > 0",
		),
	)

	idle := map[string]float64{}
	for _, row := range ask(t, db, "idle-gpus") {
		idle[row["namespace"]+" "+row["replica"]] = number(row, "gpus")
	}
	// Nobody of the demo idles for just a part of these minutes.
	same(
		t,
		"idle-gpus",
		idle,
		figures(t, raw, `SELECT namespace || ' ' || pod, max(gpu_hours_allocated * 3600 / (samples * 30)) FROM hourly_pods
		WHERE hour = (SELECT max(hour) FROM hourly_pods WHERE samples > 30) AND gpu_hours_idle_held = gpu_hours_allocated AND gpu_hours_allocated > 0 GROUP BY ALL`),
	)

	tokens, perHour := map[string]float64{}, 0.0
	for _, row := range ask(t, db, "tokens") {
		if row["tokens"] != "<nil>" {
			tokens[key(row)] += number(row, "tokens")
			perHour = max(perHour, number(row, "tokens_per_gpu_hour"))
		}
	}
	same(t, "tokens", tokens, figures(t, raw, `SELECT namespace || ' ' || model, sum(prompt_tokens + generation_tokens) FROM hourly_models
		WHERE hour >= now() - INTERVAL 1 DAY AND gpu_hours_allocated > 0 GROUP BY ALL HAVING count(prompt_tokens + generation_tokens) > 0`))
	if perHour < 1000 {
		t.Errorf("the busiest model makes %v tokens of a GPU-hour", perHour)
	}

	grown := ask(t, db, "memory-growth")
	if len(grown) == 0 || number(grown[0], "grown_mib") < 1 || number(grown[0], "last_mib")-number(grown[0], "first_mib") < 1 {
		t.Errorf("memory-growth answers %v", grown)
	}

	free := map[string]float64{}
	for _, row := range ask(t, db, "free-gpus") {
		free[row["node"]] = number(row, "free_gpus")
	}
	same(t, "free-gpus", free, figures(t, raw, `SELECT node, gpu_allocatable - gpu_requested FROM raw_nodes
		WHERE ts = (SELECT max(ts) FROM raw_nodes) AND ready AND NOT unschedulable AND gpu_allocatable > gpu_requested`))
}
