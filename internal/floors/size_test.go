package floors

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The sizes that a reader can hold: of a package without its tests, of a file
// with or without tests, and of a line outside of tests.
const (
	mostPackageLines = 1500
	mostFileLines    = 300
	mostColumns      = 140
)

// larger are the packages and files that are larger, and how large they may be.
// Make the number smaller where you can; an entry that is not needed fails.
var larger = map[string]int{
	"internal/store": 3300, // encoding, reading and writing share the page; see docs/architecture.md

	"internal/bucket/buckettest/conformance.go": 330,
	"internal/report/report.go":                 310, // the documents
	"internal/report/typescript_test.go":        390,
}

func TestSizes(t *testing.T) {
	packages := map[string]int{}
	needed := map[string]bool{}
	check := func(name string, lines, most int) {
		if lines <= most {
			return
		}
		needed[name] = true
		if allowed := larger[name]; lines > allowed {
			t.Errorf("%s has %d lines, want at most %d: give a part of it a room or a file of its own", name, lines, max(most, allowed))
		}
	}
	files := sources(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		check(name, files[name].lines, mostFileLines)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		packages[files[name].folder] += files[name].lines
		body, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		number := 0
		for line := range strings.Lines(string(body)) {
			if number++; utf8.RuneCountInString(line)-1 > mostColumns {
				t.Errorf("%s:%d: %d columns, want at most %d", name, number, utf8.RuneCountInString(line)-1, mostColumns)
			}
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(packages)) {
		check(folder, packages[folder], mostPackageLines)
	}
	for name := range larger {
		if !needed[name] {
			t.Errorf("%s is no larger than others: take it off the list", name)
		}
	}
}

// Every entry of the tables names a folder that is there.
func TestTablesNameWhatExists(t *testing.T) {
	folders := slices.Concat(slices.Collect(maps.Keys(floors)), slices.Collect(maps.Values(owners)), testHelpers)
	for _, folder := range folders {
		if info, err := os.Stat(filepath.Join(root, folder)); err != nil || !info.IsDir() {
			t.Errorf("%s is in a table of this test, and is no folder", folder)
		}
	}
}
