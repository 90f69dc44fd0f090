// Package usage holds the rows of the product and their units: one struct per
// Parquet table, in column order, and the facts about a pod that a run needs
// but does not store. It holds no behaviour beyond ordering rows; reading a
// cluster, encoding Parquet and computing statistics live above it.
//
// # Columns
//
// The `column` tag of a field is its name in Parquet, SQL and alert rules. The
// unit is part of the name. Go types map to column types one to one:
//
//	string → string    int32 → int    int64 → bigint    float64 → double
//	bool → boolean     time.Time → TIMESTAMP(MILLIS, UTC)
//
// A field of type Opt[T] is the only kind of nullable column. NULL means not
// measured or not applicable; 0 means measured zero.
package usage

import (
	"cmp"
	"strings"
	"time"
)

// Table names, as they stand in object names and SQL.
const (
	Pods    = "pods"
	Nodes   = "nodes"
	GPUs    = "gpus"
	Engines = "engines"
	Gaps    = "gaps"
)

// Engine names of model servers. NoEngine marks a pod that serves no model.
const (
	VLLM     = "vllm"
	SGLang   = "sglang"
	NoEngine = ""
)

// EngineName is an engine by its name in the data, and as its project writes it.
type EngineName struct{ Name, Label string }

// EngineNames are the engines that are known, in the order in which they are
// shown.
var EngineNames = []EngineName{{VLLM, "vLLM"}, {SGLang, "SGLang"}}

// GPU attributions: how sure we are that a GPU's figures are the pod's own.
const (
	Exclusive = "exclusive" // whole devices, held by this pod alone
	MIG       = "mig"       // MIG instances, held by this pod alone
	Shared    = "shared"    // time-sliced or MPS: figures are the card's, not the pod's
	Unknown   = "unknown"   // the pod requests GPUs, and no source says which, or names fewer than it requests
)

// Pod is one pod at one instant. Rows are ordered by (namespace, pod, ts).
type Pod struct {
	TS                   time.Time      `column:"ts"` // the instant of the sample
	Namespace            string         `column:"namespace"`
	Pod                  string         `column:"pod"`
	PodUID               string         `column:"pod_uid"`    // tells pods of the same name apart
	Node                 Opt[string]    `column:"node"`       // NULL: not scheduled
	OwnerKind            Opt[string]    `column:"owner_kind"` // NULL: a bare pod
	Owner                Opt[string]    `column:"owner"`      // the workload: of a ReplicaSet its Deployment, of a Job its CronJob
	Phase                string         `column:"phase"`      // Pending, Running, Succeeded, Failed or Unknown
	Reason               Opt[string]    `column:"reason"`     // waiting, terminated or eviction reason; NULL: nothing to report
	Ready                bool           `column:"ready"`      // its Ready condition
	Restarts             int32          `column:"restarts"`   // of its containers, since it was created
	CreatedAt            time.Time      `column:"created_at"`
	StartedAt            Opt[time.Time] `column:"started_at"`             // NULL: no node has accepted it yet
	Image                string         `column:"image"`                  // of the serving container, else of the first
	Engine               string         `column:"engine"`                 // "vllm" or "sglang"; "" of a pod that serves no model
	Model                Opt[string]    `column:"model"`                  // that it serves; NULL: not known
	ModelPath            Opt[string]    `column:"model_path"`             // where the engine loads the model from
	Role                 Opt[string]    `column:"role"`                   // prefill or decode, else leader or worker of a group
	ReplicaGroup         Opt[string]    `column:"replica_group"`          // pods of one replica share it; NULL: the pod is the replica
	IdentifiedBy         Opt[string]    `column:"identified_by"`          // the strongest evidence of the engine
	CPUUsageMillicores   Opt[int64]     `column:"cpu_usage_millicores"`   // of all its containers
	CPURequestMillicores Opt[int64]     `column:"cpu_request_millicores"` // what the scheduler sets aside for it
	CPULimitMillicores   Opt[int64]     `column:"cpu_limit_millicores"`   // NULL: a container has none
	MemoryUsageBytes     Opt[int64]     `column:"memory_usage_bytes"`     // working set
	MemoryRequestBytes   Opt[int64]     `column:"memory_request_bytes"`   // what the scheduler sets aside for it
	MemoryLimitBytes     Opt[int64]     `column:"memory_limit_bytes"`     // NULL: a container has none
	GPURequest           int32          `column:"gpu_request"`            // devices (or MIG instances) requested; 0: none
	GPUUtilPercent       Opt[float64]   `column:"gpu_util_percent"`       // mean over the pod's devices
	GPUMemoryUsedBytes   Opt[int64]     `column:"gpu_memory_used_bytes"`  // sum over the pod's devices
	GPUMemoryTotalBytes  Opt[int64]     `column:"gpu_memory_total_bytes"` // sum over the pod's devices
	GPUPowerWatts        Opt[float64]   `column:"gpu_power_watts"`        // sum over the pod's devices
	GPUAttribution       Opt[string]    `column:"gpu_attribution"`        // "exclusive", "mig", "shared", "unknown"; NULL: requests no GPU
}

