package gpu

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

var at = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)

// exporterPod is the exporter's own pod in the fixtures.
const exporterPod = "nvidia-dcgm-exporter-k7x2p"

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func parse(t testing.TB, name string) []usage.GPU {
	t.Helper()
	gpus, err := dcgm.parse(fixture(t, name), "node-1", exporterPod, at)
	if err != nil {
		t.Fatal(err)
	}
	return gpus
}

// TestParseDCGMGolden reads every testdata/*.txt and compares the rows with
// the .json beside it.
func TestParseDCGMGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			golden.CompareJSON(t, strings.TrimSuffix(file, ".txt")+".json", parse(t, name))
		})
	}
}

// row is what a test says about a GPU, in short.
type row struct {
	index, instance  int32 // instance -1: the whole card
	holder           string
	share            int32
	util             float64 // -1: absent
	source           string
	usedMiB, freeMiB int64 // free: total - used
	watts            float64
}

func short(g usage.GPU) row {
	r := row{index: g.GPUIndex, instance: -1, share: g.ShareCount, util: -1, usedMiB: -1, freeMiB: -1, watts: -1}
	if v, ok := g.MIGInstance.Get(); ok {
		r.instance = v
	}
	if pod, ok := g.Pod.Get(); ok {
		namespace, _ := g.Namespace.Get()
		container, _ := g.Container.Get()
		r.holder = namespace + "/" + pod + "/" + container
	}
	if v, ok := g.UtilPercent.Get(); ok {
		r.util = v
	}
	r.source, _ = g.UtilSource.Get()
	if v, ok := g.MemoryUsedBytes.Get(); ok {
		r.usedMiB = v >> 20
	}
	if v, ok := g.MemoryTotalBytes.Get(); ok {
		r.freeMiB = v>>20 - r.usedMiB
	}
	if v, ok := g.PowerWatts.Get(); ok {
		r.watts = v
	}
	return r
}

