package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	resourcev1 "k8s.io/api/resource/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// gpuDrivers are the DRA drivers whose devices are GPUs or instances of them.
var gpuDrivers = map[string]bool{
	"gpu.nvidia.com": true,
	"gpu.amd.com":    true,
	"gpu.intel.com":  true,
}

// gpuClasses are what names of device classes of GPUs begin with.
var gpuClasses = []string{"gpu.", "mig.", "vfio.gpu."}

// claims are the ResourceClaims of a pod.
type claims struct {
	names     []string
	requested int32 // GPUs that the pod requests beside them
}

// claimKey names a claim within the cluster.
type claimKey struct{ namespace, name string }

// addClaims counts the GPUs of the claims as requests of their pods. Of the
// pods that share a claim each requests all its devices, and the first of them
// alone counts for their node. The claims are listed only while a pod has one.
func (c *Client) addClaims(ctx context.Context, namespaces []string, pods []*Pod) (gaps []usage.Gap) {
	if !slices.ContainsFunc(pods, func(p *Pod) bool { return p.claims != nil }) {
		return nil
	}
	gpus := map[claimKey]int32{}
	for _, namespace := range namespaces {
		err := c.list(ctx, deviceClaims, namespace, func() {}, func(item []byte) error {
			var claim resourcev1.ResourceClaim
			if err := decode(item, &claim); err != nil {
				return err
			}
			gpus[claimKey{claim.Namespace, claim.Name}] = gpusOf(&claim)
			return nil
		})
		if err != nil {
			gaps = append(gaps, claimsGap(err))
		}
	}
	counted := map[claimKey]bool{}
	for _, p := range pods {
		if p.claims == nil {
			continue
		}
		p.gpus, p.gpusAlone = p.claims.requested, p.claims.requested
		for _, name := range p.claims.names {
			key := claimKey{p.shared.Namespace, name}
			p.gpus += gpus[key]
			if !counted[key] {
				p.gpusAlone += gpus[key]
				counted[key] = true
			}
		}
	}
	return slices.Compact(gaps)
}

// gpusOf counts the GPUs of a claim: those allocated, or while none are, those
// asked for. Devices that are only looked at (adminAccess) are not held.
func gpusOf(claim *resourcev1.ResourceClaim) (n int32) {
	if a := claim.Status.Allocation; a != nil {
		for _, r := range a.Devices.Results {
			if gpuDrivers[r.Driver] && (r.AdminAccess == nil || !*r.AdminAccess) {
				n++
			}
		}
		return n
	}
	for _, r := range claim.Spec.Devices.Requests {
		switch {
		case r.Exactly != nil && isGPUClass(r.Exactly.DeviceClassName) && (r.Exactly.AdminAccess == nil || !*r.Exactly.AdminAccess):
			n += int32(max(r.Exactly.Count, 1)) // 1 is the default, and the least of all that match
		case len(r.FirstAvailable) > 0 && isGPUClass(r.FirstAvailable[0].DeviceClassName):
			n += int32(max(r.FirstAvailable[0].Count, 1))
		}
	}
	return n
}

func isGPUClass(name string) bool {
	return slices.ContainsFunc(gpuClasses, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// claimsGap says why claims are not counted and what mends it.
func claimsGap(err error) usage.Gap {
	reason := err.Error()
	if apierrors.IsForbidden(err) {
		reason = fmt.Sprintf("GPUs of ResourceClaims are not counted as requests: the account may not list them: add the rule "+
			"{apiGroups: [%s], resources: [%s], verbs: [get, list]} to its ClusterRole: %v", deviceClaims.group, deviceClaims.resource, err)
	}
	return usage.Gap{Source: "claims", Target: deviceClaims.String(), Reason: reason}
}
