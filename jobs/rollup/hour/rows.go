package hour

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Rows are one hour's rows of the hourly tables but that of pods, each in its
// table's order.
type Rows struct {
	Models     []usage.ModelHour
	Workloads  []usage.WorkloadHour
	Namespaces []usage.NamespaceHour
	Nodes      []usage.NodeHour
	Cluster    []usage.ClusterHour
}

// Rows makes the rows of all keys but the pods, after Run. It ends the newest
// instant of the state, which must not be used afterwards: encode it before.
func (a *Aggregation) Rows() (out Rows) {
	s, hour := a.State, a.State.Hour
	for _, k := range slices.SortedFunc(maps.Keys(s.models), compareModels) {
		if st, ok := a.statistics(s.models[k]); ok {
			out.Models = append(out.Models, usage.ModelHour{Hour: hour, Namespace: k.namespace, Engine: k.engine, Model: k.model, Statistics: st})
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.workloads), compareWorkloads) {
		if st, ok := a.statistics(s.workloads[k]); ok {
			out.Workloads = append(out.Workloads, usage.WorkloadHour{
				Hour: hour, Namespace: k.namespace, OwnerKind: k.kind, Owner: k.owner, Statistics: st,
			})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.namespaces)) {
		if st, ok := a.statistics(s.namespaces[k]); ok {
			out.Namespaces = append(out.Namespaces, usage.NamespaceHour{Hour: hour, Namespace: k, Statistics: st})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.nodes)) {
		if st, ok := a.statistics(&s.nodes[k].Aggregate); ok {
			if !st.GPUHoursTotal.Present() { // the node is gone, and its pods are not
				st.GPUHoursTotal = st.GPUHoursAllocated
			}
			out.Nodes = append(out.Nodes, usage.NodeHour{Hour: hour, Node: k, GPUProduct: s.nodes[k].product, Statistics: st})
		}
	}
	if st, ok := a.statistics(&s.cluster); ok {
		out.Cluster = []usage.ClusterHour{{Hour: hour, Statistics: st}}
	}
	return out
}

// statistics are a key's figures; ok is false if the hour holds nothing of it.
func (a *Aggregation) statistics(f *statistics.Aggregate) (s usage.Statistics, ok bool) {
	s = f.Finish(a.timeline, a.Closed)
	return s, !f.Empty()
}

func compareModels(a, b modelKey) int {
	return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.engine, b.engine), strings.Compare(a.model, b.model))
}

func compareWorkloads(a, b workloadKey) int {
	return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.kind, b.kind), strings.Compare(a.owner, b.owner))
}
