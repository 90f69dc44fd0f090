// Package endpoints serves /metrics of the pods of a simulated cluster:
// dcgm-exporter's text for the GPUs of a node (dcgm.go), and one file for each
// engine's. The texts are modelled on the output of the real programs, not on what
// the product reads from it.
package endpoints

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// Handler serves the slot's /metrics. If the pod does not run, the connection is
// closed without an answer.
func Handler(s *cluster.Slot, now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		at := now()
		st := s.At(at.Unix())
		if !st.Runs() || s.Workload.Engine != nil && st.Phase != cluster.Ready {
			panic(http.ErrAbortHandler)
		}
		if s.Workload.Engine != nil && s.Workload.Engine.Silent {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		borrow(func(buf []byte) []byte {
			if s.Workload.Engine != nil {
				buf = engineText(s, buf, st, float64(at.Unix()))
			} else {
				buf = dcgmText(s.Node, buf, at.Unix())
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(buf)))
			_, _ = w.Write(buf) // the reader may have gone
			return buf
		})
	})
	return mux
}

// buffers are for answers; they grow to the size of the largest.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// borrow calls use with an empty buffer, which use returns for the next one.
func borrow(use func(buf []byte) []byte) {
	b := buffers.Get().(*[]byte)
	*b = use((*b)[:0])
	buffers.Put(b)
}
