package kube

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// testPods are the pods of testdata/pods.yaml, in protobuf.
func testPods(t testing.TB) (pods [][]byte) {
	t.Helper()
	body, err := os.ReadFile("testdata/pods.yaml")
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(body), 4<<10)
	for {
		var p corev1.Pod
		if decoder.Decode(&p) != nil {
			return pods
		}
		raw, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		pods = append(pods, raw)
	}
}

// What trimming leaves reduces to the same, and trimming it again leaves it.
func TestTrim(t *testing.T) {
	pods := testPods(t)
	if len(pods) < 13 {
		t.Fatalf("only %d pods", len(pods))
	}
	for _, raw := range pods {
		trimmed, err := podTrimmer.trim(nil, raw)
		if err != nil {
			t.Fatal(err)
		}
		want, wantFacts, err := decodePod(item{bytes: raw})
		if err != nil {
			t.Fatal(err)
		}
		got, facts, err := decodePod(item{bytes: trimmed})
		if err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(facts, wantFacts) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", want.Row.Pod, err, got, want)
		}
		if again, err := podTrimmer.trim(nil, trimmed); err != nil || !bytes.Equal(again, trimmed) {
			t.Errorf("%s: trimmed twice: %v", want.Row.Pod, err)
		}
	}
}

// A heartbeat is no change of a node.
func TestHeartbeat(t *testing.T) {
	m := newMemo[string](nodeTrimmer)
	decoded := 0
	for beat := range 3 {
		n := corev1.Node{}
		n.Name, n.ResourceVersion = "gpu-1", string(rune('a'+beat))
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.NewTime(time.Unix(int64(beat), 0))}}
		if beat == 2 {
			n.Status.Conditions[0].Status = corev1.ConditionFalse
		}
		m.begin()
		if _, err := m.reduce(item{bytes: marshal(t, &n)}, func(item) (string, error) { decoded++; return "", nil }); err != nil {
			t.Fatal(err)
		}
		m.end()
	}
	if decoded != 2 {
		t.Errorf("decoded %d times, want at first and when it was not ready", decoded)
	}
}

// Whatever the bytes, what trimming leaves is not longer and no more wrong.
func FuzzTrim(f *testing.F) {
	for _, raw := range testPods(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		trimmed, err := podTrimmer.trim(nil, raw)
		if err != nil {
			return
		}
		if len(trimmed) > len(raw) {
			t.Errorf("%d bytes of %d are left", len(trimmed), len(raw))
		}
		if want, _, err := decodePod(item{bytes: raw}); err == nil {
			got, _, err := decodePod(item{bytes: trimmed})
			if err != nil {
				t.Fatal(err)
			}
			a, _ := json.Marshal(got)
			b, _ := json.Marshal(want)
			if !bytes.Equal(a, b) {
				t.Errorf("\ngot  %s\nwant %s", a, b)
			}
		}
	})
}
