//go:build unix

package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/internal/yamlfile"
	"github.com/company/k8s-resource-monitor/jobs/alert/notify"
)

// BenchmarkScale runs the job over a snapshot of two samples of a large
// cluster, with the rules that ship. The job is a process of its own, this test
// binary again, with the memory limit that deploy/cronjobs/base gives it: its
// peak memory is what is measured.
func BenchmarkScale(b *testing.B) {
	for _, pods := range [...]int{20_000, 150_000} {
		b.Run(fmt.Sprintf("pods=%d", pods), func(b *testing.B) {
			dir := b.TempDir()
			playRole(b, "write", strconv.Itoa(pods), dir)
			for b.Loop() {
				var f figures
				if err := json.Unmarshal(playRole(b, "alert", strconv.Itoa(pods), dir), &f); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(f.Seconds, "wall-s")
				b.ReportMetric(f.CPUSeconds, "cpu-s")
				b.ReportMetric(f.PeakMiB, "peak-MiB")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// figures are what a run of the job took.
type figures struct{ Seconds, CPUSeconds, PeakMiB float64 }

// roleVariable is the environment variable that makes the test binary play a role.
const roleVariable = "ALERT_SCALE_ROLE"

func playRole(b *testing.B, args ...string) []byte {
	b.Helper()
	c := exec.CommandContext(b.Context(), os.Args[0])
	c.Env = append(os.Environ(), roleVariable+"="+strings.Join(args, " "))
	if args[0] == "alert" {
		c.Env = append(c.Env, "GOMEMLIMIT=256MiB")
	}
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		b.Fatalf("%v: %v", args, err)
	}
	return out
}

func TestMain(m *testing.M) {
	args := strings.Fields(os.Getenv(roleVariable))
	if len(args) == 0 {
		os.Exit(m.Run())
	}
	pods, err := strconv.Atoi(args[1])
	if err == nil {
		err = play(args[0], pods, args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, args, err)
		os.Exit(1)
	}
}

func play(role string, pods int, dir string) error {
	ctx, started := context.Background(), time.Now()
	b := bucket.Dir(dir)
	if role == "write" {
		return writeFleet(ctx, b, pods)
	}
	rules, err := Rules(yamlfile.Value{})
	if err != nil {
		return err
	}
	j := Job{Bucket: bucket.DryRun(b, func(string, string) {}), Cluster: "c", Rules: rules, Thresholds: thresholds80,
		Channels: []notify.Channel{notify.Printer{Out: io.Discard}}, Log: slog.New(slog.DiscardHandler)}
	if _, err := j.Run(ctx, minute(1)); err != nil {
		return err
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures{Seconds: time.Since(started).Seconds(),
		CPUSeconds: time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds(), PeakMiB: float64(used.Maxrss) / 1024})
}

// writeFleet commits two samples of pods on a node for every thirty of them. A
// pod in twenty is in some trouble; a pod in ten holds a GPU and serves a model.
func writeFleet(ctx context.Context, b bucket.Bucket, pods int) error {
	var s usage.Sample
	instants := []time.Time{minute(0), minute(0).Add(30 * time.Second)}
	for i := range pods {
		for _, ts := range instants {
			s.Pods = append(s.Pods, fleetPod(i, ts))
		}
		if i%10 == 0 {
			for _, ts := range instants {
				s.Engines = append(s.Engines, usage.Engine{TS: ts, Namespace: namespaceOf(i), Pod: podOf(i), PodUID: podOf(i), Engine: usage.VLLM,
					Model: usage.Some("Qwen3-32B"), RequestsRunning: usage.Some(int64(i % 7)), RequestsWaiting: usage.Some[int64](0)})
			}
		}
	}
	for i := range pods / 30 {
		for _, ts := range instants {
			n := node(nodeOf(30*i), i%500 != 0)
			n.TS = ts
			s.Nodes = append(s.Nodes, n)
		}
		for _, ts := range instants {
			s.GPUs = append(s.GPUs, usage.GPU{TS: ts, Node: nodeOf(30 * i), GPUUUID: fmt.Sprintf("GPU-%06d", i), ShareCount: 1,
				UtilPercent: usage.Some(float64(i % 100)), Source: "dcgm"})
		}
	}
	m := report.Manifest{Version: report.Version, Cluster: "c", At: minute(0), SampledAt: instants, IntervalSeconds: 30}
	for _, err := range []error{commit(ctx, b, &m, store.Pods, s.Pods), commit(ctx, b, &m, store.Nodes, s.Nodes),
		commit(ctx, b, &m, store.GPUs, s.GPUs), commit(ctx, b, &m, store.Engines, s.Engines)} {
		if err != nil {
			return err
		}
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = b.Put(ctx, layout.Object{Tier: layout.Manifest, Cluster: "c", Time: minute(0)}.Name(), body, bucket.PutOptions{})
	return err
}

func commit[T any](ctx context.Context, b bucket.Bucket, m *report.Manifest, table *store.Table[T], rows []T) error {
	name := layout.Object{Tier: layout.Raw, Table: table.Name(), Cluster: "c", Time: m.At}.Name()
	_, err := table.Write(ctx, b, name, rows, store.Metadata{Cluster: "c"})
	m.Objects = append(m.Objects, report.ManifestObject{Name: name, Table: table.Name(), Rows: len(rows)})
	return err
}

func namespaceOf(i int) string { return fmt.Sprintf("team-%03d", i/500) }
func podOf(i int) string       { return fmt.Sprintf("server-%06d-5d9c7b", i) }
func nodeOf(i int) string      { return fmt.Sprintf("node-%05d", i/30) }

func fleetPod(i int, ts time.Time) usage.Pod {
	p := usage.Pod{TS: ts, Namespace: namespaceOf(i), Pod: podOf(i), PodUID: podOf(i), Node: usage.Some(nodeOf(i)),
		Phase: "Running", Ready: true,
		Owner: usage.Some("server"), OwnerKind: usage.Some("Deployment"), Image: "registry.example.com/server:1.2.3", CreatedAt: start,
		CPUUsageMillicores: usage.Some(int64(100 + i%2000)), CPURequestMillicores: usage.Some[int64](1000),
		CPULimitMillicores: usage.Some[int64](4000),
		MemoryUsageBytes:   usage.Some(int64(1+i%700) << 20),
		MemoryRequestBytes: usage.Some[int64](1 << 30), MemoryLimitBytes: usage.Some[int64](1 << 30)}
	if i%10 == 0 {
		p.GPURequest, p.GPUUtilPercent, p.Engine, p.Model = 1, usage.Some(float64(i%90)), usage.VLLM, usage.Some("Qwen3-32B")
		p.GPUMemoryUsedBytes, p.GPUMemoryTotalBytes = usage.Some[int64](70<<30), usage.Some[int64](80<<30)
	}
	switch i % 60 {
	case 1:
		p.CPUUsageMillicores = usage.Some[int64](3900)
	case 2:
		p.MemoryUsageBytes = usage.Some[int64](1000 << 20)
	case 3:
		p.Ready, p.Reason = false, usage.Some("CrashLoopBackOff")
	}
	return p
}
