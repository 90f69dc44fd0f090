package statistics

import (
	"slices"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Any change of what the numbers of an encoded aggregate stand for changes the version.
func TestStateVersion(t *testing.T) {
	values, counters := declared[:], counterNames[:]
	versions := map[string]string{StateVersion: "as declared"}
	for _, c := range []struct {
		change   string
		values   []declaration
		counters []string
	}{
		{"a value inserted", slices.Insert(slices.Clone(values), int(GPUPower)+1, declaration{"sm_clock_mhz", asDistribution, membersAverage}), counters},
		{"a value added at the end", append(slices.Clone(values), declaration{"queue_seconds_sum", asSum, membersAdd}), counters},
		{"a value removed", values[1:], counters},
		{"two values swapped", swapped(values, int(CPU), int(Memory)), counters},
		{"a value of another kind", slices.Replace(slices.Clone(values), 0, 1, declaration{values[0].name, asMean, membersAdd}), counters},
		{"a counter inserted", values, slices.Insert(slices.Clone(counters), 1, "cached_tokens")},
		{"two counters swapped", values, swapped(counters, 0, 1)},
		{"a value that became a counter", values[:len(values)-1], append([]string{values[len(values)-1].name}, counters...)},
	} {
		version := versionOf(c.values, c.counters)
		if other, known := versions[version]; known {
			t.Errorf("%s: the version is that of %q", c.change, other)
		}
		versions[version] = c.change
	}
}

func swapped[T any](list []T, i, j int) []T {
	list = slices.Clone(list)
	list[i], list[j] = list[j], list[i]
	return list
}

// Every value and every counter has a name of its own.
func TestNames(t *testing.T) {
	if n := len((&Counters{}).each()); n != len(counterNames) {
		t.Errorf("%d counters have %d names", n, len(counterNames))
	}
	names := slices.Clone(counterNames[:])
	for _, d := range declared {
		names = append(names, d.name)
	}
	slices.Sort(names)
	if names[0] == "" || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name is missing or used twice: %q", names)
	}
}

// An hour in which everything was measured fills every column.
func TestEveryColumnIsFilled(t *testing.T) {
	timeline := NewTimeline(hour, interval, time.Time{}, []time.Time{hour, hour.Add(interval)})
	series := NewSeries(timeline)
	for i := range 2 {
		series.MarkSeen(i)
		for v := range values {
			series.Add(v, i, 2, 1)
		}
	}
	for _, n := range series.Counters.each() {
		*n = usage.Some[int64](3)
	}
	var f Aggregate
	f.Append(timeline, series)
	s := f.Finish(timeline, true)
	for name, c := range columns {
		if v, ok := c.Get(&s).Get(); !ok || v == 0 {
			t.Errorf("%s is not filled", name)
		}
	}
}

// A total is of what adds up; its ratios are of the sums, and what does not add
// up is absent.
func TestTotal(t *testing.T) {
	var total Total
	for _, n := range []int64{1, 3} {
		total.Add(
			&usage.Statistics{Samples: 10, ExpectedSamples: 20, GPUHoursAllocated: usage.Some(float64(n)), GPUHoursActive: usage.Some(0.5),
				PromptTokens: usage.Some(100 * n), GenerationTokens: usage.Some(10 * n), EnergyMillijoules: usage.Some(n * 3_600_000_000),
				TokensPerGPUHour: usage.Some(7.0), Pods: usage.Distribution{Avg: usage.Some(1.0)}, Cost: usage.Some(2.5)},
		)
	}
	got := total.Statistics()
	want := usage.Statistics{Samples: 20, ExpectedSamples: 40, GPUHoursAllocated: usage.Some(4.0), GPUHoursActive: usage.Some(1.0),
		PromptTokens: usage.Some[int64](
			400,
		), GenerationTokens: usage.Some[int64](40), EnergyMillijoules: usage.Some[int64](4 * 3_600_000_000),
		TokensPerGPUHour: usage.Some(110.0), TokensPerKilowattHour: usage.Some(110.0), Cost: usage.Some(5.0)}
	if got != want {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if got := (&Total{}).Statistics(); got != (usage.Statistics{}) {
		t.Errorf("no hours add up to %+v", got)
	}
}
