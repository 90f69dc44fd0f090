//go:build unix

package store

import (
	"io"
	"syscall"
	"testing"

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

func benchmarkEncode(b *testing.B, pods, samples int) {
	rows, bytes := fleet(pods, samples), 0
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

func BenchmarkEncode5(b *testing.B)    { benchmarkEncode(b, 5, 1) }
func BenchmarkEncode100(b *testing.B)  { benchmarkEncode(b, 100, 1) }
func BenchmarkEncode150k(b *testing.B) { benchmarkEncode(b, 150_000, 1) }
func BenchmarkEncode300k(b *testing.B) { benchmarkEncode(b, 150_000, 2) } // the two samples of a minute
func BenchmarkEncodeHour(b *testing.B) { benchmarkEncode(b, 2_500, 120) }

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

func BenchmarkDecode5(b *testing.B)    { benchmarkDecode(b, 5, 1) }
func BenchmarkDecode100(b *testing.B)  { benchmarkDecode(b, 100, 1) }
func BenchmarkDecode150k(b *testing.B) { benchmarkDecode(b, 150_000, 1) }
func BenchmarkDecode300k(b *testing.B) { benchmarkDecode(b, 150_000, 2) }
func BenchmarkDecodeHour(b *testing.B) { benchmarkDecode(b, 2_500, 120) }
