package gpu

import (
	"math"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// figure is a figure of a device. Behind those that have a name come the
// utilisations that its exporter's kind lists, in that order.
type figure uint8

const (
	memoryUsed     figure = iota // bytes
	memoryFree                   // bytes
	memoryReserved               // bytes
	memoryTotal                  // bytes
	power                        // W
	energy                       // mJ
	temperature                  // °C
	smClock                      // MHz
	xid                          // code
	figures
)

// maxUtilization is how many metrics of utilisation a kind may list.
const maxUtilization = 4

// metric says which figure a metric is, and turns its values into the figure's
// unit.
type metric struct {
	figure  figure
	convert func(float64) float64
}

// times converts by a factor.
func times(factor float64) func(float64) float64 {
	return func(value float64) float64 { return value * factor }
}

// utilization is a metric for util_percent.
type utilization struct {
	metric      string
	percent     func(float64) float64
	ofInstances bool // of MIG, each its own; otherwise of whole cards only
}

// withUtilizations adds to each kind's table of metrics those of utilisation.
func withUtilizations(kinds ...*exporterKind) []*exporterKind {
	for _, k := range kinds {
		for i, u := range k.utilization {
			k.metrics[u.metric] = metric{figures + figure(i), u.percent}
		}
	}
	return kinds
}

// reading is the value of one figure of a device.
type reading struct {
	value float64
	seen  bool
	whole bool // from a series that names no holder
}

// add takes in one of the series of a device and a figure. Those that share a
// device repeat its value; where the exporter gives them values of their own,
// the device's own value is in a series without a holder.
func (r *reading) add(value float64, whole bool) {
	if !r.seen || whole && !r.whole || whole == r.whole && value > r.value {
		*r = reading{value, true, whole}
	}
}

// float is the reading as it is.
func (r reading) float() usage.Opt[float64] {
	if !r.seen {
		return usage.Opt[float64]{}
	}
	return usage.Some(r.value)
}

// bigint is the reading rounded, as far as a bigint holds it.
func (r reading) bigint() usage.Opt[int64] {
	if v := math.Round(r.value); r.seen && v < 1<<62 {
		return usage.Some(int64(v))
	}
	return usage.Opt[int64]{}
}

// int is the reading rounded, as far as an int holds it.
func (r reading) int() usage.Opt[int32] {
	if v := math.Round(r.value); r.seen && v <= math.MaxInt32 {
		return usage.Some(int32(v))
	}
	return usage.Opt[int32]{}
}
