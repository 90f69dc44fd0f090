package api

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// decoder is what client-go decodes answers with.
func decoder(t *testing.T) runtime.Decoder {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, metricsv1beta1.AddToScheme,
		metav1.AddMetaToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return serializer.NewCodecFactory(scheme).UniversalDeserializer()
}

func decode(t *testing.T, w *httptest.ResponseRecorder) runtime.Object {
	t.Helper()
	var body io.Reader = w.Body
	if w.Header().Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	o, _, err := decoder(t).Decode(b, nil, nil)
	if err != nil {
		t.Fatalf("%v in %.200q", err, b)
	}
	return o
}

// JSON and protobuf, plain and compressed, whole and in pages, from a cluster
// that remembers and one that does not, are the same objects.
func TestFormatsAgree(t *testing.T) {
	at := monday.Add(10*time.Hour + 2*time.Minute)
	c := NewServer(cluster.New(cluster.Config{Seed: 2}))
	forgetful := NewServer(cluster.New(cluster.Config{Seed: 2}))
	forgetful.keep = false
	for _, path := range paths(c) {
		want := decode(t, ask(t, c, at, path, "Accept", "application/json"))
		items, err := meta.ExtractList(want)
		if err != nil || len(items) == 0 {
			t.Fatalf("%s: %d items, %v", path, len(items), err)
		}
		for _, accept := range []string{"application/json", protobuf} {
			for _, encoding := range []string{"", "gzip"} {
				for _, server := range []*Server{c, forgetful} {
					got := decode(t, ask(t, server, at, path, "Accept", accept, "Accept-Encoding", encoding))
					if !equality.Semantic.DeepEqual(clear(want), clear(got)) {
						t.Errorf("%s as %s %s differs", path, accept, encoding)
					}
				}
			}
			var paged []runtime.Object
			token := ""
			for {
				got := decode(t, ask(t, c, at, path+"?limit=7&continue="+token, "Accept", accept))
				part, err := meta.ExtractList(got)
				if err != nil {
					t.Fatal(err)
				}
				paged = append(paged, part...)
				l, _ := meta.ListAccessor(got)
				if token = l.GetContinue(); token == "" {
					break
				}
				if left := l.GetRemainingItemCount(); left == nil || int(*left) != len(items)-len(paged) {
					t.Fatalf("%s: %v items remain after %d of %d", path, left, len(paged), len(items))
				}
			}
			if len(paged) != len(items) {
				t.Errorf("%s: %d items in pages, %d in one list", path, len(paged), len(items))
			}
			for i := range min(len(paged), len(items)) {
				if !equality.Semantic.DeepEqual(clear(items[i]), clear(paged[i])) {
					t.Errorf("%s: item %d differs in pages", path, i)
				}
			}
		}
		first, err := meta.Accessor(items[0])
		if err != nil {
			t.Fatal(err)
		}
		one := path + "/" + first.GetName()
		if first.GetNamespace() != "" {
			i := strings.LastIndexByte(path, '/')
			one = path[:i] + "/namespaces/" + first.GetNamespace() + path[i:] + "/" + first.GetName()
		}
		for _, accept := range []string{"application/json", protobuf} {
			if got := decode(t, ask(t, c, at, one, "Accept", accept)); !equality.Semantic.DeepEqual(clear(items[0]), clear(got)) {
				t.Errorf("%s as %s is not the list's first item", one, accept)
			}
		}
		for _, accept := range []string{"application/json", "application/vnd.kubernetes.protobuf"} {
			as := accept + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
			l, ok := decode(t, ask(t, c, at, path, "Accept", as)).(*metav1.PartialObjectMetadataList)
			if !ok || len(l.Items) != len(items) || l.Items[0].Name != first.GetName() || !reflect.DeepEqual(l.Items[0].Labels, first.GetLabels()) {
				t.Errorf("%s: metadata alone as %s is not that of the list", path, accept)
			}
		}
	}
}

// clear drops the kind of an object: items of a list have none.
func clear(o runtime.Object) runtime.Object {
	o = o.DeepCopyObject()
	o.GetObjectKind().SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(""))
	return o
}

func status(t *testing.T, w *httptest.ResponseRecorder) metav1.Status {
	t.Helper()
	var s metav1.Status
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || s.Kind != "Status" || int(s.Code) != w.Code {
		t.Fatalf("%d %s: not a Status (%v)", w.Code, w.Body, err)
	}
	return s
}
