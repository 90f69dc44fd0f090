package prune

import (
	"bytes"
	"context"
	"io"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
)

// recorder records the order of deletions, and fails at one of them.
type recorder struct {
	bucket.Bucket
	deleted []string
	dies    int // calls of Delete until one fails; 0: never
}

func (r *recorder) Delete(ctx context.Context, names ...string) error {
	if r.dies--; r.dies == 0 {
		return context.Canceled
	}
	r.deleted = append(r.deleted, names...)
	return r.Bucket.Delete(ctx, names...)
}

func fill(t *testing.T) bucket.Bucket {
	t.Helper()
	b := bucket.Mem()
	put := func(name, body string) {
		t.Helper()
		if _, err := b.Put(t.Context(), name, []byte(body), bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for h := range 60 {
		at := now.Add(-time.Duration(h) * time.Hour)
		put(name(layout.Raw, "pods", at), "pods")
		put(name(layout.Raw, "nodes", at), "nodes")
		put(name(layout.Manifest, "", at), "{}")
		put(name(layout.Samples, "pods", at), "samples")
		if h != 55 {
			put(name(layout.Samples, "nodes", at), "samples")
		}
	}
	put("site/c/latest.json", `{"version":1,"cluster":"c","objects":{"nodes":{"path":"data/now.json"},"pods":[{"path":"data/pods.json"}]}}`)
	put("site/c/data/pods.json", "{}")
	put("site/c/data/now.json", "{}")
	put("site/strange.txt", "mine")
	put("state/alert/c.json", "{}")
	return b
}

func all(t *testing.T, b bucket.Bucket) []string {
	t.Helper()
	var names []string
	for info, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Name)
	}
	return names
}

func job(b bucket.Bucket, out io.Writer) *Job {
	return &Job{Bucket: b, Cluster: "c", Policy: policy, Out: out, Log: slog.New(slog.DiscardHandler)}
}

func TestRun(t *testing.T) {
	b := &recorder{Bucket: fill(t)}
	before := all(t, b)
	var out bytes.Buffer
	result, err := job(b, &out).Run(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	after := all(t, b)
	// The hours 49 to 59 but the one that is not in samples/: two tables and a manifest. Two objects are not the
	// cluster's: the site's and the state's are not listed.
	if result.Removed != 30 || result.Removed+result.Kept != len(before)-2 || len(after) != result.Kept+2 ||
		result.RemovedBytes != 10*(4+5+2) {
		t.Errorf("%+v of %d, left %d", result, len(before), len(after))
	}
	firstRaw := slices.IndexFunc(b.deleted, func(n string) bool { return !strings.Contains(n, "_manifest") })
	lastManifest := len(b.deleted) - 1
	for ; !strings.Contains(b.deleted[lastManifest], "_manifest"); lastManifest-- {
	}
	if firstRaw < lastManifest {
		t.Errorf("a raw object was deleted before a manifest: %q", b.deleted)
	}
	golden.Compare(t, "testdata/table.golden", out.Bytes())

	b.deleted = nil
	if again, err := job(b, io.Discard).Run(t.Context(), now); err != nil || again.Removed != 0 || len(b.deleted) != 0 {
		t.Errorf("a second run removes %+v %q, %v", again, b.deleted, err)
	}
}

// listings records the prefixes that are listed, and the names that List yields.
type listings struct {
	bucket.Bucket
	prefixes, keys []string
}

func (l *listings) List(ctx context.Context, prefix string) iter.Seq2[bucket.Info, error] {
	l.prefixes = append(l.prefixes, prefix)
	return func(yield func(bucket.Info, error) bool) {
		for info, err := range l.Bucket.List(ctx, prefix) {
			l.keys = append(l.keys, info.Name)
			if !yield(info, err) {
				return
			}
		}
	}
}

// In a bucket with two clusters, a run lists the objects of its own cluster only, also if the other's name begins like its own.
func TestRunListsItsOwnCluster(t *testing.T) {
	b := &listings{Bucket: fill(t)}
	var own []string
	for _, name := range all(t, b) {
		o, _ := layout.Parse(name)
		if o.Cluster == "c" && o.Tier != layout.State {
			own = append(own, name)
		}
		if o.Cluster == "" {
			continue
		}
		o.Cluster = "c2"
		if _, err := b.Put(t.Context(), o.Name(), []byte("{}"), bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	b.prefixes, b.keys = nil, nil
	result, err := job(b, io.Discard).Run(t.Context(), now)
	if err != nil || result.Removed != 30 {
		t.Errorf("%+v, %v", result, err)
	}
	slices.Sort(b.keys)
	if !slices.Equal(b.keys, own) {
		t.Errorf("listed %d objects, want the cluster's own %d; below %q", len(b.keys), len(own), b.prefixes)
	}
	if want := 2*len(store.RawTables) + 1 + len(store.HourlyTables) + 1; len(b.prefixes) != want {
		t.Errorf("listed %d prefixes, want %d: %q", len(b.prefixes), want, b.prefixes)
	}
}

// After a run that was killed at any deletion, a second run ends with the same bucket.
func TestRunKilled(t *testing.T) {
	whole := fill(t)
	if _, err := job(whole, io.Discard).Run(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	for dies := 1; dies <= 2; dies++ {
		b := fill(t)
		if _, err := job(&recorder{Bucket: b, dies: dies}, io.Discard).Run(t.Context(), now); err == nil {
			t.Fatal("the run did not die")
		}
		if _, err := job(b, io.Discard).Run(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if got, want := all(t, b), all(t, whole); !slices.Equal(got, want) {
			t.Errorf("killed at %d: left %q, want %q", dies, got, want)
		}
	}
}

func TestDryRun(t *testing.T) {
	b := fill(t)
	before := all(t, b)
	var told []string
	result, err := job(bucket.DryRun(b, func(op, name string) { told = append(told, op+" "+name) }), io.Discard).Run(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != result.Removed || !strings.HasPrefix(told[0], "delete raw/v1/_manifest/") || !slices.Equal(all(t, b), before) {
		t.Errorf("%+v, told %q", result, told)
	}
}

func TestNoSnapshot(t *testing.T) {
	b := bucket.Mem()
	if _, err := b.Put(t.Context(), name(layout.Hourly, "pods", now.Add(-1000*day)), nil, bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	result, err := job(b, &out).Run(t.Context(), now)
	if err != nil || result.Removed != 0 || !strings.Contains(out.String(), "nothing is deleted") {
		t.Errorf("%+v, %v: %s", result, err, out.String())
	}
}

// If latest.json cannot be read, nothing is deleted.
func TestLatestUnknown(t *testing.T) {
	for _, body := range []string{"{", `{"version":2}`} {
		b := &recorder{Bucket: fill(t)}
		if _, err := b.Put(t.Context(), "site/c/latest.json", []byte(body), bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := job(b, io.Discard).Run(t.Context(), now); err == nil || len(b.deleted) > 0 || !strings.Contains(err.Error(), "latest.json") {
			t.Errorf("%s: %v, deleted %q", body, err, b.deleted)
		}
	}
}
