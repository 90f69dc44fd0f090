package lake

import (
	"bytes"
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/jobs/rollup"
)

// BenchmarkRollup rolls up one hour of large clusters, and has DuckDB compute
// the same statistics of the same objects, with two processors each. Who is
// measured is a process of its own: the program with a memory limit for the
// cluster's size, and DuckDB in this test binary again, in one of the roles
// below. However often it is to run, it runs once.
func BenchmarkRollup(b *testing.B) {
	for _, size := range []struct {
		nodes       int
		memoryLimit string
	}{{650, "160MiB"}, {5000, "768MiB"}} {
		b.Run(fmt.Sprintf("nodes=%d", size.nodes), func(b *testing.B) { benchmarkRollup(b, size.nodes, size.memoryLimit) })
	}
}

func benchmarkRollup(b *testing.B, nodes int, memoryLimit string) {
	dir, minute := b.TempDir(), b.TempDir()
	program := filepath.Join(b.TempDir(), "k8s-monitor")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-o", program, "./jobs")
	build.Dir, build.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	rollup := func(dir string, at time.Time, args ...string) measured {
		c := exec.CommandContext(
			b.Context(),
			program,
			append([]string{"rollup", "--cluster", "bench", "--bucket", "file://" + dir, "--at", at.Format(time.RFC3339)}, args...)...)
		c.Env = append(os.Environ(), "GOMEMLIMIT="+memoryLimit)
		return runProcess(b, "rollup", c)
	}
	runRole(b, "write", dir, strconv.Itoa(nodes))
	var ours, theirs []measured
	for range 3 { // one after the other, so that what else runs here hinders both alike
		ours = append(
			ours,
			rollup(
				dir,
				benchHour.Add(70*time.Minute),
				"--from",
				benchHour.Format(time.RFC3339),
				"--to",
				benchHour.Add(time.Hour).Format(time.RFC3339),
			),
		)
		theirs = append(theirs, runRole(b, "duckdb", dir))
	}
	compacting := runRole(b, "duckdb-samples", dir)

	// The open hour, of which all but the last two minutes are rolled up.
	linkSome(b, filepath.Join(dir, "raw"), filepath.Join(minute, "raw"), func(name string) bool {
		o, _ := layout.Parse(name)
		return o.Time.Minute() < 58
	})
	linkDay(b, dir, minute)
	rollup(minute, benchHour.Add(57*time.Minute))
	var minutes []measured
	for _, m := range [...]int{58, 59} {
		linkSome(b, filepath.Join(dir, "raw"), filepath.Join(minute, "raw"), func(name string) bool {
			o, _ := layout.Parse(name)
			return o.Time.Minute() == m
		})
		minutes = append(minutes, rollup(minute, benchHour.Add(time.Duration(m)*time.Minute)))
	}

	us, they, steady := least(ours), least(theirs), least(minutes)
	pods := podSamples(b, dir) / 120
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "pods\twho\twall s\tCPU s\tpeak MiB\twall\tCPU\tpeak\t\n")
	row := func(who string, m measured) {
		fmt.Fprintf(w, "%d\t%s\t%.2f\t%.2f\t%.0f\t%.2f\t%.2f\t%.2f\t\n", pods, who, m.Seconds, m.CPUSeconds, m.PeakMiB,
			m.Seconds/they.Seconds, m.CPUSeconds/they.CPUSeconds, m.PeakMiB/they.PeakMiB)
	}
	row("rollup, statistics and samples", us)
	row("DuckDB, statistics", they)
	row("DuckDB, statistics and samples", compacting)
	row("rollup, one more minute", steady)
	w.Flush()
	raw, samples := bytesPerPod(b, dir, "raw"), bytesPerPod(b, dir, "samples")
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(os.Stderr, "%sbytes a pod and sample: raw %.2f, samples %.2f; load %s", table.String(), raw, samples, load)

	b.ReportMetric(0, "ns/op")
	for unit, value := range map[string]float64{
		"pods": float64(pods), "wall-s": us.Seconds, "cpu-s": us.CPUSeconds, "peak-MiB": us.PeakMiB,
		"duckdb-wall-s": they.Seconds, "duckdb-cpu-s": they.CPUSeconds, "duckdb-peak-MiB": they.PeakMiB,
		"wall/duckdb": us.Seconds / they.Seconds, "cpu/duckdb": us.CPUSeconds / they.CPUSeconds, "peak/duckdb": us.PeakMiB / they.PeakMiB,
		"minute-wall-s": steady.Seconds, "minute-cpu-s": steady.CPUSeconds, "minute-peak-MiB": steady.PeakMiB,
		"minute/duckdb": steady.Seconds / they.Seconds, "minute-cpu/duckdb": steady.CPUSeconds / they.CPUSeconds, "raw-bytes/pod-sample": raw, "samples-bytes/pod-sample": samples,
	} {
		b.ReportMetric(value, unit)
	}
}

