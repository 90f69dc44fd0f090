// Package floors holds one test and no code: the rules of who may import whom,
// checked against the sources themselves.
package floors

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/company/k8s-resource-monitor"
)

// floors says how high each package stands. An import goes from a floor to a
// lower one, so a package can be understood, tested and replaced knowing only
// what lies below it. A folder below a listed one (such as buckettest) stands
// on its floor and may import its parent.
var floors = map[string]int{
	"internal/golden":     0,
	"internal/usage":      0,
	"internal/layout":     0,
	"internal/report":     0,
	"internal/yamlfile":   0,
	"internal/config":     1,
	"internal/exposition": 0,
	"internal/bucket":     1,
	"internal/kube":       1,
	"internal/serving":    1,
	"internal/gpu":        1,
	"internal/sim":        1,
	"internal/statistics": 1,
	"internal/activity":   2,
	"internal/store":      2,
	"internal/committed":  3,
	"internal/views":      3,
	"site":                0,
	"jobs/snapshot":       4,
	"jobs/rollup":         4,
	"jobs/alert":          4,
	"jobs/prune":          4,
	"internal/demo":       5,
	"jobs":                6,
	"internal/floors":     6, // has tests only
}

// vocabulary are the packages of floor 0 that their neighbours may import: the
// rows and the names of objects are the words that everyone speaks, and goldens
// are compared everywhere.
var vocabulary = map[string]bool{"internal/usage": true, "internal/layout": true, "internal/golden": true}

// testHelpers are packages that tests alone import.
var testHelpers = []string{"internal/golden", "internal/bucket/buckettest", "internal/committed/committedtest"}

// owners names the one package that may import a third-party module, so that
// its quirks and its next major version concern one place.
var owners = map[string]string{
	"k8s.io/client-go":                   "internal/kube",
	"k8s.io/component-helpers":           "internal/kube",
	"k8s.io/kubelet":                     "internal/gpu",
	"google.golang.org/grpc":             "internal/gpu",
	"github.com/NVIDIA/go-nvml":          "internal/gpu",
	"github.com/parquet-go/parquet-go":   "internal/store",
	"github.com/aws/aws-sdk-go-v2":       "internal/bucket",
	"github.com/aws/smithy-go":           "internal/bucket",
	"go.yaml.in/yaml/v4":                 "internal/yamlfile",
	"github.com/slack-go/slack":          "jobs/alert",
	"cel.dev/cel-go":                     "jobs/alert",
	"github.com/alecthomas/kong":         "jobs",
	"golang.org/x/term":                  "jobs",
	"github.com/go-json-experiment/json": "internal/kube",
	"mvdan.cc/sh":                        "internal/serving",
}

// source is what one file says about itself.
type source struct {
	folder  string // slash-separated, below the module's root
	imports []string
	lines   int
}

// sources parses every Go file of the module, by path. The test reads the
// files itself, so the test cache sees each change to them.
func sources(t *testing.T) map[string]source {
	t.Helper()
	found := map[string]source{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			base := entry.Name()
			if name != root && (base == "node_modules" || base == "testdata" || base[0] == '.' || isModule(name)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, body, parser.ImportsOnly)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		s := source{folder: path.Dir(relative), lines: bytes.Count(body, []byte("\n"))}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, imported)
		}
		found[relative] = s
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("only %d Go files below %s: the test looks in the wrong place", len(found), root)
	}
	return found
}

func isModule(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

func TestImportsGoDownward(t *testing.T) {
	files := sources(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, imported := range files[name].imports {
			if target, ours := strings.CutPrefix(imported, module+"/"); ours {
				if slices.Contains(testHelpers, target) && !strings.HasSuffix(name, "_test.go") && !slices.Contains(testHelpers, files[name].folder) {
					t.Errorf("%s: imports %s, which is for tests alone", name, target)
				}
				if problem := climb(files[name].folder, target, strings.HasSuffix(name, "_test.go")); problem != "" {
					t.Errorf("%s: imports %s: %s", name, target, problem)
				}
			}
		}
	}
}

// climb says what is wrong with an import between two folders, "" if nothing.
func climb(from, to string, inTest bool) string {
	importer, above, ok := floorOf(from)
	if !ok {
		return fmt.Sprintf("%s has no floor; give it one in the table of this test", from)
	}
	imported, below, ok := floorOf(to)
	switch {
	case !ok:
		return fmt.Sprintf("%s has no floor; give it one in the table of this test", to)
	case importer == imported, below < above, above == 0 && vocabulary[imported]:
		return ""
	case inTest && above >= 1 && below <= above:
		return "" // a test may play two neighbours against each other; nothing is built on it
	}
	return fmt.Sprintf("an import goes to a lower floor, so that what lies below stays ignorant of its users, "+
		"and this one goes from floor %d to floor %d; move what is shared down, or the caller up", above, below)
}

// floorOf is the listed package that a folder is or lies in.
func floorOf(folder string) (listed string, floor int, ok bool) {
	for at := folder; at != "."; at = path.Dir(at) {
		if floor, ok := floors[at]; ok && (at != "jobs" || folder == "jobs") {
			return at, floor, true
		}
	}
	return "", 0, false
}

func TestThirdPartyModulesHaveOneOwner(t *testing.T) {
	files := sources(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, imported := range files[name].imports {
			for module, owner := range owners {
				listed, _, _ := floorOf(files[name].folder)
				if (imported == module || strings.HasPrefix(imported, module+"/")) && listed != owner {
					t.Errorf("%s: imports %s, which only %s may: a module has one owner, so that its quirks and its next "+
						"major version concern one place; ask %s for what you need", name, imported, owner, owner)
				}
			}
		}
	}
}

func TestMainIsSmall(t *testing.T) {
	const most = 150
	main, ok := sources(t)["jobs/main.go"]
	if !ok || main.lines >= most {
		t.Errorf("jobs/main.go has %d lines, want under %d: main only puts parts together; what decides belongs in a job", main.lines, most)
	}
}

// The rules themselves: each refuses what it must.
func TestClimb(t *testing.T) {
	for _, test := range []struct {
		from, to string
		inTest   bool
		allowed  bool
	}{
		{"jobs", "jobs/alert", false, true},
		{"jobs/alert", "jobs", false, false},
		{"jobs/alert", "jobs/prune", false, false},
		{"internal/store", "internal/bucket", false, true},
		{"internal/bucket", "internal/store", false, false},
		{"internal/kube", "internal/sim", false, false},
		{"internal/kube", "internal/sim", true, true},
		{"internal/kube", "internal/store", true, false},
		{"internal/config", "internal/usage", false, true},
		{"internal/usage", "internal/config", false, false},
		{"internal/bucket/buckettest", "internal/bucket", false, true},
		{"internal/new", "internal/usage", false, false},
		{"jobs/new", "internal/usage", false, false},
	} {
		if got := climb(test.from, test.to, test.inTest); (got == "") != test.allowed {
			t.Errorf("%s to %s (test: %v): %q", test.from, test.to, test.inTest, got)
		}
	}
}
