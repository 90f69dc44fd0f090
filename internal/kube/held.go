package kube

import (
	"time"
	"unique"

	"k8s.io/apimachinery/pkg/types"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Pod is one pod of a sample. It takes little memory: what its siblings have
// in common with it, nearly all of its row, is held once for all of them.
type Pod struct {
	// Detail is the pod as the API server describes it, if the sample's reader
	// wanted it kept. Its row names the controller as the owner.
	Detail *usage.PodDetail

	namespace, name, uid, node string
	created, started           int64 // Unix milliseconds; started is 0 of a pod that has not
	restarts                   int32
	gpus, gpusAlone            int32 // requested; requested without what an earlier pod has a share in
	ready                      bool
	renamed                    bool // the row names the controller's owner
	above                      controller
	claims                     *claims                  // nil of most pods
	shared                     unique.Handle[usage.Pod] // the rest of the row
}

// hold takes the pod's own values out of its row.
func hold(d *usage.PodDetail, more podFacts, keep bool) Pod {
	row := d.Row
	p := Pod{namespace: intern(row.Namespace), name: row.Pod, uid: row.PodUID, created: row.CreatedAt.UnixMilli(),
		restarts: row.Restarts, ready: row.Ready, gpus: row.GPURequest, gpusAlone: row.GPURequest,
		above: more.above, claims: more.claims}
	if node, ok := row.Node.Get(); ok {
		p.node = intern(node)
	}
	p.above.uid = types.UID(intern(string(p.above.uid)))
	if started, ok := row.StartedAt.Get(); ok {
		p.started = started.UnixMilli()
	}
	row.Namespace, row.Pod, row.PodUID, row.CreatedAt, row.Restarts, row.Ready, row.GPURequest = "", "", "", time.Time{}, 0, false, 0
	row.Node, row.StartedAt = usage.Opt[string]{}, usage.Opt[time.Time]{}
	p.shared = unique.Make(row)
	if keep {
		internDetail(d)
		p.Detail = d
	}
	return p
}

// Row is the pod's row, without ts and without what is measured.
func (p *Pod) Row() usage.Pod {
	row := p.shared.Value()
	row.Namespace, row.Pod, row.PodUID, row.Node = p.namespace, p.name, p.uid, usage.SomeUnless(p.node, "")
	row.CreatedAt, row.Restarts, row.Ready, row.GPURequest = time.UnixMilli(p.created).UTC(), p.restarts, p.ready, p.gpus
	if p.started != 0 {
		row.StartedAt = usage.Some(time.UnixMilli(p.started).UTC())
	}
	return row
}

// Namespace is the namespace that the pod is in.
func (p *Pod) Namespace() string { return p.namespace }

// Name is the pod's name in its namespace.
func (p *Pod) Name() string { return p.name }

// GPURequest is how many GPUs or MIG instances the pod requests.
func (p *Pod) GPURequest() int32 { return p.gpus }
