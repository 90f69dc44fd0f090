//go:build cluster

package cluster

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/test/s3"
)

const program = "../../bin/k8s-monitor"

func TestCluster(t *testing.T) {
	n := startNode(t)
	t.Cleanup(func() {
		n.kubectl(t, "delete", "--ignore-not-found", "namespace", "demo", "k8s-monitoring", "--timeout=60s")
	})
	n.apply(t, "-f", "testdata/workloads.yaml")
	for _, w := range [...]string{"deployment", "statefulset", "daemonset"} {
		n.kubectl(t, "rollout", "status", "--namespace=demo", w+"/steady-"+w, "--timeout=120s")
	}
	n.kubectl(t, "wait", "--namespace=demo", "--for=condition=Complete", "job/steady-job", "--timeout=120s")
	n.kubectl(
		t,
		"wait",
		"--namespace=demo",
		"--for=jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}=3",
		"pod/crashing",
		"--timeout=120s",
	)
	n.until(t, "metrics of the pods", func() error { return n.tryKubectl("top", "pod", "--namespace=demo", "steady-pod") })
	t.Run("CronJobs", n.testCronJobs)
	t.Run("Kubelets", n.testKubelets)
}

// The CronJobs as they are shipped take a snapshot that equals what kubectl
// says, and publish it.
func (n *node) testCronJobs(t *testing.T) {
	c := exec.Command("go", "run", "./image", "-version", "latest", "-out", n.dir)
	c.Dir = ".."
	output(t, c)
	n.load(t, filepath.Join(n.dir, "k8s-monitor-"+runtime.GOARCH+".tar"))
	gateway := s3.StartGateway(t, nodeIP)
	lake := filepath.Join(gateway.Dir, "lake")
	must(t, os.Mkdir(lake, 0o755))
	n.apply(t, "-f", "../../deploy/cronjobs/base/namespace.yaml")
	n.kubectl(t, "create", "secret", "generic", "k8s-monitor-bucket", "--namespace=k8s-monitoring",
		"--from-literal=K8S_MONITOR_BUCKET=s3://lake?path_style=true", "--from-literal=AWS_ENDPOINT_URL_S3="+gateway.Endpoint,
		"--from-literal=AWS_REGION=us-east-1", "--from-literal=AWS_ACCESS_KEY_ID="+gateway.AccessKey,
		"--from-literal=AWS_SECRET_ACCESS_KEY="+gateway.SecretKey)
	readings := n.watchMetrics(t)
	n.apply(t, "-k", "../../deploy/cronjobs")

	var m report.Manifest
	n.until(t, "a snapshot of two samples", func() error {
		found, err := filepath.Glob(filepath.Join(lake, "raw/v1/_manifest/cluster=default/*/*/*.json"))
		for _, file := range found {
			if body, err := os.ReadFile(file); err == nil && json.Unmarshal(body, &m) == nil && len(m.SampledAt) == 2 {
				return nil
			}
		}
		return cmp.Or(err, errors.New("there is none: kubectl -n k8s-monitoring get pods"))
	})
	if len(m.Gaps) != 0 {
		t.Errorf("gaps %+v", m.Gaps)
	}
	rows := rowsOf(t, store.Pods, lake, "default", m.At)
	if engines := rowsOf(t, store.Engines, lake, "default", m.At); len(engines) != 2 || engines[0].RequestsRunning != usage.Some(int64(3)) {
		t.Errorf("engines %+v", engines)
	}
	seen := readings()
	last := m.SampledAt[len(m.SampledAt)-1]
	checked := 0
	for _, p := range n.pods(t) {
		i := slices.IndexFunc(rows, func(r usage.Pod) bool { return string(p.UID) == r.PodUID && r.TS.Equal(last) })
		if i < 0 {
			t.Errorf("%s has no row", p.Name)
			continue
		}
		r := &rows[i]
		if p.Name == "crashing" {
			if r.Restarts == 0 || r.Phase != "Running" {
				t.Errorf("%+v", r)
			}
			continue
		}
		checked++
		if r.Namespace != p.Namespace || r.Pod != p.Name || r.Node != usage.SomeUnless(p.Spec.NodeName, "") || r.Phase != string(p.Status.Phase) ||
			r.Ready != ready(&p) ||
			r.Restarts != restarts(&p) ||
			!r.CreatedAt.Equal(p.CreationTimestamp.Time) {
			t.Errorf("%+v\nis of %+v", r, p)
		}
		if want := wantOf(p.Name); want != wantedOf(r) {
			t.Errorf("%s: %+v, want %+v", p.Name, wantedOf(r), want)
		}
		if p.Status.Phase != corev1.PodRunning {
			if r.CPUUsageMillicores.Present() || r.MemoryUsageBytes.Present() {
				t.Errorf("%s does not run and uses %+v", p.Name, r)
			}
		} else if cpu, _ := r.CPUUsageMillicores.Get(); !seen[p.Name][reading{cpu, r.MemoryUsageBytes}] {
			t.Errorf("%s uses %+v, which is none of metrics-server's %v", p.Name, r, seen[p.Name])
		}
	}
	if !t.Failed() {
		t.Logf("%d pods equal kubectl get and metrics.k8s.io", checked)
	}
	for _, job := range [...]string{"rollup", "alert"} {
		n.until(t, job+" to be done", func() error {
			return n.tryKubectl(
				"wait",
				"--namespace=k8s-monitoring",
				"--for=jsonpath={.status.phase}=Succeeded",
				"pod",
				"--selector=app.kubernetes.io/component="+job,
				"--timeout=1s",
			)
		})
	}
	for _, object := range [...]string{"site/index.html", "site/default/latest.json", "site/default/api/v1/resources/alerts.json"} {
		n.until(t, object, func() error { _, err := os.Stat(filepath.Join(lake, object)); return err })
	}
}

