package sim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// Running is a cluster that can be reached over HTTP.
type Running struct {
	// URL is the address of the API server.
	URL     string
	token   string
	servers []*http.Server
}

// maxEndpoints is how many pods answer at their addresses; in a cluster that
// has more, the others refuse, as pods behind a network policy would.
const maxEndpoints = 1024

// Start serves the API server on a free port of 127.0.0.1, and each pod that
// has metrics at its own address. Pods have addresses in 127.0.0.0/8. Where
// one cannot be had (some systems have 127.0.0.1 alone, or the port is in use)
// the pod moves to a free port of 127.0.0.1, and says so by the annotation
// prometheus.io/port. The servers end with the context, or with Close. What
// c's own API says does not change.
func (c *Cluster) Start(ctx context.Context, now func() time.Time) (*Running, error) {
	r := &Running{token: c.cfg.Token}
	served := *c
	served.kinds, served.moved = kinds(), map[*slot]netip.AddrPort{}
	for _, s := range c.slots {
		if s.port() == 0 || s.w.engine != nil && !s.serves() || s.node == nil || len(r.servers) == maxEndpoints {
			continue
		}
		address := netip.AddrPortFrom(s.ip, uint16(s.port()))
		listener, err := net.Listen("tcp", address.String())
		if err != nil {
			if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				r.Close()
				return nil, fmt.Errorf("simulated pod %s/%s: no address to serve its metrics at: %w", s.w.namespace, s.w.name, err)
			}
			served.moved[s] = listener.Addr().(*net.TCPAddr).AddrPort()
		}
		r.serve(listener, s.endpoint(now))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("simulated API server: %w", err)
	}
	r.URL = "http://" + listener.Addr().String()
	r.serve(listener, served.API(now))
	context.AfterFunc(ctx, r.Close)
	return r, nil
}

func (r *Running) serve(listener net.Listener, handler http.Handler) {
	server := &http.Server{Addr: listener.Addr().String(), Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	r.servers = append(r.servers, server)
	go func() { _ = server.Serve(listener) }() // ends with Close
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

// endpoint serves the slot's /metrics. A pod that does not run has nobody who
// answers: the connection ends.
func (s *slot) endpoint(now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		at := now()
		st := s.at(at.Unix())
		if !st.runs() || s.w.engine != nil && st.phase != ready {
			panic(http.ErrAbortHandler)
		}
		if s.w.engine != nil && s.w.engine.silent {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		borrow(func(buf []byte) []byte {
			if s.w.engine != nil {
				buf = s.text(buf, st, float64(at.Unix()))
			} else {
				buf = s.node.dcgm(buf, at.Unix())
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(buf)))
			_, _ = w.Write(buf) // the reader may have gone
			return buf
		})
	})
	return mux
}