// Node is one node at one instant. Rows are ordered by (node, ts).
type Node struct {
	TS                       time.Time   `column:"ts"` // the instant of the sample
	Node                     string      `column:"node"`
	Ready                    bool        `column:"ready"`         // its Ready condition
	Unschedulable            bool        `column:"unschedulable"` // cordoned
	Roles                    string      `column:"roles"`         // comma-separated, sorted; "": none
	Pressure                 string      `column:"pressure"`      // true pressure conditions, comma-separated, sorted; "": none
	InstanceType             Opt[string] `column:"instance_type"` // as its label says, like zone
	Zone                     Opt[string] `column:"zone"`
	KubeletVersion           string      `column:"kubelet_version"`
	CreatedAt                time.Time   `column:"created_at"` // when it joined the cluster
	CPUCapacityMillicores    int64       `column:"cpu_capacity_millicores"`
	CPUAllocatableMillicores int64       `column:"cpu_allocatable_millicores"` // capacity without what is reserved for the system
	CPURequestedMillicores   int64       `column:"cpu_requested_millicores"`   // sum over scheduled pods that have not ended
	CPUUsageMillicores       Opt[int64]  `column:"cpu_usage_millicores"`       // of the whole node
	MemoryCapacityBytes      int64       `column:"memory_capacity_bytes"`
	MemoryAllocatableBytes   int64       `column:"memory_allocatable_bytes"` // capacity without what is reserved for the system
	MemoryRequestedBytes     int64       `column:"memory_requested_bytes"`   // sum over scheduled pods that have not ended
	MemoryUsageBytes         Opt[int64]  `column:"memory_usage_bytes"`       // working set of the whole node
	PodsAllocatable          int32       `column:"pods_allocatable"`         // how many pods it may run
	PodsRunning              int32       `column:"pods_running"`
	GPUProduct               Opt[string] `column:"gpu_product"`     // as its label says
	GPUAllocatable           int32       `column:"gpu_allocatable"` // devices as advertised: cards, MIG instances or shares
	GPURequested             int32       `column:"gpu_requested"`   // of these, by scheduled pods that have not ended
}

// GPU is one GPU, or one MIG instance, at one instant. A device that several
// containers share is one row with ShareCount above 1. Rows are ordered by
// (node, gpu_index, mig_instance, ts).
type GPU struct {
	TS                     time.Time    `column:"ts"` // the instant of the sample
	Node                   string       `column:"node"`
	GPUIndex               int32        `column:"gpu_index"` // the driver's number, from 0
	GPUUUID                string       `column:"gpu_uuid"`  // of the card
	GPUProduct             string       `column:"gpu_product"`
	MIGProfile             Opt[string]  `column:"mig_profile"`  // such as 1g.10gb; NULL: not a MIG instance
	MIGInstance            Opt[int32]   `column:"mig_instance"` // the GPU instance's number; NULL: a whole card
	Namespace              Opt[string]  `column:"namespace"`    // NULL: free
	Pod                    Opt[string]  `column:"pod"`          // that holds it
	Container              Opt[string]  `column:"container"`    // that holds it
	ShareCount             int32        `column:"share_count"`  // containers that hold it: 0 free, 1 exclusive
	UtilPercent            Opt[float64] `column:"util_percent"`
	UtilSource             Opt[string]  `column:"util_source"` // the metric that UtilPercent came from
	MemoryUsedBytes        Opt[int64]   `column:"memory_used_bytes"`
	MemoryTotalBytes       Opt[int64]   `column:"memory_total_bytes"`
	PowerWatts             Opt[float64] `column:"power_watts"`              // of the card, also in the rows of its MIG instances
	EnergyMillijoulesTotal Opt[int64]   `column:"energy_millijoules_total"` // counter since the driver was loaded
	TemperatureCelsius     Opt[int32]   `column:"temperature_celsius"`      // of the card
	SMClockMHz             Opt[int32]   `column:"sm_clock_mhz"`             // of the streaming multiprocessors
	XIDLast                Opt[int32]   `column:"xid_last"`                 // code of the last XID error, 0: none; not a count
	Source                 string       `column:"source"`                   // what it was read through, such as "dcgm" or "nvml"
}

