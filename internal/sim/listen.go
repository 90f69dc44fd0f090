package sim

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/company/k8s-resource-monitor/internal/sim/api"
	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
	"github.com/company/k8s-resource-monitor/internal/sim/endpoints"
)

// Running is a cluster that can be reached over HTTP.
type Running struct {
	// URL is the address of the API server.
	URL string
	// Endpoints is the number of pods with metrics. Each is served at its own
	// address, whether the pod runs at the moment or not.
	Endpoints int
	token     string
	servers   []*http.Server
}

// Start serves the API server on a free port of 127.0.0.1, and each pod that
// has metrics at its own address, which takes one open file a pod. Pods have
// addresses in 127.0.0.0/8. If one is not available (some systems have only
// 127.0.0.1, or the port is in use) the pod moves to a free port of 127.0.0.1 and
// gets the annotation prometheus.io/port. The servers end with the context, or
// with Close. The answers of c.API do not change.
func (c *Cluster) Start(ctx context.Context, now func() time.Time) (*Running, error) {
	r := &Running{token: c.Config.Token}
	served := *c.Cluster
	served.Moved = map[*cluster.Slot]netip.AddrPort{}
	listeners := map[*cluster.Slot]net.Listener{}
	fail := func(err error) (*Running, error) {
		for _, listener := range listeners {
			_ = listener.Close()
		}
		return nil, err
	}
	for _, s := range c.Slots {
		if s.Port() == 0 || s.Workload.Engine != nil && !s.Serves() || s.Node == nil {
			continue
		}
		address := netip.AddrPortFrom(s.IP, uint16(s.Port()))
		listener, err := net.Listen("tcp", address.String())
		if err != nil {
			if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				return fail(fmt.Errorf("simulated pod %s/%s: no address to serve its metrics at, after %d others had one; "+
					"each needs an open file (ulimit -n), so raise that limit or simulate fewer nodes: %w",
					s.Workload.Namespace, s.Workload.Name, len(listeners), err))
			}
			served.Moved[s] = listener.Addr().(*net.TCPAddr).AddrPort()
		}
		listeners[s] = listener
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fail(fmt.Errorf("simulated API server: %w", err))
	}
	r.URL = "http://" + listener.Addr().String()
	r.serve(api.NewServer(&served).Handler(now), listener)

	handlers := make(map[string]http.Handler, len(listeners)) // by the address that a pod is reached at
	for s, listener := range listeners {
		handlers[listener.Addr().String()] = endpoints.Handler(s, now)
	}
	r.Endpoints = len(handlers)
	r.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers[r.Context().Value(http.LocalAddrContextKey).(net.Addr).String()].ServeHTTP(w, r)
	}), slices.Collect(maps.Values(listeners))...)
	context.AfterFunc(ctx, r.Close)
	return r, nil
}

// serve answers on all listeners with one handler.
func (r *Running) serve(handler http.Handler, listeners ...net.Listener) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	r.servers = append(r.servers, server)
	for _, listener := range listeners {
		go func() { _ = server.Serve(listener) }() // ends with Close
	}
}

// Close stops all servers.
func (r *Running) Close() {
	for _, s := range r.servers {
		_ = s.Close() // the listener is ours
	}
}

// Kubeconfig is a kubeconfig for the API server.
func (r *Running) Kubeconfig() []byte {
	user := "{}"
	if r.token != "" {
		user = fmt.Sprintf("{token: %q}", r.token)
	}
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: simulated, cluster: {server: %q}}]
users: [{name: reader, user: %s}]
contexts: [{name: simulated, context: {cluster: simulated, user: reader}}]
current-context: simulated
`, r.URL, user)
}
