package store

import (
	"context"
	"runtime"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// copies is a bucket in which every object is the same one.
type copies struct {
	bucket.Bucket
	name string
}

func (c copies) GetRange(ctx context.Context, _ string, r bucket.Range) (bucket.Part, error) {
	return c.Bucket.GetRange(ctx, c.name, r)
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestMemoryOfMerge: a merge has an hour's objects open at once, sixty of
// 150,000 pods and two samples each, which is 18 million rows.
func TestMemoryOfMerge(t *testing.T) {
	const objects, most = 60, 120 << 20
	b := copies{bucket.Mem(), "x"}
	put(t, b, b.name, encode(t, Pods, fleet(150_000, 2), "c"))
	table := newTable[usage.Pod](usage.Pods, "namespace", "pod", "ts")
	before := heap()
	readers := make([]*Reader[usage.Pod], objects)
	for i := range readers {
		var err error
		if readers[i], err = table.Open(t.Context(), b, b.name); err != nil {
			t.Fatal(err)
		}
	}
	opened := heap() - before
	rows, peak := make([]usage.Pod, rowsPerBlock), 0
	for step := range 150 {
		for _, r := range readers {
			if _, err := r.Read(rows); err != nil {
				t.Fatal(err)
			}
		}
		if step%10 == 9 {
			peak = max(peak, heap()-before)
		}
	}
	t.Logf("%d MiB when opened, at most %d MiB: %d KiB a reader", opened>>20, peak>>20, peak/objects>>10)
	if peak > most {
		t.Errorf("%d open readers hold %d MiB, more than %d", objects, peak>>20, most>>20)
	}
	runtime.KeepAlive(readers)
}
