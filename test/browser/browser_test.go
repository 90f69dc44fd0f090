// Package browser opens the demo's report in a real browser: it starts the
// program as a user would and hands its address to the site's own specs.
package browser

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var address = regexp.MustCompile(`Report\s+(http://\S+)`)

func TestSite(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "k8s-monitor")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./jobs")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	demo := exec.CommandContext(t.Context(), binary, "demo", "--listen", "127.0.0.1:0")
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { demo.Process.Kill(); demo.Wait() }()
	var url string
	lines := bufio.NewScanner(out)
	for url == "" && lines.Scan() {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			url = m[1]
		}
	}
	if url == "" {
		t.Fatal("the demo ended without serving a report")
	}
	go func() {
		for lines.Scan() { // or the demo would wait for a reader
		}
	}()
	specs := exec.CommandContext(t.Context(), "npx", "playwright", "test")
	specs.Dir = filepath.Join(root, "site")
	specs.Env = append(os.Environ(), "SITE_URL="+url)
	specs.Stdout, specs.Stderr = os.Stdout, os.Stderr
	if err := specs.Run(); err != nil {
		t.Errorf("playwright: %v", err)
	}
}
