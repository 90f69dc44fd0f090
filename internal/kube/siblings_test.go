package kube

import (
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/company/k8s-resource-monitor/internal/kube/rows"
)

// A pod that is known by its siblings reduces to what it does by itself.
func TestSiblings(t *testing.T) {
	later := metav1.NewTime(time.Unix(1_795_600_000, 0))
	changes := map[string]func(*corev1.Pod){
		"own": func(p *corev1.Pod) {
			p.Name, p.UID, p.CreationTimestamp = "another", "22222222-0000-0000-0000-000000000002", later
			p.Spec.NodeName, p.Status.PodIP, p.Status.StartTime = "elsewhere", "10.9.9.9", &later
		},
		"not started": func(p *corev1.Pod) { p.Spec.NodeName, p.Status.PodIP, p.Status.StartTime = "", "", nil },
		"label":       func(p *corev1.Pod) { p.Labels = map[string]string{"ray.io/cluster": "other"} },
		"phase":       func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed },
		"restarted":   func(p *corev1.Pod) { p.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: 7}} },
		"owner": func(p *corev1.Pod) {
			p.OwnerReferences = []metav1.OwnerReference{{Kind: "DaemonSet", Name: "d", UID: "d", Controller: new(bool)}}
		},
		"request":      func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": {}} },
		"host network": func(p *corev1.Pod) { p.Spec.HostNetwork = !p.Spec.HostNetwork },
	}
	for _, pod := range testPods(t) {
		for name, change := range changes {
			var first, second corev1.Pod
			if decode(pod, &first) != nil || decode(pod, &second) != nil {
				t.Fatal("the test's own pod cannot be decoded")
			}
			change(&second)
			reduce := func(s *siblings, p *corev1.Pod) Pod {
				got, err := s.reduce(trimmed(t, podTrimmer, marshal(t, p)), nothing)
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			s := newSiblings()
			reduce(s, &first)
			known := len(s.known)
			got, want := reduce(s, &second), reduce(newSiblings(), &second)
			if !reflect.DeepEqual(got.Row(), want.Row()) || got.shared.above != want.shared.above || !reflect.DeepEqual(got.claims, want.claims) {
				t.Errorf("%s, %s\ngot  %+v\nwant %+v", first.Name, name, got.Row(), want.Row())
			}
			if name == "own" && first.Status.PodIP != "" && len(s.known) != known {
				t.Errorf("%s was decoded though its sibling was known", first.Name)
			}
		}
	}
}

// Pods that differ in what no row says, such as an annotation of their network's
// with their address, hold one row.
func TestSharedRow(t *testing.T) {
	s := newSiblings()
	var rows [3]*shared
	for i := range rows {
		pod := testPod(t, "a", "b", "}}")
		pod.Annotations = map[string]string{"address": string(rune('0' + i))}
		if i == 2 {
			pod.Status.Phase = corev1.PodFailed
		}
		p, err := s.reduce(trimmed(t, podTrimmer, marshal(t, pod)), nothing)
		if err != nil {
			t.Fatal(err)
		}
		rows[i] = p.shared
	}
	if rows[0] != rows[1] || rows[1] == rows[2] {
		t.Errorf("rows are held as %p", rows)
	}
}

// Whatever two pods are, the second is none the less what it is by itself.
func FuzzSiblings(f *testing.F) {
	for _, pod := range testPods(f) {
		var p corev1.Pod
		if err := decode(pod, &p); err != nil {
			f.Fatal(err)
		}
		p.Name, p.Spec.NodeName, p.UID = "another", "elsewhere", "22222222-0000-0000-0000-000000000002"
		f.Add(pod, marshal(f, &p))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		s := newSiblings()
		for _, raw := range [...][]byte{first, second} {
			want, _, err := decodePod(raw)
			if err != nil {
				return
			}
			left, err := podTrimmer.Trim(nil, raw)
			if err != nil {
				return // the decoder minds less
			}
			got, err := s.reduce(left, nothing)
			if err != nil {
				t.Fatal(err)
			}
			if alone := compactPod(want, rows.Facts{}, false); !reflect.DeepEqual(got.Row(), alone.Row()) {
				t.Errorf("\ngot  %+v\nwant %+v", got.Row(), alone.Row())
			}
		}
	})
}

// Whatever a UID is, it is the same again.
func TestUID(t *testing.T) {
	for _, uid := range []string{"", "x", "0b2c", "11111111-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000000",
		"8d6ad47c-91ad-4a9c-9aa5-0d2c52b5b4ef", "8D6AD47C-91AD-4A9C-9AA5-0D2C52B5B4EF", "8d6ad47c91ad-4a9c-9aa5-0d2c52b5b4ef-",
		"5d4b8c7f9d2f41c3a9e0b6d7f8a1c2e3", "8d6ad47c-91ad-4a9c-9aa5-0d2c52b5b4eg", "ääääääääääääääääää"} {
		var p Pod
		p.setUID([]byte("8d6ad47c-91ad-4a9c-9aa5-0d2c52b5b4ef")) // of a sibling
		p.setUID([]byte(uid))
		if got := p.UID(); got != uid {
			t.Errorf("%q became %q", uid, got)
		}
	}
}