// Two runs that ask the kubelets give each pod the CPU time that its cgroup
// counted between them.
func (n *node) testKubelets(t *testing.T) {
	account := n.file(t, "account.kubeconfig", strings.Replace(read(t, n.kubeconfig), n.token,
		strings.TrimSpace(n.kubectl(t, "create", "token", "--namespace=k8s-monitoring", "k8s-monitor-service-account")), 1))
	settings := n.file(t, "settings.yaml", "collection: {interval: 1m}\n")
	lake := filepath.Join(n.dir, "kubelets")
	snapshot := func(at time.Time) (kube.CPUCounters, []usage.Pod, report.Manifest) {
		run(t, program, "snapshot", "--config="+settings, "--bucket=file://"+lake, "--cluster=kubelets", "--kubeconfig="+account,
			"--usage=kubelet", "--gpus=none", "--at="+at.Format(time.RFC3339))
		var counted kube.CPUCounters
		state := layout.Object{Tier: layout.State, Path: "snapshot", Cluster: "kubelets"}.Name()
		if body, err := object(t, lake, state); !errors.Is(err, bucket.ErrNotExist) {
			must(t, err)
			must(t, json.Unmarshal(body, &counted))
		}
		var m report.Manifest
		body, err := object(t, lake, layout.Object{Tier: layout.Manifest, Cluster: "kubelets", Time: at}.Name())
		must(t, err)
		must(t, json.Unmarshal(body, &m))
		return counted, rowsOf(t, store.Pods, lake, "kubelets", at), m
	}
	at := time.Now().UTC().Truncate(time.Minute)
	if _, _, m := snapshot(at.Add(-3 * time.Minute)); len(m.Gaps) != 1 || m.Gaps[0].Target != "nodes/proxy" {
		t.Errorf("without the right to ask kubelets: gaps %+v", m.Gaps)
	}
	n.apply(t, "-f", "testdata/kubelets.yaml")

	burning := map[string]string{} // by NAMESPACE/POD: the UID
	for _, p := range n.pods(t) {
		if strings.HasPrefix(p.Name, "steady-deployment") {
			burning[p.Namespace+"/"+p.Name] = string(p.UID)
		}
	}
	groups := watchGroups(t, burning)
	first, _, m := snapshot(at.Add(-2 * time.Minute))
	if len(m.Gaps) != 0 {
		t.Fatalf("gaps %+v", m.Gaps)
	}
	n.until(t, "the kubelet to count on", func() error { // it looks at a pod each ten seconds or so
		metrics := n.kubectl(t, "get", "--raw", "/api/v1/nodes/node-1/proxy/metrics/resource")
		for pod := range burning {
			_, name, _ := strings.Cut(pod, "/")
			if strings.Contains(
				metrics,
				"pod=\""+name+"\"} "+strconv.FormatFloat(
					first.Pods[pod].Seconds,
					'g',
					-1,
					64,
				)+" "+strconv.FormatInt(
					first.Pods[pod].At,
					10,
				),
			) {
				return errors.New(pod + " is as it was")
			}
		}
		return nil
	})
	second, rows, _ := snapshot(at.Add(-time.Minute))
	counted := groups()
	for pod := range burning {
		a, b := first.Pods[pod], second.Pods[pod]
		for _, c := range [...]kube.CPUCounter{a, b} {
			low, high := between(counted[pod], c.At)
			if c.Seconds < low || c.Seconds > high {
				t.Errorf("%s: the kubelet counted %v s, its cgroup between %v and %v", pod, c.Seconds, low, high)
			}
		}
		i := slices.IndexFunc(rows, func(r usage.Pod) bool { return r.Namespace+"/"+r.Pod == pod })
		if i < 0 || b.At <= a.At {
			t.Errorf("%s has no row, or was counted at %d and at %d", pod, a.At, b.At)
			continue
		}
		want := int64(math.Round((b.Seconds - a.Seconds) / float64(b.At-a.At) * 1e6))
		if rows[i].CPUUsageMillicores != usage.Some(want) || want < 50 {
			t.Errorf("%s uses %+v, want %d millicores", pod, rows[i].CPUUsageMillicores, want)
		}
		t.Logf("%s: %d millicores over %v", pod, want, time.Duration(b.At-a.At)*time.Millisecond)
	}
}

