//go:build cgo

package nvml

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	podresources "k8s.io/kubelet/pkg/apis/podresources/v1"

	"github.com/company/k8s-resource-monitor/internal/gpu"
)

// kubeletTimeout bounds the kubelet's answer.
const kubeletTimeout = 5 * time.Second

// kubeletMost bounds the size of the kubelet's answer, as the kubelet's own
// clients do.
const kubeletMost = 16 << 20

// gpuDriver is the driver whose resource claims give out GPUs.
const gpuDriver = "gpu.nvidia.com"

// claim is one device that a container holds, as the kubelet names it. One of
// the two IDs is set.
type claim struct {
	holder  gpu.Holder
	id      *deviceID  // from a device plugin
	claimed *claimedID // through a resource claim
	name    string     // the ID in words
}

// listClaims asks the kubelet which GPUs its containers hold, and returns beside
// them, in words, what looks like a GPU and has no known name. The error is for
// an answer that did not come.
//
// A kubelet before 1.34 may list pods that have ended. The list has resource
// claims only with the kubelet's feature KubeletPodResourcesDynamicResources,
// which is on since 1.34.
func listClaims(ctx context.Context, socket string) ([]claim, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, kubeletTimeout)
	defer cancel()
	list, err := listPods(ctx, socket)
	if err != nil {
		return nil, nil, err
	}
	var found claims
	for _, pod := range list.GetPodResources() {
		for _, c := range pod.GetContainers() {
			h := gpu.Holder{Namespace: pod.GetNamespace(), Pod: pod.GetName(), Container: c.GetName()}
			for _, d := range c.GetDevices() {
				found.addPlugin(h, d)
			}
			for _, r := range c.GetDynamicResources() {
				found.addClaimed(h, r)
			}
		}
	}
	return found.of, found.problems, nil
}

// claims are the devices of all containers, and what looks like a GPU and has
// no known name, in words.
type claims struct {
	of       []claim
	problems []string
}

// addPlugin takes in what a container got from a device plugin.
func (c *claims) addPlugin(h gpu.Holder, d *podresources.ContainerDevices) {
	for _, text := range d.GetDeviceIds() {
		id, err := parseDeviceID(text)
		switch {
		case err == nil:
			c.of = append(c.of, claim{holder: h, id: &id, name: quote(text)})
		case isGPUResource(d.GetResourceName()):
			c.problems = append(c.problems, fmt.Sprintf("%s holds a %s: %v", inWords(h), quote(d.GetResourceName()), err))
		}
	}
}

// addClaimed takes in what a container got through a resource claim.
func (c *claims) addClaimed(h gpu.Holder, r *podresources.DynamicResource) {
	for _, d := range r.GetClaimResources() {
		if d.GetDriverName() != gpuDriver {
			continue
		}
		id, err := parseClaimedID(d.GetDeviceName())
		if err != nil {
			c.problems = append(c.problems, fmt.Sprintf("%s holds a device of pool %s through claim %s: %v",
				inWords(h), quote(d.GetPoolName()), quote(r.GetClaimName()), err))
			continue
		}
		c.of = append(c.of, claim{holder: h, claimed: &id, name: quote(d.GetPoolName() + "/" + d.GetDeviceName())})
	}
}

// inWords is a container as messages name it.
func inWords(h gpu.Holder) string {
	return fmt.Sprintf("container %s of pod %s", quote(h.Container), quote(h.Namespace+"/"+h.Pod))
}

// isGPUResource reports whether a resource can count nothing but NVIDIA's GPUs.
// Those that a cluster has renamed are known by the IDs of their devices.
func isGPUResource(name string) bool {
	kind, ok := strings.CutPrefix(name, "nvidia.com/")
	return ok && (kind == "gpu" || strings.HasPrefix(kind, "gpu.") || strings.HasPrefix(kind, "mig-"))
}

// listPods calls the kubelet once.
func listPods(ctx context.Context, socket string) (*podresources.ListPodResourcesResponse, error) {
	var dialed atomic.Pointer[error] // says more than what gRPC makes of it
	conn, err := grpc.NewClient("passthrough:///kubelet",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(kubeletMost)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
			if err != nil {
				dialed.Store(&err)
			}
			return conn, err
		}))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	list, err := podresources.NewPodResourcesListerClient(conn).List(ctx, &podresources.ListPodResourcesRequest{})
	if err == nil {
		return list, nil
	}
	if cause := dialed.Load(); cause != nil {
		err = *cause
	} else if s, ok := status.FromError(err); ok {
		err = errors.New(s.Message())
	}
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("%w; no answer within %v", ctx.Err(), kubeletTimeout)
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%w; mount the node's directory %s into this pod: the directory, for the kubelet makes the socket anew when it restarts",
			err, filepath.Dir(KubeletSocket))
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w; the socket is root's: run this container as user 0", err)
	}
	return nil, fmt.Errorf("kubelet's pod resources at %s: %w", socket, err)
}
