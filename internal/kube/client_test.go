package kube

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	one, two := writeKubeconfig(t, "http://one.example:1"), writeKubeconfig(t, "http://two.example:2")
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".kube"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(writeKubeconfig(t, "https://home.example"), filepath.Join(home, ".kube", "config")); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("{apiVersion: v1, kind: Config}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, file, env, home string
		host, problem         string
	}{
		{"the file that is named", one, two, home, "one.example:1", ""},
		{"KUBECONFIG", "", two, home, "two.example:2", ""},
		{"KUBECONFIG of several", "", "/nowhere" + string(os.PathListSeparator) + two, home, "two.example:2", ""},
		{"the home folder", "", "", home, "home.example", ""},
		{"nothing", "", "", t.TempDir(), "", "KUBECONFIG is not set"},
		{"a file that is not there", "/nowhere/kubeconfig", two, home, "", "/nowhere/kubeconfig"},
		{"a file without a cluster", broken, "", home, "", "kubectl config view"},
		{"KUBECONFIG that is not there", "", "/nowhere", home, "", "KUBECONFIG=/nowhere"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", test.env)
			t.Setenv("HOME", test.home)
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			c, err := Open(test.file, "v1")
			switch {
			case test.problem != "":
				if err == nil || !strings.Contains(err.Error(), test.problem) {
					t.Errorf("error %v, want %q", err, test.problem)
				}
			case err != nil:
				t.Error(err)
			case c.Host() != test.host:
				t.Errorf("host %s, want %s", c.Host(), test.host)
			}
		})
	}
}

func TestOpenInPodWithoutToken(t *testing.T) {
	t.Setenv("KUBECONFIG", "")
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	if _, err := Open("", "v1"); err == nil || !strings.Contains(err.Error(), "automountServiceAccountToken") {
		t.Errorf("error %v", err)
	}
}
