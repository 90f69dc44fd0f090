package store

import (
	"io"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Of the columns that are not named nothing is read.
func TestOpenSomeColumns(t *testing.T) {
	b := bucket.Mem()
	ts := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	row := usage.Node{TS: ts, Node: "n", Ready: true, GPUProduct: usage.Some("H100"), CPUCapacityMillicores: 7, CreatedAt: ts}
	if _, err := Nodes.Write(t.Context(), b, "x", []usage.Node{row, row}, Metadata{Cluster: "c"}); err != nil {
		t.Fatal(err)
	}
	r, err := Nodes.Open(t.Context(), b, "x", "ts", "node", "gpu_product")
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]usage.Node, 3)
	n, err := r.Read(rows)
	if want := (usage.Node{TS: ts, Node: "n", GPUProduct: usage.Some("H100")}); n != 2 || err != nil || rows[0] != want || rows[1] != want {
		t.Errorf("%d rows, %v: %+v", n, err, rows[:n])
	}
	if _, err := r.Read(rows); err != io.EOF {
		t.Errorf("after the last row: %v", err)
	}
}
