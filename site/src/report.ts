// Generated from the Go documents in internal/report by its tests; do not edit.
// make update writes it anew.

/** The one version of the documents that this page reads. */
export const VERSION = 1;
/** From how many intervals on, without a new sample, the newest is late, and the collector has stopped. */
export const FRESHNESS = { late: 3, stopped: 10 };
/** The engines that are known, by their names in the data, in the order in which they are shown. */
export const ENGINES: Record<string, string> = { vllm: 'vLLM', sglang: 'SGLang' };
/** What the GPUs that a pod holds are doing. */
export const GPU_STATES = ['active', 'idle_held', 'loading', 'unknown'] as const;

/** ClusterEntry is one cluster of the site. */
export interface ClusterEntry {
  name: string;
}

/** Clusters lists the clusters of the site. */
export interface Clusters {
  version: number;
  clusters: ClusterEntry[]; // by name
}

/** Stamp opens every document: when it was made and of which snapshot. */
export interface Stamp {
  version: number;
  cluster: string;
  generatedAt: string; // the instant of the run that wrote it
  sampledAt: string; // the newest sample that it shows
}

/** Thresholds are the percents above which the site marks a bar. */
export interface Thresholds {
  cpuPercent: number;
  memoryPercent: number;
  gpuPercent: number;
}

/** ClusterSummary is the figures of the summary cards. */
export interface ClusterSummary {
  totalNodes: number;
  readyNodes: number;
  totalPods: number; // that have not ended
  vllmPods: number;
  sglangPods: number;
  podsByEngine: Record<string, number>; // of totalPods, those that serve models
  avgCpuUsage: number | null; // node CPU used, percent of allocatable
  avgMemoryUsage: number | null; // node memory used, percent of allocatable
  avgGpuUsage: number | null; // mean utilisation of the measured GPUs, percent
  totalGpus: number;
  heldGpus: number;
  idleHeldGpus: number; // held by a ready pod that does no work
  pendingGpus: number; // requested by pods that are not scheduled
  gpuHoursIdleHeldToday: number | null; // since 00:00 UTC
}

export interface Gap {
  source: string;
  target: string;
  reason: string;
}

/** DataObject is one immutable object. */
export interface DataObject {
  path: string;
  bytes: number; // before compression
}

/** PodsObject is one chunk of pods, cut between namespaces where it can be. */
export interface PodsObject extends DataObject {
  count: number;
  firstNamespace: string;
  lastNamespace: string;
}

/** Objects names the immutable data objects, relative to the cluster's folder. */
export interface Objects {
  pods: PodsObject[]; // in order of namespaces
  nodes: DataObject;
  gpus: DataObject; // GPUsData
  gpuMap: DataObject; // GPUMap: the rows of gpus, in their order
  statistics: DataObject; // StatisticsData: 24 hours of all but nodes
  nodeStatistics: DataObject; // NodeHours: 24 hours of nodes
  podStatistics: DataObject; // PodHours: 24 hours of model-serving pods
}

/** Latest is the pointer that a reader revalidates every refresh. All that it names belongs to one run. */
export interface Latest extends Stamp {
  intervalSeconds: number;
  programVersion: string;
  currency: string; // "": no prices configured
  thresholds: Thresholds;
  clusterSummary: ClusterSummary;
  gaps: Gap[]; // of the newest snapshot
  objects: Objects;
}

/** Strings is a column of strings, dictionary-coded: row i is Dictionary[Indexes[i]], or null where Indexes[i] is -1. The dictionary is in order of first use. */
export interface Strings {
  dictionary: string[];
  indexes: number[];
}

/** PodsData is pods in columns, ordered by (namespace, pod). A column is the field of Pod of the same name. */
export interface PodsData extends Stamp {
  count: number;
  namespace: Strings;
  pod: Strings;
  node: Strings;
  ownerKind: Strings;
  owner: Strings;
  phase: Strings;
  reason: Strings;
  ready: boolean[];
  restarts: (number | null)[];
  createdAtMillis: (number | null)[];
  image: Strings;
  modelType: Strings;
  model: Strings;
  role: Strings;
  replicaGroup: Strings;
  identifiedBy: Strings;
  cpuUsagePercent: (number | null)[];
  cpuBasis: Strings;
  cpuUsageMillicores: (number | null)[];
  cpuRequestMillicores: (number | null)[];
  cpuLimitMillicores: (number | null)[];
  memoryUsagePercent: (number | null)[];
  memoryBasis: Strings;
  memoryUsageBytes: (number | null)[];
  memoryRequestBytes: (number | null)[];
  memoryLimitBytes: (number | null)[];
  gpuRequest: (number | null)[];
  gpuUsagePercent: (number | null)[];
  gpuMemoryUsedBytes: (number | null)[];
  gpuMemoryTotalBytes: (number | null)[];
  gpuPowerWatts: (number | null)[];
  gpuAttribution: Strings;
  gpuState: Strings;
  requestsRunning: (number | null)[];
  requestsWaiting: (number | null)[];
  kvCacheUsageRatio: (number | null)[];
}

