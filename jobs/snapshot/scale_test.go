package snapshot

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkScale takes a snapshot of two samples of large simulated clusters,
// beside a client that makes the same requests of the API server and throws
// the answers away. Cluster, client and snapshot are a process each: this test
// binary again, in one of the roles below. However often it is to run, it runs
// once: the processes are what is measured, the median of turns of them.
func BenchmarkScale(b *testing.B) {
	for _, encoding := range [...]string{"protobuf", "json"} {
		for _, nodes := range [...]int{100, 1000, 5000} {
			b.Run(fmt.Sprintf("%s/nodes=%d", encoding, nodes), func(b *testing.B) { benchmarkScale(b, encoding, nodes) })
		}
	}
}

func benchmarkScale(b *testing.B, encoding string, nodes int) {
	dir := b.TempDir()
	server := role(b, "serve", encoding, strconv.Itoa(nodes), dir)
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	})
	if _, err := out.Read(make([]byte, 1)); err != nil { // it listens
		b.Fatalf("the simulated cluster: %v", err)
	}
	runRole(b, "bare", encoding, dir) // so that neither of the two meets a cold server
	var bare, snapshot []figures
	for range turns {
		bare = append(bare, runRole(b, "bare", encoding, dir))
		snapshot = append(snapshot, runRole(b, "snapshot", encoding, dir))
	}
	reportScale(b, median(bare), median(snapshot))
}

func reportScale(b *testing.B, bare, snapshot figures) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(snapshot.Pods), "pods")
	b.ReportMetric(float64(snapshot.Asked), "asked")
	b.ReportMetric(float64(snapshot.Answered), "answered")
	b.ReportMetric(bare.Seconds, "bare-s")
	b.ReportMetric(snapshot.Seconds, "wall-s")
	b.ReportMetric(snapshot.Seconds/bare.Seconds, "wall/bare")
	b.ReportMetric(bare.CPUSeconds, "bare-cpu-s")
	b.ReportMetric(snapshot.CPUSeconds, "cpu-s")
	b.ReportMetric(bare.PeakMiB, "bare-peak-MiB")
	b.ReportMetric(snapshot.PeakMiB, "peak-MiB")
	b.ReportMetric(float64(snapshot.PodsBytes)/float64(2*snapshot.Pods), "bytes/pod-sample")
}

// turns is how often bare client and snapshot alternate: where three processes
// share two cores, one run of either is good to a twentieth only.
const turns = 3

// median is the run of the median wall time, with the memory of the largest.
func median(of []figures) figures {
	slices.SortFunc(of, func(a, b figures) int { return cmp.Compare(a.Seconds, b.Seconds) })
	middle := of[len(of)/2]
	for _, f := range of {
		middle.PeakMiB = max(middle.PeakMiB, f.PeakMiB)
	}
	return middle
}

// figures are what a role says of itself when it ends.
type figures struct {
	Pods, PodsBytes              int
	Asked, Answered              int // exporters and engines of one sample, and those that answered with metrics
	Seconds, CPUSeconds, PeakMiB float64
}

func role(b *testing.B, args ...string) *exec.Cmd {
	c := exec.CommandContext(b.Context(), os.Args[0])
	c.Env = append(os.Environ(), roleVariable+"="+strings.Join(args, " "))
	if args[0] == "snapshot" {
		c.Env = append(c.Env, "GOMEMLIMIT=200MiB") // as in deploy/cronjobs/base
	}
	c.Stderr = os.Stderr
	return c
}

func runRole(b *testing.B, args ...string) (f figures) {
	b.Helper()
	out, err := role(b, args...).Output()
	if err == nil {
		err = json.Unmarshal(out, &f)
	}
	if err != nil {
		b.Fatalf("%v: %v", args, err)
	}
	return f
}
