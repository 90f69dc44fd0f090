// Package objects builds the Kubernetes objects of a simulated cluster: pods,
// nodes, namespaces and the controllers of its workloads. It does not know how
// they are listed or encoded.
package objects

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// object is what the typed objects of Kubernetes have in common.
type object interface {
	metav1.Object
	Size() int
	Marshal() ([]byte, error)
	MarshalToSizedBuffer([]byte) (int, error)
}

// Kind is a kind of objects.
type Kind struct {
	Group, Version   string
	Plural, Singular string
	Name             string // Pod
	Short            []string
	Namespaced       bool
	// each calls add for every object that exists at t and returns the first
	// later instant at which the answer may differ.
	Each func(c *cluster.Cluster, t int64, add func(Item)) (until int64)
}

// Item is one object between two changes.
type Item struct {
	Namespace, Name string
	Changed         int64
	Build           func() object
	Slot            *cluster.Slot // of a pod
	State           cluster.State
	Node            *cluster.Node // of a node
}

// Kinds are those of the API server, in the order of discovery; usage in
// metrics.k8s.io is beside them.
func Kinds() []Kind {
	return []Kind{
		{Version: "v1", Plural: "pods", Singular: "pod", Name: "Pod", Short: []string{"po"}, Namespaced: true, Each: eachPod},
		{Version: "v1", Plural: "nodes", Singular: "node", Name: "Node", Short: []string{"no"}, Each: eachNode},
		{Version: "v1", Plural: "namespaces", Singular: "namespace", Name: "Namespace", Short: []string{"ns"}, Each: eachNamespace},
		{Group: "apps", Version: "v1", Plural: "deployments", Singular: "deployment", Name: "Deployment", Short: []string{"deploy"}, Namespaced: true, Each: eachOf("Deployment", deployments)},
		{Group: "apps", Version: "v1", Plural: "replicasets", Singular: "replicaset", Name: "ReplicaSet", Short: []string{"rs"}, Namespaced: true, Each: eachOf("Deployment", replicaSets)},
		{Group: "apps", Version: "v1", Plural: "daemonsets", Singular: "daemonset", Name: "DaemonSet", Short: []string{"ds"}, Namespaced: true, Each: eachOf("DaemonSet", daemonSets)},
		{Group: "apps", Version: "v1", Plural: "statefulsets", Singular: "statefulset", Name: "StatefulSet", Short: []string{"sts"}, Namespaced: true, Each: eachStatefulSet},
		{Group: "batch", Version: "v1", Plural: "jobs", Singular: "job", Name: "Job", Namespaced: true, Each: eachOf("CronJob", jobs)},
		{Group: "batch", Version: "v1", Plural: "cronjobs", Singular: "cronjob", Name: "CronJob", Short: []string{"cj"}, Namespaced: true, Each: eachOf("CronJob", cronJobs)},
	}
}

func eachPod(c *cluster.Cluster, t int64, add func(Item)) int64 {
	until := int64(cluster.Never)
	for _, s := range c.Slots {
		st := s.At(t)
		until = min(until, st.Until)
		if st.Phase != cluster.Gone {
			add(Item{Namespace: s.Workload.Namespace, Name: s.PodName(st.Inc), Changed: st.Changed, Slot: s, State: st,
				Build: func() object { return newPod(c, s, st) }})
		}
	}
	return until
}

func eachNode(c *cluster.Cluster, t int64, add func(Item)) int64 {
	until := int64(cluster.Never)
	for _, n := range c.Nodes {
		at, next := nodeChanged(n, t)
		until = min(until, next)
		add(Item{Name: n.Name, Changed: at, Node: n, Build: func() object { return newNode(n, t) }})
	}
	return until
}

func eachNamespace(c *cluster.Cluster, _ int64, add func(Item)) int64 {
	names := map[string]bool{"default": true, "kube-public": true, "kube-node-lease": true}
	for _, w := range c.Workloads {
		names[w.Namespace] = true
	}
	born := c.StartUnix - 200*cluster.Day
	for _, name := range slices.Sorted(maps.Keys(names)) {
		add(Item{Name: name, Changed: born, Build: func() object {
			return &corev1.Namespace{ObjectMeta: metaOf(c, "", name, born, born, map[string]string{"kubernetes.io/metadata.name": name}),
				Spec: corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}}, Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}}
		}})
	}
	return cluster.Never
}

func metaOf(c *cluster.Cluster, namespace, name string, created, changed int64, labels map[string]string) metav1.ObjectMeta {
	o := metav1.ObjectMeta{Namespace: namespace, Name: name, CreationTimestamp: stamp(created), ResourceVersion: Version(changed), Labels: labels}
	o.UID = uidOf(c.Config.Seed, namespace, name)
	return o
}

