// Package committedtest commits samples to a bucket as the snapshot job does, for
// the tests of those who read them.
package committedtest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Encode returns the objects of a cluster's snapshot by name: one a table, and
// the manifest. The instants are those of the rows of nodes.
func Encode(t *testing.T, cluster string, at time.Time, interval time.Duration, s usage.Sample) map[string][]byte {
	t.Helper()
	return encode(t, cluster, "", at, interval, instantsOf(store.Nodes, s.Nodes), s)
}

// EncodeNode returns the objects of the snapshot that a node takes of its own
// GPUs. The instants are those of the rows.
func EncodeNode(t *testing.T, cluster, node string, at time.Time, interval time.Duration, gpus []usage.GPU) map[string][]byte {
	t.Helper()
	return encode(t, cluster, node, at, interval, instantsOf(store.GPUs, gpus), usage.Sample{GPUs: gpus})
}

func instantsOf[T any](table *store.Table[T], rows []T) (instants []time.Time) {
	for i := range rows {
		if ts := table.Time(&rows[i]); !slices.ContainsFunc(instants, ts.Equal) {
			instants = append(instants, ts)
		}
	}
	slices.SortFunc(instants, time.Time.Compare)
	return instants
}

func encode(t *testing.T, cluster, node string, at time.Time, interval time.Duration, instants []time.Time,
	s usage.Sample) map[string][]byte {
	t.Helper()
	m := report.Manifest{
		Version: report.Version, Cluster: cluster, At: at, SampledAt: instants,
		IntervalSeconds: int(interval.Seconds()), Objects: []report.ManifestObject{}, Gaps: []usage.Gap{},
	}
	Sort(&s)
	objects := map[string][]byte{}
	add(t, &m, node, objects, store.Pods, s.Pods)
	add(t, &m, node, objects, store.Nodes, s.Nodes)
	add(t, &m, node, objects, store.GPUs, s.GPUs)
	add(t, &m, node, objects, store.Engines, s.Engines)
	add(t, &m, node, objects, store.Gaps, s.Gaps)
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	objects[layout.Object{Tier: layout.Manifest, Cluster: cluster, Time: at, Node: node}.Name()] = body
	return objects
}

func add[T any](t *testing.T, m *report.Manifest, node string, objects map[string][]byte, table *store.Table[T], rows []T) {
	t.Helper()
	if len(rows) == 0 {
		return
	}
	body, err := table.Encode(rows, store.Metadata{Cluster: m.Cluster})
	if err != nil {
		t.Fatal(err)
	}
	name := layout.Object{Tier: layout.Raw, Table: table.Name(), Cluster: m.Cluster, Time: m.At, Node: node}.Name()
	objects[name] = body
	m.Objects = append(m.Objects, report.ManifestObject{Name: name, Table: table.Name(), Rows: len(rows), Bytes: len(body)})
}

// Put writes objects to a bucket.
func Put(t *testing.T, b bucket.Bucket, objects map[string][]byte) {
	t.Helper()
	for name, body := range objects {
		if _, err := b.Put(t.Context(), name, body, bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// Append adds the rows of another sample.
func Append(s *usage.Sample, more usage.Sample) {
	s.Pods = append(s.Pods, more.Pods...)
	s.Nodes = append(s.Nodes, more.Nodes...)
	s.GPUs = append(s.GPUs, more.GPUs...)
	s.Engines = append(s.Engines, more.Engines...)
	s.Gaps = append(s.Gaps, more.Gaps...)
}

// Sort brings every table into its order.
func Sort(s *usage.Sample) {
	store.Pods.Sort(s.Pods)
	store.Nodes.Sort(s.Nodes)
	store.GPUs.Sort(s.GPUs)
	store.Engines.Sort(s.Engines)
	store.Gaps.Sort(s.Gaps)
}

// Split returns the rows before an instant, and those from it on.
func Split(s usage.Sample, at time.Time) (before, after usage.Sample) {
	before.Pods, after.Pods = split(store.Pods, s.Pods, at)
	before.Nodes, after.Nodes = split(store.Nodes, s.Nodes, at)
	before.GPUs, after.GPUs = split(store.GPUs, s.GPUs, at)
	before.Engines, after.Engines = split(store.Engines, s.Engines, at)
	before.Gaps, after.Gaps = split(store.Gaps, s.Gaps, at)
	return before, after
}

func split[T any](table *store.Table[T], rows []T, at time.Time) (before, after []T) {
	for _, row := range rows {
		if table.Time(&row).Before(at) {
			before = append(before, row)
		} else {
			after = append(after, row)
		}
	}
	return before, after
}
