package objects

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/company/k8s-resource-monitor/internal/sim/chance"
	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// uidIn is the uid of an object that belongs to the workload.
func uidIn(w *cluster.Workload, kind, name string) types.UID {
	return types.UID(chance.UUID(chance.Hash(w.Slots[0].ID, chance.Key(kind), chance.Key(name))))
}

// podUID is the uid of the slot's pod.
func podUID(s *cluster.Slot, inc int64) types.UID {
	return types.UID(chance.UUID(chance.Hash(s.ID, chance.Key("uid"), uint64(inc))))
}

func uidOf(seed uint64, namespace, name string) types.UID {
	return types.UID(chance.UUID(chance.Hash(seed, chance.Key(namespace), chance.Key(name))))
}

// Version is the resourceVersion of what changed last at a Unix second.
func Version(unix int64) string { return strconv.FormatInt(unix, 10) }

func stamp(unix int64) metav1.Time { return metav1.NewTime(time.Unix(unix, 0).UTC()) }

func controlledBy(version, kind, name string, uid types.UID) []metav1.OwnerReference {
	yes := true
	return []metav1.OwnerReference{{APIVersion: version, Kind: kind, Name: name, UID: uid, Controller: &yes, BlockOwnerDeletion: &yes}}
}

// OwnerOf is the pod's owner reference and the labels that the controller sets.
func OwnerOf(s *cluster.Slot, st cluster.State, labels map[string]string) []metav1.OwnerReference {
	w := s.Workload
	switch w.Kind {
	case "Deployment":
		labels["pod-template-hash"] = w.TemplateHash(st.Incarnation)
		return controlledBy("apps/v1", "ReplicaSet", w.ReplicaSet(st.Incarnation), uidIn(w, "ReplicaSet", w.ReplicaSet(st.Incarnation)))
	case "CronJob":
		labels["batch.kubernetes.io/job-name"], labels["job-name"] = w.Job(st.Incarnation), w.Job(st.Incarnation)
		return controlledBy("batch/v1", "Job", w.Job(st.Incarnation), uidIn(w, "Job", w.Job(st.Incarnation)))
	case "LeaderWorkerSet":
		const group = "leaderworkerset.sigs.k8s.io/"
		leader := w.Name + "-" + strconv.Itoa(s.Index/w.Group)
		labels[group+"name"] = w.Name
		labels[group+"group-index"] = strconv.Itoa(s.Index / w.Group)
		labels[group+"worker-index"] = strconv.Itoa(s.Index % w.Group)
		labels[group+"group-key"] = chance.Suffix(chance.Hash(w.Slots[0].ID, chance.Key("group"), uint64(s.Index/w.Group)), 20)
		set := w.Name
		if s.Index%w.Group > 0 {
			set = leader
		}
		return controlledBy("apps/v1", "StatefulSet", set, uidIn(w, "StatefulSet", set))
	case "":
		return controlledBy("v1", "Node", s.Node.Name, nodeUID(s.Node))
	}
	return controlledBy("apps/v1", w.Kind, w.Name, uidIn(w, w.Kind, w.Name))
}

// newPod builds the object of the slot's pod in one state.
func newPod(c *cluster.Cluster, s *cluster.Slot, st cluster.State) *corev1.Pod {
	w, name := s.Workload, s.PodName(st.Incarnation)
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: w.Namespace, UID: podUID(s, st.Incarnation),
		ResourceVersion: Version(st.ChangedAt), Generation: 1, CreationTimestamp: stamp(st.CreatedAt),
		Labels: PodLabels(s), Annotations: map[string]string{},
	}}
	p.OwnerReferences = OwnerOf(s, st, p.Labels)
	switch w.Kind {
	case "Deployment", "DaemonSet", "CronJob":
		p.GenerateName = strings.TrimSuffix(name, name[len(name)-5:])
	case "":
		p.Annotations["kubernetes.io/config.source"] = "file"
		p.Annotations["kubernetes.io/config.mirror"] = string(nodeUID(s.Node))
	case "LeaderWorkerSet":
		p.Annotations["leaderworkerset.sigs.k8s.io/size"] = strconv.Itoa(w.Group)
		if s.Index%w.Group > 0 {
			p.Annotations["leaderworkerset.sigs.k8s.io/leader-name"] = w.Name + "-" + strconv.Itoa(s.Index/w.Group)
		}
	}
	if at, ok := c.Moved[s]; ok {
		p.Annotations["prometheus.io/port"] = strconv.Itoa(int(at.Port()))
	}
	p.Spec = podSpec(s)
	setStatus(c, p, s, st)
	return p
}