/** GPUsData is the GPUs and MIG instances of the newest sample in columns, ordered by (node, gpu_index, mig_instance). A column is the field of usage.GPU of the same name. */
export interface GPUsData extends Stamp {
  count: number;
  node: Strings;
  gpuIndex: (number | null)[];
  gpuProduct: Strings;
  migProfile: Strings;
  migInstance: (number | null)[];
  namespace: Strings;
  pod: Strings;
  shareCount: (number | null)[];
  state: Strings; // "active", "idle_held", "loading", "unknown"; null: free
  utilPercent: (number | null)[];
  memoryUsedBytes: (number | null)[];
  memoryTotalBytes: (number | null)[];
  powerWatts: (number | null)[];
  temperatureCelsius: (number | null)[];
  xidLast: (number | null)[];
}

/** GPUMap is what the map draws of the same rows: of 40,000 GPUs, a tenth of their data. */
export interface GPUMap extends Stamp {
  count: number;
  node: Strings;
  state: Strings;
  utilPercent: (number | null)[];
}

/** Node is a node in the documents of the API. Percents are of allocatable. */
export interface Node {
  name: string;
  ready: boolean;
  unschedulable: boolean;
  roles: string;
  pressure: string;
  instanceType: string | null;
  zone: string | null;
  kubeletVersion: string;
  creationTime: string;
  cpuUsagePercent: number | null;
  cpuUsageMillicores: number | null;
  cpuRequestedMillicores: number;
  cpuAllocatableMillicores: number;
  cpuCapacityMillicores: number;
  memoryUsagePercent: number | null;
  memoryUsageBytes: number | null;
  memoryRequestedBytes: number;
  memoryAllocatableBytes: number;
  memoryCapacityBytes: number;
  podsRunning: number;
  podsAllocatable: number;
  gpuProduct: string | null;
  gpuRequested: number;
  gpuAllocatable: number;
  gpuUsagePercent: number | null;
}

/** Nodes answers "nodes". */
export interface Nodes extends Stamp {
  nodes: Node[];
}

/** Series is one key's hourly values to six digits, null for an hour without the key. */
export interface Series {
  coverage: (number | null)[]; // samples ÷ expected samples
  cpuUsageMillicoresAvg: (number | null)[];
  cpuUsageMillicoresP95: (number | null)[];
  memoryUsageBytesAvg: (number | null)[];
  memoryUsageBytesMax: (number | null)[];
  gpuUtilPercentAvg: (number | null)[];
  gpuUtilPercentP95: (number | null)[];
  gpuPowerWattsAvg: (number | null)[];
  requestsRunningAvg: (number | null)[];
  requestsWaitingMax: (number | null)[];
  kvCacheUsageRatioP95: (number | null)[];
  podsAvg: (number | null)[];
  replicasAvg: (number | null)[];
  gpuHoursAllocated: (number | null)[];
  gpuHoursActive: (number | null)[];
  gpuHoursIdleHeld: (number | null)[];
  gpuHoursLoading: (number | null)[];
  gpuHoursUnknown: (number | null)[];
  gpuHoursUnallocated: (number | null)[];
  promptTokens: (number | null)[];
  generationTokens: (number | null)[];
  requests: (number | null)[];
  ttftSecondsAvg: (number | null)[];
  interTokenSecondsAvg: (number | null)[];
  energyKilowattHours: (number | null)[];
  tokensPerGpuHour: (number | null)[];
  tokensPerKilowattHour: (number | null)[];
  cost: (number | null)[];
}

/** Totals are sums over the document's hours; ratios are of the sums. */
export interface Totals {
  samples: number;
  expectedSamples: number;
  gpuHoursAllocated: number | null;
  gpuHoursActive: number | null;
  gpuHoursIdleHeld: number | null;
  gpuHoursLoading: number | null;
  gpuHoursUnknown: number | null;
  gpuHoursUnallocated: number | null;
  gpuHoursTotal: number | null;
  promptTokens: number | null;
  generationTokens: number | null;
  requests: number | null;
  energyKilowattHours: number | null;
  tokensPerGpuHour: number | null;
  tokensPerKilowattHour: number | null;
  cost: number | null;
  restarts: number | null;
}

