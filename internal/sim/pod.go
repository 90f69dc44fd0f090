package sim

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// podName is the name of the slot's pod, as its controller would choose it.
func (s *slot) podName(inc int64) string {
	w := s.w
	random := suffix(hash(s.id, key("pod"), uint64(inc)), 5)
	switch w.kind {
	case "Deployment":
		return w.replicaSet(inc) + "-" + random
	case "DaemonSet":
		return w.name + "-" + random
	case "CronJob":
		return w.job(inc) + "-" + random
	case "StatefulSet":
		return w.name + "-" + strconv.Itoa(s.index)
	case "LeaderWorkerSet":
		name := w.name + "-" + strconv.Itoa(s.index/w.group)
		if i := s.index % w.group; i > 0 {
			name += "-" + strconv.Itoa(i)
		}
		return name
	}
	return w.name + "-" + s.node.name
}

// templateHash is the pod-template-hash of a Deployment's inc-th template.
func (w *workload) templateHash(inc int64) string {
	return suffix(hash(w.slots[0].id, key("template"), uint64(inc)), 10)
}

func (w *workload) replicaSet(inc int64) string { return w.name + "-" + w.templateHash(inc) }

// job is the name of a CronJob's run: its time in minutes.
func (w *workload) job(inc int64) string {
	return w.name + "-" + strconv.FormatInt((inc*w.every+w.offset)/60, 10)
}

// uid is the uid of an object that belongs to the workload.
func (w *workload) uid(kind, name string) types.UID {
	return types.UID(uuid(hash(w.slots[0].id, key(kind), key(name))))
}

// podUID is the uid of the slot's pod.
func (s *slot) podUID(inc int64) types.UID {
	return types.UID(uuid(hash(s.id, key("uid"), uint64(inc))))
}

func uidOf(seed uint64, namespace, name string) types.UID {
	return types.UID(uuid(hash(seed, key(namespace), key(name))))
}

// version is the resourceVersion of what changed last at a Unix second.
func version(unix int64) string { return strconv.FormatInt(unix, 10) }

func stamp(unix int64) metav1.Time { return metav1.NewTime(time.Unix(unix, 0).UTC()) }

func controlledBy(version, kind, name string, uid types.UID) []metav1.OwnerReference {
	yes := true
	return []metav1.OwnerReference{{APIVersion: version, Kind: kind, Name: name, UID: uid, Controller: &yes, BlockOwnerDeletion: &yes}}
}

// owner is the pod's owner reference and the labels that the controller sets.
func (s *slot) owner(st state, labels map[string]string) []metav1.OwnerReference {
	w := s.w
	switch w.kind {
	case "Deployment":
		labels["pod-template-hash"] = w.templateHash(st.inc)
		return controlledBy("apps/v1", "ReplicaSet", w.replicaSet(st.inc), w.uid("ReplicaSet", w.replicaSet(st.inc)))
	case "CronJob":
		labels["batch.kubernetes.io/job-name"], labels["job-name"] = w.job(st.inc), w.job(st.inc)
		return controlledBy("batch/v1", "Job", w.job(st.inc), w.uid("Job", w.job(st.inc)))
	case "LeaderWorkerSet":
		const group = "leaderworkerset.sigs.k8s.io/"
		leader := w.name + "-" + strconv.Itoa(s.index/w.group)
		labels[group+"name"] = w.name
		labels[group+"group-index"] = strconv.Itoa(s.index / w.group)
		labels[group+"worker-index"] = strconv.Itoa(s.index % w.group)
		labels[group+"group-key"] = suffix(hash(w.slots[0].id, key("group"), uint64(s.index/w.group)), 20)
		set := w.name
		if s.index%w.group > 0 {
			set = leader
		}
		return controlledBy("apps/v1", "StatefulSet", set, w.uid("StatefulSet", set))
	case "":
		return controlledBy("v1", "Node", s.node.name, s.node.uid())
	}
	return controlledBy("apps/v1", w.kind, w.name, w.uid(w.kind, w.name))
}

// pod builds the object of the slot's pod in one state.
func (c *Cluster) pod(s *slot, st state) *corev1.Pod {
	w, name := s.w, s.podName(st.inc)
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: w.namespace, UID: s.podUID(st.inc),
		ResourceVersion: version(st.changed), Generation: 1, CreationTimestamp: stamp(st.created),
		Labels: s.labels(), Annotations: map[string]string{},
	}}
	p.OwnerReferences = s.owner(st, p.Labels)
	switch w.kind {
	case "Deployment", "DaemonSet", "CronJob":
		p.GenerateName = strings.TrimSuffix(name, name[len(name)-5:])
	case "":
		p.Annotations["kubernetes.io/config.source"] = "file"
		p.Annotations["kubernetes.io/config.mirror"] = string(s.node.uid())
	case "LeaderWorkerSet":
		p.Annotations["leaderworkerset.sigs.k8s.io/size"] = strconv.Itoa(w.group)
		if s.index%w.group > 0 {
			p.Annotations["leaderworkerset.sigs.k8s.io/leader-name"] = w.name + "-" + strconv.Itoa(s.index/w.group)
		}
	}
	if at, ok := c.moved[s]; ok {
		p.Annotations["prometheus.io/port"] = strconv.Itoa(int(at.Port()))
	}
	p.Spec = s.spec()
	c.status(p, s, st)
	return p
}

