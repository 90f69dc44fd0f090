// Package sim simulates a realistic GPU cluster: mixed nodes, model servers on
// vLLM and SGLang with daily load, and failures such as crash loops, restarts and
// a node that is unreachable for a while. It speaks the real HTTP protocols (the
// Kubernetes API in JSON and protobuf, metrics.k8s.io, dcgm-exporter's and the
// engines' metrics), so clients of a real cluster read it unchanged.
//
// It is deterministic: the same request at the same instant gets the same bytes,
// in whatever order instants are requested. Package cluster models the state,
// objects builds Kubernetes objects from it, api is the API server, endpoints are
// the pods' /metrics. This package puts them together and serves them.
//
// What it does not do: it is read-only (see package api) and does not schedule;
// where pods run is fixed by the model.
package sim

import (
	"net/http"
	"time"

	"github.com/company/k8s-resource-monitor/internal/sim/api"
	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// Config says which cluster. Equal configs give equal clusters.
type Config = cluster.Config

// Truth is the expected counts at one instant, for tests to compare with.
type Truth = cluster.Truth

// Cluster is one simulated cluster. It is safe for concurrent use.
type Cluster struct {
	*cluster.Cluster
	api *api.Server
}

// New lays out the cluster. It costs about 20 ms and 10 MB for the default
// size.
func New(cfg Config) *Cluster {
	c := cluster.New(cfg)
	return &Cluster{c, api.NewServer(c)}
}

// API is the API server at the instants that now returns.
func (c *Cluster) API(now func() time.Time) http.Handler { return c.api.Handler(now) }