/** ModelStatistics is one model in one namespace. */
export interface ModelStatistics {
  namespace: string;
  modelType: string;
  model: string;
  total: Totals;
  series: Series;
}

/** NamespaceStatistics is all pods of one namespace. */
export interface NamespaceStatistics {
  namespace: string;
  total: Totals;
  series: Series;
}

/** NodeStatistics is one node. */
export interface NodeStatistics {
  node: string;
  gpuProduct: string | null;
  total: Totals;
  series: Series;
}

/** StatisticsData is the hourly statistics of the last Hours hours, the open hour included. Every series is aligned with HourStarts. */
export interface StatisticsData extends Stamp {
  hours: number;
  hourStarts: string[];
  nodesByHour: (number | null)[]; // how many nodes each hour knew
  clusterTotal: Series;
  models: ModelStatistics[]; // by GPU-hours, largest first
  namespaces: NamespaceStatistics[]; // likewise
  nodes: NodeStatistics[]; // by name; none of 168 hours
}

/** NodeHours is the nodes' part of the statistics, apart because a cluster has far more nodes than models and only a node's page needs it. */
export interface NodeHours extends Stamp {
  hourStarts: string[];
  nodes: NodeStatistics[]; // by name
}

/** PodHours is what the table of pods draws of each model-serving pod: the mean use of its GPUs, hour by hour. */
export interface PodHours extends Stamp {
  hourStarts: string[];
  namespace: Strings;
  pod: Strings;
  gpuUtilPercentAvg: ((number | null)[])[]; // a row a pod
}

/** AlertValue is a column of the rule's row or a threshold, when the rule last held. Both Number and Text are null where it was not measured. */
export interface AlertValue {
  name: string; // such as "cpu_percent", "cpu_basis", "thresholds.cpu"; a number's unit is its last word
  number: number | null;
  text: string | null;
}

/** Alert is one alert: firing, or resolved within the last 30 days. */
export interface Alert {
  rule: string;
  severity: string; // "INFO", "WARNING", "CRITICAL"
  kind: string; // "pod", "node", "gpu", "model", "snapshot"
  namespace: string;
  name: string; // of the subject
  node: string;
  model: string;
  summary: string; // in English, with value, threshold and basis
  sentence: string;
  values: AlertValue[]; // what Summary names, in its order
  value: number | null;
  since: string;
  resolvedAt: string | null;
}

/** Alerts answers "alerts": firing ones by severity and age, then resolved ones, newest first. */
export interface Alerts extends Stamp {
  alerts: Alert[];
  resolved: Alert[];
}

/** Pod is a pod in the documents of the API. A field of the same name as one of usage.Pod is that of the row. The percents name their basis: "limit", "request" or "node". */
export interface Pod {
  name: string;
  namespace: string;
  nodeName: string | null;
  modelType: string; // "vllm", "sglang", "": none
  model: string | null;
  modelPath: string | null;
  role: string | null;
  replicaGroup: string | null;
  identifiedBy: string | null;
  ownerKind: string | null;
  owner: string | null;
  phase: string;
  reason: string | null;
  ready: boolean;
  restarts: number;
  creationTime: string;
  startTime: string | null;
  image: string;
  cpuUsagePercent: number | null;
  cpuBasis: string | null;
  cpuUsageMillicores: number | null;
  cpuRequestMillicores: number | null;
  cpuLimitMillicores: number | null;
  memoryUsagePercent: number | null;
  memoryBasis: string | null;
  memoryUsageBytes: number | null;
  memoryRequestBytes: number | null;
  memoryLimitBytes: number | null;
  gpuUsagePercent: number | null;
  gpuRequest: number;
  gpuMemoryUsedBytes: number | null;
  gpuMemoryTotalBytes: number | null;
  gpuPowerWatts: number | null;
  gpuAttribution: string | null;
  gpuState: string | null; // "active", "idle_held", "loading", "unknown"; null: holds none
  requestsRunning: number | null;
  requestsWaiting: number | null;
  kvCacheUsageRatio: number | null;
}

/** PodHistory answers "pods/{namespace}/{podName}": the pod and its last 24 hours, one value an hour, aligned with Hours. */
export interface PodHistory extends Stamp {
  pod: Pod;
  hours: string[];
  history: Series;
}
