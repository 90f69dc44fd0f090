// Package report is the vocabulary of the JSON documents under site/: what the
// static site, API users and Prometheus read. It holds the documents' shapes
// and the TypeScript types generated from them, not how they are computed
// (jobs/rollup, jobs/alert) or drawn (site).
//
// # Documents of a cluster C, under site/C/
//
//	latest.json                                     Latest: small, written last, names the data objects below
//	data/<hash>.json                                PodsData, NodesData, GPUsData, GPUMap, StatisticsData,
//	                                                NodeHours, PodHours: immutable, columnar
//	api/v1/resources/usage.json                     Usage
//	api/v1/resources/nodes.json                     Nodes
//	api/v1/resources/alerts.json                    Alerts (written by the alert job)
//	api/v1/resources/pods/<namespace>.json          Pods
//	api/v1/resources/pods/<namespace>/<pod>.json    PodHistory, for model-serving pods
//	api/v1/resources/statistics-24.json             StatisticsData
//	api/v1/resources/statistics-168.json            StatisticsData of all but nodes: a week of 5,000 of them is no document
//
// and beside them, for all clusters, site/clusters.json (Clusters) and
// site/metrics (Prometheus text).
//
// Times are RFC 3339 in UTC; instants in columns are Unix milliseconds. null
// means not measured, 0 means measured zero. Fields are only ever added within
// one version; a reader refuses a version that it does not know.
package report

