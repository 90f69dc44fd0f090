package kube

import (
	"reflect"
	"testing"

	resourcev1 "k8s.io/api/resource/v1"
)

// Devices of claims count as requests: those allocated, or those asked for;
// of a claim that two pods share, once for their node.
func TestClaims(t *testing.T) {
	f := smallCluster(t)
	pod := func(name, spec, status string) object {
		return testPod(t, "dra", name, `}, spec: {nodeName: gpu-1, `+spec+`}, status: {phase: Running`+status+`}}`)
	}
	f.objects["/api/v1/pods"] = []object{
		pod(
			"a",
			`containers: [{name: x}], resourceClaims: [{name: made, resourceClaimTemplateName: t}]`,
			`, resourceClaimStatuses: [{name: made, resourceClaimName: made-for-a}]`,
		),
		pod("b", `containers: [{name: x}], resourceClaims: [{name: s, resourceClaimName: shared}]`, ""),
		pod("c", `containers: [{name: x, resources: {limits: {nvidia.com/gpu: "1"}}}],
  resourceClaims: [{name: s, resourceClaimName: shared}, {name: n, resourceClaimName: network}, {name: g, resourceClaimName: gone}]`, ""),
	}
	f.objects["/apis/resource.k8s.io/v1/resourceclaims"] = []object{
		parse[resourcev1.ResourceClaim](
			t,
			`{metadata: {namespace: dra, name: made-for-a}, spec: {devices: {requests: [{name: g,
  exactly: {deviceClassName: gpu.nvidia.com, count: 2}}, {name: nic, exactly: {deviceClassName: nic.example.com}}]}}}`,
		),
		parse[resourcev1.ResourceClaim](
			t,
			`{metadata: {namespace: dra, name: shared}, spec: {devices: {requests: [{name: g, exactly: {deviceClassName: gpu.nvidia.com}}]}},
  status: {allocation: {devices: {results: [{request: g, driver: gpu.nvidia.com, pool: gpu-1, device: gpu-0}, {request: m,
  driver: gpu.nvidia.com, pool: gpu-1, device: gpu-1, adminAccess: true}]}}}}`,
		),
		parse[resourcev1.ResourceClaim](
			t,
			`{metadata: {namespace: dra, name: network}, status: {allocation: {devices: {results: [{request: g, driver: nic.example.com,
  pool: gpu-1, device: eth0}]}}}}`,
		),
	}
	c := f.open(t)
	for range 2 { // of pods that have not changed too
		got, err := c.Sample(t.Context(), Query{Inspect: nothing})
		if err != nil || len(got.Gaps) != 0 {
			t.Fatal(err, got.Gaps)
		}
		var requests []int32
		for _, p := range got.Pods {
			requests = append(requests, p.Row().GPURequest)
		}
		if want := []int32{2, 1, 2}; !reflect.DeepEqual(requests, want) || got.Nodes[0].GPURequested != 4 {
			t.Errorf("requests %v, of the node %d; want %v and 4", requests, got.Nodes[0].GPURequested, want)
		}
	}
	f.fail["/apis/resource.k8s.io/v1/resourceclaims"] = 403
	got, err := c.Sample(t.Context(), Query{Inspect: nothing})
	if err != nil || len(got.Gaps) != 1 || got.Gaps[0].Source != "claims" {
		t.Errorf("error %v, gaps %v", err, got.Gaps)
	}
}
