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

	"github.com/company/k8s-resource-monitor/internal/kube/wire"
)

// testPods are the pods of testdata/pods.yaml, encoded.
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
		pods = append(pods, marshal(t, &p))
	}
}

// trimmed is what the trimmer leaves of an item.
func trimmed(t testing.TB, trimmer *wire.Trimmer, item []byte) []byte {
	t.Helper()
	left, err := trimmer.Trim(nil, item)
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// What trimming leaves reduces to the same, and trimming it again leaves it.
func TestTrim(t *testing.T) {
	pods := testPods(t)
	if len(pods) < 13 {
		t.Fatalf("only %d pods", len(pods))
	}
	for _, pod := range pods {
		want, wantFacts, err := decodePod(pod)
		if err != nil {
			t.Fatal(err)
		}
		left := trimmed(t, podTrimmer, pod)
		got, facts, err := decodePod(left)
		if err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(facts, wantFacts) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", want.Row.Pod, err, got, want)
		}
		if again := trimmed(t, podTrimmer, left); !bytes.Equal(again, left) {
			t.Errorf("%s: trimmed twice:\n%s\n%s", want.Row.Pod, left, again)
		}
	}
}

// A heartbeat is no change of a node.
func TestHeartbeat(t *testing.T) {
	m := wire.NewMemo[string]()
	decoded := 0
	for beat := range 3 {
		n := corev1.Node{}
		n.Name, n.ResourceVersion = "gpu-1", string(rune('a'+beat))
		at := metav1.NewTime(time.Unix(int64(beat), 0))
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: at}}
		if beat == 2 {
			n.Status.Conditions[0].Status = corev1.ConditionFalse
		}
		m.Begin()
		_, err := m.Reduce(trimmed(t, nodeTrimmer, marshal(t, &n)), func([]byte) (string, error) { decoded++; return "", nil })
		if err != nil {
			t.Fatal(err)
		}
		m.End()
	}
	if decoded != 2 {
		t.Errorf("decoded %d times, want at first and when it was not ready", decoded)
	}
}

// Whatever the bytes, what trimming leaves is not longer and no more wrong.
func FuzzTrim(f *testing.F) {
	for _, pod := range testPods(f) {
		f.Add(pod)
	}
	f.Fuzz(func(t *testing.T, pod []byte) {
		left, err := podTrimmer.Trim(nil, pod)
		if err != nil {
			return
		}
		if len(left) > len(pod) {
			t.Errorf("%d bytes of %d are left", len(left), len(pod))
		}
		want, _, err := decodePod(pod)
		if err != nil {
			return
		}
		got, _, err := decodePod(left)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if !bytes.Equal(a, b) {
			t.Errorf("\ngot  %s\nwant %s", a, b)
		}
	})
}
