package kube

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// The numbers and the names are those of the types themselves.
func TestFields(t *testing.T) {
	var check func(t *trimmer, of reflect.Type) []string
	check = func(t *trimmer, of reflect.Type) (wrong []string) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		types := map[fieldName]reflect.Type{}
		for i := range of.NumField() {
			f := of.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if parts := strings.Split(f.Tag.Get("protobuf"), ","); len(parts) > 1 {
				number, _ := strconv.Atoi(parts[1])
				types[fieldName{number, name}] = f.Type
			}
		}
		for _, name := range t.names {
			inner := t.inner[name.number]
			if f, ok := types[name]; !ok {
				wrong = append(wrong, of.Name()+"."+name.name)
			} else if inner != nil {
				wrong = append(wrong, check(inner, f)...)
			}
		}
		return wrong
	}
	for trimmer, of := range map[*trimmer]any{podTrimmer: corev1.Pod{}, nodeTrimmer: corev1.Node{}, ownedTrimmer: metav1.PartialObjectMetadata{},
		ofPod: metricsv1beta1.PodMetrics{}, ofNode: metricsv1beta1.NodeMetrics{}} {
		if wrong := check(trimmer, reflect.TypeOf(of)); wrong != nil {
			t.Errorf("%T has no such fields: %v", of, wrong)
		}
	}
}

// What the decoder understands is read whatever it looks like.
func TestReadUnusualMetrics(t *testing.T) {
	want := reading{namespace: []byte("ns"), name: []byte("p"), at: 1_795_510_800_000, nanocores: 1_500_000_000, bytes: 2048, lists: 1}
	for _, text := range []string{
		`{"metadata":{"name":"p","namespace":"ns"},"timestamp":"2026-11-24T09:00:00Z","containers":[{"usage":{"cpu":"1500m","memory":"2Ki"}}]}`,
		`{"containers" : [ { "usage" : {"memory":"2Ki" , "cpu":1.5} } ], "timestamp":"2026-11-24T18:00:00+09:00", "metadata":{"namespace":"ns","name":"\u0070"}}`,
		`{"Metadata":{"NAME":"p"},"metadata":{"namespace":"ns"},"timestamp":"2026-11-24T09:00:00Z","containers":[{"usage":{"c\u0070u":"1500m","memory":"2Ki"}}]}`,
		`{"metadata":{"name":"q","name":"p","namespace":"ns"},"timestamp":null,"timestamp":"2026-11-24T09:00:00Z","usage":{"cpu":"7"},"containers":[{"usage":{"cpu":"1.5","memory":"2048"}}]}`,
	} {
		got, err := readMetrics(item{[]byte(text), true}, ofPod)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", text, got, err, want)
		}
	}
	for _, text := range []string{`[]`, `5`, `{"metadata":[]}`, `{"containers":{}}`, `{"timestamp":7}`, `{"containers":[{"usage":[]}]}`, `{"containers":[{"usage":{"cpu":"x"}}]}`} {
		if got, err := readMetrics(item{[]byte(text), true}, ofPod); err == nil {
			t.Errorf("%s is taken for %+v", text, got)
		}
	}
}
