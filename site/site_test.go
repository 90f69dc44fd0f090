package site

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/company/k8s-resource-monitor/internal/layout"
)

func TestListOrder(t *testing.T) {
	got, err := list(fstest.MapFS{".gitkeep": {}, "index.html": {}, "assets/z.js": {}, "assets/a.css": {}})
	if want := []string{"assets/a.css", "assets/z.js", "index.html"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("list = %q, %v; want %q", got, err, want)
	}
}

func TestNotBuilt(t *testing.T) {
	if _, err := list(fstest.MapFS{".gitkeep": {}}); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("list of an empty dist: %v, want ErrNotBuilt", err)
	}
}

// TestFiles holds for a built and for an unbuilt site: every file has a name
// that the bucket's layout knows, and index.html names nothing from elsewhere.
func TestFiles(t *testing.T) {
	root, names, err := Files()
	if err != nil && !errors.Is(err, ErrNotBuilt) {
		t.Fatal(err)
	}
	for _, name := range names {
		if o, ok := layout.Parse("site/" + name); !ok || o.Tier != layout.Site {
			t.Errorf("layout does not know site/%s", name)
		}
	}
	if err == nil {
		b, err := fs.ReadFile(root, "index.html")
		if err != nil {
			t.Fatal(err)
		}
		if text := string(b); strings.Contains(text, "://") || strings.Contains(text, `="/`) {
			t.Error("index.html must hold relative addresses only")
		}
	}
}
