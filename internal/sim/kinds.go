package sim

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// kinds are the resources of the API server, in the order of discovery.
func kinds() []*kind {
	return []*kind{
		{version: "v1", plural: "pods", singular: "pod", name: "Pod", short: []string{"po"}, namespaced: true, each: eachPod},
		{version: "v1", plural: "nodes", singular: "node", name: "Node", short: []string{"no"}, each: eachNode},
		{version: "v1", plural: "namespaces", singular: "namespace", name: "Namespace", short: []string{"ns"}, each: eachNamespace},
		{group: "apps", version: "v1", plural: "deployments", singular: "deployment", name: "Deployment", short: []string{"deploy"}, namespaced: true, each: eachOf("Deployment", deployments)},
		{group: "apps", version: "v1", plural: "replicasets", singular: "replicaset", name: "ReplicaSet", short: []string{"rs"}, namespaced: true, each: eachOf("Deployment", replicaSets)},
		{group: "apps", version: "v1", plural: "daemonsets", singular: "daemonset", name: "DaemonSet", short: []string{"ds"}, namespaced: true, each: eachOf("DaemonSet", daemonSets)},
		{group: "apps", version: "v1", plural: "statefulsets", singular: "statefulset", name: "StatefulSet", short: []string{"sts"}, namespaced: true, each: eachStatefulSet},
		{group: "batch", version: "v1", plural: "jobs", singular: "job", name: "Job", namespaced: true, each: eachOf("CronJob", jobs)},
		{group: "batch", version: "v1", plural: "cronjobs", singular: "cronjob", name: "CronJob", short: []string{"cj"}, namespaced: true, each: eachOf("CronJob", cronJobs)},
		{group: "metrics.k8s.io", version: "v1beta1", plural: "pods", name: "PodMetrics", namespaced: true, usage: podUsage, of: "pods"},
		{group: "metrics.k8s.io", version: "v1beta1", plural: "nodes", name: "NodeMetrics", usage: nodeUsage, of: "nodes"},
	}
}

func eachPod(c *Cluster, t int64, add func(*entry)) int64 {
	until := int64(never)
	for _, s := range c.slots {
		st := s.at(t)
		until = min(until, st.until)
		if st.phase != gone {
			add(&entry{namespace: s.w.namespace, name: s.podName(st.inc), changed: st.changed, slot: s, st: st,
				build: func() object { return c.pod(s, st) }})
		}
	}
	return until
}

func eachNode(c *Cluster, t int64, add func(*entry)) int64 {
	until := int64(never)
	for _, n := range c.nodes {
		at, next := n.changed(t)
		until = min(until, next)
		add(&entry{name: n.name, changed: at, node: n, build: func() object { return n.object(t) }})
	}
	return until
}

func eachNamespace(c *Cluster, _ int64, add func(*entry)) int64 {
	names := map[string]bool{"default": true, "kube-public": true, "kube-node-lease": true}
	for _, w := range c.workloads {
		names[w.namespace] = true
	}
	born := c.start - 200*day
	for _, name := range slices.Sorted(maps.Keys(names)) {
		add(&entry{name: name, changed: born, build: func() object {
			return &corev1.Namespace{ObjectMeta: c.meta("", name, born, born, map[string]string{"kubernetes.io/metadata.name": name}),
				Spec: corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}}, Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}}
		}})
	}
	return never
}

func (c *Cluster) meta(namespace, name string, created, changed int64, labels map[string]string) metav1.ObjectMeta {
	o := metav1.ObjectMeta{Namespace: namespace, Name: name, CreationTimestamp: stamp(created), ResourceVersion: version(changed), Labels: labels}
	o.UID = uidOf(c.cfg.Seed, namespace, name)
	return o
}

// crew is a workload and the states of its pods at one instant.
type crew struct {
	*workload
	c       *Cluster
	states  []state
	changed int64 // by a pod, last
}

