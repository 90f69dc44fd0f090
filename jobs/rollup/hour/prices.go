package hour

import (
	"math"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Prices turn use into cost. A price that is absent makes the cost of what
// needs it unknown, not free.
type Prices struct {
	GPUHour       map[string]float64 // by GPU product
	CPUCoreHour   usage.Opt[float64]
	MemoryGiBHour usage.Opt[float64]
}

// Any reports whether a price is set. Without one there are no costs.
func (p Prices) Any() bool {
	return len(p.GPUHour) > 0 || p.CPUCoreHour.Present() || p.MemoryGiBHour.Present()
}

// hourly is what resources cost in an hour, NaN where GPUs are held that have
// no price. What was neither requested nor measured is not charged.
func (p Prices) hourly(gpus int32, product usage.Opt[string], millicores, bytes usage.Opt[int64]) float64 {
	total := 0.0
	if gpus > 0 {
		name, _ := product.Get()
		price, ok := p.GPUHour[name]
		if !ok {
			return math.NaN()
		}
		total += float64(gpus) * price
	}
	if price, ok := p.CPUCoreHour.Get(); ok {
		if m, ok := millicores.Get(); ok {
			total += float64(m) / 1000 * price
		}
	}
	if price, ok := p.MemoryGiBHour.Get(); ok {
		if b, ok := bytes.Get(); ok {
			total += float64(b) / (1 << 30) * price
		}
	}
	return total
}

// orElse returns a, or b where a is absent.
func orElse[T any](a, b usage.Opt[T]) usage.Opt[T] {
	if a.Present() {
		return a
	}
	return b
}