// crew is a workload and the states of its pods at one instant.
type crew struct {
	*cluster.Workload
	c       *cluster.Cluster
	states  []cluster.State
	changed int64 // by a pod, last
}

// eachOf makes a kind of the workloads with one kind of controller.
func eachOf(controller string, objects func(crew, func(name string, build func() object))) func(*cluster.Cluster, int64, func(Item)) int64 {
	return func(c *cluster.Cluster, t int64, add func(Item)) int64 {
		until := int64(cluster.Never)
		for _, w := range c.Workloads {
			if w.Kind != controller {
				continue
			}
			cr := crew{Workload: w, c: c}
			for _, s := range w.Slots {
				st := s.At(t)
				until = min(until, st.Until)
				cr.states = append(cr.states, st)
				cr.changed = max(cr.changed, st.Changed)
			}
			objects(cr, func(name string, build func() object) {
				add(Item{Namespace: w.Namespace, Name: name, Changed: cr.changed, Build: build})
			})
		}
		return until
	}
}

func (cr crew) meta(kind, name string, created int64) metav1.ObjectMeta {
	o := metaOf(cr.c, cr.Namespace, name, created, cr.changed, PodLabels(cr.Slots[0]))
	o.UID = uidIn(cr.Workload, kind, name)
	o.Generation = 1
	return o
}

func (cr crew) template() (*metav1.LabelSelector, corev1.PodTemplateSpec) {
	labels := PodLabels(cr.Slots[0])
	spec := podSpec(cr.Slots[0])
	spec.NodeName = ""
	return &metav1.LabelSelector{MatchLabels: labels}, corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec}
}

// count counts pods, all or ready, that satisfy is.
func (cr crew) count(is func(i int, st cluster.State) bool) (all, isReady int32) {
	for i, st := range cr.states {
		if st.Phase == cluster.Gone || is != nil && !is(i, st) {
			continue
		}
		all++
		if st.Phase == cluster.Ready && !st.Away {
			isReady++
		}
	}
	return all, isReady
}

func (cr crew) born() int64 { return cr.c.StartUnix - 60*cluster.Day }

func deployments(cr crew, add func(string, func() object)) {
	add(cr.Name, func() object {
		all, ok := cr.count(nil)
		updated, _ := cr.count(func(_ int, st cluster.State) bool { return st.Inc == cr.states[0].Inc })
		d := &appsv1.Deployment{ObjectMeta: cr.meta("Deployment", cr.Name, cr.born())}
		n := int32(len(cr.Slots))
		d.Spec.Replicas = &n
		d.Spec.Selector, d.Spec.Template = cr.template()
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: all, UpdatedReplicas: updated, ReadyReplicas: ok, AvailableReplicas: ok, UnavailableReplicas: n - ok}
		return d
	})
}

func replicaSets(cr crew, add func(string, func() object)) {
	incs := []int64{cr.states[0].Inc}
	if cr.Story == cluster.Rollout {
		incs = append(incs, incs[0]-1)
	}
	for _, inc := range incs {
		name := cr.ReplicaSet(inc)
		add(name, func() object {
			all, ok := cr.count(func(_ int, st cluster.State) bool { return st.Inc == inc })
			born := cr.born()
			if inc != 0 {
				born = cr.states[0].Created - (incs[0]-inc)*cluster.Day
			}
			rs := &appsv1.ReplicaSet{ObjectMeta: cr.meta("ReplicaSet", name, born)}
			rs.OwnerReferences = controlledBy("apps/v1", "Deployment", cr.Name, uidIn(cr.Workload, "Deployment", cr.Name))
			rs.Spec.Replicas = &all
			rs.Spec.Selector, rs.Spec.Template = cr.template()
			rs.Labels["pod-template-hash"] = cr.TemplateHash(inc)
			rs.Status = appsv1.ReplicaSetStatus{Replicas: all, FullyLabeledReplicas: all, ReadyReplicas: ok, AvailableReplicas: ok, ObservedGeneration: 1}
			return rs
		})
	}
}

func daemonSets(cr crew, add func(string, func() object)) {
	add(cr.Name, func() object {
		all, ok := cr.count(nil)
		d := &appsv1.DaemonSet{ObjectMeta: cr.meta("DaemonSet", cr.Name, cr.born())}
		d.Spec.Selector, d.Spec.Template = cr.template()
		d.Status = appsv1.DaemonSetStatus{CurrentNumberScheduled: all, DesiredNumberScheduled: all, NumberReady: ok, NumberAvailable: ok, UpdatedNumberScheduled: all, NumberUnavailable: all - ok, ObservedGeneration: 1}
		return d
	})
}

