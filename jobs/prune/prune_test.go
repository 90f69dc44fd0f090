package prune

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const day = 24 * time.Hour

var (
	policy = Policy{Raw: 48 * time.Hour, Samples: 7 * day, Hourly: 400 * day, Report: 400 * day}
	now    = time.Date(2026, 3, 20, 12, 30, 0, 0, time.UTC)
)

func name(tier layout.Tier, table string, t time.Time) string {
	return layout.Object{Tier: tier, Table: table, Cluster: "c", Time: t}.Name()
}

// info is an object that was written at the instant of its name.
func info(name string) bucket.Info {
	o, _ := layout.Parse(name)
	return bucket.Info{Name: name, Bytes: 100, Modified: o.Time}
}

// Every file in testdata is a list of objects, "NAME [AGE]" by line with the
// age of its writing, and the decisions on them.
func TestPlanGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(body), "\n---\n")
			in := Inventory{Cluster: "c", Now: now}
			for line := range strings.Lines(input) {
				fields := strings.Fields(line)
				if len(fields) == 0 || strings.HasPrefix(line, "#") {
					continue
				}
				object := info(fields[0])
				if len(fields) > 1 && fields[1] != "shown" {
					age, err := time.ParseDuration(fields[1])
					if err != nil {
						t.Fatal(err)
					}
					object.Modified = now.Add(-age)
				}
				if fields[len(fields)-1] == "shown" {
					if in.Shown == nil {
						in.Shown = map[string]bool{}
					}
					in.Shown[fields[0]] = true
				}
				in.Objects = append(in.Objects, object)
			}
			var got strings.Builder
			for _, d := range Plan(in, policy) {
				action := "remove"
				if d.Keep {
					action = "keep  "
				}
				fmt.Fprintf(&got, "%s %s  (%s)\n", action, d.Name, d.Reason)
			}
			if *update {
				if err := os.WriteFile(file, []byte(strings.TrimSuffix(input, "\n")+"\n\n---\n"+got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got.String() != want {
				t.Errorf("got\n%s\nwant\n%s", got.String(), want)
			}
		})
	}
}

// Whatever lies in the bucket: every object gets one decision with a reason,
// nothing is deleted that layout does not parse or that is another cluster's,
// and no raw hour that is not in samples/; a plan over what is left deletes
// nothing more.
func TestPlanInvariants(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	removedSomething := false
	for range 300 {
		in := Inventory{Cluster: "c", Now: now, Shown: map[string]bool{}}
		names := map[string]bool{}
		for range 60 {
			cluster := []string{"c", "c", "c", "other"}[random.IntN(4)]
			table := []string{"pods", "nodes"}[random.IntN(2)]
			at := now.Add(-time.Duration(random.IntN(12*24*60)) * time.Minute).Truncate(time.Minute)
			tier := []layout.Tier{layout.Raw, layout.Raw, layout.Manifest, layout.Samples, layout.Samples, layout.Hourly, layout.Report, layout.State, layout.Site}[random.IntN(9)]
			o := layout.Object{Tier: tier, Table: table, Cluster: cluster, Time: at, Path: fmt.Sprintf("data/%d.json", random.IntN(9))}
			if tier == layout.State {
				o.Path = "alert"
			}
			if tier == layout.Site {
				o.Path = "assets/x.js"
			}
			n := o.Name()
			if random.IntN(8) == 0 {
				n = []string{n + "~", "backup/" + n, "raw/v1/pods/cluster=c/" + n}[random.IntN(3)]
			}
			names[n] = true
		}
		for _, n := range slices.Sorted(maps.Keys(names)) {
			object := info(n)
			object.Modified = now.Add(-time.Duration(random.IntN(500*24)) * time.Hour)
			in.Objects = append(in.Objects, object)
			in.Shown[n] = random.IntN(2) == 0
		}
		decisions := Plan(in, policy)
		if len(decisions) != len(in.Objects) {
			t.Fatalf("%d decisions on %d objects", len(decisions), len(in.Objects))
		}
		left := Inventory{Cluster: "c", Now: now, Shown: in.Shown}
		byName := map[string]bucket.Info{}
		for _, o := range in.Objects {
			byName[o.Name] = o
		}
		ordered := slices.Concat(deletions(decisions)...)
		removed := 0
		for _, d := range decisions {
			if d.Reason == "" || !names[d.Name] {
				t.Fatalf("%+v", d)
			}
			if d.Keep {
				left.Objects = append(left.Objects, byName[d.Name])
				continue
			}
			removed++
			removedSomething = true
			o, ok := layout.Parse(d.Name)
			if !ok || o.Cluster != "c" || o.Tier == layout.State || o.Tier == layout.Site {
				t.Fatalf("removes %s", d.Name)
			}
			if o.Tier == layout.Raw && !names[name(layout.Samples, o.Table, o.Time)] {
				t.Fatalf("removes %s, whose hour is not in samples/", d.Name)
			}
		}
		if removed != len(ordered) {
			t.Fatalf("%d removed, %d deletions", removed, len(ordered))
		}
		for _, d := range Plan(left, policy) {
			// A raw hour can only become removable by more samples, never by fewer.
			if !d.Keep {
				t.Fatalf("a second plan removes %s (%s)", d.Name, d.Reason)
			}
		}
	}
	if !removedSomething {
		t.Error("no plan removed anything")
	}
}

// A collector that stopped a year ago has its newest days kept.
func TestStalledCollector(t *testing.T) {
	stopped := now.Add(-365 * day)
	in := Inventory{Cluster: "c", Now: now}
	for h := range 72 {
		at := stopped.Add(-time.Duration(h) * time.Hour)
		in.Objects = append(in.Objects, info(name(layout.Manifest, "", at)), info(name(layout.Raw, "pods", at)), info(name(layout.Samples, "pods", at)))
	}
	kept := map[layout.Tier]int{}
	for _, d := range Plan(in, policy) {
		if d.Keep {
			kept[d.Tier]++
		}
	}
	// The newest hour has begun, so that 48 hours before it reach one hour more.
	if kept[layout.Raw] != 49 || kept[layout.Manifest] != 49 || kept[layout.Samples] != 72 {
		t.Errorf("kept %v", kept)
	}
}

// recorder notes the order of deletions, and dies after some.
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
	// The hours 49 to 59 but the one that is not in samples/: two tables and a manifest.
	if result.Removed != 30 || result.Removed+result.Kept != len(before) || len(after) != result.Kept || result.RemovedBytes != 10*(4+5+2) {
		t.Errorf("%+v of %d, left %d", result, len(before), len(after))
	}
	firstRaw := slices.IndexFunc(b.deleted, func(n string) bool { return !strings.Contains(n, "_manifest") })
	lastManifest := len(b.deleted) - 1
	for ; !strings.Contains(b.deleted[lastManifest], "_manifest"); lastManifest-- {
	}
	if firstRaw < lastManifest {
		t.Errorf("a raw object was deleted before a manifest: %q", b.deleted)
	}
	golden(t, "testdata/table.golden", out.Bytes())

	b.deleted = nil
	if again, err := job(b, io.Discard).Run(t.Context(), now); err != nil || again.Removed != 0 || len(b.deleted) != 0 {
		t.Errorf("a second run removes %+v %q, %v", again, b.deleted, err)
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %v, got\n%s\nwant\n%s", file, err, got, want)
	}
}

// Killed at any deletion, a second run ends in the same bucket.
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

// A latest.json that cannot be understood stops the run before it deletes.
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
