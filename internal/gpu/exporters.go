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

// exporterKinds are the exporters that are known. A gap about a node without
// any is of the first one's source.
var exporterKinds = withUtilizations(&dcgm)

// exporterKind declares one kind of exporter.
type exporterKind struct {
	name        string // in messages
	source      string // of its rows and gaps
	install     string // what brings it into a cluster, in words
	labels      []podLabel
	image       string // the last element of its repository
	port        int    // where it listens unless the pod says otherwise
	holder      []holderLabels
	prefix      string            // that its metrics' names have in common, in messages
	metrics     map[string]metric // all but utilisation, by name
	utilization []utilization     // best first, at most maxUtilization
	identify    func(*exposition.Sample) (id identity, ok bool)
	describe    func(*exposition.Sample) (d description, ok bool) // from the first sample of a device
	isBlank     func(float64) bool                                // whether a value stands for none
}

// podLabel marks an exporter's pods.
type podLabel struct{ key, value string }

// ScrapeTimeout bounds one exporter's answer.
const ScrapeTimeout = 5 * time.Second

// Exporter is an exporter to scrape.
type Exporter struct {
	Namespace string
	Pod       string
	Node      string // whose GPUs it reports
	URL       string
	kind      *exporterKind
}

// Exporters finds the running exporters among the pods, by label or by image,
// ordered by node. Two exporters on one node would report each GPU twice: only
// the first of them, a ready one before the others, is returned.
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
		kind := kindOf(d)
		exporters[i] = Exporter{d.Row.Namespace, d.Row.Pod, nodeOf(d),
			"http://" + net.JoinHostPort(d.IP, strconv.Itoa(kind.portOf(d))) + "/metrics", kind}
	}
	return exporters
}

func nodeOf(d *usage.PodDetail) string {
	node, _ := d.Row.Node.Get()
	return node
}

// IsExporter reports whether the pod is a GPU exporter, by label or by image.
func IsExporter(d *usage.PodDetail) bool { return kindOf(d) != nil }

// kindOf is the kind of exporter that the pod is, nil if it is none.
func kindOf(d *usage.PodDetail) *exporterKind {
	for _, k := range exporterKinds {
		for _, l := range k.labels {
			if d.Labels[l.key] == l.value {
				return k
			}
		}
		if slices.ContainsFunc(d.Containers, k.isImage) {
			return k
		}
	}
	return nil
}

// isImage matches the repository's last element, so that a mirror is known too.
func (k *exporterKind) isImage(c usage.Container) bool {
	repo, _, _ := strings.Cut(c.Image, "@")
	name, _, _ := strings.Cut(path.Base(repo), ":")
	return !c.Init && name == k.image
}

// portOf is the port in the pod's annotation for Prometheus, else its port named
// metrics, else the kind's.
func (k *exporterKind) portOf(d *usage.PodDetail) int {
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
	return k.port
}

// Source is the source of the exporter's rows, and of gaps about it.
func (e Exporter) Source() string { return e.kind.source }

// NoExporter is the gap of a node with GPUs that no exporter was found on.
func NoExporter(node string) usage.Gap {
	var names, install []string
	for _, k := range exporterKinds {
		names, install = append(names, k.name), append(install, k.install)
	}
	return usage.Gap{Source: exporterKinds[0].source, Target: node, Reason: fmt.Sprintf("no %s runs on this node, "+
		"or none in a namespace that is watched: install %s", strings.Join(names, " or "), strings.Join(install, ", or "))}
}

// Scrape reads an exporter's GPUs for the instant at, in the order of
// usage.CompareGPUs. An error is the reason of a gap. The figures may be as
// old as the exporter's collection interval.
func Scrape(ctx context.Context, client *http.Client, e Exporter, at time.Time) ([]usage.GPU, error) {
	ctx, cancel := context.WithTimeout(ctx, ScrapeTimeout)
	defer cancel()
	body, err := exposition.Fetch(ctx, client, e.URL)
	if err == nil {
		gpus, parseErr := e.kind.parse(body, e.Node, e.Pod, at)
		if parseErr == nil {
			return gpus, nil
		}
		err = parseErr
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w; no answer within %v: the exporter is stalled, or a NetworkPolicy keeps the monitor out", err, ScrapeTimeout)
	}
	return nil, fmt.Errorf("%s %s/%s at %s: %w", e.kind.name, e.Namespace, e.Pod, e.URL, err)
}
