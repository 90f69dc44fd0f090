// Package endpoints writes what the pods of a simulated cluster serve at
// /metrics: dcgm-exporter's text for the GPUs of a node (dcgm.go), and each
// engine's (a file an engine). The texts follow what the programs print, not
// what the product reads of it.
package endpoints

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// Handler serves the slot's /metrics. A pod that does not run has nobody who
// answers: the connection ends.
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
