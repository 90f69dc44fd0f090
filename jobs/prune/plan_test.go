package prune

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/layout"
)

const day = 24 * time.Hour

var (
	policy = Policy{Raw: 48 * time.Hour, Samples: 7 * day, Hourly: 400 * day, Report: 400 * day}
	now    = time.Date(2026, 3, 20, 12, 30, 0, 0, time.UTC)
)

func name(tier layout.Tier, table string, t time.Time) string {
	return layout.Object{Tier: tier, Table: table, Cluster: "c", Time: t}.Name()
}

// info is an object that was written at the time in its name.
func info(name string) bucket.Info {
	o, _ := layout.Parse(name)
	return bucket.Info{Name: name, Bytes: 100, Modified: o.Time}
}

// Every file in testdata lists objects, one "NAME [AGE] [shown]" a line with the time since they were written, and the
// decisions on them.
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
			input, _, _ := strings.Cut(string(body), "\n---\n")
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
			golden.Compare(t, file, []byte(strings.TrimSuffix(input, "\n")+"\n\n---\n"+got.String()))
		})
	}
}

// Whatever is in the bucket: every object gets one decision with a reason; no object is deleted that layout does not parse
// or that belongs to another cluster, and no raw hour that is not in samples/; a plan of what is left deletes nothing.
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
			tiers := []layout.Tier{layout.Raw, layout.Raw, layout.Manifest, layout.Samples, layout.Samples, layout.Hourly,
				layout.Report, layout.State, layout.Site}
			tier := tiers[random.IntN(len(tiers))]
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

// The newest days of a collector that stopped a year ago are kept.
func TestStalledCollector(t *testing.T) {
	stopped := now.Add(-365 * day)
	in := Inventory{Cluster: "c", Now: now}
	for h := range 72 {
		at := stopped.Add(-time.Duration(h) * time.Hour)
		in.Objects = append(in.Objects,
			info(name(layout.Manifest, "", at)), info(name(layout.Raw, "pods", at)), info(name(layout.Samples, "pods", at)))
	}
	kept := map[layout.Tier]int{}
	for _, d := range Plan(in, policy) {
		if d.Keep {
			kept[d.Tier]++
		}
	}
	// The newest hour is not over, so 48 hours of age include one hour more.
	if kept[layout.Raw] != 49 || kept[layout.Manifest] != 49 || kept[layout.Samples] != 72 {
		t.Errorf("kept %v", kept)
	}
}