// TestParseDCGMRows says by hand what the golden files must hold.
func TestParseDCGMRows(t *testing.T) {
	const active, util = "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_UTIL"
	for name, want := range map[string][]row{
		"exported-labels": {
			{0, -1, "models/llama-0/vllm", 1, 75, active, 73000, 8559, 610.5},
			{1, -1, "", 0, 0, active, 73000, 8559, 611.5},
		},
		"old-labels": {
			{0, -1, "models/bert-0/main", 1, 90, util, 73000, 8000, 610.5},
			{1, -1, "", 0, 0, util, 73000, 8000, 611.5},
		},
		"mig": {
			{0, 1, "models/mig-a/main", 1, 25, active, 20000, 20000, 300.5},
			{0, 2, "models/mig-b/main", 1, 90, active, 30000, 10000, 300.5},
			{0, 9, "", 0, 0, active, 12, 9716, 300.5},
			{1, -1, "models/whole-0/vllm", 1, 75, active, 73000, 8559, 611.5},
		},
		"time-sliced": {
			{0, -1, "team-a/slice-b/vllm", 3, 75, active, 73000, 8559, 610.5},
			{1, -1, "models/alone-0/vllm", 1, 75, active, 73000, 8559, 611.5},
		},
		"time-sliced-untold": {
			{0, -1, "team-b/slice-c/vllm", 1, 90, util, 73000, 8000, 610.5},
			{1, -1, "team-a/slice-a/vllm", 1, 20, util, 1000, 80000, 200.5},
		},
		"mig-shared": {
			{0, 1, "models/two-0/main", 1, 80, active, 30000, 10000, 400.5},
			{0, 9, "models/two-0/main", 1, 40, active, 5000, 4900, 400.5},
			{0, 11, "team-a/a-0/main", 2, 30, active, 100, 9800, 400.5},
			{0, 13, "", 0, -1, "", 10, -1, -1},
		},
		"old-labels-prometheus": {
			{0, -1, "models/bert-0/main", 1, 90, util, 73000, 8000, -1},
			{1, -1, "", 0, 0, util, -1, -1, -1},
		},
		"catalogue": {
			{0, -1, "models/new-0/vllm", 1, 42, "DCGM_FI_DEV_GPU_UTIL_RATIO", 73000, 8559, 610.5},
			{1, -1, "", 0, 50, "DCGM_FI_DEV_GPU_UTIL_RATIO", 0, 81000, 71.25},
		},
		"per-process": {{0, -1, "models/proc-a/vllm", 2, 80, util, 50000, 31559, 610.5}},
		"blanks": {
			{0, -1, "", 0, -1, "", -1, -1, -1},
			{1, -1, "", 0, -1, "", 0, 82118, -1},
		},
		"renamed-fields": {
			{0, -1, "models/new-0/vllm", 1, 50, "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", 1000, 80559, -1},
			{1, -1, "", 0, 25, "DCGM_FI_DEV_GPU_UTIL_RATIO", -1, -1, -1},
		},
	} {
		var got []row
		for _, g := range parse(t, name) {
			got = append(got, short(g))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func TestParseDCGMEightGPUs(t *testing.T) {
	gpus := parse(t, "eight-gpus")
	if len(gpus) != 8 {
		t.Fatalf("%d rows", len(gpus))
	}
	g := gpus[5]
	if got := short(g); got != (row{5, -1, "chat/qwen-7d9c5-x2x4z/server", 1, 75, "DCGM_FI_PROF_GR_ENGINE_ACTIVE", 73000, 8559, 615.5}) {
		t.Errorf("row 5 is %+v", got)
	}
	if g.TS != at || g.Node != "node-1" || g.Source != "dcgm" || g.GPUProduct != "NVIDIA H100 80GB HBM3" ||
		g.EnergyMillijoulesTotal != usage.Some[int64](123456789005) || g.TemperatureCelsius != usage.Some[int32](45) ||
		g.SMClockMHz != usage.Some[int32](1980) || g.XIDLast != usage.Some[int32](79) {
		t.Errorf("row 5 is %+v", g)
	}
	if free := gpus[7]; free.ShareCount != 0 || free.Namespace.Present() || free.Pod.Present() || free.Container.Present() {
		t.Errorf("a GPU with empty labels is held: %+v", free)
	}
}

// TestParseDCGMOrder shuffles the lines: the rows stay the same.
func TestParseDCGMOrder(t *testing.T) {
	for _, name := range []string{"eight-gpus", "mig", "time-sliced", "per-process"} {
		want := parse(t, name)
		lines := strings.SplitAfter(string(fixture(t, name)), "\n")
		slices.Reverse(lines)
		got, err := dcgm.parse([]byte(strings.Join(lines, "")), "node-1", exporterPod, at)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: rows depend on the order of the lines (%v)", name, err)
		}
	}
}

func TestParseDCGMErrors(t *testing.T) {
	for body, want := range map[string]string{
		"":                              "sees no GPU",
		"up 1\n":                        "sees no GPU",
		"<html>login</html>":            "line 1: not Prometheus text",
		"# ok\nDCGM_FI_DEV_GPU_UTIL{":   "line 2",
		`DCGM_FI_DEV_GPU_UTIL{gpu="0"}`: "line 1",
		`DCGM_FI_DEV_GPU_UTIL{UUID="GPU-1",gpu="zero"} 1`: "sees no GPU",
	} {
		if _, err := dcgm.parse([]byte(body), "n", "p", at); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", body, err, want)
		}
	}
}

func FuzzParseDCGM(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		gpus, err := dcgm.parse(body, "n", "p", at)
		if (err == nil) != (len(gpus) > 0) {
			t.Fatalf("%d rows with error %v", len(gpus), err)
		}
		if !slices.IsSortedFunc(gpus, usage.CompareGPUs) {
			t.Error("rows are not in order")
		}
		devices := map[[2]string]bool{}
		for _, g := range gpus {
			if g.Pod.Present() != (g.ShareCount > 0) || g.UtilPercent.Present() != g.UtilSource.Present() || g.GPUUUID == "" {
				t.Errorf("row contradicts itself: %+v", g)
			}
			if src, _ := g.UtilSource.Get(); g.MIGInstance.Present() && strings.Contains(src, "GPU_UTIL") {
				t.Errorf("an instance has its card's utilisation: %+v", g)
			}
			instance, _ := json.Marshal(g.MIGInstance)
			k := [2]string{g.GPUUUID, string(instance)}
			if g.MIGInstance.Present() && devices[k] {
				t.Errorf("device %v has two rows", k)
			}
			devices[k] = true
			for _, v := range []usage.Opt[float64]{g.UtilPercent, g.PowerWatts} {
				if x, ok := v.Get(); ok && !(x >= 0 && x < 1<<63) {
					t.Errorf("value %v in %+v", x, g)
				}
			}
		}
	})
}

func BenchmarkParseDCGM(b *testing.B) {
	body := fixture(b, "eight-gpus")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dcgm.parse(body, "node-1", exporterPod, at); err != nil {
			b.Fatal(err)
		}
	}
}
