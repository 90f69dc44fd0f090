package api

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
	"github.com/company/k8s-resource-monitor/internal/sim/objects"
)

// kind is a resource that the API serves, with its latest snapshots.
type kind struct {
	objects.Kind
	// usage, of a kind in metrics.k8s.io, writes the usage of an entry of the
	// kind of the same name in the core group.
	usage func(dst []byte, e *entry, t int64, f format, keep bool) []byte
	of    string // usage: the plural of the kind that it measures

	mu     sync.Mutex
	recent []*snapshot // newest first
}

// kinds are all of the API's, in the order of discovery.
func kinds() []*kind {
	var all []*kind
	for _, r := range objects.Kinds() {
		all = append(all, &kind{Kind: r})
	}
	return append(all,
		&kind{Kind: objects.Kind{Group: "metrics.k8s.io", Version: "v1beta1", Plural: "pods", Name: "PodMetrics", Namespaced: true},
			usage: podUsage, of: "pods"},
		&kind{Kind: objects.Kind{Group: "metrics.k8s.io", Version: "v1beta1", Plural: "nodes", Name: "NodeMetrics"}, usage: nodeUsage,
			of: "nodes"})
}

// entry is one object between two changes. In a small cluster its encodings are
// cached.
type entry struct {
	objects.Item
	encoded [formats]atomic.Pointer[[]byte]
	size    atomic.Int64
	head    [2]atomic.Pointer[[]byte] // usage.go
}

func (e *entry) compare(namespace, name string) int {
	if c := strings.Compare(e.Namespace, namespace); c != 0 {
		return c
	}
	return strings.Compare(e.Name, name)
}

// snapshot is all objects of a kind while none of them changes, ordered by
// namespace and name. Its chunks are compressed one by one, so that a change
// costs the compression of one chunk only.
type snapshot struct {
	since, until int64
	entries      []*entry
	chunks       []*chunk
}

type chunk struct {
	entries []*entry
	gzip    [formats]atomic.Pointer[[]byte]
}

const (
	chunkSize = 16
	remember  = 4 // snapshots of a kind
)

// snapshot returns the kind's objects at t. Entries that have not changed are
// taken from the snapshot before, with their cached encodings.
func (c *Server) snapshot(k *kind, t int64) *snapshot {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, s := range k.recent {
		if s.since <= t && t < s.until {
			if i > 0 {
				k.recent = slices.Insert(slices.Delete(k.recent, i, i+1), 0, s)
			}
			return s
		}
	}
	s := &snapshot{since: t}
	s.until = k.Each(c.Cluster, t, func(i objects.Item) { s.entries = append(s.entries, &entry{Item: i}) })
	slices.SortFunc(s.entries, func(a, b *entry) int { return a.compare(b.Namespace, b.Name) })
	var before snapshot
	if len(k.recent) > 0 {
		before = *k.recent[0]
	}
	i := 0
	for at, e := range s.entries { // both are sorted: one pass
		for i < len(before.entries) && before.entries[i].compare(e.Namespace, e.Name) < 0 {
			i++
		}
		if i < len(before.entries) && before.entries[i].compare(e.Namespace, e.Name) == 0 && before.entries[i].Changed == e.Changed {
			s.entries[at] = before.entries[i]
		}
	}
	for part := range slices.Chunk(s.entries, chunkSize) {
		ch := &chunk{entries: part}
		if n := len(s.chunks); n < len(before.chunks) && slices.Equal(before.chunks[n].entries, part) {
			ch = before.chunks[n]
		}
		s.chunks = append(s.chunks, ch)
	}
	k.recent = slices.Insert(k.recent, 0, s)
	k.recent = k.recent[:min(len(k.recent), remember)]
	return s
}

func (s *snapshot) find(namespace, name string) *entry {
	i, ok := slices.BinarySearchFunc(s.entries, name, func(e *entry, name string) int { return e.compare(namespace, name) })
	if !ok {
		return nil
	}
	return s.entries[i]
}

// append writes the object.
func (e *entry) append(dst []byte, f format, keep bool) []byte {
	if b := e.encoded[f].Load(); b != nil {
		return append(dst, *b...)
	}
	o := e.Build()
	if f == jsonMeta || f == protoMeta {
		o = &metav1.PartialObjectMetadata{
			TypeMeta:   metav1.TypeMeta{Kind: "PartialObjectMetadata", APIVersion: "meta.k8s.io/v1"},
			ObjectMeta: *o.(interface{ GetObjectMeta() metav1.Object }).GetObjectMeta().(*metav1.ObjectMeta)}
	}
	from := len(dst)
	if f.proto() {
		n := o.Size()
		dst = slices.Grow(dst, n)[:from+n]
		if _, err := o.MarshalToSizedBuffer(dst[from:]); err != nil {
			panic(err) // objects of this program can be encoded
		}
	} else {
		b, err := json.Marshal(o)
		if err != nil {
			panic(err)
		}
		dst = append(dst, b...)
	}
	if keep {
		b := slices.Clone(dst[from:])
		e.encoded[f].Store(&b)
	}
	return dst
}

// protoSize is the length of the object in protobuf.
func (e *entry) protoSize(f format, buffer []byte, keep bool) int {
	if b := e.encoded[f].Load(); b != nil {
		return len(*b)
	}
	if f == proto && !keep {
		n := int(e.size.Load())
		if n == 0 {
			n = e.Build().Size()
			e.size.Store(int64(n))
		}
		return n
	}
	return len(e.append(buffer[:0], f, keep))
}

// labels are the object's labels.
func (e *entry) labels() map[string]string {
	if e.Slot == nil {
		return e.Build().GetLabels()
	}
	labels := objects.PodLabels(e.Slot)
	objects.OwnerOf(e.Slot, e.State, labels)
	return labels
}

// field is the value of a field that a field selector may name.
func (e *entry) field(name string) (string, bool) {
	switch {
	case name == "metadata.name":
		return e.Name, true
	case name == "metadata.namespace":
		return e.Namespace, true
	case name == "spec.nodeName" && e.Slot != nil:
		if e.Slot.Node == nil {
			return "", true
		}
		return e.Slot.Node.Name, true
	case name == "status.phase" && e.Slot != nil:
		switch e.State.Phase {
		case cluster.Unscheduled:
			return "Pending", true
		case cluster.Succeeded:
			return "Succeeded", true
		}
		return "Running", true
	}
	return "", false
}
