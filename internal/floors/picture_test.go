package floors

import (
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/golden"
)

const architecture = root + "/docs/architecture.md"

// The picture in docs/architecture.md shows the imports as they are; make update draws it again.
func TestPictureShowsTheImports(t *testing.T) {
	body, err := os.ReadFile(architecture)
	if err != nil {
		t.Fatal(err)
	}
	picture := regexp.MustCompile("(?s)```mermaid\n.*?```")
	if n := len(picture.FindAll(body, -1)); n != 1 {
		t.Fatalf("%s has %d pictures, want one", architecture, n)
	}
	golden.Compare(t, architecture, picture.ReplaceAllLiteral(body, []byte(draw(imports(t)))))
}

// imports are the imports between packages, without tests. A folder below a package belongs to it. What everyone may
// import is left out.
func imports(t *testing.T) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for name, file := range sources(t) {
		from := packageOf(file.folder)
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(file.folder, "test") || from == "" {
			continue
		}
		if all[from] == nil {
			all[from] = map[string]bool{}
		}
		for _, imported := range file.imports {
			if folder, ours := strings.CutPrefix(imported, module+"/"); ours {
				if to := packageOf(folder); to != "" && to != from {
					all[from][to] = true
				}
			}
		}
	}
	return all
}

// packageOf is the package in the picture to which a folder belongs; "" for one that the picture leaves out.
func packageOf(folder string) string {
	listed, _, ok := floorOf(folder)
	if !ok || vocabulary[listed] {
		return ""
	}
	return listed
}

// draw writes the imports as a Mermaid flowchart. An import that follows from others is left out.
func draw(imports map[string]map[string]bool) string {
	out, named := "```mermaid\nflowchart TD\n", map[string]bool{}
	node := func(folder string) string {
		id := path.Base(folder)
		if named[folder] {
			return id
		}
		named[folder] = true
		return fmt.Sprintf("%s[%s]", id, folder)
	}
	for _, from := range slices.Sorted(maps.Keys(imports)) {
		for _, to := range slices.Sorted(maps.Keys(imports[from])) {
			follows := false
			for other := range imports[from] {
				follows = follows || other != to && reaches(imports, other, to)
			}
			if !follows {
				x := node(from)
				out += "  " + x + " --> " + node(to) + "\n"
			}
		}
	}
	for _, alone := range slices.Sorted(maps.Keys(imports)) {
		if !named[alone] {
			out += "  " + node(alone) + "\n"
		}
	}
	return out + "```"
}

// reaches reports whether one package imports another, directly or by others.
func reaches(imports map[string]map[string]bool, from, to string) bool {
	if from == to {
		return true
	}
	for next := range imports[from] {
		if reaches(imports, next, to) {
			return true
		}
	}
	return false
}

func TestDraw(t *testing.T) {
	got := draw(map[string]map[string]bool{"jobs": {"internal/a": true, "internal/b": true}, "internal/a": {"internal/b": true},
		"internal/c": {}})
	want := "```mermaid\nflowchart TD\n  a[internal/a] --> b[internal/b]\n  jobs[jobs] --> a\n  c[internal/c]\n```"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