// eachOf makes a kind of the workloads with one kind of controller.
func eachOf(controller string, objects func(crew, func(name string, build func() object))) func(*Cluster, int64, func(*entry)) int64 {
	return func(c *Cluster, t int64, add func(*entry)) int64 {
		until := int64(never)
		for _, w := range c.workloads {
			if w.kind != controller {
				continue
			}
			cr := crew{workload: w, c: c}
			for _, s := range w.slots {
				st := s.at(t)
				until = min(until, st.until)
				cr.states = append(cr.states, st)
				cr.changed = max(cr.changed, st.changed)
			}
			objects(cr, func(name string, build func() object) {
				add(&entry{namespace: w.namespace, name: name, changed: cr.changed, build: build})
			})
		}
		return until
	}
}

func (cr crew) meta(kind, name string, created int64) metav1.ObjectMeta {
	o := cr.c.meta(cr.namespace, name, created, cr.changed, cr.slots[0].labels())
	o.UID = cr.uid(kind, name)
	o.Generation = 1
	return o
}

func (cr crew) template() (*metav1.LabelSelector, corev1.PodTemplateSpec) {
	labels := cr.slots[0].labels()
	spec := cr.slots[0].spec()
	spec.NodeName = ""
	return &metav1.LabelSelector{MatchLabels: labels}, corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec}
}

// count counts pods, all or ready, that satisfy is.
func (cr crew) count(is func(i int, st state) bool) (all, isReady int32) {
	for i, st := range cr.states {
		if st.phase == gone || is != nil && !is(i, st) {
			continue
		}
		all++
		if st.phase == ready && !st.away {
			isReady++
		}
	}
	return all, isReady
}

func (cr crew) born() int64 { return cr.c.start - 60*day }

func deployments(cr crew, add func(string, func() object)) {
	add(cr.name, func() object {
		all, ok := cr.count(nil)
		updated, _ := cr.count(func(_ int, st state) bool { return st.inc == cr.states[0].inc })
		d := &appsv1.Deployment{ObjectMeta: cr.meta("Deployment", cr.name, cr.born())}
		n := int32(len(cr.slots))
		d.Spec.Replicas = &n
		d.Spec.Selector, d.Spec.Template = cr.template()
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: all, UpdatedReplicas: updated, ReadyReplicas: ok, AvailableReplicas: ok, UnavailableReplicas: n - ok}
		return d
	})
}

func replicaSets(cr crew, add func(string, func() object)) {
	incs := []int64{cr.states[0].inc}
	if cr.story == rollout {
		incs = append(incs, incs[0]-1)
	}
	for _, inc := range incs {
		name := cr.replicaSet(inc)
		add(name, func() object {
			all, ok := cr.count(func(_ int, st state) bool { return st.inc == inc })
			born := cr.born()
			if inc != 0 {
				born = cr.states[0].created - (incs[0]-inc)*day
			}
			rs := &appsv1.ReplicaSet{ObjectMeta: cr.meta("ReplicaSet", name, born)}
			rs.OwnerReferences = controlledBy("apps/v1", "Deployment", cr.name, cr.uid("Deployment", cr.name))
			rs.Spec.Replicas = &all
			rs.Spec.Selector, rs.Spec.Template = cr.template()
			rs.Labels["pod-template-hash"] = cr.templateHash(inc)
			rs.Status = appsv1.ReplicaSetStatus{Replicas: all, FullyLabeledReplicas: all, ReadyReplicas: ok, AvailableReplicas: ok, ObservedGeneration: 1}
			return rs
		})
	}
}

func daemonSets(cr crew, add func(string, func() object)) {
	add(cr.name, func() object {
		all, ok := cr.count(nil)
		d := &appsv1.DaemonSet{ObjectMeta: cr.meta("DaemonSet", cr.name, cr.born())}
		d.Spec.Selector, d.Spec.Template = cr.template()
		d.Status = appsv1.DaemonSetStatus{CurrentNumberScheduled: all, DesiredNumberScheduled: all, NumberReady: ok, NumberAvailable: ok, UpdatedNumberScheduled: all, NumberUnavailable: all - ok, ObservedGeneration: 1}
		return d
	})
}

