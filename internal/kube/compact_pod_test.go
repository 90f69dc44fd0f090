package kube

import (
	"reflect"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/kube/rows"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// A row that was divided is the same again.
func TestCompactPod(t *testing.T) {
	some := func(s string) usage.Opt[string] { return usage.Some(s) }
	row := usage.Pod{
		Namespace: "a", Pod: "b", PodUID: "8d6ad47c-91ad-4a9c-9aa5-0d2c52b5b4ef", Node: some("c"), OwnerKind: some("d"), Owner: some("e"),
		Phase: "f", Reason: some("g"), Ready: true, Restarts: 1, CreatedAt: time.Unix(2, 0).UTC(), StartedAt: usage.Some(time.Unix(3, 0).UTC()),
		Image: "h", Engine: "i", Model: some("j"), ModelPath: some("k"), Role: some("l"), ReplicaGroup: some("m"), IdentifiedBy: some("n"),
		CPURequestMillicores: usage.Some[int64](4), CPULimitMillicores: usage.Some[int64](5),
		MemoryRequestBytes: usage.Some[int64](6), MemoryLimitBytes: usage.Some[int64](7), GPURequest: 8,
	}
	measured := map[string]bool{"TS": true, "CPUUsageMillicores": true, "MemoryUsageBytes": true, "GPUUtilPercent": true,
		"GPUMemoryUsedBytes": true, "GPUMemoryTotalBytes": true, "GPUPowerWatts": true, "GPUAttribution": true}
	for i := range reflect.TypeFor[usage.Pod]().NumField() {
		if name := reflect.TypeFor[usage.Pod]().Field(i).Name; measured[name] != reflect.ValueOf(row).Field(i).IsZero() {
			t.Errorf("%s is not in the test's row, or should not be", name)
		}
	}
	for _, want := range []usage.Pod{row, {CreatedAt: time.Unix(0, 0).UTC()}} {
		p := compactPod(&usage.PodDetail{Row: want}, rows.Facts{}, false)
		if got := p.Row(); !reflect.DeepEqual(got, want) {
			t.Errorf("\ngot  %+v\nwant %+v", got, want)
		}
	}
}
