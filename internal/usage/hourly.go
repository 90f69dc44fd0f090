package usage

import "time"

// Names of the hourly tables. Nodes and Pods name tables of samples and of hours.
const (
	Models     = "models"
	Workloads  = "workloads"
	Namespaces = "namespaces"
	Cluster    = "cluster"
)

// Distribution is one value over an hour: its time-weighted mean, its
// time-weighted percentiles (the smallest value that, with all smaller ones, was
// held for that share of the measured time, or a measured value at most 0.8 %
// above it) and its maximum. All four are NULL where it was never measured.
type Distribution struct {
	Avg, P50, P95, Max Opt[float64]
}

// Statistics are the figures of one key over one hour; every hourly table has
// the same ones, NULL where they do not apply. Values that add up (millicores,
// bytes, watts, requests) are summed over the key's pods at each instant before
// the hour is summarised; percents and ratios are averaged. Usage of a node is the
// node's own, and that of the cluster the sum over nodes, not over pods.
//
// A Distribution is four columns: its name with _avg, _p50, _p95 and _max. The
// column's name is what internal/statistics fills it by, and what the report's
// fields show.
type Statistics struct {
	Samples         int32 `column:"samples"`          // instants at which the key was sampled
	ExpectedSamples int32 `column:"expected_samples"` // instants that the hour should have, as far as it has passed

	CPUUsageMillicores Distribution `column:"cpu_usage_millicores"`
	MemoryUsageBytes   Distribution `column:"memory_usage_bytes"`    // working set
	GPUUtilPercent     Distribution `column:"gpu_util_percent"`      // mean over devices: those held; of nodes and the cluster, all
	GPUMemoryUsedBytes Distribution `column:"gpu_memory_used_bytes"` // of the same devices
	GPUPowerWatts      Distribution `column:"gpu_power_watts"`       // a card counts once; in pods, each that shares it
	RequestsRunning    Distribution `column:"requests_running"`      // in the model servers
	RequestsWaiting    Distribution `column:"requests_waiting"`      // in the model servers' queues
	KVCacheUsageRatio  Distribution `column:"kv_cache_usage_ratio"`  // 0 to 1, mean over model servers
	Pods               Distribution `column:"pods"`                  // that have not ended; of nodes, running
	Replicas           Distribution `column:"replicas"`              // that are ready; a group of pods (LeaderWorkerSet, Ray) is one

	CPURequestMillicoresAvg   Opt[float64] `column:"cpu_request_millicores_avg"`    // mean of what pods that have not ended request
	MemoryRequestBytesAvg     Opt[float64] `column:"memory_request_bytes_avg"`      // likewise
	CPUP95OfRequestPercent    Opt[float64] `column:"cpu_p95_of_request_percent"`    // 100 × its usage_p95 ÷ its request_avg
	MemoryP95OfRequestPercent Opt[float64] `column:"memory_p95_of_request_percent"` // likewise

	GPUHoursAllocated   Opt[float64] `column:"gpu_hours_allocated"`   // active + idle_held + loading + unknown
	GPUHoursActive      Opt[float64] `column:"gpu_hours_active"`      // requests running or tokens moved, else utilisation above 5 %
	GPUHoursIdleHeld    Opt[float64] `column:"gpu_hours_idle_held"`   // held, ready and measured, without work
	GPUHoursLoading     Opt[float64] `column:"gpu_hours_loading"`     // held by a pod that is not ready
	GPUHoursUnknown     Opt[float64] `column:"gpu_hours_unknown"`     // held, and no source says whether it works
	GPUHoursUnallocated Opt[float64] `column:"gpu_hours_unallocated"` // held by no pod; nodes and cluster only
	GPUHoursTotal       Opt[float64] `column:"gpu_hours_total"`       // allocated + unallocated; nodes and cluster only

	PromptTokens       Opt[int64] `column:"prompt_tokens"` // sum of increases, as are the counters below
	GenerationTokens   Opt[int64] `column:"generation_tokens"`
	Requests           Opt[int64] `column:"requests"` // that ended
	Preemptions        Opt[int64] `column:"preemptions"`
	PrefixCacheQueries Opt[int64] `column:"prefix_cache_queries"` // looked up, in the engine's unit
	PrefixCacheHits    Opt[int64] `column:"prefix_cache_hits"`    // of these, found
	EnergyMillijoules  Opt[int64] `column:"energy_millijoules"`   // of GPUs; of a pod, those that it alone holds
	Restarts           Opt[int64] `column:"restarts"`             // of containers

	TTFTSecondsAvg       Opt[float64] `column:"ttft_seconds_avg"`        // time to first token, mean over requests
	InterTokenSecondsAvg Opt[float64] `column:"inter_token_seconds_avg"` // time between tokens, mean over tokens
	E2ESecondsAvg        Opt[float64] `column:"e2e_seconds_avg"`         // from arrival to the last token, mean over requests

	TokensPerGPUHour      Opt[float64] `column:"tokens_per_gpu_hour"`      // prompt and generation tokens ÷ gpu_hours_allocated
	TokensPerKilowattHour Opt[float64] `column:"tokens_per_kilowatt_hour"` // of GPU energy
	Cost                  Opt[float64] `column:"cost"`                     // in the currency of the settings; NULL: something has no price
}

// ModelHour is one hour of one model in one namespace.
type ModelHour struct {
	Hour      time.Time `column:"hour"`
	Namespace string    `column:"namespace"`
	Engine    string    `column:"engine"`
	Model     string    `column:"model"` // "": the engine is known, the model is not
	Statistics
}

// NamespaceHour is one hour of all pods of a namespace.
type NamespaceHour struct {
	Hour      time.Time `column:"hour"`
	Namespace string    `column:"namespace"`
	Statistics
}

// WorkloadHour is one hour of all pods of one owner.
type WorkloadHour struct {
	Hour      time.Time `column:"hour"`
	Namespace string    `column:"namespace"`
	OwnerKind string    `column:"owner_kind"` // "Pod" for a bare pod
	Owner     string    `column:"owner"`
	Statistics
}

// PodHour is one hour of one pod.
type PodHour struct {
	Hour      time.Time   `column:"hour"`
	Namespace string      `column:"namespace"`
	Pod       string      `column:"pod"`
	PodUID    string      `column:"pod_uid"`
	Node      Opt[string] `column:"node"`
	Engine    string      `column:"engine"`
	Model     Opt[string] `column:"model"`
	Statistics
}

// NodeHour is one hour of one node: usage is the node's own, not the sum of
// its pods'.
type NodeHour struct {
	Hour       time.Time   `column:"hour"`
	Node       string      `column:"node"`
	GPUProduct Opt[string] `column:"gpu_product"`
	Statistics
}

// ClusterHour is one hour of the whole cluster: usage is the sum over nodes.
type ClusterHour struct {
	Hour time.Time `column:"hour"`
	Statistics
}
