package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// randomRows makes rows of any table with every field set or, where it can
// be, absent, and brings them into order.
func randomRows[T any](t *Table[T], n int, r *rand.Rand) []T {
	rows := make([]T, n)
	for i := range rows {
		fill(reflect.ValueOf(&rows[i]).Elem(), r)
	}
	slices.SortFunc(rows, func(a, b T) int { return t.compareRows(&a, &b) })
	return rows
}

func fill(v reflect.Value, r *rand.Rand) {
	switch p := v.Addr().Interface().(type) {
	case *string:
		*p = fmt.Sprintf("s%d-é", r.IntN(5))
	case *int32:
		*p = int32(r.IntN(3))
	case *int64:
		*p = r.Int64() - r.Int64()
	case *float64:
		*p = r.NormFloat64()
	case *bool:
		*p = r.IntN(2) == 0
	case *time.Time:
		*p = time.UnixMilli(1_767_225_600_000 + r.Int64N(1e9)).UTC()
	case *usage.Opt[string]:
		maybe(p, r, "", "x")
	case *usage.Opt[int32]:
		maybe(p, r, 0, 7)
	case *usage.Opt[int64]:
		maybe(p, r, 0, -7)
	case *usage.Opt[float64]:
		maybe(p, r, 0, 0.5)
	case *usage.Opt[time.Time]:
		maybe(p, r, time.UnixMilli(0).UTC(), time.UnixMilli(1_767_225_600_000).UTC())
	default:
		for i := range v.NumField() {
			fill(v.Field(i), r)
		}
	}
}

// maybe leaves p absent, or sets it to the value that is easily mistaken for
// absent, or to another.
func maybe[T any](p *usage.Opt[T], r *rand.Rand, zero, other T) {
	switch r.IntN(3) {
	case 1:
		*p = usage.Some(zero)
	case 2:
		*p = usage.Some(other)
	}
}

func roundTrip[T any](t *testing.T, table *Table[T]) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 1023, 1024, 1025, 3000} {
		rows := randomRows(table, n, r)
		body, err := table.Encode(rows, Metadata{Cluster: "c"})
		if err != nil {
			t.Fatalf("%s, %d rows: %v", table.name, n, err)
		}
		back, err := table.Decode(body)
		if err != nil {
			t.Fatalf("%s, %d rows: %v", table.name, n, err)
		}
		if len(back) != n || n > 0 && !reflect.DeepEqual(back, rows) {
			t.Errorf("%s, %d rows: read back other rows than were written", table.name, n)
		}
		again, err := table.Encode(rows, Metadata{Cluster: "c"})
		if err != nil || !bytes.Equal(body, again) {
			t.Errorf("%s, %d rows: equal rows gave other bytes (%v)", table.name, n, err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	roundTrip(t, Pods)
	roundTrip(t, Nodes)
	roundTrip(t, GPUs)
	roundTrip(t, Engines)
	roundTrip(t, Gaps)
	roundTrip(t, ModelHours)
	roundTrip(t, WorkloadHours)
	roundTrip(t, NamespaceHours)
	roundTrip(t, PodHours)
	roundTrip(t, NodeHours)
	roundTrip(t, ClusterHours)
}

func TestEncodeRefusesDisorder(t *testing.T) {
	rows := []usage.Gap{{Source: "b"}, {Source: "a"}}
	if _, err := Gaps.Encode(rows, Metadata{}); err == nil || !strings.Contains(err.Error(), "row 1 is out of order") {
		t.Errorf("rows out of order: %v", err)
	}
}

// TestSchemaDocument keeps docs/schema.md true.
func TestSchemaDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Tables\n\nWritten by `make update` from the row types in internal/usage.\n\n" +
		"NULL means not measured or not applicable; 0 means measured zero. Units are in the names. Timestamps are\n" +
		"TIMESTAMP(MILLIS, UTC); in DuckDB, `SET TimeZone='UTC'` shows them as such. The cluster and the day are in the path:\n" +
		"`cluster=C/dt=YYYY-MM-DD`. Columns are only ever added within v1.\n")
	document := func(path, note string, columns []ColumnInfo, meanings map[string]string) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| column | type | NULL | meaning |\n|---|---|---|---|\n", path, note)
		for _, c := range columns {
			null := ""
			if c.Nullable {
				null = "yes"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.Name, c.Type, null, meanings[c.Name])
		}
	}
	document("raw/v1/pods, samples/v1/pods", "One row a pod and sample.", Pods.Schema(), meanings[usage.Pod](t))
	document("raw/v1/nodes, samples/v1/nodes", "One row a node and sample.", Nodes.Schema(), meanings[usage.Node](t))
	document("raw/v1/gpus, samples/v1/gpus", "One row a GPU or MIG instance and sample.", GPUs.Schema(), meanings[usage.GPU](t))
	document(
		"raw/v1/engines, samples/v1/engines",
		"One row a model server and sample: its own metrics.",
		Engines.Schema(),
		meanings[usage.Engine](t),
	)
	document("raw/v1/gaps, samples/v1/gaps", "What could not be measured, and why.", Gaps.Schema(), meanings[usage.Gap](t))
	document("hourly/v1/models", "One row a model, namespace, engine and hour.", ModelHours.Schema(), meanings[usage.ModelHour](t))
	document("hourly/v1/workloads", "One row a workload and hour.", WorkloadHours.Schema(), meanings[usage.WorkloadHour](t))
	document("hourly/v1/namespaces", "One row a namespace and hour.", NamespaceHours.Schema(), meanings[usage.NamespaceHour](t))
	document("hourly/v1/nodes", "One row a node and hour.", NodeHours.Schema(), meanings[usage.NodeHour](t))
	document("hourly/v1/pods", "One row a pod and hour.", PodHours.Schema(), meanings[usage.PodHour](t))
	document("hourly/v1/cluster", "One row an hour.", ClusterHours.Schema(), meanings[usage.ClusterHour](t))

	file := filepath.Join("..", "..", "docs", "schema.md")
	golden.Compare(t, file, []byte(b.String()))
}
