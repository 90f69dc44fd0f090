package sim

// What exists: one pattern of 14 nodes and what runs on them. Larger clusters
// repeat it (place.go).

// product is a kind of GPU.
type product struct {
	label     string  // as in nvidia.com/gpu.product
	name      string  // as NVML says it
	memory    int     // MiB
	idle, max float64 // watts
	smClock   int     // MHz under load
	memClock  int
	machine   string // node.kubernetes.io/instance-type
	cpus      int
	ramGiB    int
}

var (
	h100 = &product{"NVIDIA-H100-80GB-HBM3", "NVIDIA H100 80GB HBM3", 81559, 72, 700, 1980, 2619, "p5.48xlarge", 192, 2048}
	a100 = &product{"NVIDIA-A100-SXM4-80GB", "NVIDIA A100-SXM4-80GB", 81920, 58, 400, 1410, 1593, "p4de.24xlarge", 96, 1152}
	l40s = &product{"NVIDIA-L40S", "NVIDIA L40S", 46068, 34, 350, 2520, 9001, "g6e.24xlarge", 96, 768}
	h200 = &product{"NVIDIA-H200", "NVIDIA H200", 143771, 76, 700, 1980, 3201, "p5en.48xlarge", 192, 2048}
	none = &product{machine: "m7i.8xlarge", cpus: 32, ramGiB: 128}
)

// nodeSpec is one node of the pattern.
type nodeSpec struct {
	name   string // a number follows
	gpu    *product
	count  int
	leaves bool // stops answering each day, from 03:20 to 04:00 UTC
	mig    bool // its first two cards are cut into instances
	xid    bool // its last card reports an error each afternoon
}

var pattern = []nodeSpec{
	{name: "cp", gpu: none}, {name: "cp", gpu: none}, {name: "cp", gpu: none}, // 0-2
	{name: "h100", gpu: h100, count: 8}, {name: "h100", gpu: h100, count: 8}, // 3-4
	{name: "h100", gpu: h100, count: 8}, {name: "h100", gpu: h100, count: 8}, // 5-6
	{name: "a100", gpu: a100, count: 8, xid: true}, {name: "a100", gpu: a100, count: 8}, // 7-8
	{name: "l40s", gpu: l40s, count: 4, leaves: true},                        // 9
	{name: "l40s", gpu: l40s, count: 4}, {name: "l40s", gpu: l40s, count: 4}, // 10-11
	{name: "h200", gpu: h200, count: 8},                // 12
	{name: "a100-mig", gpu: a100, count: 4, mig: true}, // 13
}

const (
	wholeGPU = "nvidia.com/gpu"
	mig3g    = "nvidia.com/mig-3g.40gb"
	mig1g    = "nvidia.com/mig-1g.10gb"
)

// engine is what a model server serves, and how fast.
type engine struct {
	kind       string  // "vllm" or "sglang"
	model      string  // served name
	port       int     //
	silent     bool    // serves no metrics
	role       string  // "prefill", "decode", or "" for both
	generation float64 // tokens a second at full load
	prompt     float64
	requests   float64 // finished a second at full load
	running    float64 // in a batch at full load
	ttft       float64 // median seconds to the first token without pressure
}

// workload is one controller and the pods that it wants.
type workload struct {
	namespace, name string
	kind            string // of the controller; "" for a static pod of a node
	on              []int  // a pod on each of these nodes of the pattern, in this order
	everywhere      bool   // a pod on each node
	onGPUs          bool   // a pod on each GPU node
	image           string
	command, args   []string
	container       string   // "main" if empty
	sidecar         string   // image of a second container
	gpus            int      // for each pod
	resource        string   // wholeGPU if empty
	cpu, memory     [2]int64 // requests and limits: millicores, MiB; 0 is none
	cpuUse, memUse  [2]int64 // at no load and at full load
	demand          rhythm
	engine          *engine
	story           story
	every, offset   int64 // batch: period, and its phase, in seconds
	runs            int64 // batch: seconds
	group           int   // LeaderWorkerSet: pods in a group; on lists the leader first
	hostNetwork     bool
	past            float64 // seconds of full load before the story begins

	slots   []*slot // filled by place, as is what follows
	spreads *spreads
}

// Rhythms of people.
var (
	office   = rhythm{peak: 0.82, night: 0.08, zone: 9, weekend: 0.25} // Seoul
	europe   = rhythm{peak: 0.9, night: 0.12, zone: 1, weekend: 0.4}   // Berlin
	america  = rhythm{peak: 0.95, night: 0.15, zone: -7, weekend: 0.5} // San Francisco
	world    = rhythm{peak: 0.75, night: 0.5, zone: 5, weekend: 0.85}  // everywhere
	crowded  = rhythm{peak: 1.12, night: 0.1, zone: 9, weekend: 0.3}   // too many in Seoul
	training = rhythm{peak: 0.94, night: 1, weekend: 1}                // never sleeps
	few      = rhythm{peak: 0.35, night: 0.02, zone: 9, weekend: 0.1}  // a small team
	nobody   = rhythm{}                                                // idle
)
