package snapshot

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/sim"
)

// roleVariable is the environment variable that makes the binary play a role.
const roleVariable = "SNAPSHOT_SCALE_ROLE"

func TestMain(m *testing.M) {
	args := strings.Fields(os.Getenv(roleVariable))
	if len(args) == 0 {
		os.Exit(m.Run())
	}
	if err := play(args); err != nil {
		fmt.Fprintln(os.Stderr, args, err)
		os.Exit(1)
	}
}

func play(args []string) error {
	if args[0] == "serve" {
		nodes, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return serveCluster(args[1], nodes, args[3])
	}
	f, start := figures{}, time.Now()
	var err error
	if args[0] == "bare" {
		err = readBare(args[1], args[2])
	} else {
		err = takeSnapshot(args[2], &f)
	}
	if err != nil {
		return err
	}
	f.Seconds = time.Since(start).Seconds()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return err
	}
	f.CPUSeconds = time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
	f.PeakMiB = float64(used.Maxrss) / 1024
	if runtime.GOOS == "darwin" {
		f.PeakMiB /= 1024 // there in bytes
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// serveCluster serves a cluster whose time stands still until it is asked for
// its second sample.
func serveCluster(encoding string, nodes int, dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	clock := &sharedClock{now: minute}
	cluster := sim.New(sim.Config{Seed: 1, Nodes: nodes})
	running, err := cluster.Start(ctx, clock.Now)
	if err != nil {
		return err
	}
	defer running.Close()
	api := cluster.API(clock.Now)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/clock" {
			clock.set(minute.Add(30 * time.Second))
			return
		}
		if r.URL.Path == "/clock/back" {
			clock.set(minute)
			return
		}
		if encoding == "json" {
			r.Header.Set("Accept", strings.ReplaceAll(r.Header.Get("Accept"), "vnd.kubernetes.protobuf", "x-unknown"))
		}
		api.ServeHTTP(w, r)
	}))
	defer front.Close()
	config := strings.ReplaceAll(string(running.Kubeconfig()), running.URL, front.URL)
	if err := os.WriteFile(filepath.Join(dir, "kubeconfig"), []byte(config), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "url"), []byte(front.URL), 0o600); err != nil {
		return err
	}
	fmt.Println("ready")
	<-ctx.Done()
	return nil
}

// requests are what a snapshot asks of the API server: of each sample the
// first four side by side, and after the first sample who owns the pods.
var requests = [...]string{"/api/v1/pods", "/api/v1/nodes", "/apis/metrics.k8s.io/v1beta1/pods", "/apis/metrics.k8s.io/v1beta1/nodes",
	"/apis/apps/v1/replicasets", "/apis/batch/v1/jobs"}

// readBare reads the lists of two samples, page after page where the server
// gives pages.
func readBare(encoding, dir string) error {
	base, err := os.ReadFile(filepath.Join(dir, "url"))
	if err != nil {
		return err
	}
	const owners = 4
	for sample := range 2 {
		var group errgroup.Group
		for _, path := range requests[:owners] {
			group.Go(func() error { return readList(string(base)+path, encoding, "") })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if sample > 0 {
			break
		}
		for _, path := range requests[owners:] {
			if err := readList(string(base)+path, encoding, ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"); err != nil {
				return err
			}
		}
		if err := get(string(base) + "/clock"); err != nil {
			return err
		}
	}
	return get(string(base) + "/clock/back")
}

// readList reads a list as the snapshot asks for it.
func readList(url, encoding, as string) error {
	request, err := http.NewRequest(http.MethodGet, url+"?limit=500&resourceVersion=0", nil)
	if err != nil {
		return err
	}
	media := map[string]string{"protobuf": "application/vnd.kubernetes.protobuf", "json": "application/json"}[encoding]
	request.Header.Set("Accept", media+as)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func get(url string) error {
	answer, err := http.Get(url)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// countingTransport counts the endpoints that are asked, and those that answer
// with metrics.
type countingTransport struct {
	http.Transport
	asked, answered atomic.Int64
}

func (t *countingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.asked.Add(1)
	answer, err := t.Transport.RoundTrip(r)
	if err == nil && answer.StatusCode == http.StatusOK {
		t.answered.Add(1)
	}
	return answer, err
}

// takeSnapshot runs the job as the program does, the second sample at once
// after the first.
func takeSnapshot(dir string, f *figures) error {
	client, err := kube.Open(filepath.Join(dir, "kubeconfig"), "bench")
	if err != nil {
		return err
	}
	base, err := os.ReadFile(filepath.Join(dir, "url"))
	if err != nil {
		return err
	}
	var mu sync.Mutex
	now := minute
	ctx := context.Background()
	empty, err := os.MkdirTemp(dir, "bucket")
	if err != nil {
		return err
	}
	b := bucket.Dir(empty)
	scrapes := &countingTransport{Transport: http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 4}}
	j := &Job{Kube: client, HTTP: &http.Client{Transport: scrapes}, Bucket: b, Cluster: "bench",
		Interval: 30 * time.Second, SamplesPerRun: 2, Version: "bench", Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now },
		Wait: func(_ context.Context, until time.Time) error {
			mu.Lock()
			defer mu.Unlock()
			if now = until; until.After(minute) {
				return get(string(base) + "/clock")
			}
			return nil
		}}
	result, err := j.Run(ctx, minute)
	if err != nil {
		return err
	}
	f.Pods, f.Asked, f.Answered = result.Pods/2, int(scrapes.asked.Load())/2, int(scrapes.answered.Load())/2
	info, err := os.Stat(filepath.Join(empty, j.rawName(minute, "pods")))
	if err != nil {
		return err
	}
	f.PodsBytes = int(info.Size())
	return get(string(base) + "/clock/back")
}
