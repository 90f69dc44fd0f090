package store

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// TestOrder: a table's sort columns count one after the other, absent before
// present, and the time only where all others are equal.
func TestOrder(t *testing.T) {
	early, late := time.UnixMilli(1000).UTC(), time.UnixMilli(2000).UTC()
	gpus := []usage.GPU{
		{Node: "a", GPUIndex: 0, TS: early},
		{Node: "a", GPUIndex: 0, TS: late},
		{Node: "a", GPUIndex: 0, TS: early, MIGInstance: usage.Some[int32](0)},
		{Node: "a", GPUIndex: 0, TS: late, MIGInstance: usage.Some[int32](0)},
		{Node: "a", GPUIndex: 0, TS: early, MIGInstance: usage.Some[int32](7)},
		{Node: "a", GPUIndex: 2, TS: early},
		{Node: "a", GPUIndex: 10, TS: early},
		{Node: "ab", GPUIndex: 0, TS: early},
	}
	device := []int{0, 0, 1, 1, 2, 3, 4, 5}
	for i := range gpus {
		if GPUs.Time(&gpus[i]) != gpus[i].TS {
			t.Errorf("row %d: another time", i)
		}
		for j := range gpus {
			got := GPUs.Compare(&gpus[i], &gpus[j])
			if want := device[i] - device[j]; got*want < 0 || (got == 0) != (want == 0) {
				t.Errorf("rows %d and %d: Compare is %d", i, j, got)
			}
		}
	}
	shuffled := slices.Clone(gpus)
	rand.New(rand.NewPCG(7, 8)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if GPUs.Sort(shuffled); !slices.Equal(shuffled, gpus) {
		t.Errorf("sorted: %+v", shuffled)
	}
	gaps := []usage.Gap{{Source: "b", TS: early, Reason: "2"}, {Source: "b", TS: early, Reason: "1"}, {Source: "a", TS: late}}
	if Gaps.Sort(gaps); gaps[0].Source != "a" || gaps[1].Reason != "2" {
		t.Errorf("rows of one instant have changed places: %+v", gaps)
	}
}
