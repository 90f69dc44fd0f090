package objects

import (
	"cmp"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// crew is a workload with the states of its pods at one instant.
type crew struct {
	*cluster.Workload
	c       *cluster.Cluster
	states  []cluster.State
	changed int64 // when a pod changed last
}

// eachOf makes a kind of the workloads with one kind of controller.
func eachOf(controller string, objects func(crew, func(name string, build func() Object))) func(*cluster.Cluster, int64, func(Item)) int64 {
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
				cr.changed = max(cr.changed, st.ChangedAt)
			}
			objects(cr, func(name string, build func() Object) {
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

// count returns how many pods satisfy is, and how many of those are ready.
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

func deployments(cr crew, add func(string, func() Object)) {
	add(cr.Name, func() Object {
		all, ok := cr.count(nil)
		updated, _ := cr.count(func(_ int, st cluster.State) bool { return st.Incarnation == cr.states[0].Incarnation })
		d := &appsv1.Deployment{ObjectMeta: cr.meta("Deployment", cr.Name, cr.born())}
		n := int32(len(cr.Slots))
		d.Spec.Replicas = &n
		d.Spec.Selector, d.Spec.Template = cr.template()
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: all, UpdatedReplicas: updated, ReadyReplicas: ok,
			AvailableReplicas: ok, UnavailableReplicas: n - ok}
		return d
	})
}

func replicaSets(cr crew, add func(string, func() Object)) {
	incs := []int64{cr.states[0].Incarnation}
	if cr.Story == cluster.Rollout {
		incs = append(incs, incs[0]-1)
	}
	for _, inc := range incs {
		name := cr.ReplicaSet(inc)
		add(name, func() Object {
			all, ok := cr.count(func(_ int, st cluster.State) bool { return st.Incarnation == inc })
			born := cr.born()
			if inc != 0 {
				born = cr.states[0].CreatedAt - (incs[0]-inc)*cluster.Day
			}
			rs := &appsv1.ReplicaSet{ObjectMeta: cr.meta("ReplicaSet", name, born)}
			rs.OwnerReferences = controlledBy("apps/v1", "Deployment", cr.Name, uidIn(cr.Workload, "Deployment", cr.Name))
			rs.Spec.Replicas = &all
			rs.Spec.Selector, rs.Spec.Template = cr.template()
			rs.Labels["pod-template-hash"] = cr.TemplateHash(inc)
			rs.Status = appsv1.ReplicaSetStatus{Replicas: all, FullyLabeledReplicas: all, ReadyReplicas: ok, AvailableReplicas: ok,
				ObservedGeneration: 1}
			return rs
		})
	}
}

func daemonSets(cr crew, add func(string, func() Object)) {
	add(cr.Name, func() Object {
		all, ok := cr.count(nil)
		d := &appsv1.DaemonSet{ObjectMeta: cr.meta("DaemonSet", cr.Name, cr.born())}
		d.Spec.Selector, d.Spec.Template = cr.template()
		d.Status = appsv1.DaemonSetStatus{CurrentNumberScheduled: all, DesiredNumberScheduled: all, NumberReady: ok, NumberAvailable: ok,
			UpdatedNumberScheduled: all, NumberUnavailable: all - ok, ObservedGeneration: 1}
		return d
	})
}

// eachStatefulSet lists plain StatefulSets and those of LeaderWorkerSets: one
// of all leaders, and one of the workers of each leader.
func eachStatefulSet(c *cluster.Cluster, t int64, add func(Item)) int64 {
	set := func(cr crew, name string, owner []metav1.OwnerReference, is func(int, cluster.State) bool) Object {
		all, ok := cr.count(is)
		s := &appsv1.StatefulSet{ObjectMeta: cr.meta("StatefulSet", name, cr.born())}
		s.OwnerReferences = owner
		s.Spec.Replicas, s.Spec.ServiceName = &all, cr.Name
		s.Spec.Selector, s.Spec.Template = cr.template()
		s.Status = appsv1.StatefulSetStatus{Replicas: all, ReadyReplicas: ok, AvailableReplicas: ok, CurrentReplicas: all, UpdatedReplicas: all,
			ObservedGeneration: 1}
		return s
	}
	until := eachOf("StatefulSet", func(cr crew, add func(string, func() Object)) {
		add(cr.Name, func() Object { return set(cr, cr.Name, nil, nil) })
	})(c, t, add)
	return min(until, eachOf("LeaderWorkerSet", func(cr crew, add func(string, func() Object)) {
		add(cr.Name, func() Object {
			lws := controlledBy("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", cr.Name, uidIn(cr.Workload, "LeaderWorkerSet", cr.Name))
			return set(cr, cr.Name, lws, func(i int, _ cluster.State) bool { return i%cr.Group == 0 })
		})
		for g := range len(cr.Slots) / cr.Group {
			name, leader := cr.Name+"-"+strconv.Itoa(g), cr.Slots[g*cr.Group]
			add(name, func() Object {
				owner := controlledBy("v1", "Pod", name, podUID(leader, cr.states[g*cr.Group].Incarnation))
				return set(cr, name, owner, func(i int, _ cluster.State) bool { return i/cr.Group == g && i%cr.Group > 0 })
			})
		}
	})(c, t, add))
}

func jobs(cr crew, add func(string, func() Object)) {
	for i, st := range cr.states {
		if st.Phase == cluster.Gone {
			continue
		}
		name := cr.Job(st.Incarnation)
		add(name, func() Object {
			one := int32(1)
			j := &batchv1.Job{ObjectMeta: cr.meta("Job", name, st.CreatedAt)}
			j.ResourceVersion = Version(cr.states[i].ChangedAt)
			j.OwnerReferences = controlledBy("batch/v1", "CronJob", cr.Name, uidIn(cr.Workload, "CronJob", cr.Name))
			j.Spec.Parallelism, j.Spec.Completions = &one, &one
			_, j.Spec.Template = cr.template()
			started := stamp(st.CreatedAt)
			j.Status.StartTime = &started
			if st.Phase != cluster.Succeeded {
				j.Status.Active = 1
				return j
			}
			ended := stamp(st.EndedAt)
			j.Status.Succeeded, j.Status.CompletionTime = 1, &ended
			j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastProbeTime: ended,
				LastTransitionTime: ended, Reason: batchv1.JobReasonCompletionsReached}}
			return j
		})
	}
}

func cronJobs(cr crew, add func(string, func() Object)) {
	add(cr.Name, func() Object {
		j := &batchv1.CronJob{ObjectMeta: cr.meta("CronJob", cr.Name, cr.born())}
		keep := int32(cluster.History)
		j.Spec.Schedule = strconv.FormatInt(cr.Offset/60%60, 10) + " " + map[bool]string{true: strconv.FormatInt(cr.Offset/3600, 10),
			false: "*"}[cr.Every == cluster.Day] + " * * *"
		j.Spec.ConcurrencyPolicy, j.Spec.SuccessfulJobsHistoryLimit = batchv1.ForbidConcurrent, &keep
		_, j.Spec.JobTemplate.Spec.Template = cr.template()
		latest := slices.MaxFunc(cr.states, func(a, b cluster.State) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) })
		if latest.Phase != cluster.Gone {
			at := stamp(latest.CreatedAt)
			j.Status.LastScheduleTime = &at
			if latest.Phase != cluster.Succeeded {
				j.Status.Active = []corev1.ObjectReference{{APIVersion: "batch/v1", Kind: "Job", Namespace: cr.Namespace,
					Name: cr.Job(latest.Incarnation)}}
			}
		}
		return j
	})
}
