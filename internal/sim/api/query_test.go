package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// A list is continued as it was when it began, and for five minutes.
func TestContinue(t *testing.T) {
	c := NewServer(cluster.New(cluster.Config{Seed: 2}))
	at := monday.Add(10*time.Hour - 20*time.Second) // before the first replica is replaced
	want := decode(t, ask(t, c, at, "/api/v1/pods")).(*corev1.PodList)
	page := decode(t, ask(t, c, at, "/api/v1/pods?limit=10")).(*corev1.PodList)
	later := decode(t, ask(t, c, at.Add(4*time.Minute), "/api/v1/pods")).(*corev1.PodList)
	if equality.Semantic.DeepEqual(want.Items, later.Items) {
		t.Fatal("nothing has changed after four minutes")
	}
	rest := decode(t, ask(t, c, at.Add(4*time.Minute), "/api/v1/pods?continue="+page.Continue)).(*corev1.PodList)
	if got := append(page.Items, rest.Items...); !equality.Semantic.DeepEqual(got, want.Items) ||
		rest.ResourceVersion != want.ResourceVersion {
		t.Error("a list that is continued later is not the snapshot of its start")
	}
	if w := ask(t, c, at.Add(6*time.Minute), "/api/v1/pods?continue="+page.Continue); w.Code != http.StatusGone ||
		status(t, w).Reason != metav1.StatusReasonExpired {
		t.Errorf("after six minutes: %d %s", w.Code, w.Body)
	}
}

func TestRefusals(t *testing.T) {
	c := NewServer(cluster.New(cluster.Config{Seed: 2, Token: "secret"}))
	auth := []string{"Authorization", "Bearer secret"}
	for path, code := range map[string]int{
		"/api/v1/namespaces/research/pods/nobody": 404, "/api/v1/secrets": 404, "/apis/apps/v2/deployments": 404, "/openapi/v3": 404,
		"/api/v1/pods/x":          404,
		"/api/v1/pods?watch=true": 405, "/api/v1/pods?limit=x": 400, "/api/v1/pods?continue=x": 400,
		"/api/v1/pods?labelSelector=%3D%3D": 400, "/api/v1/pods?fieldSelector=spec.x%3D1": 400,
		"/api/v1/nodes?fieldSelector=spec.nodeName%3Dx":                400,
		"/apis/metrics.k8s.io/v1beta1/namespaces/research/pods/nobody": 404,
	} {
		if w := ask(t, c, monday, path, auth...); w.Code != code || status(t, w).Status != metav1.StatusFailure {
			t.Errorf("%s: %d, want %d", path, w.Code, code)
		}
	}
	if w := ask(t, c, monday, "/api/v1/pods"); w.Code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", w.Code)
	}
	if w := ask(t, c, monday, "/api/v1/pods", append(auth, "Accept", "text/html")...); w.Code != http.StatusNotAcceptable {
		t.Errorf("as HTML: %d", w.Code)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodDelete, "/api/v1/pods", nil)
	r.Header.Set(auth[0], auth[1])
	c.Handler(func() time.Time { return monday }).ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed || status(t, w).Reason != metav1.StatusReasonMethodNotAllowed {
		t.Errorf("DELETE: %d %s", w.Code, w.Body)
	}
}