// eachStatefulSet lists plain StatefulSets and those of LeaderWorkerSets: one
// of all leaders, and one of the workers of each leader.
func eachStatefulSet(c *cluster.Cluster, t int64, add func(Item)) int64 {
	set := func(cr crew, name string, owner []metav1.OwnerReference, is func(int, cluster.State) bool) object {
		all, ok := cr.count(is)
		s := &appsv1.StatefulSet{ObjectMeta: cr.meta("StatefulSet", name, cr.born())}
		s.OwnerReferences = owner
		s.Spec.Replicas, s.Spec.ServiceName = &all, cr.Name
		s.Spec.Selector, s.Spec.Template = cr.template()
		s.Status = appsv1.StatefulSetStatus{Replicas: all, ReadyReplicas: ok, AvailableReplicas: ok, CurrentReplicas: all, UpdatedReplicas: all, ObservedGeneration: 1}
		return s
	}
	until := eachOf("StatefulSet", func(cr crew, add func(string, func() object)) {
		add(cr.Name, func() object { return set(cr, cr.Name, nil, nil) })
	})(c, t, add)
	return min(until, eachOf("LeaderWorkerSet", func(cr crew, add func(string, func() object)) {
		add(cr.Name, func() object {
			lws := controlledBy("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", cr.Name, uidIn(cr.Workload, "LeaderWorkerSet", cr.Name))
			return set(cr, cr.Name, lws, func(i int, _ cluster.State) bool { return i%cr.Group == 0 })
		})
		for g := range len(cr.Slots) / cr.Group {
			name, leader := cr.Name+"-"+strconv.Itoa(g), cr.Slots[g*cr.Group]
			add(name, func() object {
				owner := controlledBy("v1", "Pod", name, podUID(leader, cr.states[g*cr.Group].Inc))
				return set(cr, name, owner, func(i int, _ cluster.State) bool { return i/cr.Group == g && i%cr.Group > 0 })
			})
		}
	})(c, t, add))
}

func jobs(cr crew, add func(string, func() object)) {
	for i, st := range cr.states {
		if st.Phase == cluster.Gone {
			continue
		}
		name := cr.Job(st.Inc)
		add(name, func() object {
			one := int32(1)
			j := &batchv1.Job{ObjectMeta: cr.meta("Job", name, st.Created)}
			j.ResourceVersion = Version(cr.states[i].Changed)
			j.OwnerReferences = controlledBy("batch/v1", "CronJob", cr.Name, uidIn(cr.Workload, "CronJob", cr.Name))
			j.Spec.Parallelism, j.Spec.Completions = &one, &one
			_, j.Spec.Template = cr.template()
			started := stamp(st.Created)
			j.Status.StartTime = &started
			if st.Phase != cluster.Succeeded {
				j.Status.Active = 1
				return j
			}
			ended := stamp(st.Ended)
			j.Status.Succeeded, j.Status.CompletionTime = 1, &ended
			j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastProbeTime: ended, LastTransitionTime: ended, Reason: batchv1.JobReasonCompletionsReached}}
			return j
		})
	}
}

func cronJobs(cr crew, add func(string, func() object)) {
	add(cr.Name, func() object {
		j := &batchv1.CronJob{ObjectMeta: cr.meta("CronJob", cr.Name, cr.born())}
		keep := int32(cluster.History)
		j.Spec.Schedule = strconv.FormatInt(cr.Offset/60%60, 10) + " " + map[bool]string{true: strconv.FormatInt(cr.Offset/3600, 10), false: "*"}[cr.Every == cluster.Day] + " * * *"
		j.Spec.ConcurrencyPolicy, j.Spec.SuccessfulJobsHistoryLimit = batchv1.ForbidConcurrent, &keep
		_, j.Spec.JobTemplate.Spec.Template = cr.template()
		latest := slices.MaxFunc(cr.states, func(a, b cluster.State) int { return cmp.Compare(a.Created, b.Created) })
		if latest.Phase != cluster.Gone {
			at := stamp(latest.Created)
			j.Status.LastScheduleTime = &at
			if latest.Phase != cluster.Succeeded {
				j.Status.Active = []corev1.ObjectReference{{APIVersion: "batch/v1", Kind: "Job", Namespace: cr.Namespace, Name: cr.Job(latest.Inc)}}
			}
		}
		return j
	})
}
