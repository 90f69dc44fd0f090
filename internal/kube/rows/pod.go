// Package rows says what objects of the Kubernetes API mean: it makes the row of
// a pod and of a node from what the API server says of them, with requests as the
// scheduler counts them. It reads nothing, and measures nothing.
package rows

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Facts is what a pod refers to and what has to be looked up.
type Facts struct {
	Above  Controller
	Claims []string // names of its ResourceClaims
}

// Controller is a pod's ReplicaSet or Job, which may have an owner above it; of
// other pods the zero value.
type Controller struct {
	UID  types.UID
	Kind string // "ReplicaSet", of apps, or "Job", of batch
}

// Pod makes a pod's detail, whose row names the pod's own controller as its owner.
func Pod(p *corev1.Pod) (d *usage.PodDetail, facts Facts) {
	completeGPURequests(&p.Spec)
	requests := podRequests(p)
	gpus, _ := gpuCount(requests) // none requested is zero
	d = &usage.PodDetail{
		Row: usage.Pod{
			Namespace:            p.Namespace,
			Pod:                  p.Name,
			PodUID:               string(p.UID),
			Node:                 usage.SomeUnless(p.Spec.NodeName, ""),
			Phase:                string(p.Status.Phase),
			Reason:               usage.SomeUnless(podReason(p), ""),
			CreatedAt:            p.CreationTimestamp.UTC(),
			CPURequestMillicores: amount(cpuMillicores).of(requests),
			CPULimitMillicores:   podLimit(p, cpuMillicores),
			MemoryRequestBytes:   amount(memoryBytes).of(requests),
			MemoryLimitBytes:     podLimit(p, memoryBytes),
			GPURequest:           int32(gpus),
		},
		Labels:      p.Labels,
		Annotations: p.Annotations,
		IP:          p.Status.PodIP,
		HostNetwork: p.Spec.HostNetwork,
	}
	if p.Status.StartTime != nil {
		d.Row.StartedAt = usage.Some(p.Status.StartTime.UTC())
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			d.Row.Ready = c.Status == corev1.ConditionTrue
		}
	}
	for _, list := range [...][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for i := range list {
			d.Row.Restarts += list[i].RestartCount // init containers too, so that it never falls
		}
	}
	for i := range p.Spec.InitContainers {
		d.Containers = append(d.Containers, reduceContainer(&p.Spec.InitContainers[i], true))
	}
	for i := range p.Spec.Containers {
		d.Containers = append(d.Containers, reduceContainer(&p.Spec.Containers[i], false))
	}
	if len(p.Spec.Containers) > 0 {
		d.Row.Image = p.Spec.Containers[0].Image
	}
	if c := metav1.GetControllerOfNoCopy(p); c != nil {
		kind, name, labelled := labelledWorkload(p.Labels)
		switch {
		case labelled:
		case c.Kind == "ReplicaSet" && strings.HasPrefix(c.APIVersion, "apps/"):
			facts.Above = Controller{c.UID, c.Kind}
		case c.Kind == "Job" && strings.HasPrefix(c.APIVersion, "batch/"): // not Volcano's, of the same kind
			facts.Above = Controller{c.UID, c.Kind}
		}
		if !labelled {
			kind, name = c.Kind, c.Name
		}
		d.Row.OwnerKind, d.Row.Owner = usage.Some(kind), usage.Some(name)
	}
	facts.Claims = claimsOf(p)
	return d, facts
}

// labelledWorkload names the workload of pods whose controllers are made by an
// operator, more of them than one for a workload: its labels lead to the
// workload, owner references would take a list of each kind in between.
func labelledWorkload(labels map[string]string) (kind, name string, ok bool) {
	if name := labels["serving.kserve.io/inferenceservice"]; name != "" {
		return "InferenceService", name, true
	}
	if name := labels["app.kubernetes.io/name"]; name != "" && labels["app.kubernetes.io/part-of"] == "llminferenceservice" {
		return "LLMInferenceService", name, true
	}
	// A RayService replaces its RayCluster when it is upgraded.
	kind, name = labels["ray.io/originated-from-crd"], labels["ray.io/originated-from-cr-name"]
	if name != "" && (kind == "RayService" || kind == "RayJob") {
		return kind, name, true
	}
	if name := labels["ray.io/cluster"]; name != "" {
		return "RayCluster", name, true
	}
	if name := labels["leaderworkerset.sigs.k8s.io/name"]; name != "" {
		return "LeaderWorkerSet", name, true
	}
	return "", "", false
}

func reduceContainer(c *corev1.Container, init bool) usage.Container {
	gpus, _ := gpuCount(c.Resources.Requests) // none requested is zero
	out := usage.Container{
		Name:       c.Name,
		Image:      c.Image,
		Command:    c.Command,
		Args:       c.Args,
		Init:       init && !isSidecar(c),
		Sidecar:    init && isSidecar(c),
		GPURequest: int32(gpus),
	}
	for _, e := range c.Env {
		if e.ValueFrom != nil {
			continue
		}
		if out.Env == nil {
			out.Env = make(map[string]string, len(c.Env))
		}
		out.Env[e.Name] = e.Value
	}
	for _, p := range c.Ports {
		out.Ports = append(out.Ports, usage.ContainerPort{Name: p.Name, Port: p.ContainerPort})
	}
	return out
}

// podReason is the most telling of the reasons that a pod's status gives: why
// a container waits, why one ended badly, why the pod as a whole did, why it
// is not scheduled. A container that is being created, or that ended well, is
// nothing to report where another has more to say.
func podReason(p *corev1.Pod) string {
	starting, ended := "", ""
	for _, list := range [...][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for i := range list {
			switch s := &list[i].State; {
			case s.Waiting != nil && (s.Waiting.Reason == "ContainerCreating" || s.Waiting.Reason == "PodInitializing"):
				starting = s.Waiting.Reason
			case s.Waiting != nil && s.Waiting.Reason != "":
				return s.Waiting.Reason
			case s.Terminated != nil && s.Terminated.Reason != "Completed" && ended == "":
				ended = s.Terminated.Reason
			}
		}
	}
	if ended != "" {
		return ended
	}
	if p.Status.Reason != "" {
		return p.Status.Reason
	}
	if p.Status.Phase == corev1.PodPending {
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
				return c.Reason
			}
		}
	}
	return starting
}

// claimsOf names the claims that the pod refers to, or that were made for it.
func claimsOf(p *corev1.Pod) (names []string) {
	for i := range p.Spec.ResourceClaims {
		if name := p.Spec.ResourceClaims[i].ResourceClaimName; name != nil {
			names = append(names, *name)
		}
	}
	for i := range p.Status.ResourceClaimStatuses {
		if name := p.Status.ResourceClaimStatuses[i].ResourceClaimName; name != nil {
			names = append(names, *name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
