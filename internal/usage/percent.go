package usage

// Basis names what a percent is a percent of. JSON, SQL views and alert rules
// all use these names; wording for people is made where it is shown.
type Basis string

// The bases of a pod's percents, in the order they are tried.
const (
	OfLimit   Basis = "limit"
	OfRequest Basis = "request"
	OfNode    Basis = "node" // the node's allocatable
)

// Share is a usage as a percent of the first basis that is known.
type Share struct {
	Percent Opt[float64] // may exceed 100 of a request
	Basis   Opt[Basis]   // absent with Percent
	Whole   Opt[int64]   // what 100 percent is, in the unit of the usage
}

// CPUShare is the pod's CPU use as a percent of its limit, else its request,
// else its node's allocatable millicores.
func (p *Pod) CPUShare(nodeAllocatableMillicores Opt[int64]) Share {
	return share(p.CPUUsageMillicores, p.CPULimitMillicores, p.CPURequestMillicores, nodeAllocatableMillicores)
}

// MemoryShare is the pod's working set as a percent of its limit, else its
// request, else its node's allocatable bytes.
func (p *Pod) MemoryShare(nodeAllocatableBytes Opt[int64]) Share {
	return share(p.MemoryUsageBytes, p.MemoryLimitBytes, p.MemoryRequestBytes, nodeAllocatableBytes)
}

func share(used, limit, request, node Opt[int64]) Share {
	for _, b := range [...]struct {
		whole Opt[int64]
		basis Basis
	}{{limit, OfLimit}, {request, OfRequest}, {node, OfNode}} {
		if p := Percent(used, b.whole); p.Present() {
			return Share{Percent: p, Basis: Some(b.basis), Whole: b.whole}
		}
	}
	return Share{}
}

// GPUStates are the names, in JSON, SQL and alert rules, of what the GPUs that a
// pod holds are doing. internal/activity says what each means.
var GPUStates = [...]string{"active", "idle_held", "loading", "unknown"}

// BusyPercent is the GPU utilisation above which a pod without engine metrics
// counts as working. Drivers report a few percent on an idle card.
const BusyPercent = 5
