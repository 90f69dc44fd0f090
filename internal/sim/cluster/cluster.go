// Package cluster models the state of a simulated GPU cluster at any instant: its
// nodes and GPUs (place.go), its workloads (fleet*.go), the life of pods
// (story.go), their load (load.go) and what follows from it for CPU and memory
// (usage.go), GPUs (gpu.go) and model servers (figures.go). It knows no protocol:
// packages objects, api and endpoints present the state to clients.
//
// Everything is a function of (Config, time): no history is kept and nothing
// runs between requests. Counters are integrals with a closed form (load.go), so
// they grow as a real server's do and start again at zero with a container.
package cluster

import (
	"cmp"
	"net/netip"
	"time"
)

// Config says which cluster. Equal configs give equal clusters.
type Config struct {
	// Seed chooses names, addresses, noise and ages.
	Seed uint64
	// Nodes is the size of the cluster; 0 means one pattern of 14 nodes. More
	// nodes repeat the pattern, with about 30 pods a node.
	Nodes int
	// Start is the first instant that may be requested; long-lived objects were
	// created before it. The zero time means 2026-01-05.
	Start time.Time
	// Token is the bearer token that the API server wants; "" wants none.
	Token string
}

// Cluster is one simulated cluster. It is safe for concurrent use.
type Cluster struct {
	Config    Config
	StartUnix int64 // Config.Start in Unix seconds
	Nodes     []*Node
	Workloads []*Workload
	Slots     []*Slot
	Moved     map[*Slot]netip.AddrPort // endpoints that could not be served at their pod's address
}

// New lays out the cluster. It costs about 20 ms and 10 MB for the default
// size.
func New(cfg Config) *Cluster {
	cfg.Nodes = cmp.Or(cfg.Nodes, len(pattern))
	if cfg.Start.IsZero() {
		cfg.Start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	}
	c := &Cluster{Config: cfg, StartUnix: cfg.Start.Unix()}
	c.build()
	return c
}

// Truth is the expected counts at one instant, for tests to compare with.
type Truth struct {
	Nodes, ReadyNodes int
	Pods              int            // pods that the API server lists
	RunningPods       int            // in phase Running
	GPUs              int            // allocatable GPUs and MIG instances
	GPUsRequested     int            // by pods that are scheduled and have not ended
	Servers           map[string]int // served model name to pods whose engine answers with metrics
	Unscheduled       int            // pods without a node
	CrashLooping      int            // pods waiting in CrashLoopBackOff
	Loading           int            // GPU pods that run and are not ready yet
}

// At returns the expected counts at instant t.
func (c *Cluster) At(t time.Time) Truth {
	now := t.Unix()
	truth := Truth{Nodes: len(c.Nodes), Servers: map[string]int{}}
	for _, n := range c.Nodes {
		if away, _, _ := n.AwayAt(now); !away {
			truth.ReadyNodes++
		}
		truth.GPUs += len(n.Devices)
	}
	for _, s := range c.Slots {
		st := s.At(now)
		if st.Phase == Gone {
			continue
		}
		truth.Pods++
		switch st.Phase {
		case Unscheduled:
			truth.Unscheduled++
			continue
		case Succeeded:
			continue
		case Backoff:
			truth.CrashLooping++
		case Loading:
			if s.Workload.GPUs > 0 {
				truth.Loading++
			}
		case Ready:
			if s.Serves() && !s.Workload.Engine.Silent && !st.Away {
				truth.Servers[s.Workload.Engine.Model]++
			}
		}
		truth.RunningPods++
		truth.GPUsRequested += s.Workload.GPUs
	}
	return truth
}