func (s *slot) labels() map[string]string {
	w := s.w
	if w.name == exporter {
		return map[string]string{"app": exporter, "app.kubernetes.io/name": "dcgm-exporter", "app.kubernetes.io/managed-by": "gpu-operator"}
	}
	if w.kind == "" {
		return map[string]string{"component": w.name, "tier": "control-plane"}
	}
	return map[string]string{"app.kubernetes.io/name": w.name, "app.kubernetes.io/instance": w.name}
}

func quantities(cpu, memory int64, gpus int, gpu string) corev1.ResourceList {
	list := corev1.ResourceList{}
	if cpu > 0 {
		list[corev1.ResourceCPU] = *resource.NewMilliQuantity(cpu, resource.DecimalSI)
	}
	if memory > 0 {
		list[corev1.ResourceMemory] = *resource.NewQuantity(memory<<20, resource.BinarySI)
	}
	if gpus > 0 {
		list[corev1.ResourceName(cmp.Or(gpu, wholeGPU))] = *resource.NewQuantity(int64(gpus), resource.DecimalSI)
	}
	return list
}

// containerNames are those of the slot's pod, the one that does the work first.
func (w *workload) containerNames() []string {
	names := []string{cmp.Or(w.container, "main")}
	if w.sidecar != "" {
		names = append(names, "sidecar")
	}
	return names
}

func (s *slot) spec() corev1.PodSpec {
	w := s.w
	main := corev1.Container{
		Name: w.containerNames()[0], Image: w.image, Command: w.command, Args: w.args, ImagePullPolicy: corev1.PullIfNotPresent,
		Resources: corev1.ResourceRequirements{
			Requests: quantities(w.cpu[0], w.memory[0], w.gpus, w.resource), Limits: quantities(w.cpu[1], w.memory[1], w.gpus, w.resource)},
		TerminationMessagePath: corev1.TerminationMessagePathDefault, TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		VolumeMounts: []corev1.VolumeMount{{Name: "kube-api-access", ReadOnly: true, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"}},
	}
	if port := s.port(); port != 0 {
		main.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: int32(port), Protocol: corev1.ProtocolTCP}}
		if w.name == exporter {
			main.Ports[0].Name = "metrics"
		}
	}
	if w.engine != nil {
		main.Env = append(main.Env, corev1.EnvVar{Name: "HF_HOME", Value: "/models"},
			corev1.EnvVar{Name: "HF_TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "hf-token"}, Key: "token"}}})
		main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: "dshm", MountPath: "/dev/shm"}, corev1.VolumeMount{Name: "models", MountPath: "/models"})
	}
	if w.group > 0 {
		main.Env = append(main.Env,
			corev1.EnvVar{Name: "LWS_LEADER_ADDRESS", Value: w.name + "-" + strconv.Itoa(s.index/w.group) + "." + w.name + "." + w.namespace},
			corev1.EnvVar{Name: "LWS_GROUP_SIZE", Value: strconv.Itoa(w.group)},
			corev1.EnvVar{Name: "LWS_WORKER_INDEX", Value: strconv.Itoa(s.index % w.group)})
	}
	grace, priority, links := int64(30), int32(0), true
	spec := corev1.PodSpec{
		Containers: []corev1.Container{main}, RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: &grace,
		DNSPolicy: corev1.DNSClusterFirst, ServiceAccountName: "default", DeprecatedServiceAccount: "default", HostNetwork: w.hostNetwork,
		SecurityContext: &corev1.PodSecurityContext{}, SchedulerName: corev1.DefaultSchedulerName, Priority: &priority, EnableServiceLinks: &links,
		// Nodes that leave come back within the hour: nothing is evicted.
		Tolerations: []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute},
			{Key: "node.kubernetes.io/unreachable", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}},
		Volumes: []corev1.Volume{{Name: "kube-api-access", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}}}}}},
	}
	if w.engine != nil {
		spec.Volumes = append(spec.Volumes,
			corev1.Volume{Name: "dshm", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}}},
			corev1.Volume{Name: "models", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "models"}}})
	}
	if w.gpus > 0 {
		spec.Tolerations = append(spec.Tolerations, corev1.Toleration{Key: wholeGPU, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule})
	}
	if w.kind == "CronJob" {
		spec.RestartPolicy = corev1.RestartPolicyNever
	}
	if w.sidecar != "" {
		side := corev1.Container{Name: "sidecar", Image: w.sidecar, ImagePullPolicy: corev1.PullIfNotPresent,
			Resources: corev1.ResourceRequirements{Requests: quantities(50, 64, 0, ""), Limits: quantities(200, 256, 0, "")}}
		spec.Containers = append(spec.Containers, side)
	}
	if s.node != nil {
		spec.NodeName = s.node.name
	}
	return spec
}

// port is where the pod serves metrics, 0 if it serves none.
func (s *slot) port() int {
	switch {
	case s.w.engine != nil:
		return s.w.engine.port
	case s.w.name == exporter:
		return 9400
	}
	return 0
}
