package lake

import (
	"database/sql"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/store"
)

// demo fills one bucket for all tests of the package.
var demo = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "k8s-monitor-lake-")
	if err != nil {
		return "", err
	}
	demoDir = dir
	program := filepath.Join(dir, "k8s-monitor")
	build := exec.Command("go", "build", "-o", program, "./jobs")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	runtime.LockOSThread() // Pdeathsig is sent when the thread that started a process ends
	defer runtime.UnlockOSThread()
	command := exec.Command(program, "demo", "--once", "--dir", filepath.Join(dir, "bucket"), "--days", "1")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // it ends when this test dies
	out, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("demo --once: %w\n%s", err, out)
	}
	return filepath.Join(dir, "bucket"), err
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
