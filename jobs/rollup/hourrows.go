package rollup

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// hourRows are one hour of every hourly table, each in its order. The pods,
// which are many, are given to a function one by one.
type hourRows struct {
	pod        func(*usage.PodHour) error
	models     []usage.ModelHour
	workloads  []usage.WorkloadHour
	namespaces []usage.NamespaceHour
	nodes      []usage.NodeHour
	cluster    []usage.ClusterHour
}

// finish makes the rows of all keys but the pods. The state's folds take their
// newest instant, so it is of no use afterwards.
func (p *pass) finish(out *hourRows) {
	s, hour := p.state, p.state.hour
	for _, k := range slices.SortedFunc(maps.Keys(s.models), compareModels) {
		if st, ok := p.statistics(s.models[k]); ok {
			out.models = append(out.models, usage.ModelHour{Hour: hour, Namespace: k.namespace, Engine: k.engine, Model: k.model, Statistics: st})
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.workloads), compareWorkloads) {
		if st, ok := p.statistics(s.workloads[k]); ok {
			out.workloads = append(out.workloads, usage.WorkloadHour{Hour: hour, Namespace: k.namespace, OwnerKind: k.kind, Owner: k.owner, Statistics: st})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.namespaces)) {
		if st, ok := p.statistics(s.namespaces[k]); ok {
			out.namespaces = append(out.namespaces, usage.NamespaceHour{Hour: hour, Namespace: k, Statistics: st})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.nodes)) {
		if st, ok := p.statistics(&s.nodes[k].Fold); ok {
			if !st.GPUHoursTotal.Present() { // it is gone, and its pods are not
				st.GPUHoursTotal = st.GPUHoursAllocated
			}
			out.nodes = append(out.nodes, usage.NodeHour{Hour: hour, Node: k, GPUProduct: s.nodes[k].product, Statistics: st})
		}
	}
	if st, ok := p.statistics(&s.cluster); ok {
		out.cluster = []usage.ClusterHour{{Hour: hour, Statistics: st}}
	}
}

// statistics are a key's figures; ok is false if the hour holds nothing of it.
func (p *pass) statistics(f *statistics.Fold) (s usage.Statistics, ok bool) {
	s = f.Statistics(p.run, p.closed)
	return s, !f.Empty()
}

func compareModels(a, b modelKey) int {
	return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.engine, b.engine), strings.Compare(a.model, b.model))
}

func compareWorkloads(a, b workloadKey) int {
	return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.kind, b.kind), strings.Compare(a.owner, b.owner))
}
