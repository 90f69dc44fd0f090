package sim

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// object is what the typed objects of Kubernetes have in common.
type object interface {
	metav1.Object
	Size() int
	Marshal() ([]byte, error)
	MarshalToSizedBuffer([]byte) (int, error)
}

// kind is a resource that the API serves.
type kind struct {
	group, version   string
	plural, singular string
	name             string // Pod
	short            []string
	namespaced       bool
	// each calls add for every object that exists at t and returns the first
	// later instant at which the answer may differ.
	each func(c *Cluster, t int64, add func(*entry)) (until int64)
	// usage, of a kind in metrics.k8s.io, writes the usage of an entry of the
	// kind of the same name in the core group.
	usage func(c *Cluster, dst []byte, e *entry, t int64, f format) []byte
	of    string // usage: the plural of the kind that it measures

	mu     sync.Mutex
	recent []*snapshot // newest first
}

// entry is one object between two changes. What it encodes to is remembered
// in a cluster that is small enough.
type entry struct {
	namespace, name string
	changed         int64
	build           func() object
	slot            *slot // of a pod
	st              state
	node            *node // of a node

	encoded [formats]atomic.Pointer[[]byte]
	size    atomic.Int64
	head    [2]atomic.Pointer[[]byte] // usage.go
}

func (e *entry) compare(namespace, name string) int {
	if c := strings.Compare(e.namespace, namespace); c != 0 {
		return c
	}
	return strings.Compare(e.name, name)
}

// snapshot is all objects of a kind while none of them changes, ordered by
// namespace and name, cut into chunks that are compressed apart: a change
// costs the compression of its chunk alone.
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

// snapshot returns the kind's objects at t. Entries of an earlier snapshot are
// taken over where they have not changed, with what they are encoded to.
func (c *Cluster) snapshot(k *kind, t int64) *snapshot {
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
	s.until = k.each(c, t, func(e *entry) { s.entries = append(s.entries, e) })
	slices.SortFunc(s.entries, func(a, b *entry) int { return a.compare(b.namespace, b.name) })
	var before snapshot
	if len(k.recent) > 0 {
		before = *k.recent[0]
	}
	i := 0
	for at, e := range s.entries { // both are sorted: one pass
		for i < len(before.entries) && before.entries[i].compare(e.namespace, e.name) < 0 {
			i++
		}
		if i < len(before.entries) && before.entries[i].compare(e.namespace, e.name) == 0 && before.entries[i].changed == e.changed {
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
	o := e.build()
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
			panic(err) // an object of ours that cannot be encoded
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
			n = e.build().Size()
			e.size.Store(int64(n))
		}
		return n
	}
	return len(e.append(buffer[:0], f, keep))
}

// labels are the object's labels.
func (e *entry) labels() map[string]string {
	if e.slot == nil {
		return e.build().GetLabels()
	}
	labels := e.slot.labels()
	e.slot.owner(e.st, labels)
	return labels
}

// field is the value of a field that a field selector may name.
func (e *entry) field(name string) (string, bool) {
	switch {
	case name == "metadata.name":
		return e.name, true
	case name == "metadata.namespace":
		return e.namespace, true
	case name == "spec.nodeName" && e.slot != nil:
		if e.slot.node == nil {
			return "", true
		}
		return e.slot.node.name, true
	case name == "status.phase" && e.slot != nil:
		switch e.st.phase {
		case unscheduled:
			return "Pending", true
		case succeeded:
			return "Succeeded", true
		}
		return "Running", true
	}
	return "", false
}
