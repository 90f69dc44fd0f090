// Package browser opens the demo's report in a real browser: it starts the
// program as a user would and hands its address to the site's own specs.
package browser

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
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
	runtime.LockOSThread() // Pdeathsig is sent when the thread that started a process ends
	defer runtime.UnlockOSThread()
	demo := exec.CommandContext(t.Context(), binary, "demo", "--listen", "127.0.0.1:0")
	demo.SysProcAttr = diesWithTest()
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		_ = demo.Wait()
	}()
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
	specs := exec.CommandContext(t.Context(), "node", "node_modules/@playwright/test/cli.js", "test")
	specs.Dir = filepath.Join(root, "site")
	specs.SysProcAttr = diesWithTest()
	specs.Env = append(os.Environ(), "SITE_URL="+url)
	specs.Stdout, specs.Stderr = os.Stdout, os.Stderr
	if err := specs.Run(); err != nil {
		t.Errorf("playwright: %v", err)
	}
}

// diesWithTest ends a process when the test does, however that ends: the demo
// removes its directory, and Playwright closes its browser.
func diesWithTest() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