// eachStatefulSet lists plain StatefulSets and those of LeaderWorkerSets: one
// of all leaders, and one of the workers of each leader.
func eachStatefulSet(c *Cluster, t int64, add func(*entry)) int64 {
	set := func(cr crew, name string, owner []metav1.OwnerReference, is func(int, state) bool) object {
		all, ok := cr.count(is)
		s := &appsv1.StatefulSet{ObjectMeta: cr.meta("StatefulSet", name, cr.born())}
		s.OwnerReferences = owner
		s.Spec.Replicas, s.Spec.ServiceName = &all, cr.name
		s.Spec.Selector, s.Spec.Template = cr.template()
		s.Status = appsv1.StatefulSetStatus{Replicas: all, ReadyReplicas: ok, AvailableReplicas: ok, CurrentReplicas: all, UpdatedReplicas: all, ObservedGeneration: 1}
		return s
	}
	until := eachOf("StatefulSet", func(cr crew, add func(string, func() object)) {
		add(cr.name, func() object { return set(cr, cr.name, nil, nil) })
	})(c, t, add)
	return min(until, eachOf("LeaderWorkerSet", func(cr crew, add func(string, func() object)) {
		add(cr.name, func() object {
			lws := controlledBy("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", cr.name, cr.uid("LeaderWorkerSet", cr.name))
			return set(cr, cr.name, lws, func(i int, _ state) bool { return i%cr.group == 0 })
		})
		for g := range len(cr.slots) / cr.group {
			name, leader := cr.name+"-"+strconv.Itoa(g), cr.slots[g*cr.group]
			add(name, func() object {
				owner := controlledBy("v1", "Pod", name, leader.podUID(cr.states[g*cr.group].inc))
				return set(cr, name, owner, func(i int, _ state) bool { return i/cr.group == g && i%cr.group > 0 })
			})
		}
	})(c, t, add))
}

func jobs(cr crew, add func(string, func() object)) {
	for i, st := range cr.states {
		if st.phase == gone {
			continue
		}
		name := cr.job(st.inc)
		add(name, func() object {
			one := int32(1)
			j := &batchv1.Job{ObjectMeta: cr.meta("Job", name, st.created)}
			j.ResourceVersion = version(cr.states[i].changed)
			j.OwnerReferences = controlledBy("batch/v1", "CronJob", cr.name, cr.uid("CronJob", cr.name))
			j.Spec.Parallelism, j.Spec.Completions = &one, &one
			_, j.Spec.Template = cr.template()
			started := stamp(st.created)
			j.Status.StartTime = &started
			if st.phase != succeeded {
				j.Status.Active = 1
				return j
			}
			ended := stamp(st.ended)
			j.Status.Succeeded, j.Status.CompletionTime = 1, &ended
			j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastProbeTime: ended, LastTransitionTime: ended, Reason: batchv1.JobReasonCompletionsReached}}
			return j
		})
	}
}

func cronJobs(cr crew, add func(string, func() object)) {
	add(cr.name, func() object {
		j := &batchv1.CronJob{ObjectMeta: cr.meta("CronJob", cr.name, cr.born())}
		keep := int32(history)
		j.Spec.Schedule = strconv.FormatInt(cr.offset/60%60, 10) + " " + map[bool]string{true: strconv.FormatInt(cr.offset/3600, 10), false: "*"}[cr.every == day] + " * * *"
		j.Spec.ConcurrencyPolicy, j.Spec.SuccessfulJobsHistoryLimit = batchv1.ForbidConcurrent, &keep
		_, j.Spec.JobTemplate.Spec.Template = cr.template()
		latest := slices.MaxFunc(cr.states, func(a, b state) int { return cmp.Compare(a.created, b.created) })
		if latest.phase != gone {
			at := stamp(latest.created)
			j.Status.LastScheduleTime = &at
			if latest.phase != succeeded {
				j.Status.Active = []corev1.ObjectReference{{APIVersion: "batch/v1", Kind: "Job", Namespace: cr.namespace, Name: cr.job(latest.inc)}}
			}
		}
		return j
	})
}
