package committed_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/committed"
	"github.com/company/k8s-resource-monitor/internal/committed/committedtest"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

var start = time.Date(2026, 3, 2, 9, 58, 0, 0, time.UTC)

func minute(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// sample is a node with two pods, of which the first holds a GPU that only NVML
// knows.
func sample(ts time.Time) usage.Sample {
	pod := func(name string, gpus int32) usage.Pod {
		p := usage.Pod{TS: ts, Namespace: "chat", Pod: name, PodUID: name, Node: usage.Some("node-a"), Phase: "Running", Ready: true,
			CreatedAt: start, GPURequest: gpus}
		if gpus > 0 {
			p.GPUAttribution = usage.Some(usage.Unknown)
		}
		return p
	}
	return usage.Sample{
		Pods:    []usage.Pod{pod("vllm-0", 1), pod("web-0", 0)},
		Nodes:   []usage.Node{{TS: ts, Node: "node-a", Ready: true, CreatedAt: start}},
		Engines: []usage.Engine{{TS: ts, Namespace: "chat", Pod: "vllm-0", PodUID: "vllm-0", Engine: usage.VLLM}},
	}
}

func gpuOf(ts time.Time) usage.GPU {
	return usage.GPU{TS: ts, Node: "node-a", GPUUUID: "GPU-0", Source: "nvml", ShareCount: 1, UtilPercent: usage.Some(70.0),
		Namespace: usage.Some("chat"), Pod: usage.Some("vllm-0")}
}

// requests counts the listings of a bucket.
type requests struct {
	bucket.Bucket
	lists []string
}

func (r *requests) List(ctx context.Context, prefix string) iter.Seq2[bucket.Info, error] {
	r.lists = append(r.lists, prefix)
	return r.Bucket.List(ctx, prefix)
}

// newReader reads a bucket with a snapshot a minute and, of odd minutes, one of
// node-a. What lies beside them without a manifest is not committed.
func newReader(t *testing.T, minutes int) (committed.Reader, *requests) {
	t.Helper()
	b := &requests{Bucket: bucket.Mem()}
	for n := range minutes {
		var s usage.Sample
		committedtest.Append(&s, sample(minute(n)))
		committedtest.Append(&s, sample(minute(n).Add(30*time.Second)))
		committedtest.Put(t, b, committedtest.Encode(t, "c", minute(n), 30*time.Second, s))
		if n%2 == 1 {
			gpus := []usage.GPU{gpuOf(minute(n)), gpuOf(minute(n).Add(30 * time.Second))}
			committedtest.Put(t, b, committedtest.EncodeNode(t, "c", "node-a", minute(n), 30*time.Second, gpus))
		}
	}
	killed := committedtest.Encode(t, "c", minute(minutes), 30*time.Second, sample(minute(minutes)))
	delete(killed, layout.Object{Tier: layout.Manifest, Cluster: "c", Time: minute(minutes)}.Name())
	committedtest.Put(t, b, killed)
	return committed.Reader{Bucket: b, Cluster: "c"}, b
}

func TestListIsCommittedAndInOrder(t *testing.T) {
	r, b := newReader(t, 4) // 9:58 to 10:01: two hours
	found, err := r.List(t.Context(), minute(1), minute(9))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range found {
		got = append(got, s.At.Format("15:04")+s.Node)
	}
	if want := []string{"09:59node-a", "09:59", "10:00", "10:01node-a", "10:01"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if len(b.lists) != 2 {
		t.Errorf("%d listings, want one an hour: %q", len(b.lists), b.lists)
	}
	if minutes := committed.ByMinute(found); len(minutes) != 3 || len(minutes[0]) != 2 || len(minutes[1]) != 1 {
		t.Errorf("by minute %v", minutes)
	}
	b.lists = nil
	if _, err := r.List(t.Context(), minute(-590), minute(9)); err != nil || len(b.lists) != 1 {
		t.Errorf("ten hours of a day take %d listings, want 1; %v", len(b.lists), err)
	}
}

func TestNewest(t *testing.T) {
	r, _ := newReader(t, 4)
	for upTo, want := range map[int]string{99: "10:01", 3: "10:01", 2: "10:00", -1: ""} {
		s, ok, err := r.Newest(t.Context(), minute(upTo))
		if err != nil || ok != (want != "") || ok && (s.At.Format("15:04") != want || s.Node != "") {
			t.Errorf("up to minute %d: %+v, %v, %v; want %q", upTo, s, ok, err, want)
		}
	}
}

// A pod's GPU figures are of the minute in which its node reported them, and
// every instant has its own rows.
func TestInstantsOf(t *testing.T) {
	r, _ := newReader(t, 2)
	found, err := r.List(t.Context(), minute(0), minute(9))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, snapshots := range committed.ByMinute(found) {
		sources, err := r.Open(t.Context(), snapshots)
		if err != nil {
			t.Fatal(err)
		}
		instants, err := r.InstantsOf(t.Context(), sources, func(ts time.Time) bool { return !ts.Equal(minute(0)) })
		if err != nil {
			t.Fatal(err)
		}
		for i := range instants {
			in := &instants[i]
			line := fmt.Sprintf("%s %v nodes=%d gpus=%d engines=%d",
				in.TS.Format("15:04:05"), in.Interval, len(in.Nodes), len(in.GPUs), len(in.Engines))
			err := in.Pods(t.Context(), func(p *usage.Pod) {
				util, ok := p.GPUUtilPercent.Get()
				line += fmt.Sprintf(" %s=%v,%v", p.Pod, util, ok)
			})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, line)
		}
	}
	want := []string{
		"09:58:30 30s nodes=1 gpus=0 engines=1 vllm-0=0,false web-0=0,false",
		"09:59:00 30s nodes=1 gpus=1 engines=1 vllm-0=70,true web-0=0,false",
		"09:59:30 30s nodes=1 gpus=1 engines=1 vllm-0=70,true web-0=0,false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// A node's snapshot that comes before the cluster's is nothing to look at yet.
func TestNodesAloneHaveNoInstants(t *testing.T) {
	b := bucket.Mem()
	committedtest.Put(t, b, committedtest.EncodeNode(t, "c", "node-a", minute(0), time.Minute, []usage.GPU{gpuOf(minute(0))}))
	r := committed.Reader{Bucket: b, Cluster: "c"}
	found, err := r.List(t.Context(), minute(0), minute(1))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	sources, err := r.Open(t.Context(), found)
	if err != nil {
		t.Fatal(err)
	}
	if instants, err := r.InstantsOf(t.Context(), sources, func(time.Time) bool { return true }); err != nil || len(instants) != 0 {
		t.Errorf("%v, %v", instants, err)
	}
}

// write writes an hour's object in samples/.
func write[T any](t *testing.T, b bucket.Bucket, table *store.Table[T], hour time.Time, rows []T) {
	t.Helper()
	name := layout.Object{Tier: layout.Samples, Table: table.Name(), Cluster: "c", Time: hour}.Name()
	if _, err := table.Write(t.Context(), b, name, rows, store.Metadata{}); err != nil {
		t.Fatal(err)
	}
}

// Where part of an hour's raw objects were pruned, samples/ gives the rest, and
// no instant twice.
func TestSamplesFillWhatWasPruned(t *testing.T) {
	r, b := newReader(t, 2)
	hour := start.Truncate(time.Hour)
	var whole usage.Sample
	for n := -3; n < 2; n++ { // samples/ holds five minutes of the hour, raw/ the last two
		committedtest.Append(&whole, sample(minute(n)))
		committedtest.Append(&whole, sample(minute(n).Add(30*time.Second)))
	}
	committedtest.Sort(&whole)
	write(t, b, store.Pods, hour, whole.Pods)
	write(t, b, store.Nodes, hour, whole.Nodes)
	found, err := r.List(t.Context(), minute(0), minute(9))
	if err != nil {
		t.Fatal(err)
	}
	sources, err := r.Open(t.Context(), found)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := r.Samples(t.Context(), hour, minute(-2), sources) // the first minute was aggregated before
	if err != nil || samples == nil {
		t.Fatalf("%v, %v", samples, err)
	}
	if got := len(samples.Instants); got != 4 {
		t.Errorf("samples/ gives %d instants, want those of 2 minutes", got)
	}
	sources = append(sources, samples)
	nodes, err := r.Nodes(t.Context(), sources, "ts", "node")
	if err != nil {
		t.Fatal(err)
	}
	var instants []time.Time
	if err := nodes.Each(func(n *usage.Node) { instants = append(instants, n.TS) }); err != nil {
		t.Fatal(err)
	}
	if len(instants) != 8 || len(slices.CompactFunc(slices.Clone(instants), time.Time.Equal)) != 8 ||
		!slices.IsSortedFunc(instants, time.Time.Compare) {
		t.Errorf("nodes have %d instants: %v", len(instants), instants)
	}
	all := committed.Instants(sources)
	if len(all) != 8 {
		t.Errorf("%d instants in all, want 8", len(all))
	}
	if again, err := r.Samples(t.Context(), hour, minute(0), sources); err != nil || again != nil {
		t.Errorf("what the snapshots hold is given again: %v, %v", again, err)
	}
}