// Engine is one model server's own metrics at one instant: gauges as they
// were, counters since the server started. Rows are ordered by (namespace,
// pod, ts).
type Engine struct {
	TS                      time.Time    `column:"ts"` // the instant of the sample
	Namespace               string       `column:"namespace"`
	Pod                     string       `column:"pod"`
	PodUID                  string       `column:"pod_uid"`
	Engine                  string       `column:"engine"`
	Model                   Opt[string]  `column:"model"` // as the server names it
	RequestsRunning         Opt[int64]   `column:"requests_running"`
	RequestsWaiting         Opt[int64]   `column:"requests_waiting"`     // in the server's queue
	KVCacheUsageRatio       Opt[float64] `column:"kv_cache_usage_ratio"` // 0 to 1
	PromptTokensTotal       Opt[int64]   `column:"prompt_tokens_total"`
	GenerationTokensTotal   Opt[int64]   `column:"generation_tokens_total"`
	RequestsTotal           Opt[int64]   `column:"requests_total"` // that ended
	PreemptionsTotal        Opt[int64]   `column:"preemptions_total"`
	PrefixCacheQueriesTotal Opt[int64]   `column:"prefix_cache_queries_total"` // looked up, in the engine's unit
	PrefixCacheHitsTotal    Opt[int64]   `column:"prefix_cache_hits_total"`    // of these, found
	TTFTSecondsSum          Opt[float64] `column:"ttft_seconds_sum"`           // time to first token
	TTFTSecondsCount        Opt[int64]   `column:"ttft_seconds_count"`         // how many were measured
	InterTokenSecondsSum    Opt[float64] `column:"inter_token_seconds_sum"`    // time between tokens
	InterTokenSecondsCount  Opt[int64]   `column:"inter_token_seconds_count"`  // how many were measured
	E2ESecondsSum           Opt[float64] `column:"e2e_seconds_sum"`            // from arrival to the last token
	E2ESecondsCount         Opt[int64]   `column:"e2e_seconds_count"`          // how many were measured
}

// Gap is something that could not be measured at one instant, and why. Rows
// are ordered by (source, target, ts).
type Gap struct {
	TS     time.Time `column:"ts" json:"-"`          // the instant of the sample
	Source string    `column:"source" json:"source"` // api-server, metrics-server, kubelet, dcgm, nvml, engine, owners, claims or schedule
	Target string    `column:"target" json:"target"` // what was asked: an API group, NAMESPACE/POD, a node
	Reason string    `column:"reason" json:"reason"` // why it did not answer, and what mends it
}

// Sample is everything measured at one instant, each table in its order.
type Sample struct {
	Pods    []Pod
	Nodes   []Node
	GPUs    []GPU
	Engines []Engine
	Gaps    []Gap
}

// CompareGPUs orders GPU rows by (node, gpu_index, mig_instance, ts), whole
// cards before their instances: for packages below the one that writes tables,
// which sorts by the columns that a table declares.
func CompareGPUs(a, b GPU) int {
	return cmp.Or(strings.Compare(a.Node, b.Node), cmp.Compare(a.GPUIndex, b.GPUIndex),
		compareOpt(a.MIGInstance, b.MIGInstance), a.TS.Compare(b.TS))
}

// CompareGaps orders gap rows by (source, target, ts), and those of one source,
// target and instant by reason.
func CompareGaps(a, b Gap) int {
	return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Target, b.Target),
		a.TS.Compare(b.TS), strings.Compare(a.Reason, b.Reason))
}
