package publish

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/bucket/buckettest"
)

var midnight = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

// Documents that take turns are each written once in as many minutes as there
// are turns; few documents are written each minute.
func TestTurns(t *testing.T) {
	for _, c := range []struct{ count, turns int }{{0, 1}, {1000, 1}, {1001, 2}, {5700, 6}} {
		for doc := range 200 {
			written := 0
			for minute := range c.turns {
				if turnsOf(c.count, 1000, midnight.Add(time.Duration(minute)*time.Minute)).has(fmt.Sprint("ns/pod-", doc)) {
					written++
				}
			}
			if written != 1 {
				t.Fatalf("document %d of %d pods is written %d times in %d minutes", doc, c.count, written, c.turns)
			}
		}
	}
}

// publishVersion publishes a version of the site, which has one asset of its own.
func publishVersion(t *testing.T, p Publisher, state *State, version int) error {
	asset := fmt.Sprintf("assets/%d.js", version)
	p.State = state
	p.Site = SiteFiles{FS: fstest.MapFS{asset: {Data: []byte("x")}, "index.html": {Data: []byte(asset)}}, Names: []string{asset, "index.html"}}
	_, err := p.publishSite(t.Context())
	return err
}

// TestSiteFiles publishes versions of the site from two clusters: what only the
// first version has goes when the third comes, and not before, whoever brings it.
func TestSiteFiles(t *testing.T) {
	b := bucket.Mem()
	p := Publisher{Bucket: b}
	var east, west State
	for i, step := range []struct {
		cluster string
		state   *State
		version int
		want    string
	}{
		{"east", &east, 1, "1"},
		{"west", &west, 1, "1"},
		{"east", &east, 2, "1 2"},
		{"west", &west, 1, "1 2"},
		{"west", &west, 2, "1 2"},
		{"east", &east, 2, "1 2"},
		{"west", &west, 3, "2 3"},
		{"east", &east, 2, "2 3"},
		{"east", &State{}, 2, "2 3"}, // it has lost its state
		{"east", &east, 4, "2 4"},
	} {
		p.Cluster = step.cluster
		if err := publishVersion(t, p, step.state, step.version); err != nil {
			t.Fatal(err)
		}
		var versions []string
		for name := range buckettest.Contents(t, b) {
			if version, ok := strings.CutPrefix(name, "site/assets/"); ok && strings.HasSuffix(version, ".js") {
				versions = append(versions, strings.TrimSuffix(version, ".js"))
			}
		}
		slices.Sort(versions)
		if got := strings.Join(versions, " "); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
	if _, err := b.Put(t.Context(), "site/assets/versions.json", []byte("{"), bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := publishVersion(t, p, &State{}, 5); err == nil || !strings.Contains(err.Error(), "site/assets/versions.json") {
		t.Errorf("a damaged account: %v", err)
	}
}

// A run that publishes and is killed at any write leaves nothing that the next
// one does not mend.
func TestSiteFilesAfterCrash(t *testing.T) {
	var want map[string]string
	for writes := -1; ; writes++ {
		b := bucket.Mem()
		p, state := Publisher{Bucket: b}, State{}
		for version := range 2 {
			if err := publishVersion(t, p, &state, version); err != nil {
				t.Fatal(err)
			}
		}
		var crash error
		if writes >= 0 {
			p.Bucket = buckettest.KillAt(b, writes)
			crash = publishVersion(t, p, &state, 2)
			p.Bucket = b
		}
		if err := publishVersion(t, p, &state, 2); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = buckettest.Contents(t, b)
		}
		buckettest.Diff(t, fmt.Sprintf("after a crash at write %d", writes), want, buckettest.Contents(t, b))
		if writes >= 0 && crash == nil {
			if writes != 4 {
				t.Errorf("%d writes seen, want 4: the account, two files and what goes", writes)
			}
			return
		}
	}
}
