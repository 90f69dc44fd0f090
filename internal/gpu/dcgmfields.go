package gpu

import (
	"math"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// field is a figure of a device.
type field uint8

const (
	engineActive field = iota // % of time in which any engine was busy; best, and the only one for MIG
	engineActiveAlias
	gpuUtil // %
	gpuUtilAlias
	memoryUsed     // bytes
	memoryFree     // bytes
	memoryReserved // bytes
	memoryTotal    // bytes
	power          // W
	energy         // mJ
	temperature    // °C
	smClock        // MHz
	xid            // code
	fields
)

const mib = 1 << 20

// metric is what a name of the exporter's means, and what turns its value into
// the field's unit.
type metric struct {
	field field
	unit  float64
}

// dcgmMetrics are the exporter's names. Each figure stands first under the name
// that the exporter's own list has, then under those of DCGM's newer catalogue,
// which an exporter prints when its list is written with them. A newer name may
// come with another unit.
var dcgmMetrics = map[string]metric{
	"DCGM_FI_PROF_GR_ENGINE_ACTIVE":     {engineActive, 100},
	"DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO": {engineActiveAlias, 100},

	"DCGM_FI_DEV_GPU_UTIL":       {gpuUtil, 1},
	"DCGM_FI_DEV_GPU_UTIL_RATIO": {gpuUtilAlias, 100}, // or percent: see percentNotRatio

	"DCGM_FI_DEV_FB_USED":           {memoryUsed, mib},
	"DCGM_FI_DEV_FB_USED_BYTES":     {memoryUsed, 1},
	"DCGM_FI_DEV_FB_FREE":           {memoryFree, mib},
	"DCGM_FI_DEV_FB_FREE_BYTES":     {memoryFree, 1},
	"DCGM_FI_DEV_FB_RESERVED":       {memoryReserved, mib},
	"DCGM_FI_DEV_FB_RESERVED_BYTES": {memoryReserved, 1},
	"DCGM_FI_DEV_FB_TOTAL":          {memoryTotal, mib},
	"DCGM_FI_DEV_FB_CAPACITY_BYTES": {memoryTotal, 1},

	"DCGM_FI_DEV_POWER_USAGE":       {power, 1},
	"DCGM_FI_DEV_BOARD_POWER_WATTS": {power, 1},

	"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": {energy, 1},
	"DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL":  {energy, 1e3},

	"DCGM_FI_DEV_GPU_TEMP":         {temperature, 1},
	"DCGM_FI_DEV_GPU_TEMP_CELSIUS": {temperature, 1},

	"DCGM_FI_DEV_SM_CLOCK":       {smClock, 1},
	"DCGM_FI_DEV_SM_CLOCK_HERTZ": {smClock, 1e-6},

	"DCGM_FI_DEV_XID_ERRORS": {xid, 1},
	"DCGM_FI_DEV_XID_ERROR":  {xid, 1},
}

// utilSources are the fields for util_percent, best first, and the metrics that
// they came from.
var utilSources = []struct {
	field  field
	metric string
}{
	{engineActive, "DCGM_FI_PROF_GR_ENGINE_ACTIVE"},
	{engineActiveAlias, "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO"},
	{gpuUtil, "DCGM_FI_DEV_GPU_UTIL"},
	{gpuUtilAlias, "DCGM_FI_DEV_GPU_UTIL_RATIO"},
}

// ofInstance reports whether a utilisation can be a MIG instance's own: the
// driver counts GPU_UTIL for whole cards only.
func (f field) ofInstance() bool { return f == engineActive || f == engineActiveAlias }

// in turns a value into the field's unit.
func (m metric) in(value float64) float64 {
	if m.field == gpuUtilAlias && percentNotRatio(value) {
		return value
	}
	return value * m.unit
}

// percentNotRatio tells the two meanings of DCGM_FI_DEV_GPU_UTIL_RATIO apart:
// for a while DCGM gave that name to field 203, which counts percent, before it
// made it a field of its own from 0 to 1. Exactly 1 is read as all of the time.
func percentNotRatio(value float64) bool { return value > 1 }

// isBlank reports whether a value stands for none. DCGM has four blanks
// (unknown, not found, not supported, not permitted) in each of three types:
// they begin at 2^31-16 for 32 bits, at 2^63-16 for 64 bits and at 2^47 for
// doubles. NaN and infinities are blank too, and so is what is below zero, for
// no figure that is read here ever is.
func isBlank(v float64) bool {
	return !(v >= 0) || v >= 1<<62 || v >= 1<<47 && v < 1<<47+16 || v >= 1<<31-16 && v < 1<<31
}

// reading is the value of one figure of a device.
type reading struct {
	value float64
	seen  bool
	whole bool // from a series that names no holder
}

// add takes in one of the series of a device and a figure. Those that share a
// device repeat its value; where the exporter gives them values of their own,
// it gives the device's in a series that names nobody.
func (r *reading) add(value float64, whole bool) {
	if !r.seen || whole && !r.whole || whole == r.whole && value > r.value {
		*r = reading{value, true, whole}
	}
}

// real is the reading as it is.
func (r reading) real() usage.Opt[float64] {
	if !r.seen {
		return usage.Opt[float64]{}
	}
	return usage.Some(r.value)
}

// big is the reading rounded, as far as a bigint holds it.
func (r reading) big() usage.Opt[int64] {
	if v := math.Round(r.value); r.seen && v < 1<<62 {
		return usage.Some(int64(v))
	}
	return usage.Opt[int64]{}
}

// small is the reading rounded, as far as an int holds it.
func (r reading) small() usage.Opt[int32] {
	if v := math.Round(r.value); r.seen && v <= math.MaxInt32 {
		return usage.Some(int32(v))
	}
	return usage.Opt[int32]{}
}
