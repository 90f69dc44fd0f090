package kube

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// testPods are the pods of testdata/pods.yaml, each in protobuf and in JSON.
func testPods(t testing.TB) (pods []item) {
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
		pods = append(pods, encoded(t, &p)...)
	}
}

// encoded is an object in protobuf and in JSON.
func encoded(t testing.TB, o interface{ Marshal() ([]byte, error) }) []item {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return []item{{bytes: marshal(t, o)}, {bytes: text, json: true}}
}

// trimmed is what the trimmer leaves of an item.
func trimmed(t testing.TB, trimmer *trimmer, i item) item {
	t.Helper()
	left, err := trimmer.trim(nil, i)
	if err != nil {
		t.Fatal(err)
	}
	return item{left, i.json}
}

// What trimming leaves reduces to the same, and trimming it again leaves it.
func TestTrim(t *testing.T) {
	pods := testPods(t)
	if len(pods) < 2*13 {
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
		if again := trimmed(t, podTrimmer, left); !bytes.Equal(again.bytes, left.bytes) {
			t.Errorf("%s: trimmed twice:\n%s\n%s", want.Row.Pod, left.bytes, again.bytes)
		}
	}
}

// A heartbeat is no change of a node.
func TestHeartbeat(t *testing.T) {
	for encoding := range 2 {
		m := newMemo[string]()
		decoded := 0
		for beat := range 3 {
			n := corev1.Node{}
			n.Name, n.ResourceVersion = "gpu-1", string(rune('a'+beat))
			n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.NewTime(time.Unix(int64(beat), 0))}}
			if beat == 2 {
				n.Status.Conditions[0].Status = corev1.ConditionFalse
			}
			m.begin()
			if _, err := m.reduce(trimmed(t, nodeTrimmer, encoded(t, &n)[encoding]), func(item) (string, error) { decoded++; return "", nil }); err != nil {
				t.Fatal(err)
			}
			m.end()
		}
		if decoded != 2 {
			t.Errorf("decoded %d times, want at first and when it was not ready", decoded)
		}
	}
}

// Whatever the bytes, what trimming leaves is not longer and no more wrong.
func FuzzTrim(f *testing.F) {
	for _, pod := range testPods(f) {
		f.Add(pod.bytes, pod.json)
	}
	for _, text := range []string{
		`null`, `5`, `[]`, ` { } `, `{"metadata":null,"spec":{"containers":[null]},"status":{"startTime":null,"podIP":null}}`,
		`{"metadata":{"name":"a","name":"b","labels":{"x":"1"}},"metadata":{"labels":{"y":"2"},"uid":"u"}}`,
		`{"METADATA":{"name":"a"},"metadata":{"Name":"b","n\u0061me":"c","namespace":"\u00e9\ud800"}}`,
		`{"spec":{"containers":[{"name":"a","image":"i"}],"containers":[{"name":"b"}]},"ſtatus":{"phase":"Failed"}}`,
		`{ "metadata" : { "labels" : { "a\"}" : "\\" , "b" : "]" } , "managedFields" : [ { "x" : "\\\"{" } ] , "uid" : "" } }`,
		`{"metadata":{"creationTimestamp":"2026-01-02T03:04:05.678+09:00"},"status":{"startTime":"2026-01-02T03:04:05Z"}}`,
		`{"metadata":{"creationTimestamp":"1970-01-01T00:00:00Z"},"status":{"startTime":"1970-01-01T00:00:00Z"}}`,
		`{"metadata":[{"name":"a"}],"spec":[[{}]],"status":"x"}`, "{\"metadata\":{\"name\":\"\xff\",\"\xff\":0}}",
	} {
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, text bool) {
		pod := item{raw, text}
		if text {
			if hugeExponent.Match(raw) {
				return
			}
			items := 0
			_, err := splitList(strings.NewReader(`{"items":[`+string(raw)+`]}`), func(i item) error {
				if !json.Valid(i.bytes) {
					t.Errorf("%q is taken for JSON", i.bytes)
				}
				items++
				pod.bytes = bytes.Clone(i.bytes)
				return nil
			})
			if !json.Valid(raw) {
				return
			}
			if err != nil || items != 1 {
				t.Fatalf("%q: %d items, %v", raw, items, err)
			}
		}
		left, err := podTrimmer.trim(nil, pod)
		if err != nil {
			return
		}
		if len(left) > len(raw) {
			t.Errorf("%d bytes of %d are left", len(left), len(raw))
		}
		var plain corev1.Pod
		if text {
			err = json.Unmarshal(pod.bytes, &plain)
		} else {
			err = plain.Unmarshal(pod.bytes)
		}
		if err != nil {
			return
		}
		want, _ := reducePod(&plain)
		got, _, err := decodePod(item{left, text})
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
