package sim

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// status fills in what the scheduler and the kubelet would report.
func (c *Cluster) status(p *corev1.Pod, s *slot, st state) {
	p.Status.QOSClass = corev1.PodQOSBurstable
	if st.phase == unscheduled {
		n, g := len(c.nodes), 0
		for _, node := range c.nodes {
			if node.spec.count > 0 {
				g++
			}
		}
		p.Status.Phase = corev1.PodPending
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, LastTransitionTime: stamp(st.created),
			Reason: corev1.PodReasonUnschedulable, Message: fmt.Sprintf("0/%d nodes are available: %d Insufficient nvidia.com/gpu. preemption: 0/%d nodes are available: %d No preemption victims found for incoming pod, %d Preemption is not helpful for scheduling.", n, n, n, g, n-g)}}
		return
	}
	started := stamp(st.created + 1)
	p.Status.StartTime = &started
	p.Status.HostIP = s.node.ip
	p.Status.HostIPs = []corev1.HostIP{{IP: s.node.ip}}
	p.Status.PodIP = s.ip.String()
	if at, ok := c.moved[s]; ok {
		p.Status.PodIP = at.Addr().String()
	}
	if s.w.hostNetwork {
		p.Status.PodIP = s.node.ip
	}
	p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}}

	isReady := st.phase == ready
	p.Status.Phase = corev1.PodRunning
	if st.phase == succeeded {
		p.Status.Phase = corev1.PodSucceeded
	}
	for i, name := range s.w.containerNames() {
		spec := p.Spec.Containers[i]
		id := hash(s.id, key(name), uint64(st.inc), uint64(st.restarts))
		cs := corev1.ContainerStatus{Name: name, Image: spec.Image, RestartCount: st.restarts, Ready: isReady,
			ImageID: fmt.Sprintf("%s@sha256:%016x%016x%016x%016x", spec.Image, key(spec.Image), hash(key(spec.Image)), hash(1, key(spec.Image)), hash(2, key(spec.Image)))}
		cs.ContainerID = fmt.Sprintf("containerd://%016x%016x%016x%016x", id, hash(id, 1), hash(id, 2), hash(id, 3))
		running := st.phase != backoff && st.phase != succeeded
		cs.Started = &running
		if running {
			cs.State.Running = &corev1.ContainerStateRunning{StartedAt: stamp(st.started)}
		}
		ended := &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", FinishedAt: stamp(st.ended), ContainerID: cs.ContainerID,
			StartedAt: stamp(st.ended - crashAfter + 4)}
		switch {
		case st.phase == succeeded:
			ended.ExitCode, ended.Reason, ended.StartedAt = 0, "Completed", stamp(st.started)
			cs.State.Terminated = ended
		case st.phase == backoff:
			cs.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff",
				Message: fmt.Sprintf("back-off 5m0s restarting failed container=%s pod=%s_%s(%s)", name, p.Name, p.Namespace, p.UID)}
			ended.Message = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 7.50 GiB. GPU 0 has a total capacity of 79.25 GiB of which 3.11 GiB is free."
			cs.LastTerminationState.Terminated = ended
		case st.restarts > 0:
			if s.w.story == restart {
				ended.ExitCode, ended.Reason, ended.StartedAt = 137, "OOMKilled", stamp(max(st.created+4, st.ended-day+2))
			}
			cs.LastTerminationState.Terminated = ended
		}
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, cs)
	}
	condition := func(kind corev1.PodConditionType, is bool, at int64, reason string) {
		status := corev1.ConditionFalse
		if is {
			status = corev1.ConditionTrue
		}
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: stamp(at), Reason: reason})
	}
	reason, since := "", st.changed
	switch {
	case st.phase == succeeded:
		reason = "PodCompleted"
	case st.phase != ready:
		reason = "ContainersNotReady"
		if s.w.story == crash {
			since = st.created
		}
	}
	condition(corev1.PodReadyToStartContainers, st.phase != succeeded, st.created+3, "")
	initialised := ""
	if st.phase == succeeded {
		initialised = reason
	}
	condition(corev1.PodInitialized, true, st.created+1, initialised)
	condition(corev1.PodReady, isReady && !st.away, since, reason)
	condition(corev1.ContainersReady, isReady, since, reason)
	condition(corev1.PodScheduled, true, st.created, "")
}