import (
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Version is the version of every document here.
const Version = 1

// Stamp opens every document: when it was made and of which snapshot.
type Stamp struct {
	Version     int       `json:"version"`
	Cluster     string    `json:"cluster"`
	GeneratedAt time.Time `json:"generatedAt"` // the instant of the run that wrote it
	SampledAt   time.Time `json:"sampledAt"`   // the newest sample that it shows
}

// Latest is the pointer that a reader revalidates every refresh. All that it
// names belongs to one run.
type Latest struct {
	Stamp
	IntervalSeconds int            `json:"intervalSeconds"`
	ProgramVersion  string         `json:"programVersion"`
	Currency        string         `json:"currency"` // "": no prices configured
	Thresholds      Thresholds     `json:"thresholds"`
	ClusterSummary  ClusterSummary `json:"clusterSummary"`
	Gaps            []usage.Gap    `json:"gaps"` // of the newest snapshot
	Objects         Objects        `json:"objects"`
}

// Thresholds are the percents above which the site marks a bar.
type Thresholds struct {
	CPUPercent    float64 `json:"cpuPercent"`
	MemoryPercent float64 `json:"memoryPercent"`
	GPUPercent    float64 `json:"gpuPercent"`
}

// Objects names the immutable data objects, relative to the cluster's folder.
type Objects struct {
	Pods       []PodsObject `json:"pods"` // in order of namespaces
	Nodes      DataObject   `json:"nodes"`
	GPUs       DataObject   `json:"gpus"`           // GPUsData
	GPUMap     DataObject   `json:"gpuMap"`         // GPUMap: the rows of gpus, in their order
	Statistics DataObject   `json:"statistics"`     // StatisticsData: 24 hours of all but nodes
	NodeHours  DataObject   `json:"nodeStatistics"` // NodeHours: 24 hours of nodes
	PodHours   DataObject   `json:"podStatistics"`  // PodHours: 24 hours of model-serving pods
}

// All lists every object that is named.
func (o Objects) All() []DataObject {
	all := []DataObject{o.Nodes, o.GPUs, o.GPUMap, o.Statistics, o.NodeHours, o.PodHours}
	for _, p := range o.Pods {
		all = append(all, p.DataObject)
	}
	return all
}

// DataObject is one immutable object.
type DataObject struct {
	Path  string `json:"path"`
	Bytes int    `json:"bytes"` // before compression
}

// PodsObject is one chunk of pods, cut between namespaces where it can be.
type PodsObject struct {
	DataObject
	Count          int    `json:"count"`
	FirstNamespace string `json:"firstNamespace"`
	LastNamespace  string `json:"lastNamespace"`
}

// ClusterSummary is the figures of the summary cards.
type ClusterSummary struct {
	TotalNodes  int                `json:"totalNodes"`
	ReadyNodes  int                `json:"readyNodes"`
	TotalPods   int                `json:"totalPods"` // that have not ended
	VLLMPods    int                `json:"vllmPods"`
	SGLangPods  int                `json:"sglangPods"`
	ByEngine    map[string]int     `json:"podsByEngine"`   // of totalPods, those that serve models
	AvgCPU      usage.Opt[float64] `json:"avgCpuUsage"`    // node CPU used, percent of allocatable
	AvgMemory   usage.Opt[float64] `json:"avgMemoryUsage"` // node memory used, percent of allocatable
	AvgGPU      usage.Opt[float64] `json:"avgGpuUsage"`    // mean utilisation of the measured GPUs, percent
	TotalGPUs   int                `json:"totalGpus"`
	HeldGPUs    int                `json:"heldGpus"`
	IdleGPUs    int                `json:"idleHeldGpus"`          // held by a ready pod that does no work
	PendingGPUs int                `json:"pendingGpus"`           // requested by pods that are not scheduled
	IdleToday   usage.Opt[float64] `json:"gpuHoursIdleHeldToday"` // since 00:00 UTC
}

// Pod is a pod in the documents of the API. A field of the same name as one of
// usage.Pod is that of the row. The percents name their basis: "limit",
// "request" or "node".
type Pod struct {
	Pod                  string               `json:"name"`
	Namespace            string               `json:"namespace"`
	Node                 usage.Opt[string]    `json:"nodeName"`
	Engine               string               `json:"modelType"` // "vllm", "sglang", "": none
	Model                usage.Opt[string]    `json:"model"`
	ModelPath            usage.Opt[string]    `json:"modelPath"`
	Role                 usage.Opt[string]    `json:"role"`
	ReplicaGroup         usage.Opt[string]    `json:"replicaGroup"`
	IdentifiedBy         usage.Opt[string]    `json:"identifiedBy"`
	OwnerKind            usage.Opt[string]    `json:"ownerKind"`
	Owner                usage.Opt[string]    `json:"owner"`
	Phase                string               `json:"phase"`
	Reason               usage.Opt[string]    `json:"reason"`
	Ready                bool                 `json:"ready"`
	Restarts             int32                `json:"restarts"`
	CreatedAt            time.Time            `json:"creationTime"`
	StartedAt            usage.Opt[time.Time] `json:"startTime"`
	Image                string               `json:"image"`
	CPUUsagePercent      usage.Opt[float64]   `json:"cpuUsagePercent"`
	CPUBasis             usage.Opt[string]    `json:"cpuBasis"`
	CPUUsageMillicores   usage.Opt[int64]     `json:"cpuUsageMillicores"`
	CPURequestMillicores usage.Opt[int64]     `json:"cpuRequestMillicores"`
	CPULimitMillicores   usage.Opt[int64]     `json:"cpuLimitMillicores"`
	MemoryUsagePercent   usage.Opt[float64]   `json:"memoryUsagePercent"`
	MemoryBasis          usage.Opt[string]    `json:"memoryBasis"`
	MemoryUsageBytes     usage.Opt[int64]     `json:"memoryUsageBytes"`
	MemoryRequestBytes   usage.Opt[int64]     `json:"memoryRequestBytes"`
	MemoryLimitBytes     usage.Opt[int64]     `json:"memoryLimitBytes"`
	GPUUtilPercent       usage.Opt[float64]   `json:"gpuUsagePercent"`
	GPURequest           int32                `json:"gpuRequest"`
	GPUMemoryUsedBytes   usage.Opt[int64]     `json:"gpuMemoryUsedBytes"`
	GPUMemoryTotalBytes  usage.Opt[int64]     `json:"gpuMemoryTotalBytes"`
	GPUPowerWatts        usage.Opt[float64]   `json:"gpuPowerWatts"`
	GPUAttribution       usage.Opt[string]    `json:"gpuAttribution"`
	GPUState             usage.Opt[string]    `json:"gpuState"` // "active", "idle_held", "loading", "unknown"; null: holds none
	RequestsRunning      usage.Opt[int64]     `json:"requestsRunning"`
	RequestsWaiting      usage.Opt[int64]     `json:"requestsWaiting"`
	KVCacheUsageRatio    usage.Opt[float64]   `json:"kvCacheUsageRatio"`
}

// PodsData is pods in columns, ordered by (namespace, pod). A column is the field
// of Pod of the same name.
type PodsData struct {
	Stamp
	Count                int     `json:"count"`
	Namespace            Strings `json:"namespace"`
	Pod                  Strings `json:"pod"`
	Node                 Strings `json:"node"`
	OwnerKind            Strings `json:"ownerKind"`
	Owner                Strings `json:"owner"`
	Phase                Strings `json:"phase"`
	Reason               Strings `json:"reason"`
	Ready                []bool  `json:"ready"`
	Restarts             Ints    `json:"restarts"`
	CreatedAt            Ints    `json:"createdAtMillis"`
	Image                Strings `json:"image"`
	Engine               Strings `json:"modelType"`
	Model                Strings `json:"model"`
	Role                 Strings `json:"role"`
	ReplicaGroup         Strings `json:"replicaGroup"`
	IdentifiedBy         Strings `json:"identifiedBy"`
	CPUUsagePercent      Floats  `json:"cpuUsagePercent"`
	CPUBasis             Strings `json:"cpuBasis"`
	CPUUsageMillicores   Ints    `json:"cpuUsageMillicores"`
	CPURequestMillicores Ints    `json:"cpuRequestMillicores"`
	CPULimitMillicores   Ints    `json:"cpuLimitMillicores"`
	MemoryUsagePercent   Floats  `json:"memoryUsagePercent"`
	MemoryBasis          Strings `json:"memoryBasis"`
	MemoryUsageBytes     Ints    `json:"memoryUsageBytes"`
	MemoryRequestBytes   Ints    `json:"memoryRequestBytes"`
	MemoryLimitBytes     Ints    `json:"memoryLimitBytes"`
	GPURequest           Ints    `json:"gpuRequest"`
	GPUUtilPercent       Floats  `json:"gpuUsagePercent"`
	GPUMemoryUsedBytes   Ints    `json:"gpuMemoryUsedBytes"`
	GPUMemoryTotalBytes  Ints    `json:"gpuMemoryTotalBytes"`
	GPUPowerWatts        Floats  `json:"gpuPowerWatts"`
	GPUAttribution       Strings `json:"gpuAttribution"`
	GPUState             Strings `json:"gpuState"`
	RequestsRunning      Ints    `json:"requestsRunning"`
	RequestsWaiting      Ints    `json:"requestsWaiting"`
	KVCacheUsageRatio    Floats  `json:"kvCacheUsageRatio"`
}

// Usage answers "usage": model-serving pods and the cluster's summary.
type Usage struct {
	Stamp
	Pods           []Pod          `json:"pods"`
	ClusterSummary ClusterSummary `json:"clusterSummary"`
}

// Pods answers "pods?namespace=N".
type Pods struct {
	Stamp
	Namespace string `json:"namespace"`
	Pods      []Pod  `json:"pods"`
}

// PodHistory answers "pods/{namespace}/{podName}": the pod and its last 24
// hours, one value an hour, aligned with Hours.
type PodHistory struct {
	Stamp
	Pod     Pod         `json:"pod"`
	Hours   []time.Time `json:"hours"`
	History Series      `json:"history"`
}

// Node is a node in the documents of the API. Percents are of allocatable.
type Node struct {
	Name                   string             `json:"name"`
	Ready                  bool               `json:"ready"`
	Unschedulable          bool               `json:"unschedulable"`
	Roles                  string             `json:"roles"`
	Pressure               string             `json:"pressure"`
	InstanceType           usage.Opt[string]  `json:"instanceType"`
	Zone                   usage.Opt[string]  `json:"zone"`
	KubeletVersion         string             `json:"kubeletVersion"`
	CreationTime           time.Time          `json:"creationTime"`
	CPUUsagePercent        usage.Opt[float64] `json:"cpuUsagePercent"`
	CPUUsageMillicores     usage.Opt[int64]   `json:"cpuUsageMillicores"`
	CPURequestedMillicores int64              `json:"cpuRequestedMillicores"`
	CPUAllocatable         int64              `json:"cpuAllocatableMillicores"`
	CPUCapacity            int64              `json:"cpuCapacityMillicores"`
	MemoryUsagePercent     usage.Opt[float64] `json:"memoryUsagePercent"`
	MemoryUsageBytes       usage.Opt[int64]   `json:"memoryUsageBytes"`
	MemoryRequestedBytes   int64              `json:"memoryRequestedBytes"`
	MemoryAllocatable      int64              `json:"memoryAllocatableBytes"`
	MemoryCapacity         int64              `json:"memoryCapacityBytes"`
	PodsRunning            int32              `json:"podsRunning"`
	PodsAllocatable        int32              `json:"podsAllocatable"`
	GPUProduct             usage.Opt[string]  `json:"gpuProduct"`
	GPURequested           int32              `json:"gpuRequested"`
	GPUAllocatable         int32              `json:"gpuAllocatable"`
	GPUUsagePercent        usage.Opt[float64] `json:"gpuUsagePercent"`
}

// Nodes answers "nodes".
type Nodes struct {
	Stamp
	Nodes []Node `json:"nodes"`
}

// Alert is one alert: firing, or resolved within the last 30 days.
type Alert struct {
	Rule      string `json:"rule"`
	Severity  string `json:"severity"` // "INFO", "WARNING", "CRITICAL"
	Kind      string `json:"kind"`     // "pod", "node", "gpu", "model", "snapshot"
	Namespace string `json:"namespace"`
	Name      string `json:"name"` // of the subject
	Node      string `json:"node"`
	Model     string `json:"model"`
	Summary   string `json:"summary"` // in English, with value, threshold and basis
	// Sentence is the rule that ships with the program whose sentence Summary
	// is: with Values, a reader can word it in another language. It is "" where
	// the rule's author wrote the words.
	Sentence   string               `json:"sentence"`
	Values     []AlertValue         `json:"values"` // what Summary names, in its order
	Value      usage.Opt[float64]   `json:"value"`
	Since      time.Time            `json:"since"`
	ResolvedAt usage.Opt[time.Time] `json:"resolvedAt"`
}

// AlertValue is a column of the rule's row or a threshold, when the rule last
// held. Both Number and Text are null where it was not measured.
type AlertValue struct {
	Name   string             `json:"name"` // such as "cpu_percent", "cpu_basis", "thresholds.cpu"; a number's unit is its last word
	Number usage.Opt[float64] `json:"number"`
	Text   usage.Opt[string]  `json:"text"`
}

// Alerts answers "alerts": firing ones by severity and age, then resolved
// ones, newest first.
type Alerts struct {
	Stamp
	Firing   []Alert `json:"alerts"`
	Resolved []Alert `json:"resolved"`
}

// Clusters lists the clusters of the site.
type Clusters struct {
	Version  int            `json:"version"`
	Clusters []ClusterEntry `json:"clusters"` // by name
}

// ClusterEntry is one cluster of the site.
type ClusterEntry struct {
	Name string `json:"name"`
}
