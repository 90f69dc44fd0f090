package kube

import (
	"encoding/hex"
	"time"
	"unique"

	"github.com/company/k8s-resource-monitor/internal/kube/rows"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Pod is one pod of a sample. There may be 150,000 of them, so it is small: the
// columns that pods of one workload have in common, which is most of a row, are
// stored once and shared.
type Pod struct {
	// Detail is the pod as the API server describes it, if the sample's reader
	// wanted it kept. Its row names the controller as the owner.
	Detail *usage.PodDetail

	name             string
	uid              [16]byte
	otherUID         *string               // the UID where it is no UUID, as of a static pod
	node             unique.Handle[string] // of "" before the pod is scheduled
	shared           *shared
	claims           *claims // nil of most pods
	created, started int64   // Unix milliseconds; started is 0 of a pod that has not
	gpus, gpusAlone  int32   // requested; requested without what an earlier pod has a share in
}

// shared is what a pod has in common with its siblings: its row, but for the
// fields that Pod holds.
type shared struct {
	usage.Pod
	above rows.Controller // whose owner the row names once it is known
	named bool            // it is known, and the row names it
}

// compactPod divides a pod's row into the pod's own columns and the shared ones.
func compactPod(d *usage.PodDetail, facts rows.Facts, keep bool) Pod {
	row := d.Row
	p := Pod{name: row.Pod, created: row.CreatedAt.UnixMilli(), gpus: row.GPURequest, gpusAlone: row.GPURequest}
	if len(facts.Claims) > 0 {
		p.claims = &claims{facts.Claims, row.GPURequest}
	}
	p.setUID([]byte(row.PodUID))
	node, _ := row.Node.Get()
	p.node = unique.Make(node)
	if started, ok := row.StartedAt.Get(); ok {
		p.started = started.UnixMilli()
	}
	row.Pod, row.PodUID, row.Node, row.GPURequest = "", "", usage.Opt[string]{}, 0
	row.CreatedAt, row.StartedAt = time.Time{}, usage.Opt[time.Time]{}
	row.Namespace = intern(row.Namespace)
	p.shared = &shared{Pod: row, above: facts.Above}
	if keep {
		internDetail(d)
		p.Detail = d
	}
	return p
}

// Row is the pod's row, without ts and without what is measured.
func (p *Pod) Row() usage.Pod {
	row := p.shared.Pod
	row.Pod, row.PodUID, row.Node, row.GPURequest = p.name, p.UID(), usage.SomeUnless(p.node.Value(), ""), p.gpus
	row.CreatedAt = time.UnixMilli(p.created).UTC()
	if p.started != 0 {
		row.StartedAt = usage.Some(time.UnixMilli(p.started).UTC())
	}
	return row
}

// Namespace is the namespace that the pod is in.
func (p *Pod) Namespace() string { return p.shared.Namespace }

// Name is the pod's name in its namespace.
func (p *Pod) Name() string { return p.name }

// GPURequest is how many GPUs or MIG instances the pod requests.
func (p *Pod) GPURequest() int32 { return p.gpus }

// dashes are where the dashes of a UUID stand.
var dashes = [...]int{8, 13, 18, 23}

// setUID stores a UID: 16 bytes if it is a UUID, as the API server makes them,
// else the text, as of a static pod.
func (p *Pod) setUID(uid []byte) {
	b, ok := parseUUID(uid)
	if p.uid, p.otherUID = b, nil; !ok {
		other := string(uid)
		p.uid, p.otherUID = [16]byte{}, &other
	}
}

// UID is the pod's UID.
func (p *Pod) UID() string {
	if p.otherUID != nil {
		return *p.otherUID
	}
	return formatUUID(p.uid)
}

func formatUUID(b [16]byte) string {
	var text [36]byte
	from := 0
	for i, at := range dashes {
		to := (at - i) / 2
		hex.Encode(text[at-2*(to-from):], b[from:to])
		text[at] = '-'
		from = to
	}
	hex.Encode(text[24:], b[10:])
	return string(text[:])
}

// parseUUID reads what formatUUID writes.
func parseUUID(text []byte) (b [16]byte, ok bool) {
	if len(text) != 36 {
		return b, false
	}
	var digits [32]byte
	n := 0
	for i, c := range text {
		switch {
		case i == dashes[0] || i == dashes[1] || i == dashes[2] || i == dashes[3]:
			if c != '-' {
				return b, false
			}
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'f':
			digits[n] = c
			n++
		default:
			return b, false
		}
	}
	_, err := hex.Decode(b[:], digits[:])
	return b, err == nil && b != [16]byte{}
}
