package gpu

import (
	"strconv"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/exposition"
)

// dcgm is NVIDIA's dcgm-exporter. Its labels are those of its chart, of the GPU
// operator and of the plain manifest.
var dcgm = exporterKind{
	name:    "DCGM exporter",
	source:  "dcgm",
	install: "the GPU operator or the dcgm-exporter chart",
	labels: []podLabel{
		{"app.kubernetes.io/name", "dcgm-exporter"},
		{"app", "nvidia-dcgm-exporter"},
		{"app", "dcgm-exporter"},
	},
	image: "dcgm-exporter",
	port:  9400,
	holder: []holderLabels{
		{"exported_pod", "exported_namespace", "exported_container"},
		{"pod", "namespace", "container"},
		{"pod_name", "pod_namespace", "container_name"}, // exporters before 2.0
	},
	prefix: "DCGM_FI_",
	// For each figure first the name in the exporter's default list, then the names
	// of DCGM's newer catalogue, which an exporter prints if its list uses them. A
	// newer name may have another unit.
	metrics: map[string]metric{
		"DCGM_FI_DEV_FB_USED":           {memoryUsed, times(mib)},
		"DCGM_FI_DEV_FB_USED_BYTES":     {memoryUsed, times(1)},
		"DCGM_FI_DEV_FB_FREE":           {memoryFree, times(mib)},
		"DCGM_FI_DEV_FB_FREE_BYTES":     {memoryFree, times(1)},
		"DCGM_FI_DEV_FB_RESERVED":       {memoryReserved, times(mib)},
		"DCGM_FI_DEV_FB_RESERVED_BYTES": {memoryReserved, times(1)},
		"DCGM_FI_DEV_FB_TOTAL":          {memoryTotal, times(mib)},
		"DCGM_FI_DEV_FB_CAPACITY_BYTES": {memoryTotal, times(1)},

		"DCGM_FI_DEV_POWER_USAGE":       {power, times(1)},
		"DCGM_FI_DEV_BOARD_POWER_WATTS": {power, times(1)},

		"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": {energy, times(1)},
		"DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL":  {energy, times(1e3)},

		"DCGM_FI_DEV_GPU_TEMP":         {temperature, times(1)},
		"DCGM_FI_DEV_GPU_TEMP_CELSIUS": {temperature, times(1)},

		"DCGM_FI_DEV_SM_CLOCK":       {smClock, times(1)},
		"DCGM_FI_DEV_SM_CLOCK_HERTZ": {smClock, times(1e-6)},

		"DCGM_FI_DEV_XID_ERRORS": {xid, times(1)},
		"DCGM_FI_DEV_XID_ERROR":  {xid, times(1)},
	},
	// The driver counts GPU_UTIL for whole cards only.
	utilization: []utilization{
		{metric: "DCGM_FI_PROF_GR_ENGINE_ACTIVE", percent: times(100), ofInstances: true},
		{metric: "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", percent: times(100), ofInstances: true},
		{metric: "DCGM_FI_DEV_GPU_UTIL", percent: times(1)},
		{metric: "DCGM_FI_DEV_GPU_UTIL_RATIO", percent: ratioOrPercent},
	},
	identify: identifyDCGM,
	describe: describeDCGM,
	isBlank:  isBlankDCGM,
}

const mib = 1 << 20

// ratioOrPercent handles the two meanings of DCGM_FI_DEV_GPU_UTIL_RATIO: for some
// versions DCGM gave that name to field 203, in percent; later it became its own
// field, from 0 to 1. Exactly 1 is read as a ratio, 100 %.
func ratioOrPercent(value float64) float64 {
	if value > 1 {
		return value
	}
	return value * 100
}

// identifyDCGM is the device that a sample is about; false for one about a link
// or a switch.
func identifyDCGM(s *exposition.Sample) (id identity, ok bool) {
	id.uuid, id.instance = s.Label("UUID"), wholeCard
	if len(id.uuid) == 0 {
		id.uuid = s.Label("uuid") // exporters before 2.0
	}
	if instance := s.Label("GPU_I_ID"); len(instance) > 0 {
		n, err := strconv.ParseUint(string(instance), 10, 31)
		if err != nil {
			return id, false
		}
		id.instance = int32(n)
	}
	return id, len(id.uuid) > 0
}

// describeDCGM reads the labels that describe a device; false without an index,
// by which rows are ordered.
func describeDCGM(s *exposition.Sample) (description, bool) {
	index := string(s.Label("gpu"))
	if index == "" {
		index = strings.TrimPrefix(string(s.Label("device")), "nvidia")
	}
	n, err := strconv.ParseUint(index, 10, 31)
	return description{int32(n), string(s.Label("modelName")), string(s.Label("GPU_I_PROFILE"))}, err == nil
}

// isBlankDCGM reports whether a value means "no value". DCGM has four blanks
// (unknown, not found, not supported, not permitted) in each of three types:
// they begin at 2^31-16 for 32 bits, at 2^63-16 for 64 bits and at 2^47 for
// doubles. NaN, infinities and negative values are blank too: none of the figures
// can be negative.
func isBlankDCGM(v float64) bool {
	return !(v >= 0) || v >= 1<<62 || v >= 1<<47 && v < 1<<47+16 || v >= 1<<31-16 && v < 1<<31
}
