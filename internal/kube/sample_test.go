package kube

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const running = `, creationTimestamp: "2026-11-24T08:00:00Z"}, spec: {nodeName: gpu-1, containers: [{name: x, image: x,
  resources: {requests: {cpu: "1", memory: 1Gi, nvidia.com/gpu: "1"}}}]}, status: {phase: Running, startTime: "2026-11-24T08:00:05Z"}}`

func owned(apiVersion, kind, name, uid string) string {
	return fmt.Sprintf(
		`, ownerReferences: [{apiVersion: %s, kind: %s, name: %s, uid: %s, controller: true}]%s`,
		apiVersion,
		kind,
		name,
		uid,
		running,
	)
}

// smallCluster fills the fake with one node and a pod of each kind of owner.
func smallCluster(t *testing.T) *fakeAPI {
	f := newFakeAPI(t)
	f.objects["/api/v1/nodes"] = []object{parse[corev1.Node](t, `
metadata:
  name: gpu-1
  creationTimestamp: "2026-11-01T00:00:00Z"
  labels:
    node-role.kubernetes.io/worker: ""
    node-role.kubernetes.io/gpu: ""
    node.kubernetes.io/instance-type: p5
    failure-domain.beta.kubernetes.io/zone: z-1
    nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3
spec: {unschedulable: true}
status:
  capacity: {cpu: "64", memory: 512Gi, pods: "250"}
  allocatable: {cpu: 63500m, memory: 500Gi, pods: "110", nvidia.com/gpu: "6", nvidia.com/mig-1g.10gb: "7"}
  nodeInfo: {kubeletVersion: v1.37.2}
  conditions: [{type: PIDPressure, status: "True"}, {type: DiskPressure, status: "True"}, {type: MemoryPressure,
  status: "False"}, {type: Ready, status: "True"}]
`)}
	f.objects["/api/v1/pods"] = []object{
		testPod(t, "serving", "c", owned("apps/v1", "ReplicaSet", "web-1", "rs-1")),
		testPod(t, "serving", "a", owned("batch/v1", "Job", "nightly-1", "job-1")),
		testPod(t, "default", "b", owned("apps/v1", "StatefulSet", "db", "sts-1")),
		testPod(t, "default", "bare", running),
		testPod(t, "default", "done", strings.Replace(running, "phase: Running", "phase: Succeeded", 1)),
		testPod(t, "default", "orphan", owned("apps/v1", "ReplicaSet", "gone-77", "rs-gone")),
		testPod(t, "default", "single", owned("apps/v1", "ReplicaSet", "lone", "rs-lone")),
	}
	f.objects["/apis/apps/v1/replicasets"] = []object{
		parse[appsv1.ReplicaSet](
			t,
			`{metadata: {namespace: serving, name: web-1, uid: rs-1, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web,
  uid: d-1, controller: true}]}}`,
		),
		parse[appsv1.ReplicaSet](t, `{metadata: {namespace: default, name: lone, uid: rs-lone, labels: {pod-template-hash: lone}}}`),
	}
	f.objects["/apis/batch/v1/jobs"] = []object{
		parse[batchv1.Job](
			t,
			`{metadata: {namespace: serving, name: nightly-1, uid: job-1, ownerReferences: [{apiVersion: batch/v1, kind: CronJob,
  name: nightly, uid: cj-1, controller: true}]}}`,
		),
	}
	f.objects["/apis/metrics.k8s.io/v1beta1/pods"] = []object{
		// 1,499,999 + 1,100,000 nanocores are 2.6 millicores.
		parse[metricsv1beta1.PodMetrics](
			t,
			`{metadata: {namespace: serving, name: c}, timestamp: "2026-11-24T09:00:00Z", containers: [{name: x, usage: {cpu: 1499999n,
  memory: 1000Ki}}, {name: y, usage: {cpu: 1100u, memory: "24"}}]}`,
		),
		parse[metricsv1beta1.PodMetrics](
			t,
			`{metadata: {namespace: serving, name: a}, timestamp: "2026-11-24T08:00:04Z", containers: [{name: x, usage: {cpu: 1, memory: 1Gi}}]}`,
		), // before its start
		parse[metricsv1beta1.PodMetrics](
			t,
			`{metadata: {namespace: default, name: b}, timestamp: "2026-11-24T09:00:00Z", containers: [{name: x, usage: {cpu: "0", memory: "0"}}]}`,
		),
		parse[metricsv1beta1.PodMetrics](
			t,
			`{metadata: {namespace: default, name: bare}, timestamp: "2026-11-24T09:00:00Z", containers: [{name: x, usage: {cpu: "1"}}]}`,
		),
		parse[metricsv1beta1.PodMetrics](
			t,
			`{metadata: {namespace: default, name: unknown}, timestamp: "2026-11-24T09:00:00Z", containers: [{name: x, usage: {cpu: "1",
  memory: "1"}}]}`,
		),
	}
	f.objects["/apis/metrics.k8s.io/v1beta1/nodes"] = []object{
		parse[metricsv1beta1.NodeMetrics](
			t,
			`{metadata: {name: gpu-1}, timestamp: "2026-11-24T09:00:00Z", usage: {cpu: 12500m, memory: 100Gi}}`,
		),
	}
	return f
}

