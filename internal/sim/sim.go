// Package sim is a simulated GPU cluster that people could be running: a fleet
// of mixed nodes, model servers on both engines under day and night load, and
// the accidents of a working week. It speaks the real HTTP protocols (the
// Kubernetes API in JSON and protobuf, metrics.k8s.io, dcgm-exporter's and the
// engines' metrics), so what reads a cluster reads it unchanged.
//
// The same question about the same instant has the same bytes as its answer, in
// whatever order instants are asked for. Package cluster is what there is, objects
// builds Kubernetes' objects of it, api and endpoints answer for the API server
// and for pods with metrics. This package puts them together and serves them.
//
// What it does not do: it is read-only, see package api, and does not schedule;
// where pods run is part of the story.
package sim

import (
	"net/http"
	"time"

	"github.com/company/k8s-resource-monitor/internal/sim/api"
	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// Config says which cluster. Equal configs give equal clusters.
type Config = cluster.Config

// Truth is what is so at one instant, for tests to compare with what was read.
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
