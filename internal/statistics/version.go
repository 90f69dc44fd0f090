package statistics

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// StateVersion names the layout of an encoded Fold: a hash of the names and
// kinds of all values and counters, in the order in which Encode writes them.
// Bytes that were written under another StateVersion must not be decoded, as a
// number in them may stand for another value.
var StateVersion = versionOf(valueNames[:], counterNames[:])

// valueNames are the columns that the values end up in, or what those are made
// of. The order is that of the constants.
var valueNames = [values]string{
	CPU:               "cpu_usage_millicores",
	Memory:            "memory_usage_bytes",
	GPUUtil:           "gpu_util_percent",
	GPUMemory:         "gpu_memory_used_bytes",
	GPUPower:          "gpu_power_watts",
	RequestsRunning:   "requests_running",
	RequestsWaiting:   "requests_waiting",
	KVCache:           "kv_cache_usage_ratio",
	Pods:              "pods",
	Replicas:          "replicas",
	CPURequest:        "cpu_request_millicores",
	MemoryRequest:     "memory_request_bytes",
	GPUsFree:          "gpu_hours_unallocated",
	GPUsActive:        "gpu_hours_active",
	GPUsIdleHeld:      "gpu_hours_idle_held",
	GPUsLoading:       "gpu_hours_loading",
	GPUsUnknown:       "gpu_hours_unknown",
	Cost:              "cost",
	TTFTSeconds:       "ttft_seconds",
	InterTokenSeconds: "inter_token_seconds",
	E2ESeconds:        "e2e_seconds",
}

// counterNames are the names of Counters.each, in its order.
var counterNames = [...]string{"prompt_tokens", "generation_tokens", "requests", "preemptions", "prefix_cache_queries",
	"prefix_cache_hits", "ttft_seconds_count", "inter_token_seconds_count", "e2e_seconds_count", "energy_millijoules", "restarts"}

func versionOf(valueNames, counterNames []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "bins of %v\n", binWidth)
	for v, name := range valueNames {
		kind := "sum over time"
		switch {
		case Value(v) < distributed:
			kind = "distribution"
		case Value(v) >= events:
			kind = "sum"
		}
		fmt.Fprintf(&b, "%s: %s\n", kind, name)
	}
	for _, name := range counterNames {
		fmt.Fprintf(&b, "counter: %s\n", name)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return fmt.Sprintf("%x", sum[:8])
}