// The benchmark's SQL and the rollup compute the same.
func TestBenchmarkIsFair(t *testing.T) {
	dir := t.TempDir()
	if err := writeHour(t.Context(), dir, 14); err != nil {
		t.Fatal(err)
	}
	end := benchHour.Add(time.Hour)
	j := rollup.Job{
		Bucket:         bucket.Dir(dir),
		Cluster:        "bench",
		Interval:       samplePeriod,
		RawRetention:   48 * time.Hour,
		ProgramVersion: "test",
		Log:            slog.New(slog.DiscardHandler),
	}
	if _, err := j.Run(t.Context(), end.Add(10*time.Minute), rollup.Range{From: benchHour, To: end}); err != nil {
		t.Fatal(err)
	}
	db := holdToDefinition(t, dir, told{now: end}, map[string]int{})
	peer := t.TempDir()
	if err := analyse(dir, peer, false); err != nil {
		t.Fatal(err)
	}
	differ(t, db, peer, map[string]int{})
}

// least is the least time of several runs, since whatever else runs only adds
// to it, and their highest peak.
func least(runs []measured) measured {
	m := runs[0]
	for _, r := range runs {
		m = measured{min(m.Seconds, r.Seconds), min(m.CPUSeconds, r.CPUSeconds), max(m.PeakMiB, r.PeakMiB)}
	}
	return m
}

// linkSome makes the files below from whose names are wanted appear below to.
func linkSome(b *testing.B, from, to string, want func(name string) bool) {
	b.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil || !want(filepath.ToSlash(filepath.Join("raw", rest))) {
			return err
		}
		target := filepath.Join(to, rest)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.Link(path, target)
	})
	if err != nil {
		b.Fatal(err)
	}
}

