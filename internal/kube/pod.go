package kube

import (
	"encoding/json"
	"fmt"
	"strings"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// podFacts is what one pod reduces to. The detail names the pod's controller
// as its owner until resolved holds that controller's own.
type podFacts struct {
	detail     *usage.PodDetail
	controller types.UID // "" unless a ReplicaSet or a Job, which may have an owner above it
	kind       collection
	resolved   *usage.PodDetail // nil: not known yet
}

// reducePodItem decodes a pod and reduces it. It is the only place that knows
// how pods are encoded.
func reducePodItem(i item) (podFacts, error) {
	var pod corev1.Pod
	if err := decode(i, &pod); err != nil {
		return podFacts{}, err
	}
	return reducePod(&pod), nil
}

// decode reads an item in the encoding that it came in.
func decode(i item, into interface{ Unmarshal([]byte) error }) error {
	err := error(nil)
	if i.json {
		err = json.Unmarshal(i.bytes, into)
	} else {
		err = into.Unmarshal(i.bytes)
	}
	if err != nil {
		return fmt.Errorf("decoding a %T: %w", into, err)
	}
	return nil
}

func reducePod(p *corev1.Pod) podFacts {
	gpus, _ := effectiveRequest(&p.Spec, gpuRequest, noOverhead).Get() // none requested is zero
	d := &usage.PodDetail{
		Row: usage.Pod{
			Namespace:            intern(p.Namespace),
			Pod:                  p.Name,
			PodUID:               string(p.UID),
			Node:                 usage.SomeUnless(intern(p.Spec.NodeName), ""),
			Phase:                intern(string(p.Status.Phase)),
			Reason:               usage.SomeUnless(intern(podReason(p)), ""),
			CreatedAt:            p.CreationTimestamp.UTC(),
			CPURequestMillicores: effectiveRequest(&p.Spec, request(cpuMillicores), cpuMillicores),
			CPULimitMillicores:   effectiveLimit(&p.Spec, cpuMillicores),
			MemoryRequestBytes:   effectiveRequest(&p.Spec, request(memoryBytes), memoryBytes),
			MemoryLimitBytes:     effectiveLimit(&p.Spec, memoryBytes),
			GPURequest:           int32(gpus),
		},
		Labels:      internMap(p.Labels),
		Annotations: internMap(p.Annotations),
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
		d.Row.Image = intern(p.Spec.Containers[0].Image)
	}
	f := podFacts{detail: d}
	if c := metav1.GetControllerOfNoCopy(p); c != nil {
		d.Row.OwnerKind, d.Row.Owner = usage.Some(intern(c.Kind)), usage.Some(intern(c.Name))
		switch {
		case c.Kind == "ReplicaSet" && strings.HasPrefix(c.APIVersion, "apps/"):
			f.controller, f.kind = c.UID, replicaSets
		case c.Kind == "Job" && strings.HasPrefix(c.APIVersion, "batch/"): // not Volcano's, of the same kind
			f.controller, f.kind = c.UID, batchJobs
		}
	}
	return f
}

func reduceContainer(c *corev1.Container, init bool) usage.Container {
	gpus, _ := gpuRequest(c.Resources) // none requested is zero
	out := usage.Container{
		Name:       intern(c.Name),
		Image:      intern(c.Image),
		Command:    internAll(c.Command),
		Args:       internAll(c.Args),
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
		out.Env[intern(e.Name)] = intern(e.Value)
	}
	for _, p := range c.Ports {
		out.Ports = append(out.Ports, usage.ContainerPort{Name: intern(p.Name), Port: p.ContainerPort})
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

// intern keeps one copy of a string that many pods share; a decoded pod's
// strings would otherwise be as many copies as there are pods.
func intern(s string) string { return unique.Make(s).Value() }

func internAll(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = intern(s)
	}
	return out
}

func internMap(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[intern(k)] = intern(v)
	}
	return out
}
