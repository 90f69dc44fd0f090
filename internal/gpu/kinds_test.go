package gpu

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestExporterKinds checks that each kind declares all that the package uses, and
// that the network policy lets the monitor reach its port.
func TestExporterKinds(t *testing.T) {
	policy, err := os.ReadFile("../../deploy/cronjobs/base/network.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range exporterKinds {
		if k.name == "" || k.source == "" || k.install == "" || k.prefix == "" || len(k.labels) == 0 || k.image == "" || len(k.holder) == 0 ||
			len(k.metrics) == 0 || k.identify == nil || k.describe == nil || k.isBlank == nil {
			t.Errorf("%q lacks a part of its declaration: %+v", k.name, k)
		}
		if n := len(k.utilization); n == 0 || n > maxUtilization {
			t.Errorf("%s has %d metrics of utilisation, at most %d are read", k.name, n, maxUtilization)
		}
		for name := range k.metrics {
			if !strings.HasPrefix(name, k.prefix) {
				t.Errorf("%s: metric %s does not begin with %s", k.name, name, k.prefix)
			}
		}
		if !strings.Contains(string(policy), fmt.Sprintf("port: %d}", k.port)) {
			t.Errorf("network.yaml does not open port %d of the %s", k.port, k.name)
		}
	}
}
