//go:build cgo

package nvml

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	podresources "k8s.io/kubelet/pkg/apis/podresources/v1"
)

// lister is a kubelet that answers List.
type lister struct {
	podresources.UnimplementedPodResourcesListerServer
	list func(context.Context) (*podresources.ListPodResourcesResponse, error)
}

func (l lister) List(ctx context.Context, _ *podresources.ListPodResourcesRequest) (*podresources.ListPodResourcesResponse, error) {
	return l.list(ctx)
}

// serve serves a kubelet on a socket of its own until the test ends.
func serve(t *testing.T, l lister) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "kubelet.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	podresources.RegisterPodResourcesListerServer(s, l)
	done := make(chan error, 1)
	go func() { done <- s.Serve(listener) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return socket
}

// kubelet serves a kubelet with these pods.
func kubelet(t *testing.T, pods ...*podresources.PodResources) (socket string) {
	t.Helper()
	return serve(t, lister{list: func(context.Context) (*podresources.ListPodResourcesResponse, error) {
		return &podresources.ListPodResourcesResponse{PodResources: pods}, nil
	}})
}

// plugin is a pod whose container got devices from a device plugin.
func plugin(namespace, name, container, resource string, ids ...string) *podresources.PodResources {
	var devices []*podresources.ContainerDevices
	for _, id := range ids { // one entry a NUMA node, as kubelets list them
		devices = append(devices, &podresources.ContainerDevices{ResourceName: resource, DeviceIds: []string{id}})
	}
	return &podresources.PodResources{Namespace: namespace, Name: name, Containers: []*podresources.ContainerResources{
		{Name: "proxy"}, {Name: container, Devices: devices},
	}}
}

// dra is a pod whose container got a device through a resource claim.
func dra(namespace, name, container, driver, device string) *podresources.PodResources {
	return &podresources.PodResources{Namespace: namespace, Name: name, Containers: []*podresources.ContainerResources{{
		Name: container,
		DynamicResources: []*podresources.DynamicResource{{ClaimName: name + "-gpu", ClaimNamespace: namespace,
			ClaimResources: []*podresources.ClaimResource{{DriverName: driver, PoolName: "node-1", DeviceName: device}},
		}},
	}}}
}

func TestListClaims(t *testing.T) {
	claims, problems, err := listClaims(t.Context(), kubelet(t,
		plugin("models", "llama-0", "server", "nvidia.com/gpu", cardUUID(0), "nvidia1"),
		dra("models", "claim-0", "main", gpuDriver, "gpu-2"),
		dra("models", "other", "main", "gpu.example.com", "gpu-2"),
		plugin("models", "odd", "main", "nvidia.com/mig-1g.5gb", "???"),
		&podresources.PodResources{Namespace: "a", Name: "nothing"},
	))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range claims {
		got = append(got, inWords(c.holder)+" "+c.name)
	}
	if want := []string{
		`container "server" of pod "models/llama-0" "` + cardUUID(0) + `"`,
		`container "server" of pod "models/llama-0" "nvidia1"`,
		`container "main" of pod "models/claim-0" "node-1/gpu-2"`,
	}; !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	want := `container "main" of pod "models/odd" holds a "nvidia.com/mig-1g.5gb": "???" is no device ID of a GPU in a known form`
	if !slices.Equal(problems, []string{want}) {
		t.Errorf("problems %q", problems)
	}
}

// TestListClaimsMany has an answer above gRPC's own limit of 4 MiB.
func TestListClaimsMany(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	claims, _, err := listClaims(t.Context(), kubelet(t,
		plugin("a", "a", long, "cpu"), plugin("a", "b", long, "cpu"), plugin("a", "c", long, "cpu"),
		plugin("a", "d", long, "cpu"), plugin("a", "e", long, "nvidia.com/gpu", "nvidia0")))
	if err != nil || len(claims) != 1 {
		t.Errorf("%d claims, %v", len(claims), err)
	}
}

func TestListClaimsErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "kubelet.sock")
	_, _, err := listClaims(t.Context(), missing)
	if err == nil || !strings.Contains(err.Error(), missing) ||
		!strings.Contains(err.Error(), "mount the node's directory /var/lib/kubelet/pod-resources into this pod") {
		t.Errorf("error %v", err)
	}

	refusing := serve(t, lister{list: func(context.Context) (*podresources.ListPodResourcesResponse, error) {
		return nil, errors.New("feature is off")
	}})
	if _, _, err := listClaims(t.Context(), refusing); err == nil || !strings.HasSuffix(err.Error(), ": feature is off") {
		t.Errorf("error %v", err)
	}

	// A kubelet that takes the call and never answers.
	ctx, cancel := context.WithCancel(t.Context())
	hanging := serve(t, lister{list: func(ctx context.Context) (*podresources.ListPodResourcesResponse, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	if _, _, err := listClaims(ctx, hanging); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "no answer within 5s") {
		t.Errorf("error %v", err)
	}

	// A socket that takes the connection and never speaks.
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel = context.WithCancel(t.Context())
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
			_, _ = conn.Read(make([]byte, 1)) // the client's first words
		}
		cancel()
	}()
	if _, _, err := listClaims(ctx, listener.Addr().String()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestReadNodeWithoutKubelet checks that no card is taken for a free one.
func TestReadNodeWithoutKubelet(t *testing.T) {
	gpus, gaps, err := ReadNode(t.Context(), filepath.Join(t.TempDir(), "kubelet.sock"), "node-1", at)
	if err == nil || gpus != nil || gaps != nil {
		t.Errorf("%v, %v, %v", gpus, gaps, err)
	}
}