func TestSample(t *testing.T) {
	for _, encoding := range []string{"protobuf", "json"} {
		t.Run(encoding, func(t *testing.T) {
			f := smallCluster(t)
			f.jsonOnly = encoding == "json"
			got, err := f.open(t).Sample(t.Context(), Query{Inspect: nothing})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Gaps) != 0 {
				t.Errorf("gaps %v", got.Gaps)
			}
			var owners []string
			for _, p := range got.Pods {
				row := p.Row()
				kind, _ := row.OwnerKind.Get()
				name, _ := row.Owner.Get()
				owners = append(owners, row.Namespace+"/"+row.Pod+" "+kind+"/"+name)
			}
			want := []string{"default/b StatefulSet/db", "default/bare /", "default/done /", "default/orphan ReplicaSet/gone-77",
				"default/single ReplicaSet/lone", "serving/a CronJob/nightly", "serving/c Deployment/web"}
			if !reflect.DeepEqual(owners, want) {
				t.Errorf("pods and owners\n%v, want\n%v", owners, want)
			}
			some := usage.Some[int64]
			if want := []Usage{
				{some(0), some(0)},          // default/b, measured zero
				{CPUMillicores: some(1000)}, // default/bare, whose memory was not measured
				{}, {}, {}, {},
				{some(3), some(1000*1024 + 24)}, // serving/c
			}; !reflect.DeepEqual(got.Usage, want) {
				t.Errorf("usage %v, want %v", got.Usage, want)
			}
			golden.CompareJSON(t, "testdata/nodes.golden.json", got.Nodes)
			if f.agent != "k8s-monitor/v1.2.3" {
				t.Errorf("user agent %q", f.agent)
			}
			if a := f.accepts["/apis/apps/v1/replicasets"]; !strings.Contains(a, "PartialObjectMetadataList") {
				t.Errorf("owners are listed whole: %s", a)
			}
		})
	}
}

// Of the pods that did not change, the same are handed out again, and
// owners once known are not asked for again.
func TestSecondSample(t *testing.T) {
	f := smallCluster(t)
	f.objects["/api/v1/pods"] = f.objects["/api/v1/pods"][:5] // without the orphan, which is asked for each time
	c := f.open(t)
	first, err := c.Sample(t.Context(), Query{Inspect: nothing})
	if err != nil {
		t.Fatal(err)
	}
	changed := testPod(t, "default", "bare", running)
	changed.Status.Phase = corev1.PodFailed
	f.objects["/api/v1/pods"][3] = changed
	second, err := c.Sample(t.Context(), Query{Inspect: nothing})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range second.Pods {
		if same := p == first.Pods[i]; same != (p.Name() != "bare") {
			t.Errorf("%s: the same pod: %v", p.Name(), same)
		}
	}
	if second.Pods[1].Row().Phase != "Failed" {
		t.Error("the changed pod was not read anew")
	}
	if n := f.requests["/apis/apps/v1/replicasets"]; n != 1 {
		t.Errorf("replicasets listed %d times, want once", n)
	}
	if c.pods.Len() != 5 || len(c.owners) != 2 {
		t.Errorf("%d pods and %d owners remembered, want 5 and 2", c.pods.Len(), len(c.owners))
	}
}

