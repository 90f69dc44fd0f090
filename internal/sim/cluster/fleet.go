package cluster

// What exists: one pattern of 14 nodes and what runs on them. Larger clusters
// repeat it (place.go).

// Product is a kind of GPU.
type Product struct {
	Label     string  // as in nvidia.com/gpu.product
	Name      string  // as NVML says it
	Memory    int     // MiB
	Idle, Max float64 // watts
	SMClock   int     // MHz under load
	MemClock  int
	Machine   string // node.kubernetes.io/instance-type
	CPUs      int
	RAMGiB    int
}

var (
	H100  = &Product{"NVIDIA-H100-80GB-HBM3", "NVIDIA H100 80GB HBM3", 81559, 72, 700, 1980, 2619, "p5.48xlarge", 192, 2048}
	A100  = &Product{"NVIDIA-A100-SXM4-80GB", "NVIDIA A100-SXM4-80GB", 81920, 58, 400, 1410, 1593, "p4de.24xlarge", 96, 1152}
	L40S  = &Product{"NVIDIA-L40S", "NVIDIA L40S", 46068, 34, 350, 2520, 9001, "g6e.24xlarge", 96, 768}
	H200  = &Product{"NVIDIA-H200", "NVIDIA H200", 143771, 76, 700, 1980, 3201, "p5en.48xlarge", 192, 2048}
	NoGPU = &Product{Machine: "m7i.8xlarge", CPUs: 32, RAMGiB: 128}
)

// NodeSpec is one node of the pattern.
type NodeSpec struct {
	name   string // a number follows
	GPU    *Product
	Count  int
	leaves bool // stops answering each day, from 03:20 to 04:00 UTC
	mig    bool // its first two cards are cut into instances
	xid    bool // its last card reports an error each afternoon
}

var pattern = []NodeSpec{
	{name: "cp", GPU: NoGPU}, {name: "cp", GPU: NoGPU}, {name: "cp", GPU: NoGPU}, // 0-2
	{name: "h100", GPU: H100, Count: 8}, {name: "h100", GPU: H100, Count: 8}, // 3-4
	{name: "h100", GPU: H100, Count: 8}, {name: "h100", GPU: H100, Count: 8}, // 5-6
	{name: "a100", GPU: A100, Count: 8, xid: true}, {name: "a100", GPU: A100, Count: 8}, // 7-8
	{name: "l40s", GPU: L40S, Count: 4, leaves: true},                        // 9
	{name: "l40s", GPU: L40S, Count: 4}, {name: "l40s", GPU: L40S, Count: 4}, // 10-11
	{name: "h200", GPU: H200, Count: 8},                // 12
	{name: "a100-mig", GPU: A100, Count: 4, mig: true}, // 13
}

const (
	WholeGPU = "nvidia.com/gpu"
	MIG3g    = "nvidia.com/mig-3g.40gb"
	MIG1g    = "nvidia.com/mig-1g.10gb"
)

// Engine is what a model server serves, and how fast.
type Engine struct {
	Kind       string  // "vllm" or "sglang"
	Model      string  // served name
	Port       int     //
	Silent     bool    // serves no metrics
	Role       string  // "prefill", "decode", or "" for both
	Generation float64 // tokens a second at full load
	Prompt     float64
	Requests   float64 // finished a second at full load
	Running    float64 // in a batch at full load
	TTFT       float64 // median seconds to the first token without pressure
}

// Workload is one controller and the pods that it wants.
type Workload struct {
	Namespace, Name   string
	Kind              string // of the controller; "" for a static pod of a node
	on                []int  // a pod on each of these nodes of the pattern, in this order
	everywhere        bool   // a pod on each node
	onGPUs            bool   // a pod on each GPU node
	Image             string
	Command, Args     []string
	container         string   // "main" if empty
	Sidecar           string   // image of a second container
	GPUs              int      // for each pod
	Resource          string   // WholeGPU if empty
	CPU, Memory       [2]int64 // requests and limits: millicores, MiB; 0 is none
	CPUUse, MemoryUse [2]int64 // at no load and at full load
	demand            rhythm
	Engine            *Engine
	Story             Story
	Every, Offset     int64 // batch: period, and its phase, in seconds
	runs              int64 // batch: seconds
	Group             int   // LeaderWorkerSet: pods in a group; on lists the leader first
	HostNetwork       bool
	past              float64 // seconds of full load before the story begins

	Slots   []*Slot // filled by place, as is what follows
	Spreads *Spreads
}

// Daily demand, by where the users are.
var (
	office   = rhythm{peak: 0.82, night: 0.08, zone: 9, weekend: 0.25} // Seoul
	europe   = rhythm{peak: 0.9, night: 0.12, zone: 1, weekend: 0.4}   // Berlin
	america  = rhythm{peak: 0.95, night: 0.15, zone: -7, weekend: 0.5} // San Francisco
	world    = rhythm{peak: 0.75, night: 0.5, zone: 5, weekend: 0.85}  // everywhere
	crowded  = rhythm{peak: 1.12, night: 0.1, zone: 9, weekend: 0.3}   // too many in Seoul
	training = rhythm{peak: 0.94, night: 1, weekend: 1}                // day and night
	few      = rhythm{peak: 0.35, night: 0.02, zone: 9, weekend: 0.1}  // a small team
	nobody   = rhythm{}                                                // idle
)
