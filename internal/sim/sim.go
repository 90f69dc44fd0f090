// Package sim is a simulated GPU cluster that people could be running: a fleet
// of mixed nodes, model servers on both engines under day and night load, and
// the accidents of a working week. It speaks the real HTTP protocols (the
// Kubernetes API in JSON and protobuf, metrics.k8s.io, dcgm-exporter's and the
// engines' metrics), so what reads a cluster reads it unchanged.
//
// Everything is a function of (Config, time): no history is kept and nothing
// runs between requests. The same question about the same instant has the same
// bytes as its answer, in whatever order instants are asked for. Caches only
// remember what would be computed again. Counters are integrals with a closed
// form (see load.go), so they grow as a real server's do and start again at
// zero with a container.
//
// What it does not do: it is read-only, has no watch, no Table output and no
// OpenAPI documents, and does not schedule; where pods run is part of the story.
package sim

import (
	"cmp"
	"net/netip"
	"time"
)

// Config says which cluster. Equal configs give equal clusters.
type Config struct {
	// Seed chooses names, addresses, noise and the ages of things.
	Seed uint64
	// Nodes is the size of the cluster; 0 means one pattern of 14 nodes. More
	// nodes repeat the pattern, with about 30 pods a node.
	Nodes int
	// Start is the instant before which everything that lasts was created;
	// the zero time means 2026-01-05. Ask about instants at or after it.
	Start time.Time
	// Token is the bearer token that the API server wants; "" wants none.
	Token string
}

// Cluster is one simulated cluster. It is safe for concurrent use.
type Cluster struct {
	cfg       Config
	start     int64 // Config.Start in Unix seconds
	nodes     []*node
	workloads []*workload
	slots     []*slot
	moved     map[*slot]netip.AddrPort // endpoints that could not be served at their pod's address
	kinds     []*kind
	keep      bool // small enough to remember encoded objects
}

// keepPods is the largest cluster, in pods, whose encoded objects stay in
// memory (about 10 KB a pod); a larger one encodes them for each request.
const keepPods = 10_000

// New lays out the cluster. It costs about 20 ms and 10 MB for the default
// size.
func New(cfg Config) *Cluster {
	cfg.Nodes = cmp.Or(cfg.Nodes, len(pattern))
	if cfg.Start.IsZero() {
		cfg.Start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	}
	c := &Cluster{cfg: cfg, start: cfg.Start.Unix()}
	c.build()
	c.keep = len(c.slots) <= keepPods
	c.kinds = kinds()
	return c
}

// Truth is what is so at one instant, for tests to compare with what was read.
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

// At returns the truth about instant t.
func (c *Cluster) At(t time.Time) Truth {
	now := t.Unix()
	truth := Truth{Nodes: len(c.nodes), Servers: map[string]int{}}
	for _, n := range c.nodes {
		if away, _, _ := n.awayAt(now); !away {
			truth.ReadyNodes++
		}
		truth.GPUs += len(n.devices)
	}
	for _, s := range c.slots {
		st := s.at(now)
		if st.phase == gone {
			continue
		}
		truth.Pods++
		switch st.phase {
		case unscheduled:
			truth.Unscheduled++
			continue
		case succeeded:
			continue
		case backoff:
			truth.CrashLooping++
		case loading:
			if s.w.gpus > 0 {
				truth.Loading++
			}
		case ready:
			if s.serves() && !s.w.engine.silent && !st.away {
				truth.Servers[s.w.engine.model]++
			}
		}
		truth.RunningPods++
		truth.GPUsRequested += s.w.gpus
	}
	return truth
}

// hash mixes numbers into one that looks random; it is SplitMix64's finaliser
// applied between additions.
func hash(seed uint64, keys ...uint64) uint64 {
	x := seed
	for _, k := range keys {
		x += k + 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}

// key turns a name into a number for hash (FNV-1a).
func key(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

// unit maps a hash to [0, 1).
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// suffix writes n letters of the alphabet that Kubernetes' controllers use.
func suffix(h uint64, n int) string {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[h%uint64(len(letters))]
		h /= uint64(len(letters))
	}
	return string(b)
}

// uuid writes h as a version 4 UUID.
func uuid(h uint64) string {
	const hex = "0123456789abcdef"
	a, b := hash(h, 1), hash(h, 2)
	a = a&^0xf000 | 0x4000
	b = b&^(3<<62) | 2<<62
	out := make([]byte, 0, 36)
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			out = append(out, '-')
		}
		half := a
		if i >= 16 {
			half = b
		}
		out = append(out, hex[half>>(60-4*(i%16))&15])
	}
	return string(out)
}