// An owner that cannot be found out at first is, when it can be.
func TestOwnerFoundLater(t *testing.T) {
	f := smallCluster(t)
	f.fail["/apis/apps/v1/replicasets"] = 403
	c := f.open(t)
	for _, want := range [...]string{"web-1", "web", "web"} {
		got, err := c.Sample(t.Context(), Query{Inspect: nothing})
		if err != nil {
			t.Fatal(err)
		}
		if owner := got.Pods[6].Row().Owner; owner != usage.Some(want) {
			t.Errorf("owner %v, want %s", owner, want)
		}
		delete(f.fail, "/apis/apps/v1/replicasets")
	}
}

func TestNamespaces(t *testing.T) {
	f := smallCluster(t)
	got, err := f.open(t).Sample(t.Context(), Query{Namespaces: []string{"serving", "absent", "serving"}, Inspect: nothing})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Pods) != 2 || got.Nodes[0].GPURequested != 2 {
		t.Errorf("%d pods, %d GPUs requested, want 2 and 2", len(got.Pods), got.Nodes[0].GPURequested)
	}
	if f.requests["/api/v1/pods"] != 0 {
		t.Error("the pods of all namespaces were listed")
	}
}

func TestPages(t *testing.T) {
	for _, test := range []struct {
		name           string
		cached         bool
		expire, tokens int
		fails          bool
	}{
		{"a watch cache answers whole", true, 0, 0, false},
		{"pages", false, 0, 2, false},
		{"a page that expired", false, 1, 3, false},
		{"two that expired", false, 2, 4, false},
		{"expires again and again", false, 3, 3, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.cached, f.expire = test.cached, test.expire
			for i := range 2*pageSize + 10 {
				f.objects["/api/v1/pods"] = append(f.objects["/api/v1/pods"], testPod(t, "n", fmt.Sprintf("p-%04d", i), running))
			}
			got, err := f.open(t).Sample(t.Context(), Query{Inspect: nothing})
			if (err != nil) != test.fails {
				t.Fatalf("error %v, want one: %v", err, test.fails)
			}
			if err == nil && len(got.Pods) != 2*pageSize+10 {
				t.Errorf("%d pods", len(got.Pods))
			}
			if f.tokens != test.tokens {
				t.Errorf("%d further pages asked for, want %d", f.tokens, test.tokens)
			}
		})
	}
}

// A list that begins anew hands out the same pods as before it did, and they
// are the next sample's too: who keeps something by a pod's detail finds it.
func TestExpiredPagesKeepPods(t *testing.T) {
	f := newFakeAPI(t)
	f.expire = 1
	const n = 2*pageSize + 10
	for i := range n {
		f.objects["/api/v1/pods"] = append(f.objects["/api/v1/pods"], testPod(t, "n", fmt.Sprintf("p-%04d", i), running))
	}
	f.objects["/api/v1/nodes"] = smallCluster(t).objects["/api/v1/nodes"]
	c := f.open(t)
	kept := map[*usage.PodDetail]int{}
	q := Query{Inspect: func(*usage.PodDetail) bool { return true }, Kept: func(d *usage.PodDetail) { kept[d]++ }}
	for range 2 {
		if _, err := c.Sample(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	twice := 0
	for _, times := range kept {
		if times == 3 { // by the first sample twice, and by the second
			twice++
		}
	}
	if len(kept) != n || twice != pageSize {
		t.Errorf("%d details, %d of them read twice by a sample; want %d and %d", len(kept), twice, n, pageSize)
	}
	if entries := c.pods.Len(); entries != n {
		t.Errorf("%d pods are remembered, want %d", entries, n)
	}
}