// linkDay gives the bucket a day of hours before benchHour, like those that
// were rolled up in from: what a minute's report shows beside the minute.
func linkDay(b *testing.B, from, to string) {
	b.Helper()
	for _, table := range hourlyTables {
		name := func(hour time.Time) string {
			return layout.Object{Tier: layout.Hourly, Table: table.name, Cluster: "bench", Time: hour}.Name()
		}
		for ago := range 23 {
			link := filepath.Join(to, name(benchHour.Add(-time.Duration(ago+1)*time.Hour)))
			if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.Link(filepath.Join(from, name(benchHour)), link); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// podSamples is the number of pod rows.
func podSamples(b *testing.B, dir string) (rows int) {
	b.Helper()
	if err := duck(b).QueryRow("SELECT count(*) FROM read_parquet('" + dir + "/raw/v1/pods/**/*.parquet')").Scan(&rows); err != nil {
		b.Fatal(err)
	}
	return rows
}

// bytesPerPod is the size of the pods' objects of a tier, for each row.
func bytesPerPod(b *testing.B, dir, tier string) float64 {
	b.Helper()
	total := int64(0)
	err := filepath.WalkDir(filepath.Join(dir, tier, "v1", "pods"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return float64(total) / float64(podSamples(b, dir))
}

// measured is what a role says of itself when it ends.
type measured struct{ Seconds, CPUSeconds, PeakMiB float64 }

// roleVariable is the environment variable that makes the binary play a role.
const roleVariable = "ROLLUP_BENCH_ROLE"

func runRole(b *testing.B, args ...string) measured {
	b.Helper()
	c := exec.CommandContext(b.Context(), os.Args[0])
	c.Env = append(os.Environ(), roleVariable+"="+strings.Join(args, " "))
	return runProcess(b, args[0], c)
}

// runProcess runs a process with two processors.
func runProcess(b *testing.B, name string, c *exec.Cmd) (m measured) {
	b.Helper()
	c.Env = append(c.Env, "GOMAXPROCS=2")
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	start := time.Now()
	if err := c.Run(); err != nil {
		b.Fatalf("%s: %v\n%s", name, err, output.Bytes())
	}
	m = measured{Seconds: time.Since(start).Seconds(), CPUSeconds: (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()}
	m.PeakMiB = float64(c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
	if runtime.GOOS == "darwin" {
		m.PeakMiB /= 1024 // there in bytes
	}
	fmt.Fprintf(os.Stderr, "%s: %.2f s, CPU %.2f s, peak %.0f MiB\n", name, m.Seconds, m.CPUSeconds, m.PeakMiB)
	return m
}

// play plays the role that the environment names, if it names one.
func play() (played bool) {
	args := strings.Fields(os.Getenv(roleVariable))
	if len(args) == 0 {
		return false
	}
	if err := playRole(context.Background(), args[0], args[1], args[2:]...); err != nil {
		fmt.Fprintln(os.Stderr, args, err)
		os.Exit(1)
	}
	return true
}

func playRole(ctx context.Context, role, dir string, args ...string) error {
	switch role {
	case "write":
		nodes, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		return writeHour(ctx, dir, nodes)
	case "duckdb":
		return analyse(dir, filepath.Join(dir, "duckdb"), false)
	case "duckdb-samples":
		return analyse(dir, filepath.Join(dir, "duckdb"), true)
	}
	return fmt.Errorf("no such role")
}

// statistics is SQL that computes the hourly tables of one hour quickly.
//
//go:embed statistics.sql
var statistics string

// analyse computes the hourly tables of benchHour in DuckDB, from the raw
// objects in dir, into out; and if it is to, writes their rows there as one
// object a table.
func analyse(dir, out string, compact bool) error {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var script strings.Builder
	fmt.Fprintf(
		&script,
		"SET threads = 2; SET memory_limit = '8GB'; SET temp_directory = '%s'; SET preserve_insertion_order = false; SET TimeZone = 'UTC'; SET VARIABLE hour = '%s'::TIMESTAMPTZ;",
		filepath.Join(out, "spill"),
		benchHour.Format(time.RFC3339),
	)
	for _, table := range [...]string{"pods", "nodes", "gpus", "engines", "gaps"} {
		fmt.Fprintf(
			&script,
			"CREATE VIEW raw_%s AS FROM read_parquet('%s/raw/v1/%[1]s/*/*/*/*.parquet', hive_partitioning = false);",
			table,
			dir,
		)
	}
	script.WriteString(statistics)
	put := func(query, tier, table string) error {
		folder := filepath.Join(out, tier, "v1", table)
		fmt.Fprintf(&script, "COPY (%s) TO '%s/09.parquet' (FORMAT parquet, COMPRESSION zstd);", query, folder)
		return os.MkdirAll(folder, 0o755)
	}
	for _, table := range hourlyTables {
		if err := put("FROM statistics WHERE kind = '"+table.name+"'", "hourly", table.name); err != nil {
			return err
		}
	}
	for table, order := range map[string]string{"pods": "namespace, pod, ts", "nodes": "node, ts", "gpus": "node, gpu_index, mig_instance, ts",
		"engines": "namespace, pod, ts", "gaps": "source, target, ts"} {
		if !compact {
			break
		}
		if err := put("FROM raw_"+table+" ORDER BY "+order, "samples", table); err != nil {
			return err
		}
	}
	_, err = db.Exec(script.String())
	return err
}
