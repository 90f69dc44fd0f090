package serving

import (
	"strconv"

	"github.com/company/k8s-resource-monitor/internal/serving/cmdline"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// metricsPort is the port of the engine's metrics: from annotations and labels,
// else the server's flag, else the container's declared port, else the engine's
// default. It is 0 for a server on a Unix socket.
func metricsPort(d *usage.PodDetail, c claim) int32 {
	for _, key := range portKeys {
		if said, _ := lookUp(d, key); said != "" {
			if n := port(said); n > 0 {
				return n
			}
		}
	}
	server := c.server
	if c.runs.server == &rayNode {
		server = &rayNode
	}
	env := environment(d, c.Container)
	variable, _ := env.Lookup(server.portVar)
	for _, said := range [...]string{c.flags.First(server.port), variable} {
		if n := port(said); n > 0 {
			return n
		}
	}
	if c.flags.Set("uds") {
		return 0
	}
	for _, name := range metricsPortNames {
		for _, p := range c.Ports {
			if p.Name == name {
				return p.Port
			}
		}
	}
	if len(c.Ports) == 1 {
		return c.Ports[0].Port
	}
	if n := proxied(d); n > 0 {
		return n
	}
	return server.defaultPort
}

// port reads a port, 0 if it is none.
func port(text string) int32 {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return int32(n)
}

// proxied is the port of an engine behind a proxy in the same pod, which takes
// the API's port; 0 without such a proxy.
func proxied(d *usage.PodDetail) int32 {
	for i := range d.Containers {
		if c := &d.Containers[i]; matchesAny(routingProxies, repository(c.Image)) {
			f := flagParser.Parse(c.Args)
			if n := port(f.First([]string{"vllm-port", "decoder-port"})); n > 0 {
				return n
			}
			return behindProxy
		}
	}
	return 0
}

func scheme(d *usage.PodDetail, s *said, f cmdline.Flags) string {
	if said := d.Annotations["prometheus.io/scheme"]; said == "http" || said == "https" {
		return said
	}
	if s.https || f.Set("ssl-certfile") || f.Set("ssl-keyfile") {
		return "https"
	}
	return "http"
}
