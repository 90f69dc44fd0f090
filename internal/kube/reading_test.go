package kube

import (
	"encoding/json"
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// scaled gives what the library does, of anything.
func FuzzScaled(f *testing.F) {
	for _, text := range []string{"0", "1", "12345678n", "999999999999999n", "1100u", "250m", "1.5", "1e3", "1E", "17k", "1000Ki", "3Mi", "2Gi", "9Ti", "9999999999Ti",
		"-5", "+5", "", "n", "Ki", "00012", "123456789012345", "1234567890123456", "1Q", "0.1n", "5Kin", "9223372036854775807", "9223372036", "9223372037"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if hugeExponent.MatchString(text) {
			return
		}
		q, wantErr := resource.ParseQuantity(text)
		for _, scale := range []resource.Scale{0, resource.Nano} {
			got, err := scaled([]byte(text), scale)
			if (err == nil) != (wantErr == nil) || err == nil && got != q.ScaledValue(scale) {
				t.Errorf("%q in 10^%d: %d, %v; want %d, %v", text, scale, got, err, q.ScaledValue(scale), wantErr)
			}
		}
	})
}

func TestReadMetrics(t *testing.T) {
	m := parse[metricsv1beta1.PodMetrics](t, `{metadata: {namespace: ns, name: p, labels: {a: b}}, timestamp: "2026-11-24T09:00:00Z", window: 15s,
  containers: [{name: x, usage: {cpu: 1499999n, memory: 1000Ki}}, {name: y, usage: {cpu: "2", memory: "24", ephemeral-storage: 1Gi}}]}`)
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	want := reading{namespace: []byte("ns"), name: []byte("p"), at: m.Timestamp.UnixMilli(), nanocores: 2_001_499_999, bytes: 1000*1024 + 24, lists: 2}
	for _, i := range []item{{bytes: marshal(t, m)}, {bytes: text, json: true}} {
		got, err := readMetrics(i, ofPod)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("json %v: %+v, %v; want %+v", i.json, got, err, want)
		}
	}
	if _, err := readMetrics(item{bytes: []byte(`{"metadata":{"name":"p"},"containers":[{"usage":{"cpu":"x"}}]}`), json: true}, ofPod); err == nil {
		t.Error("no error of a quantity that is none")
	}
}
