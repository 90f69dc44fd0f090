package kube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// object is what the fake stores: every API type can be both.
type object interface {
	metav1.Object
	Marshal() ([]byte, error)
}

// fakeAPI is an API server of lists alone.
type fakeAPI struct {
	*httptest.Server
	mu       sync.Mutex
	objects  map[string][]object // by path of the collection without its namespace: /api/v1/pods
	fail     map[string]int      // status instead of an answer, by such a path
	text     map[string]string   // answers that are no lists
	jsonOnly bool
	cached   bool           // answers resourceVersion=0 whole, as a watch cache does
	expire   int            // so many requests for a further page are answered 410
	requests map[string]int // by path as asked
	tokens   int            // requests with a continue token
	accepts  map[string]string
	agent    string
}

func newFakeAPI(t *testing.T) *fakeAPI {
	t.Helper()
	f := &fakeAPI{objects: map[string][]object{}, fail: map[string]int{}, requests: map[string]int{}, accepts: map[string]string{}}
	for _, c := range [...]collection{corePods, coreNodes, metricsPods, metricsNodes, replicaSets, batchJobs} {
		f.objects[c.path("")] = nil
	}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

// open returns a client for the fake.
func (f *fakeAPI) open(t *testing.T) *Client {
	t.Helper()
	c, err := Open(writeKubeconfig(t, f.URL), "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func writeKubeconfig(t testing.TB, server string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	body := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: x, user: x}}],
clusters: [{name: x, cluster: {server: %q}}], users: [{name: x, user: {}}]}`, server)
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (f *fakeAPI) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path, namespace := r.URL.Path, ""
	f.requests[path]++
	f.accepts[path] = r.Header.Get("Accept")
	f.agent = r.Header.Get("User-Agent")
	if before, after, ok := strings.Cut(path, "/namespaces/"); ok {
		var resource string
		namespace, resource, _ = strings.Cut(after, "/")
		path = before + "/" + resource
	}
	all, served := f.objects[path]
	if code := f.fail[path]; code != 0 {
		status(w, code)
		return
	}
	if text, ok := f.text[path]; ok {
		_, _ = w.Write([]byte(text))
		return
	}
	if !served {
		status(w, http.StatusNotFound)
		return
	}
	var list []object
	for _, o := range all {
		if namespace == "" || o.GetNamespace() == namespace {
			list = append(list, o)
		}
	}
	query := r.URL.Query()
	from, next := 0, ""
	if token := query.Get("continue"); token != "" {
		f.tokens++
		if f.expire > 0 {
			f.expire--
			status(w, http.StatusGone)
			return
		}
		from, _ = strconv.Atoi(token)
	}
	limit, _ := strconv.Atoi(query.Get("limit"))
	if f.cached && query.Get("resourceVersion") == "0" {
		limit = 0
	}
	list = list[from:]
	if limit > 0 && len(list) > limit {
		list, next = list[:limit], strconv.Itoa(from+limit)
	}
	f.answer(w, r, list, next)
}

func (f *fakeAPI) answer(w http.ResponseWriter, r *http.Request, list []object, next string) {
	meta := metav1.ListMeta{ResourceVersion: "7", Continue: next}
	if f.jsonOnly || !strings.HasPrefix(r.Header.Get("Accept"), "application/vnd.kubernetes.protobuf") {
		w.Header().Set("Content-Type", "application/json")
		items := []json.RawMessage{}
		for _, o := range list {
			raw, err := json.Marshal(o)
			if err != nil {
				panic(err)
			}
			items = append(items, raw)
		}
		// The server's own order, kind first; metadata last, as some proxies have it.
		_ = json.NewEncoder(w).Encode(struct {
			Kind     string            `json:"kind"`
			Items    []json.RawMessage `json:"items"`
			Metadata metav1.ListMeta   `json:"metadata"`
		}{"List", items, meta})
		return
	}
	w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf")
	// A list of any kind: every list has its metadata in field 1 and its items in field 2.
	var items [][]byte
	for _, o := range list {
		raw, err := o.Marshal()
		if err != nil {
			panic(err)
		}
		items = append(items, raw)
	}
	envelope := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: "PodList"}, Raw: encodeList(meta, items)}
	raw, err := envelope.Marshal()
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(append([]byte("k8s\x00"), raw...))
}

// encodeList encodes a list whose items are encoded already.
func encodeList(meta metav1.ListMeta, items [][]byte) []byte {
	encodedMeta, err := meta.Marshal()
	if err != nil {
		panic(err)
	}
	raw := appendField(nil, 1, encodedMeta)
	for _, i := range items {
		raw = appendField(raw, 2, i)
	}
	return raw
}

func appendField(b []byte, number int, value []byte) []byte {
	b = append(b, byte(number<<3|2))
	n := uint64(len(value))
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(append(b, byte(n)), value...)
}

func status(w http.ResponseWriter, code int) {
	reasons := map[int]metav1.StatusReason{403: metav1.StatusReasonForbidden, 404: metav1.StatusReasonNotFound,
		410: metav1.StatusReasonExpired, 503: metav1.StatusReasonServiceUnavailable}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status: "Failure", Reason: reasons[code], Code: int32(code), Message: "the server says " + strconv.Itoa(code)})
}

// parse reads one object from YAML.
func parse[T any](t *testing.T, text string) *T {
	t.Helper()
	o := new(T)
	if err := yaml.UnmarshalStrict([]byte(text), o); err != nil {
		t.Fatal(err)
	}
	return o
}

func testPod(t *testing.T, namespace, name, more string) *corev1.Pod {
	t.Helper()
	return parse[corev1.Pod](t, fmt.Sprintf(`{metadata: {namespace: %s, name: %s, uid: %s-%s%s}`, namespace, name, namespace, name, more))
}
