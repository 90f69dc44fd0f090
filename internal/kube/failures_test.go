package kube

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestFailures(t *testing.T) {
	for _, test := range []struct {
		path   string
		code   int
		err    []string // what the error says, or
		gap    string   // the gap's source
		reason []string // and what its reason says
	}{
		{"/api/v1/pods", 403, []string{"lacks the verb list on pods", "kubectl apply -k deploy/cronjobs"}, "", nil},
		{"/api/v1/nodes", 403, []string{"lacks the verb list on nodes"}, "", nil},
		{"/api/v1/nodes", 500, []string{"listing nodes", "127.0.0.1:"}, "", nil},
		{"/api/v1/pods", 401, []string{"does not accept the credentials"}, "", nil},
		{"/apis/metrics.k8s.io/v1beta1/", 404, nil, "metrics-server", []string{"is not served", "kubectl apply -f https://"}},
		{"/apis/metrics.k8s.io/v1beta1/", 503, nil, "metrics-server", []string{"does not answer", "kubectl get apiservice"}},
		{"/apis/metrics.k8s.io/v1beta1/", 403, nil, "metrics-server", []string{"apiGroups: [metrics.k8s.io]"}},
		{"/apis/apps/v1/replicasets", 403, nil, "owners", []string{"apiGroups: [apps], resources: [replicasets]"}},
		{"/apis/batch/v1/jobs", 404, nil, "owners", []string{"listing jobs.batch"}},
	} {
		t.Run(fmt.Sprint(test.path, " ", test.code), func(t *testing.T) {
			f := smallCluster(t)
			for path := range f.objects {
				if strings.HasPrefix(path, test.path) {
					f.fail[path] = test.code
				}
			}
			got, err := f.open(t).Sample(t.Context(), Query{Inspect: nothing})
			if test.err != nil {
				if err == nil {
					t.Fatal("no error")
				}
				for _, part := range test.err {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%q lacks %q", err, part)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Gaps) == 0 || got.Gaps[0].Source != test.gap {
				t.Fatalf("gaps %v, want one of %s", got.Gaps, test.gap)
			}
			for _, part := range test.reason {
				if !strings.Contains(got.Gaps[0].Reason, part) {
					t.Errorf("%q lacks %q", got.Gaps[0].Reason, part)
				}
			}
			if test.gap == "metrics-server" &&
				(slices.ContainsFunc(got.Usage, func(u Usage) bool { return u != Usage{} }) || got.Nodes[0].CPUUsageMillicores.Present()) {
				t.Error("usage without metrics")
			}
			if kind, _ := got.Pods[6].Row().OwnerKind.Get(); test.gap == "owners" && strings.Contains(test.path, "apps") &&
				kind != "ReplicaSet" {
				t.Errorf("owner %s, want the ReplicaSet itself", kind)
			}
		})
	}
}

// One gap, not one for pods and one for nodes, where the API is not there.
func TestMissingMetricsIsOneGap(t *testing.T) {
	f := smallCluster(t)
	delete(f.objects, "/apis/metrics.k8s.io/v1beta1/pods")
	delete(f.objects, "/apis/metrics.k8s.io/v1beta1/nodes")
	got, err := f.open(t).Sample(t.Context(), Query{Inspect: nothing})
	if err != nil || len(got.Gaps) != 1 {
		t.Errorf("gaps %v, error %v", got.Gaps, err)
	}
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	host := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	c, err := Open(writeKubeconfig(t, server.URL), "v1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Sample(t.Context(), Query{Inspect: nothing})
	if err == nil || !strings.Contains(err.Error(), "API server "+host+" does not answer") ||
		!strings.Contains(err.Error(), "NetworkPolicy") {
		t.Errorf("error %v", err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := smallCluster(t).open(t).Sample(ctx, Query{Inspect: nothing}); err == nil {
		t.Error("no error")
	}
}
