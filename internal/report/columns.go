package report

import (
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Strings is a column of strings, dictionary-coded: row i is
// Dictionary[Indexes[i]], or null where Indexes[i] is -1. The dictionary is in
// order of first use.
type Strings struct {
	Dictionary []string `json:"dictionary"`
	Indexes    []int32  `json:"indexes"`
}

// Floats and Ints are columns of numbers, null where not measured. Instants
// are Ints of Unix milliseconds.
type (
	Floats []usage.Opt[float64]
	Ints   []usage.Opt[int64]
)

// MarshalJSON writes the column as a whole, which takes a fraction of the time
// of value by value.
func (c Floats) MarshalJSON() ([]byte, error) { return column(c) }

// MarshalJSON likewise.
func (c Ints) MarshalJSON() ([]byte, error) { return column(c) }

func column[T any](values []usage.Opt[T]) (b []byte, err error) {
	if values == nil {
		return []byte("null"), nil
	}
	b = append(make([]byte, 0, 8*len(values)+2), '[')
	for i, o := range values {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = o.AppendJSON(b); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// NodesData is the nodes of the newest sample. There are few, so they are
// rows, not columns.
type NodesData = Nodes

// GPUsData is the GPUs and MIG instances of the newest sample in columns,
// ordered by (node, gpu_index, mig_instance). A column is the field of usage.GPU
// of the same name.
type GPUsData struct {
	Stamp
	Count              int     `json:"count"`
	Node               Strings `json:"node"`
	GPUIndex           Ints    `json:"gpuIndex"`
	GPUProduct         Strings `json:"gpuProduct"`
	MIGProfile         Strings `json:"migProfile"`
	MIGInstance        Ints    `json:"migInstance"`
	Namespace          Strings `json:"namespace"`
	Pod                Strings `json:"pod"`
	ShareCount         Ints    `json:"shareCount"`
	State              Strings `json:"state"` // "active", "idle_held", "loading", "unknown"; null: free
	UtilPercent        Floats  `json:"utilPercent"`
	MemoryUsedBytes    Ints    `json:"memoryUsedBytes"`
	MemoryTotalBytes   Ints    `json:"memoryTotalBytes"`
	PowerWatts         Floats  `json:"powerWatts"`
	TemperatureCelsius Ints    `json:"temperatureCelsius"`
	XIDLast            Ints    `json:"xidLast"`
}

// GPUMap is what the map draws of the same rows: of 40,000 GPUs, a tenth of
// their data.
type GPUMap struct {
	Stamp
	Count       int     `json:"count"`
	Node        Strings `json:"node"`
	State       Strings `json:"state"`
	UtilPercent Floats  `json:"utilPercent"`
}

// StatisticsData is the hourly statistics of the last Hours hours, the open
// hour included. Every series is aligned with HourStarts.
type StatisticsData struct {
	Stamp
	Hours      int                   `json:"hours"`
	HourStarts []time.Time           `json:"hourStarts"`
	NodesSeen  Ints                  `json:"nodesByHour"` // how many nodes each hour knew
	ClusterAll Series                `json:"clusterTotal"`
	Models     []ModelStatistics     `json:"models"`     // by GPU-hours, largest first
	Namespaces []NamespaceStatistics `json:"namespaces"` // likewise
	Nodes      []NodeStatistics      `json:"nodes"`      // by name; none of 168 hours
}

// NodeHours is the nodes' part of the statistics, apart because a cluster has
// far more nodes than models and only a node's page needs it.
type NodeHours struct {
	Stamp
	HourStarts []time.Time      `json:"hourStarts"`
	Nodes      []NodeStatistics `json:"nodes"` // by name
}

// PodHours is what the table of pods draws of each model-serving pod: the mean
// use of its GPUs, hour by hour.
type PodHours struct {
	Stamp
	HourStarts []time.Time `json:"hourStarts"`
	Namespace  Strings     `json:"namespace"`
	Pod        Strings     `json:"pod"`
	GPUUtil    []Floats    `json:"gpuUtilPercentAvg"` // a row a pod
}

// ModelStatistics is one model in one namespace.
type ModelStatistics struct {
	Namespace string `json:"namespace"`
	ModelType string `json:"modelType"`
	Model     string `json:"model"`
	Total     Totals `json:"total"`
	Series    Series `json:"series"`
}

// NamespaceStatistics is all pods of one namespace.
type NamespaceStatistics struct {
	Namespace string `json:"namespace"`
	Total     Totals `json:"total"`
	Series    Series `json:"series"`
}

// NodeStatistics is one node.
type NodeStatistics struct {
	Node       string            `json:"node"`
	GPUProduct usage.Opt[string] `json:"gpuProduct"`
	Total      Totals            `json:"total"`
	Series     Series            `json:"series"`
}

// Totals are sums over the document's hours; ratios are of the sums.
type Totals struct {
	Samples             int64              `json:"samples"`
	ExpectedSamples     int64              `json:"expectedSamples"`
	GPUHoursAllocated   usage.Opt[float64] `json:"gpuHoursAllocated"`
	GPUHoursActive      usage.Opt[float64] `json:"gpuHoursActive"`
	GPUHoursIdleHeld    usage.Opt[float64] `json:"gpuHoursIdleHeld"`
	GPUHoursLoading     usage.Opt[float64] `json:"gpuHoursLoading"`
	GPUHoursUnknown     usage.Opt[float64] `json:"gpuHoursUnknown"`
	GPUHoursUnallocated usage.Opt[float64] `json:"gpuHoursUnallocated"`
	GPUHoursTotal       usage.Opt[float64] `json:"gpuHoursTotal"`
	PromptTokens        usage.Opt[int64]   `json:"promptTokens"`
	GenerationTokens    usage.Opt[int64]   `json:"generationTokens"`
	Requests            usage.Opt[int64]   `json:"requests"`
	EnergyKilowattHours usage.Opt[float64] `json:"energyKilowattHours"`
	TokensPerGPUHour    usage.Opt[float64] `json:"tokensPerGpuHour"`
	TokensPerKWh        usage.Opt[float64] `json:"tokensPerKilowattHour"`
	Cost                usage.Opt[float64] `json:"cost"`
	Restarts            usage.Opt[int64]   `json:"restarts"`
}

// Series is one key's hourly values to six digits, null for an hour without the key.
type Series struct {
	Coverage              Floats `json:"coverage"` // samples ÷ expected samples
	CPUUsageMillicoresAvg Floats `json:"cpuUsageMillicoresAvg"`
	CPUUsageMillicoresP95 Floats `json:"cpuUsageMillicoresP95"`
	MemoryUsageBytesAvg   Floats `json:"memoryUsageBytesAvg"`
	MemoryUsageBytesMax   Floats `json:"memoryUsageBytesMax"`
	GPUUtilPercentAvg     Floats `json:"gpuUtilPercentAvg"`
	GPUUtilPercentP95     Floats `json:"gpuUtilPercentP95"`
	GPUPowerWattsAvg      Floats `json:"gpuPowerWattsAvg"`
	RequestsRunningAvg    Floats `json:"requestsRunningAvg"`
	RequestsWaitingMax    Floats `json:"requestsWaitingMax"`
	KVCacheUsageRatioP95  Floats `json:"kvCacheUsageRatioP95"`
	PodsAvg               Floats `json:"podsAvg"`
	ReplicasAvg           Floats `json:"replicasAvg"`
	GPUHoursAllocated     Floats `json:"gpuHoursAllocated"`
	GPUHoursActive        Floats `json:"gpuHoursActive"`
	GPUHoursIdleHeld      Floats `json:"gpuHoursIdleHeld"`
	GPUHoursLoading       Floats `json:"gpuHoursLoading"`
	GPUHoursUnknown       Floats `json:"gpuHoursUnknown"`
	GPUHoursUnallocated   Floats `json:"gpuHoursUnallocated"`
	PromptTokens          Floats `json:"promptTokens"`
	GenerationTokens      Floats `json:"generationTokens"`
	Requests              Floats `json:"requests"`
	TTFTSecondsAvg        Floats `json:"ttftSecondsAvg"`
	InterTokenSecondsAvg  Floats `json:"interTokenSecondsAvg"`
	EnergyKilowattHours   Floats `json:"energyKilowattHours"`
	TokensPerGPUHour      Floats `json:"tokensPerGpuHour"`
	TokensPerKWh          Floats `json:"tokensPerKilowattHour"`
	Cost                  Floats `json:"cost"`
}
