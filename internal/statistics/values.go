package statistics

// Value is something that a key has at an instant, such as the CPU that a pod
// uses, or something that is counted there, such as seconds that requests took.
type Value int

// The values. Each is declared below.
const (
	CPU       Value = iota // millicores
	Memory                 // bytes
	GPUUtil                // percent
	GPUMemory              // bytes
	GPUPower               // watts
	RequestsRunning
	RequestsWaiting
	KVCache // ratio
	Pods    // that have not ended
	Replicas
	CPURequest    // millicores
	MemoryRequest // bytes
	GPUsFree      // devices, by what they do
	GPUsActive
	GPUsIdleHeld
	GPUsLoading
	GPUsUnknown
	Cost        // per hour; NaN: the price of something is not known
	TTFTSeconds // of the requests since the instant before, as are the next
	InterTokenSeconds
	E2ESeconds
	values
)

// declared is the one declaration of each value. Aggregation, the layout of an
// encoded Aggregate and its version, and the columns of usage.Statistics follow from
// it: a value fills the column that has its name. The report's series and totals
// take their figures from the columns by name.
var declared = [values]declaration{
	CPU:               {"cpu_usage_millicores", asDistribution, membersAdd},
	Memory:            {"memory_usage_bytes", asDistribution, membersAdd},
	GPUUtil:           {"gpu_util_percent", asDistribution, membersAverage},
	GPUMemory:         {"gpu_memory_used_bytes", asDistribution, membersAdd},
	GPUPower:          {"gpu_power_watts", asDistribution, membersAdd},
	RequestsRunning:   {"requests_running", asDistribution, membersAdd},
	RequestsWaiting:   {"requests_waiting", asDistribution, membersAdd},
	KVCache:           {"kv_cache_usage_ratio", asDistribution, membersAverage},
	Pods:              {"pods", asDistribution, membersAdd},
	Replicas:          {"replicas", asDistribution, membersAdd},
	CPURequest:        {"cpu_request_millicores_avg", asMean, membersAdd},
	MemoryRequest:     {"memory_request_bytes_avg", asMean, membersAdd},
	GPUsFree:          {"gpu_hours_unallocated", asHours, membersAdd},
	GPUsActive:        {"gpu_hours_active", asHours, membersAdd},
	GPUsIdleHeld:      {"gpu_hours_idle_held", asHours, membersAdd},
	GPUsLoading:       {"gpu_hours_loading", asHours, membersAdd},
	GPUsUnknown:       {"gpu_hours_unknown", asHours, membersAdd},
	Cost:              {"cost", asHours, membersAdd},
	TTFTSeconds:       {"ttft_seconds_sum", asSum, membersAdd},
	InterTokenSeconds: {"inter_token_seconds_sum", asSum, membersAdd},
	E2ESeconds:        {"e2e_seconds_sum", asSum, membersAdd},
}

type declaration struct {
	name    string
	kind    kind
	members combination
}

// kind is how a value's instants become the figure of an hour.
type kind uint8

const (
	asDistribution kind = iota // time-weighted mean, percentiles and maximum: a usage.Distribution
	asMean                     // time-weighted mean
	asHours                    // value × hours
	asSum                      // of the instants, without their weights; it has no column and is part of an average
)

func (k kind) String() string { return [...]string{"distribution", "mean", "hours", "sum"}[k] }

// combination is how the values of a key's members at one instant, such as the
// pods of a namespace, become the key's.
type combination uint8

const (
	membersAdd combination = iota
	membersAverage
)

func (v Value) is(k kind) bool { return declared[v].kind == k }

func (v Value) averaged() bool { return declared[v].members == membersAverage }

// Set is a set of values.
type Set uint32

// SetOf is the set of some values.
func SetOf(some ...Value) (s Set) {
	for _, v := range some {
		s |= 1 << v
	}
	return s
}

// All is the set of all values.
const All Set = 1<<values - 1

// Has reports whether the value is in the set.
func (s Set) Has(v Value) bool { return s>>v&1 == 1 }
