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

// siblings saves decoding while pods are listed. The pods of one workload have
// the same specification and status but for a few fields of their own: name,
// UID, node, times and address. One of them is decoded, the others take its
// result and fill in their own fields. Pods that serve a model, that are kept
// for scraping or that have claims are each decoded; in a large cluster they are
// few.
type siblings struct {
	seed   maphash.Seed
	known  map[siblingKey]Pod
	rows   map[uint64]*shared // by their hashes, so that pods with equal rows share one
	nodes  map[string]unique.Handle[string]
	shared []byte // scratch
}

// siblingKey is a hash of the fields that siblings share. Whether a pod has an
// address is part of it, because Inspect decides by that.
type siblingKey struct {
	shared    uint64
	addressed bool
}

func newSiblings() *siblings {
	return &siblings{seed: maphash.MakeSeed(), known: map[siblingKey]Pod{}, rows: map[uint64]*shared{},
		nodes: map[string]unique.Handle[string]{}}
}

// reduce makes a Pod of a trimmed pod, from a sibling where there is one.
func (s *siblings) reduce(item []byte, inspect Inspect) (Pod, error) {
	o, err := s.read(item)
	readable := err == nil // if not, decodePod below says what is wrong
	key := siblingKey{maphash.Bytes(s.seed, s.shared), o.addressed}
	if p, ok := s.known[key]; ok && readable {
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
	serves := d.Row.Engine != usage.NoEngine || d.Row.ReplicaGroup.Present()
	if readable && !serves && p.Detail == nil && p.claims == nil {
		s.known[key] = p
	}
	return p, nil
}

// node returns the handle of a node's name. A map of the list's nodes is faster
// than unique.Make for each pod.
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

// read returns the pod's own fields and collects the others in s.shared.
func (s *siblings) read(pod []byte) (o ownFields, err error) {
	o.created = time.Time{}.UnixMilli() // what decodePod gives where the field is absent
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