func TestSelectors(t *testing.T) {
	c := NewServer(cluster.New(cluster.Config{Seed: 2}))
	all := decode(t, ask(t, c, monday, "/api/v1/pods")).(*corev1.PodList).Items
	node := all[0].Spec.NodeName
	for query, is := range map[string]func(corev1.Pod) bool{
		"/api/v1/pods?labelSelector=app.kubernetes.io%2Fname%3Ddcgm-exporter": func(p corev1.Pod) bool {
			return p.Labels["app.kubernetes.io/name"] == "dcgm-exporter"
		},
		"/api/v1/pods?fieldSelector=spec.nodeName%3D" + node: func(p corev1.Pod) bool {
			return p.Spec.NodeName == node
		},
		"/api/v1/pods?fieldSelector=status.phase%3DPending": func(p corev1.Pod) bool {
			return p.Status.Phase == corev1.PodPending
		},
		"/api/v1/pods?fieldSelector=status.phase!%3DRunning": func(p corev1.Pod) bool {
			return p.Status.Phase != corev1.PodRunning
		},
		"/api/v1/namespaces/research/pods": func(p corev1.Pod) bool {
			return p.Namespace == "research"
		},
		"/api/v1/pods?fieldSelector=metadata.name%3D" + all[3].Name: func(p corev1.Pod) bool {
			return p.Name == all[3].Name
		},
	} {
		var want []string
		for _, p := range all {
			if is(p) {
				want = append(want, p.Name)
			}
		}
		var got []string
		for _, p := range decode(t, ask(t, c, monday, query, "Accept", protobuf)).(*corev1.PodList).Items {
			got = append(got, p.Name)
		}
		if len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

// Discovery names each kind that is served, as kubectl and client-go ask for it.
func TestDiscovery(t *testing.T) {
	c := NewServer(cluster.New(cluster.Config{Seed: 2}))
	read := func(path string, into any) {
		w := ask(t, c, monday, path, "Accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json")
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %v", path, w.Code, err)
		}
	}
	var versions metav1.APIVersions
	read("/api", &versions)
	var groups metav1.APIGroupList
	read("/apis", &groups)
	roots := []string{"/api/" + versions.Versions[0]}
	for _, g := range groups.Groups {
		var group metav1.APIGroup
		if read("/apis/"+g.Name, &group); group.Name != g.Name {
			t.Errorf("/apis/%s is the group %q", g.Name, group.Name)
		}
		roots = append(roots, "/apis/"+g.PreferredVersion.GroupVersion)
	}
	found := 0
	for _, root := range roots {
		var list metav1.APIResourceList
		read(root, &list)
		for _, r := range list.APIResources {
			found++
			if w := ask(t, c, monday, root+"/"+r.Name); w.Code != 200 || !strings.Contains(w.Body.String()[:60], `"kind":"`+r.Kind+`List"`) {
				t.Errorf("%s/%s: %d %.60s", root, r.Name, w.Code, w.Body)
			}
		}
	}
	if found != len(c.kinds) {
		t.Errorf("discovery names %d kinds of %d", found, len(c.kinds))
	}
	for _, path := range []string{"/livez", "/readyz", "/version"} {
		if w := ask(t, c, monday, path); w.Code != 200 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Owners exist: each reference of a pod leads up to an object with its uid.
func TestOwners(t *testing.T) {
	c := NewServer(cluster.New(cluster.Config{Seed: 2}))
	at := monday.Add(10*time.Hour + 2*time.Minute)
	uids := map[string]bool{}
	for _, path := range paths(c) {
		items, _ := meta.ExtractList(decode(t, ask(t, c, at, path)))
		for _, item := range items {
			if o, err := meta.Accessor(item); err == nil {
				uids[string(o.GetUID())] = true
			}
		}
	}
	kinds := map[string]int{}
	for _, path := range paths(c) {
		items, _ := meta.ExtractList(decode(t, ask(t, c, at, path)))
		for _, item := range items {
			o, err := meta.Accessor(item)
			if err != nil {
				t.Fatal(err)
			}
			for _, owner := range o.GetOwnerReferences() {
				kinds[owner.Kind]++
				if owner.Kind != "LeaderWorkerSet" && !uids[string(owner.UID)] {
					t.Errorf("%s/%s: its owner %s %s does not exist", o.GetNamespace(), o.GetName(), owner.Kind, owner.Name)
				}
			}
		}
	}
	for _, kind := range []string{"ReplicaSet", "Deployment", "Job", "CronJob", "DaemonSet", "StatefulSet", "LeaderWorkerSet", "Node", "Pod"} {
		if kinds[kind] == 0 {
			t.Errorf("nothing is owned by a %s", kind)
		}
	}
}
