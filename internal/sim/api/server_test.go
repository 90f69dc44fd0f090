package api

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
	"github.com/company/k8s-resource-monitor/internal/sim/endpoints"
	"github.com/company/k8s-resource-monitor/internal/sim/objects"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// ask answers one request as the cluster would at an instant.
func ask(t testing.TB, c *Server, at time.Time, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	c.Handler(func() time.Time { return at }).ServeHTTP(w, r)
	return w
}

const protobuf = "application/vnd.kubernetes.protobuf,application/json"

// paths are all lists that there are.
func paths(c *Server) []string {
	var all []string
	for _, k := range c.kinds {
		root := "/apis/"
		if k.Group == "" {
			root = "/api/"
		}
		all = append(all, root+k.groupVersion()+"/"+k.Plural)
	}
	return all
}

// everything is what all endpoints say at an instant, by name.
func everything(t testing.TB, c *Server, at time.Time, order []int) map[string]string {
	t.Helper()
	var asks []func() (string, string)
	for _, path := range paths(c) {
		for _, accept := range []string{"application/json", protobuf, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"} {
			for _, encoding := range []string{"", "gzip"} {
				asks = append(asks, func() (string, string) {
					w := ask(t, c, at, path, "Accept", accept, "Accept-Encoding", encoding)
					if w.Code != http.StatusOK {
						t.Fatalf("%s: %d %s", path, w.Code, w.Body)
					}
					return path + accept + encoding, w.Body.String()
				})
			}
		}
	}
	for _, s := range c.Slots {
		st := s.At(at.Unix())
		if s.Port() == 0 || !st.Runs() || s.Workload.Engine != nil && (!s.Serves() || st.Phase != cluster.Ready) {
			continue
		}
		asks = append(asks, func() (string, string) {
			w := httptest.NewRecorder()
			endpoints.Handler(s, func() time.Time { return at }).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			return s.PodName(st.Incarnation), w.Body.String()
		})
	}
	said := map[string]string{}
	for _, i := range rand.New(rand.NewPCG(1, uint64(order[0]))).Perm(len(asks)) {
		name, body := asks[i]()
		said[name] = body
	}
	return said
}

// Two clusters of one seed say the same at the same instants, whatever the
// order in which they are asked and whatever they were asked before.
func TestPure(t *testing.T) {
	instants := []time.Time{monday, monday.Add(3*time.Hour + 25*time.Minute), monday.Add(3*time.Hour + 25*time.Minute + 30*time.Second),
		monday.Add(5*time.Hour + 33*time.Minute), monday.Add(6*time.Hour + 12*time.Minute), monday.Add(10*time.Hour + 2*time.Minute),
		monday.Add(40 * time.Hour)}
	a, b := NewServer(cluster.New(cluster.Config{Seed: 7})), NewServer(cluster.New(cluster.Config{Seed: 7}))
	first := make([]map[string]string, len(instants))
	for i, at := range instants {
		first[i] = everything(t, a, at, []int{i})
	}
	for i := len(instants) - 1; i >= 0; i-- {
		for name, body := range everything(t, b, instants[i], []int{i + 100}) {
			if first[i][name] != body {
				t.Errorf("at %v %s differs between instances", instants[i], name)
			}
		}
	}
	other := everything(t, NewServer(cluster.New(cluster.Config{Seed: 8})), monday, []int{0})
	same := 0
	for name, body := range other {
		if first[0][name] == body {
			same++
		}
	}
	if same > len(other)/2 {
		t.Errorf("another seed gives %d of %d equal answers", same, len(other))
	}
}

// Each object's bytes change with its resourceVersion and not otherwise, and
// hardly anything changes from one sample to the next.
func TestBytesChangeWithVersion(t *testing.T) {
	c := NewServer(cluster.New(cluster.Config{Seed: 3}))
	for _, k := range c.kinds {
		if k.usage != nil {
			continue
		}
		type seen struct {
			changed int64
			body    string
		}
		before := map[string]seen{}
		total, changes := 0, 0
		for at := monday.Unix(); at < monday.Unix()+cluster.Day; at += 30 {
			s := &snapshot{}
			k.Each(c.Cluster, at, func(i objects.Item) { s.entries = append(s.entries, &entry{Item: i}) })
			for _, e := range s.entries {
				name := e.Namespace + "/" + e.Name
				old, had := before[name]
				if had && old.changed == e.Changed && at%1800 != 0 {
					continue // looked at every half hour, and where it changed
				}
				body := string(e.append(nil, proto, false))
				if had && old.changed == e.Changed && old.body != body {
					t.Fatalf("%s %s: other bytes under the version %d", k.Plural, name, e.Changed)
				}
				if had && old.changed > e.Changed {
					t.Fatalf("%s %s: version went back from %d to %d", k.Plural, name, old.changed, e.Changed)
				}
				if had && old.changed != e.Changed {
					changes++
				}
				before[name] = seen{e.Changed, body}
			}
			total += len(s.entries)
		}
		if k.Plural == "pods" && changes*20 > total {
			t.Errorf("%d of %d pods changed between samples", changes, total)
		}
	}
}
