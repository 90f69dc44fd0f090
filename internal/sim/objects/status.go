package objects

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/company/k8s-resource-monitor/internal/sim/chance"
	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// setStatus fills in what the scheduler and the kubelet would report.
func setStatus(c *cluster.Cluster, p *corev1.Pod, s *cluster.Slot, st cluster.State) {
	p.Status.QOSClass = corev1.PodQOSBurstable
	if st.Phase == cluster.Unscheduled {
		n, g := len(c.Nodes), 0
		for _, node := range c.Nodes {
			if node.Spec.Count > 0 {
				g++
			}
		}
		p.Status.Phase = corev1.PodPending
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
			LastTransitionTime: stamp(st.CreatedAt),
			Reason:             corev1.PodReasonUnschedulable,
			Message: fmt.Sprintf("0/%d nodes are available: %d Insufficient nvidia.com/gpu. preemption: 0/%d nodes are available: %d No "+
				"preemption victims found for incoming pod, %d Preemption is not helpful for scheduling.", n, n, n, g, n-g)}}
		return
	}
	started := stamp(st.CreatedAt + 1)
	p.Status.StartTime = &started
	p.Status.HostIP = s.Node.IP
	p.Status.HostIPs = []corev1.HostIP{{IP: s.Node.IP}}
	p.Status.PodIP = s.IP.String()
	if at, ok := c.Moved[s]; ok {
		p.Status.PodIP = at.Addr().String()
	}
	if s.Workload.HostNetwork {
		p.Status.PodIP = s.Node.IP
	}
	p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}}

	isReady := st.Phase == cluster.Ready
	p.Status.Phase = corev1.PodRunning
	if st.Phase == cluster.Succeeded {
		p.Status.Phase = corev1.PodSucceeded
	}
	for i, name := range s.Workload.ContainerNames() {
		spec := p.Spec.Containers[i]
		id := chance.Hash(s.ID, chance.Key(name), uint64(st.Incarnation), uint64(st.Restarts))
		cs := corev1.ContainerStatus{Name: name, Image: spec.Image, RestartCount: st.Restarts, Ready: isReady,
			ImageID: fmt.Sprintf("%s@sha256:%016x%016x%016x%016x", spec.Image, chance.Key(spec.Image), chance.Hash(chance.Key(spec.Image)),
				chance.Hash(1, chance.Key(spec.Image)), chance.Hash(2, chance.Key(spec.Image)))}
		cs.ContainerID = fmt.Sprintf("containerd://%016x%016x%016x%016x", id, chance.Hash(id, 1), chance.Hash(id, 2), chance.Hash(id, 3))
		running := st.Phase != cluster.Backoff && st.Phase != cluster.Succeeded
		cs.Started = &running
		if running {
			cs.State.Running = &corev1.ContainerStateRunning{StartedAt: stamp(st.StartedAt)}
		}
		ended := &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", FinishedAt: stamp(st.EndedAt), ContainerID: cs.ContainerID,
			StartedAt: stamp(st.EndedAt - cluster.CrashAfter + 4)}
		switch {
		case st.Phase == cluster.Succeeded:
			ended.ExitCode, ended.Reason, ended.StartedAt = 0, "Completed", stamp(st.StartedAt)
			cs.State.Terminated = ended
		case st.Phase == cluster.Backoff:
			cs.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff",
				Message: fmt.Sprintf("back-off 5m0s restarting failed container=%s pod=%s_%s(%s)", name, p.Name, p.Namespace, p.UID)}
			ended.Message = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 7.50 GiB. GPU 0 has a total capacity of 79.25 GiB of " +
				"which 3.11 GiB is free."
			cs.LastTerminationState.Terminated = ended
		case st.Restarts > 0:
			if s.Workload.Story == cluster.Restart {
				ended.ExitCode, ended.Reason, ended.StartedAt = 137, "OOMKilled", stamp(max(st.CreatedAt+4, st.EndedAt-cluster.Day+2))
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
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: stamp(at),
			Reason: reason})
	}
	reason, since := "", st.ChangedAt
	switch {
	case st.Phase == cluster.Succeeded:
		reason = "PodCompleted"
	case st.Phase != cluster.Ready:
		reason = "ContainersNotReady"
		if s.Workload.Story == cluster.Crash {
			since = st.CreatedAt
		}
	}
	condition(corev1.PodReadyToStartContainers, st.Phase != cluster.Succeeded, st.CreatedAt+3, "")
	initialised := ""
	if st.Phase == cluster.Succeeded {
		initialised = reason
	}
	condition(corev1.PodInitialized, true, st.CreatedAt+1, initialised)
	condition(corev1.PodReady, isReady && !st.Away, since, reason)
	condition(corev1.ContainersReady, isReady, since, reason)
	condition(corev1.PodScheduled, true, st.CreatedAt, "")
}
