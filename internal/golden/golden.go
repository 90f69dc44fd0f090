// Package golden compares what tests produce with files in the repository: the
// goldens below testdata, and documents that are generated from the code. It
// holds the one -update flag, which rewrites the files instead; `make update`
// gives it to every test that has goldens.
package golden

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Updating reports whether goldens are to be rewritten. Tests whose goldens hold
// their input as well ask it, and rewrite with Write; others call Compare.
func Updating() bool { return *update }

// Compare fails the test if the file holds other bytes than got, or none.
func Compare(t testing.TB, file string, got []byte) {
	t.Helper()
	if *update {
		Write(t, file, got)
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("%v; make update writes it", err)
		return
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale: run make update and look at the difference. %s", file, difference(want, got))
	}
}

// CompareJSON is Compare with the indented JSON of a value.
func CompareJSON(t testing.TB, file string, value any) {
	t.Helper()
	got, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatalf("encode for %s: %v", file, err)
	}
	Compare(t, file, append(got, '\n'))
}

// Write writes a golden file.
func Write(t testing.TB, file string, body []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, body, 0o644); err != nil {
		t.Fatal(err)
	}
}

// difference shows the first line that differs.
func difference(want, got []byte) string {
	w, g := bytes.Split(want, []byte("\n")), bytes.Split(got, []byte("\n"))
	for i := 0; ; i++ {
		if i == len(w) || i == len(g) || !bytes.Equal(w[i], g[i]) {
			return fmt.Sprintf("Line %d is\n%s\nand was\n%s", i+1, lineAt(g, i), lineAt(w, i))
		}
	}
}

func lineAt(lines [][]byte, i int) []byte {
	if i < len(lines) {
		return lines[i]
	}
	return []byte("(the end)")
}
