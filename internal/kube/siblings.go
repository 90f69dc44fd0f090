package kube

import (
	"encoding/binary"
	"hash/maphash"
	"time"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/company/k8s-resource-monitor/internal/kube/wire"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// siblings remembers, while pods are listed, what those reduced to whose rows
// differ from their siblings' in nothing but their own values: pods that serve
// nothing, which are nearly all of a large cluster. The siblings need not be
// decoded then.
type siblings struct {
	seed   maphash.Seed
	known  map[siblingKey]Pod
	rows   map[uint64]*shared // by their hashes: pods that differ in what no row says share one too
	nodes  map[string]unique.Handle[string]
	shared []byte // scratch
}

// siblingKey is a hash of what siblings share, and what of their own decides
// whether a pod can be asked anything.
type siblingKey struct {
	shared    uint64
	addressed bool
}

func newSiblings() *siblings {
	return &siblings{seed: maphash.MakeSeed(), known: map[siblingKey]Pod{}, rows: map[uint64]*shared{},
		nodes: map[string]unique.Handle[string]{}}
}

// reduce reduces a trimmed pod by itself or as its siblings.
func (s *siblings) reduce(item []byte, inspect Inspect) (Pod, error) {
	o, err := s.read(item)
	like := err == nil // else the decoder knows what is wrong, or knows better
	key := siblingKey{maphash.Bytes(s.seed, s.shared), o.addressed}
	if p, ok := s.known[key]; ok && like {
		p.name, p.node, p.created, p.started = string(o.name), s.node(o.node), o.created, o.started
		p.setUID(o.uid)
		return p, nil
	}
	d, facts, err := decodePod(item)
	if err != nil {
		return Pod{}, err
	}
	p := compactPod(d, facts, inspect(d))
	hash := maphash.Comparable(s.seed, *p.shared)
	if row, ok := s.rows[hash]; ok {
		p.shared = row
	} else {
		s.rows[hash] = p.shared
	}
	if alone := d.Row.Engine != usage.NoEngine || d.Row.ReplicaGroup.Present(); like && !alone && p.Detail == nil && p.claims == nil {
		s.known[key] = p
	}
	return p, nil
}

// node is the name's handle, which is found faster among the few of a list than
// among all strings of the program.
func (s *siblings) node(name []byte) unique.Handle[string] {
	handle, ok := s.nodes[string(name)]
	if !ok {
		handle = unique.Make(string(name))
		s.nodes[string(name)] = handle
	}
	return handle
}

// ownFields are the values that a pod does not share with its siblings.
type ownFields struct {
	name, uid, node  []byte
	created, started int64 // Unix milliseconds
	addressed        bool  // it has an address
}

// read reads what is the pod's own, and what it shares, into shared.
func (s *siblings) read(pod []byte) (o ownFields, err error) {
	o.created = time.Time{}.UnixMilli() // as of a pod that says nothing of it
	s.shared = s.shared[:0]
	err = wire.Each(pod, func(part int, value []byte) error {
		return wire.Each(value, func(number int, value []byte) (err error) {
			switch [2]int{part, number} {
			case [2]int{1, 1}:
				o.name = value
			case [2]int{1, 5}:
				o.uid = value
			case [2]int{1, 8}:
				o.created, err = millis(value)
			case [2]int{2, 10}:
				o.node = value
			case [2]int{3, 6}:
				o.addressed = len(value) > 0
			case [2]int{3, 7}:
				o.started, err = millis(value)
			default:
				s.shared = binary.AppendUvarint(append(s.shared, byte(part), byte(number)), uint64(len(value)))
				s.shared = append(s.shared, value...)
			}
			return err
		})
	})
	return o, err
}

// millis decodes a time, into Unix milliseconds.
func millis(value []byte) (int64, error) {
	var t metav1.Time
	err := t.Unmarshal(value)
	return t.UnixMilli(), err
}
