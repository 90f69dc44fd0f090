// Package gpu reads the GPUs of a cluster into rows, and gives the pods that
// hold them their figures. It has two sources: the text of DCGM exporters, for
// all nodes at once (Exporters, Scrape), and on a node itself the driver's
// library NVML with the kubelet's list of who holds which device (ReadNode).
// Both make the same rows by the same rule of who holds a shared device.
// Attribute joins them to pods.
//
// NVML is a C library, so it is in builds with cgo only; in others ReadNode
// says so. The package does not look for nodes and pods, and does not decide
// which source a cluster is read from.
package gpu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/exposition"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// ScrapeTimeout bounds one exporter's answer.
const ScrapeTimeout = 5 * time.Second

// KubeletSocket is where a kubelet serves its pod resources unless told
// otherwise. What is mounted into a container is its directory: the kubelet
// makes the socket anew when it restarts.
const KubeletSocket = "/var/lib/kubelet/pod-resources/kubelet.sock"

// defaultPort is where the DCGM exporter listens unless told otherwise.
const defaultPort = 9400

// exporterLabels mark the exporter's pods: the chart's, the GPU operator's and
// the plain manifest's.
var exporterLabels = []struct{ key, value string }{
	{"app.kubernetes.io/name", "dcgm-exporter"},
	{"app", "nvidia-dcgm-exporter"},
	{"app", "dcgm-exporter"},
}

// Exporter is a DCGM exporter to scrape.
type Exporter struct {
	Namespace string
	Pod       string
	Node      string // whose GPUs it reports
	URL       string
}

// Exporters finds the running DCGM exporters among the pods, by label or by
// image, ordered by node. Two exporters on one node would report each GPU
// twice: only the first of them, a ready one before the others, is returned.
func Exporters(details []*usage.PodDetail) []Exporter {
	var found []*usage.PodDetail
	for _, d := range details {
		if d.Row.Phase == "Running" && d.IP != "" && d.Row.Node.Present() && IsExporter(d) {
			found = append(found, d)
		}
	}
	slices.SortFunc(found, func(a, b *usage.PodDetail) int {
		if c := strings.Compare(nodeOf(a), nodeOf(b)); c != 0 {
			return c
		}
		if a.Row.Ready != b.Row.Ready {
			if a.Row.Ready {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(a.Row.Namespace, b.Row.Namespace), strings.Compare(a.Row.Pod, b.Row.Pod))
	})
	found = slices.CompactFunc(found, func(a, b *usage.PodDetail) bool { return nodeOf(a) == nodeOf(b) })
	exporters := make([]Exporter, len(found))
	for i, d := range found {
		exporters[i] = Exporter{d.Row.Namespace, d.Row.Pod, nodeOf(d),
			"http://" + net.JoinHostPort(d.IP, strconv.Itoa(port(d))) + "/metrics"}
	}
	return exporters
}

func nodeOf(d *usage.PodDetail) string {
	node, _ := d.Row.Node.Get()
	return node
}

// IsExporter reports whether the pod is a DCGM exporter, by label or by image.
func IsExporter(d *usage.PodDetail) bool {
	for _, l := range exporterLabels {
		if d.Labels[l.key] == l.value {
			return true
		}
	}
	return slices.ContainsFunc(d.Containers, isExporterImage)
}

// isExporterImage matches the repository's last element, so that a mirror is
// known too.
func isExporterImage(c usage.Container) bool {
	repo, _, _ := strings.Cut(c.Image, "@")
	name, _, _ := strings.Cut(path.Base(repo), ":")
	return !c.Init && name == "dcgm-exporter"
}

// port is what the pod says for Prometheus, else its port named metrics, else
// the exporter's default.
func port(d *usage.PodDetail) int {
	if n, err := strconv.ParseUint(d.Annotations["prometheus.io/port"], 10, 16); err == nil && n > 0 {
		return int(n)
	}
	for _, c := range d.Containers {
		for _, p := range c.Ports {
			if p.Name == "metrics" {
				return int(p.Port)
			}
		}
	}
	return defaultPort
}

// Scrape reads an exporter's GPUs for the instant at, in the order of
// usage.CompareGPUs. An error is the reason of a gap. The figures may be as
// old as the exporter's collection interval, 30 s by default.
func Scrape(ctx context.Context, client *http.Client, e Exporter, at time.Time) ([]usage.GPU, error) {
	ctx, cancel := context.WithTimeout(ctx, ScrapeTimeout)
	defer cancel()
	body, err := exposition.Fetch(ctx, client, e.URL)
	if err == nil {
		gpus, parseErr := ParseDCGM(body, e.Node, e.Pod, at)
		if parseErr == nil {
			return gpus, nil
		}
		err = parseErr
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w; no answer within %v: the exporter is stalled, or a NetworkPolicy keeps the monitor out", err, ScrapeTimeout)
	}
	return nil, fmt.Errorf("DCGM exporter %s/%s at %s: %w", e.Namespace, e.Pod, e.URL, err)
}