// pods are the pods of the namespace demo, as the API server has them.
func (n *node) pods(t *testing.T) []corev1.Pod {
	t.Helper()
	var list corev1.PodList
	must(t, json.Unmarshal([]byte(n.kubectl(t, "get", "pods", "--namespace=demo", "--output=json")), &list))
	return list.Items
}

func restarts(p *corev1.Pod) (n int32) {
	for _, s := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		n += s.RestartCount
	}
	return n
}

func ready(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// wanted is what a row says of what a pod asks for and whose it is.
type wanted struct {
	kind, owner, cpu, cpuLimit, memory, memoryLimit any // nil: absent
	gpus                                            int32
	engine, model                                   any
}

// wantOf is what testdata/workloads.yaml comes to.
func wantOf(pod string) wanted {
	const mi = int64(1 << 20)
	switch sort, _, _ := strings.Cut(strings.TrimPrefix(pod, "steady-"), "-"); sort {
	case "deployment":
		return wanted{"Deployment", "steady-deployment", int64(100), int64(500), 80 * mi, 200 * mi, 0, "", nil}
	case "statefulset":
		return wanted{
			"StatefulSet",
			"steady-statefulset",
			int64(20),
			int64(1000),
			50 * mi,
			50 * mi,
			0,
			"",
			nil,
		} // a limit alone is the request too
	case "daemonset":
		return wanted{"DaemonSet", "steady-daemonset", int64(200), nil, 90 * mi, nil, 0, "", nil} // its first init container asks for most
	case "job":
		return wanted{"Job", "steady-job", nil, nil, nil, nil, 0, "", nil}
	case "unschedulable":
		return wanted{nil, nil, nil, nil, nil, nil, 2, "", nil}
	default:
		return wanted{nil, nil, int64(150), int64(300), 64 * mi, 128 * mi, 0, usage.VLLM, "Qwen/Qwen3-8B"}
	}
}

func wantedOf(r *usage.Pod) wanted {
	return wanted{value(r.OwnerKind), value(r.Owner), value(r.CPURequestMillicores), value(r.CPULimitMillicores),
		value(r.MemoryRequestBytes), value(r.MemoryLimitBytes), r.GPURequest, r.Engine, value(r.Model)}
}

func value[T comparable](o usage.Opt[T]) any {
	if v, ok := o.Get(); ok {
		return v
	}
	return nil
}

// reading is what metrics-server says of a pod.
type reading struct {
	cpuMillicores int64
	memoryBytes   usage.Opt[int64]
}

// watchMetrics notes all that metrics.k8s.io says of the pods in demo, until it
// is asked for it.
func (n *node) watchMetrics(t *testing.T) (readings func() map[string]map[reading]bool) {
	seen := map[string]map[reading]bool{}
	stop := every(t, time.Second, func() error {
		out, err := exec.Command(filepath.Join(n.bin, "kubectl"), "--kubeconfig="+n.kubeconfig,
			"get", "--raw", "/apis/metrics.k8s.io/v1beta1/namespaces/demo/pods").Output()
		if err != nil {
			return err
		}
		var list struct {
			Items []struct {
				Metadata   struct{ Name string }
				Containers []struct{ Usage corev1.ResourceList }
			}
		}
		if err := json.Unmarshal(out, &list); err != nil {
			return err
		}
		for _, p := range list.Items {
			nanocores, bytes := int64(0), int64(0)
			for _, c := range p.Containers {
				nanocores += c.Usage.Cpu().ScaledValue(resource.Nano)
				bytes += c.Usage.Memory().Value()
			}
			if seen[p.Metadata.Name] == nil {
				seen[p.Metadata.Name] = map[reading]bool{}
			}
			seen[p.Metadata.Name][reading{int64(math.Round(float64(nanocores) / 1e6)), usage.Some(bytes)}] = true
		}
		return nil
	})
	return func() map[string]map[reading]bool { stop(); return seen }
}

// moment is what a cgroup had counted at an instant.
type moment struct {
	at      int64 // Unix milliseconds
	seconds float64
}

// watchGroups notes what the cgroups of pods count, until it is asked for it.
func watchGroups(t *testing.T, uids map[string]string) (counted func() map[string][]moment) {
	all := map[string][]moment{}
	stop := every(t, 20*time.Millisecond, func() error {
		for pod, uid := range uids {
			seconds, err := cgroupSeconds(uid)
			if err != nil {
				return err
			}
			all[pod] = append(all[pod], moment{time.Now().UnixMilli(), seconds})
		}
		return nil
	})
	return func() map[string][]moment { stop(); return all }
}

// cgroupSeconds is the CPU time that a pod has used.
func cgroupSeconds(uid string) (float64, error) {
	for _, c := range controllers() {
		for _, counter := range [...]struct {
			file, before string
			perSecond    float64
		}{{"cpuacct.usage", "", 1e9}, {"cpu.stat", "usage_usec ", 1e6}} { // of version 1, of version 2
			files, err := filepath.Glob(filepath.Join(c, cgroup, "kubepods/*/pod"+uid, counter.file))
			if err != nil {
				return 0, err
			}
			for _, file := range files {
				body, err := os.ReadFile(file)
				if err != nil {
					return 0, err
				}
				line, _, _ := strings.Cut(string(body), "\n")
				if text, ok := strings.CutPrefix(line, counter.before); ok {
					n, err := strconv.ParseFloat(text, 64)
					return n / counter.perSecond, err
				}
			}
		}
	}
	return 0, fs.ErrNotExist
}

// between is what had been counted just before the instant and a little after.
func between(moments []moment, at int64) (low, high float64) {
	const later = 200 // milliseconds: a kubelet takes the time before it reads
	high = math.Inf(1)
	for _, m := range moments {
		if m.at <= at {
			low = m.seconds
		}
		if m.at >= at+later {
			return low, m.seconds
		}
	}
	return low, high
}

// every does something again and again until it is told to stop.
func every(t *testing.T, interval time.Duration, do func() error) (stop func()) {
	t.Helper()
	end := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			if err := do(); err != nil {
				t.Error(err)
			}
			select {
			case <-tick.C:
			case <-end:
				return
			}
		}
	})
	stop = sync.OnceFunc(func() { close(end); running.Wait() })
	t.Cleanup(stop)
	return stop
}

func object(t *testing.T, lake, name string) ([]byte, error) {
	o, err := bucket.Dir(lake).Get(t.Context(), name)
	return o.Body, err
}

func rowsOf[T any](t *testing.T, table *store.Table[T], lake, cluster string, at time.Time) []T {
	t.Helper()
	body, err := object(t, lake, layout.Object{Tier: layout.Raw, Table: table.Name(), Cluster: cluster, Time: at}.Name())
	must(t, err)
	rows, err := table.Decode(body)
	must(t, err)
	return rows
}

func read(t *testing.T, file string) string {
	t.Helper()
	body, err := os.ReadFile(file)
	must(t, err)
	return string(body)
}
