//go:build unix

package store

import (
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// perCore reports rows by the processor's time, which other work on the
// machine does not stretch as it does the clock's.
func perCore(b *testing.B, rows int, run func() error) {
	time := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	b.ReportAllocs()
	start := time()
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
	spent := time() - start
	b.ReportMetric(float64(rows)*float64(b.N)/float64(spent)*1e9, "rows/s/core")
	b.ReportMetric(float64(spent)/float64(b.N)/1e6, "cpu-ms/op")
}

func benchmarkEncode(b *testing.B, rows []usage.Pod) {
	bytes := 0
	perCore(b, len(rows), func() error {
		body, err := Pods.Encode(rows, Metadata{})
		bytes = len(body)
		return err
	})
	b.ReportMetric(float64(bytes)/float64(len(rows)), "bytes/row")
}

func benchmarkDecode(b *testing.B, pods, samples int) {
	rows := fleet(pods, samples)
	body, err := Pods.Encode(rows, Metadata{})
	if err != nil {
		b.Fatal(err)
	}
	perCore(b, len(rows), func() error {
		_, err := Pods.Decode(body)
		return err
	})
}

func BenchmarkEncode5(b *testing.B)    { benchmarkEncode(b, fleet(5, 1)) }
func BenchmarkEncode100(b *testing.B)  { benchmarkEncode(b, fleet(100, 1)) }
func BenchmarkEncode150k(b *testing.B) { benchmarkEncode(b, fleet(150_000, 1)) }
func BenchmarkEncode300k(b *testing.B) { benchmarkEncode(b, fleet(150_000, 2)) } // the two samples of a minute
func BenchmarkEncodeHour(b *testing.B) {
	_, rows := hourOf(b, 2_500)
	perCore(b, len(rows), func() error {
		w := Pods.NewWriter(io.Discard, Metadata{})
		w.rowsPerGroup = rowsPerLargeGroup // as Create does
		if err := w.Write(rows); err != nil {
			return err
		}
		return w.Close()
	})
}

// hourOf is an hour of pods as sixty objects of two samples each, and as rows
// that a merge of the objects has: what they have in common lies in the memory
// of as many readers.
func hourOf(b *testing.B, pods int) (objects [][]byte, rows []usage.Pod) {
	rows = fleet(pods, 120)
	for minute := range 60 {
		var object []usage.Pod
		for i := range rows {
			if i/2%60 == minute {
				object = append(object, rows[i])
			}
		}
		body, err := Pods.Encode(object, Metadata{})
		if err != nil {
			b.Fatal(err)
		}
		if object, err = Pods.Decode(body); err != nil {
			b.Fatal(err)
		}
		objects = append(objects, body)
		for i := range rows {
			if i/2%60 == minute {
				rows[i], object = object[0], object[1:]
			}
		}
	}
	return objects, rows
}

// BenchmarkMerge is a rollup's way of an hour's rows, without what it makes of
// them: out of sixty objects, into one.
func BenchmarkMerge(b *testing.B) {
	const pods = 5000
	objects, _ := hourOf(b, pods)
	var runs [60]struct {
		*Reader[usage.Pod]
		rows, left []usage.Pod
	}
	for i := range runs {
		runs[i].rows = make([]usage.Pod, 256)
	}
	out := make([]usage.Pod, 0, 1024)
	perCore(b, pods*120, func() (err error) {
		for i := range runs {
			if runs[i].Reader, err = Pods.NewReader(objects[i]); err != nil {
				return err
			}
		}
		w := Pods.NewWriter(io.Discard, Metadata{})
		w.rowsPerGroup = rowsPerLargeGroup
		for range pods {
			for i := range runs {
				r := &runs[i]
				if len(r.left) == 0 {
					n, err := r.Read(r.rows)
					if err != nil {
						return err
					}
					r.left = r.rows[:n]
				}
				out, r.left = append(out, r.left[:2]...), r.left[2:]
			}
			if len(out)+120 > cap(out) {
				if err := w.Write(out); err != nil {
					return err
				}
				out = out[:0]
			}
		}
		if err := w.Write(out); err != nil {
			return err
		}
		out = out[:0]
		for i := range runs {
			runs[i].Close()
		}
		return w.Close()
	})
}

// BenchmarkRead300k reads as a merge does, into the same few rows again.
func BenchmarkRead300k(b *testing.B) {
	body, err := Pods.Encode(fleet(150_000, 2), Metadata{})
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]usage.Pod, rowsPerBlock)
	perCore(b, 300_000, func() error {
		r, err := Pods.NewReader(body)
		for err == nil {
			_, err = r.Read(rows)
		}
		if err != io.EOF {
			return err
		}
		return nil
	})
}

// gpusOfNode are the rows of one node's GPUs and two samples: the smallest objects
// there are, and the most, one of every node and minute.
func gpusOfNode() (rows []usage.GPU) {
	at := time.UnixMilli(1_767_225_600_000).UTC()
	for i := range 16 {
		rows = append(rows, usage.GPU{Node: "ip-10-0-0-1.eu-west-1.compute.internal", GPUIndex: int32(i / 2),
			GPUProduct: "NVIDIA H100 80GB HBM3",
			TS: at.Add(
				time.Duration(i%2) * 30 * time.Second,
			), GPUUUID: fmt.Sprintf("GPU-3f2a%04x-79d1-4a6b-9c1e-00%010x", 7919*(i/2), i/2), Source: "nvml",
			UtilPercent: usage.Some(
				float64(37 * i % 100),
			), MemoryUsedBytes: usage.Some(int64(i) << 32), PowerWatts: usage.Some(300 + float64(i))})
	}
	return rows
}

func BenchmarkEncodeNode(b *testing.B) {
	rows := gpusOfNode()
	perCore(b, len(rows), func() error {
		_, err := GPUs.Encode(rows, Metadata{})
		return err
	})
}

func BenchmarkDecodeNode(b *testing.B) {
	body, err := GPUs.Encode(gpusOfNode(), Metadata{})
	if err != nil {
		b.Fatal(err)
	}
	perCore(b, 16, func() error {
		_, err := GPUs.Decode(body)
		return err
	})
}

func BenchmarkDecode5(b *testing.B)    { benchmarkDecode(b, 5, 1) }
func BenchmarkDecode100(b *testing.B)  { benchmarkDecode(b, 100, 1) }
func BenchmarkDecode150k(b *testing.B) { benchmarkDecode(b, 150_000, 1) }
func BenchmarkDecode300k(b *testing.B) { benchmarkDecode(b, 150_000, 2) }
func BenchmarkDecodeHour(b *testing.B) { benchmarkDecode(b, 2_500, 120) }
