package statistics

import (
	"reflect"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// MillijoulesPerKilowattHour is 1 kWh = 3.6 MJ.
const MillijoulesPerKilowattHour = 3.6e9

// Ratio is part ÷ whole × scale, absent where the whole is absent or zero.
func Ratio[A, B usage.Number](part usage.Opt[A], whole usage.Opt[B], scale float64) usage.Opt[float64] {
	p, ok := part.Get()
	w, ok2 := whole.Get()
	if !ok || !ok2 || w == 0 {
		return usage.Opt[float64]{}
	}
	return usage.Some(float64(p) / float64(w) * scale)
}

// fillRatios fills the columns that are quotients of other columns, of one hour
// or of the sums of several.
func fillRatios(s *usage.Statistics) {
	s.CPUP95OfRequestPercent = usage.Percent(s.CPUUsageMillicores.P95, s.CPURequestMillicoresAvg)
	s.MemoryP95OfRequestPercent = usage.Percent(s.MemoryUsageBytes.P95, s.MemoryRequestBytesAvg)
	tokens := usage.Add(s.PromptTokens, s.GenerationTokens)
	s.TokensPerGPUHour = Ratio(tokens, s.GPUHoursAllocated, 1)
	s.TokensPerKilowattHour = Ratio(tokens, s.EnergyMillijoules, MillijoulesPerKilowattHour)
}

// Total adds up hours of one key. The zero Total is that of no hours.
type Total struct{ sum usage.Statistics }

// Add adds an hour: its samples, hours and counters. What does not add up, such
// as a percentile, stays absent.
func (t *Total) Add(hour *usage.Statistics) {
	t.sum.Samples += hour.Samples
	t.sum.ExpectedSamples += hour.ExpectedSamples
	t.sum.GPUHoursAllocated = usage.Add(t.sum.GPUHoursAllocated, hour.GPUHoursAllocated)
	t.sum.GPUHoursTotal = usage.Add(t.sum.GPUHoursTotal, hour.GPUHoursTotal)
	sum, row := reflect.ValueOf(&t.sum).Elem(), reflect.ValueOf(hour).Elem()
	for v, field := range valueFields {
		if declared[v].kind == asHours {
			add[float64](sum, row, field)
		}
	}
	for _, field := range counterFields {
		if field >= 0 {
			add[int64](sum, row, field)
		}
	}
}

func add[T usage.Number](sum, row reflect.Value, field int) {
	total := at[usage.Opt[T]](sum, field)
	*total = usage.Add(*total, *at[usage.Opt[T]](row, field))
}

// Statistics are the sums, and the ratios of them.
func (t *Total) Statistics() usage.Statistics {
	s := t.sum
	fillRatios(&s)
	return s
}
