// Package objects builds the Kubernetes objects of a simulated cluster: pods,
// nodes, namespaces and the controllers of its workloads. It does not know how
// they are listed or encoded.
package objects

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// Object is what the typed objects of Kubernetes have in common.
type Object interface {
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
	Build           func() Object
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
		{Group: "apps", Version: "v1", Plural: "deployments", Singular: "deployment", Name: "Deployment", Short: []string{"deploy"},
			Namespaced: true, Each: eachOf("Deployment", deployments)},
		{Group: "apps", Version: "v1", Plural: "replicasets", Singular: "replicaset", Name: "ReplicaSet", Short: []string{"rs"},
			Namespaced: true, Each: eachOf("Deployment", replicaSets)},
		{Group: "apps", Version: "v1", Plural: "daemonsets", Singular: "daemonset", Name: "DaemonSet", Short: []string{"ds"}, Namespaced: true,
			Each: eachOf("DaemonSet", daemonSets)},
		{Group: "apps", Version: "v1", Plural: "statefulsets", Singular: "statefulset", Name: "StatefulSet", Short: []string{"sts"},
			Namespaced: true, Each: eachStatefulSet},
		{Group: "batch", Version: "v1", Plural: "jobs", Singular: "job", Name: "Job", Namespaced: true, Each: eachOf("CronJob", jobs)},
		{Group: "batch", Version: "v1", Plural: "cronjobs", Singular: "cronjob", Name: "CronJob", Short: []string{"cj"}, Namespaced: true,
			Each: eachOf("CronJob", cronJobs)},
	}
}

func eachPod(c *cluster.Cluster, t int64, add func(Item)) int64 {
	until := int64(cluster.Never)
	for _, s := range c.Slots {
		st := s.At(t)
		until = min(until, st.Until)
		if st.Phase != cluster.Gone {
			add(Item{Namespace: s.Workload.Namespace, Name: s.PodName(st.Incarnation), Changed: st.ChangedAt, Slot: s, State: st,
				Build: func() Object { return newPod(c, s, st) }})
		}
	}
	return until
}

func eachNode(c *cluster.Cluster, t int64, add func(Item)) int64 {
	until := int64(cluster.Never)
	for _, n := range c.Nodes {
		at, next := nodeChanged(n, t)
		until = min(until, next)
		add(Item{Name: n.Name, Changed: at, Node: n, Build: func() Object { return newNode(n, t) }})
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
		add(Item{Name: name, Changed: born, Build: func() Object {
			return &corev1.Namespace{ObjectMeta: metaOf(c, "", name, born, born, map[string]string{"kubernetes.io/metadata.name": name}),
				Spec:   corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}},
				Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}}
		}})
	}
	return cluster.Never
}

func metaOf(c *cluster.Cluster, namespace, name string, created, changed int64, labels map[string]string) metav1.ObjectMeta {
	o := metav1.ObjectMeta{Namespace: namespace, Name: name, CreationTimestamp: stamp(created), ResourceVersion: Version(changed),
		Labels: labels}
	o.UID = uidOf(c.Config.Seed, namespace, name)
	return o
}