// PodLabels are the labels of the slot's pod, without those that its controller
// sets: see OwnerOf.
func PodLabels(s *cluster.Slot) map[string]string {
	w := s.Workload
	if w.Name == cluster.Exporter {
		return map[string]string{"app": cluster.Exporter, "app.kubernetes.io/name": "dcgm-exporter",
			"app.kubernetes.io/managed-by": "gpu-operator"}
	}
	if w.Kind == "" {
		return map[string]string{"component": w.Name, "tier": "control-plane"}
	}
	return map[string]string{"app.kubernetes.io/name": w.Name, "app.kubernetes.io/instance": w.Name}
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
		list[corev1.ResourceName(cmp.Or(gpu, cluster.WholeGPU))] = *resource.NewQuantity(int64(gpus), resource.DecimalSI)
	}
	return list
}

func podSpec(s *cluster.Slot) corev1.PodSpec {
	w := s.Workload
	main := corev1.Container{
		Name: w.ContainerNames()[0], Image: w.Image, Command: w.Command, Args: w.Args, ImagePullPolicy: corev1.PullIfNotPresent,
		Resources: corev1.ResourceRequirements{
			Requests: quantities(w.CPU[0], w.Memory[0], w.GPUs, w.Resource), Limits: quantities(w.CPU[1], w.Memory[1], w.GPUs, w.Resource)},
		TerminationMessagePath: corev1.TerminationMessagePathDefault, TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		VolumeMounts: []corev1.VolumeMount{{Name: "kube-api-access", ReadOnly: true, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"}},
	}
	if port := s.Port(); port != 0 {
		main.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: int32(port), Protocol: corev1.ProtocolTCP}}
		if w.Name == cluster.Exporter {
			main.Ports[0].Name = "metrics"
		}
	}
	if w.Engine != nil {
		main.Env = append(main.Env, corev1.EnvVar{Name: "HF_HOME", Value: "/models"},
			corev1.EnvVar{Name: "HF_TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "hf-token"}, Key: "token"}}})
		main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: "dshm", MountPath: "/dev/shm"},
			corev1.VolumeMount{Name: "models", MountPath: "/models"})
	}
	if w.Group > 0 {
		main.Env = append(main.Env,
			corev1.EnvVar{Name: "LWS_LEADER_ADDRESS", Value: w.Name + "-" + strconv.Itoa(s.Index/w.Group) + "." + w.Name + "." + w.Namespace},
			corev1.EnvVar{Name: "LWS_GROUP_SIZE", Value: strconv.Itoa(w.Group)},
			corev1.EnvVar{Name: "LWS_WORKER_INDEX", Value: strconv.Itoa(s.Index % w.Group)})
	}
	grace, priority, links := int64(30), int32(0), true
	spec := corev1.PodSpec{
		Containers: []corev1.Container{main}, RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: &grace,
		DNSPolicy: corev1.DNSClusterFirst, ServiceAccountName: "default", DeprecatedServiceAccount: "default", HostNetwork: w.HostNetwork,
		SecurityContext: &corev1.PodSecurityContext{}, SchedulerName: corev1.DefaultSchedulerName, Priority: &priority,
		EnableServiceLinks: &links,
		// Nodes that leave come back within the hour: nothing is evicted.
		Tolerations: []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: corev1.TolerationOpExists,
			Effect: corev1.TaintEffectNoExecute},
			{Key: "node.kubernetes.io/unreachable", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}},
		Volumes: []corev1.Volume{{Name: "kube-api-access", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}}}}}},
	}
	if w.Engine != nil {
		spec.Volumes = append(spec.Volumes,
			corev1.Volume{Name: "dshm", VolumeSource: corev1.VolumeSource{
				EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}}},
			corev1.Volume{Name: "models", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "models"}}})
	}
	if w.GPUs > 0 {
		spec.Tolerations = append(spec.Tolerations, corev1.Toleration{Key: cluster.WholeGPU, Operator: corev1.TolerationOpExists,
			Effect: corev1.TaintEffectNoSchedule})
	}
	if w.Kind == "CronJob" {
		spec.RestartPolicy = corev1.RestartPolicyNever
	}
	if w.Sidecar != "" {
		side := corev1.Container{Name: "sidecar", Image: w.Sidecar, ImagePullPolicy: corev1.PullIfNotPresent,
			Resources: corev1.ResourceRequirements{Requests: quantities(50, 64, 0, ""), Limits: quantities(200, 256, 0, "")}}
		spec.Containers = append(spec.Containers, side)
	}
	if s.Node != nil {
		spec.NodeName = s.Node.Name
	}
	return spec
}
