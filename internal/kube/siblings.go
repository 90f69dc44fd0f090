package kube

import (
	"hash/maphash"
	"time"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// siblingTrimmer leaves of a trimmed pod what its siblings have in common with
// it: all but name, uid, creation, node, addresses and start.
var siblingTrimmer = newTrimmer(fields{
	1: {3: nil, 11: nil, 12: nil, 13: nil},
	2: {2: nil, 11: nil, 20: nil, 32: nil, 39: nil, 40: nil},
	3: {1: nil, 2: nil, 4: nil, 8: nil, 10: nil, 15: nil},
})

// siblings remembers, while pods are listed, what those reduced to whose rows
// differ from their siblings' in nothing but what own reads: pods that serve
// nothing, which are nearly all of a large cluster. The siblings need not be
// decoded then.
type siblings struct {
	seed    maphash.Seed
	known   map[siblingKey]Pod
	scratch []byte
}

// siblingKey is a hash of what siblings share, and what of their own decides
// whether a pod can be asked anything.
type siblingKey struct {
	memoKey
	addressed bool
}

func newSiblings() *siblings {
	return &siblings{seed: maphash.MakeSeed(), known: map[siblingKey]Pod{}}
}

// reduce reduces a pod, trimmed or in JSON, by itself or as its siblings.
func (s *siblings) reduce(i item, inspect Inspect) (Pod, error) {
	var key siblingKey
	var o ownFields
	if !i.json {
		var err error
		if s.scratch, err = siblingTrimmer.trim(s.scratch[:0], i.bytes); err != nil {
			return Pod{}, err
		}
		if o, err = readOwn(i.bytes); err != nil {
			return Pod{}, err
		}
		key = siblingKey{memoKey{maphash.Bytes(s.seed, s.scratch), len(s.scratch)}, o.addressed}
		if p, ok := s.known[key]; ok {
			p.name, p.node, p.created, p.started = string(o.name), unique.Make(string(o.node)), o.created, o.started
			p.setUID(string(o.uid))
			return p, nil
		}
	}
	d, facts, err := decodePod(i)
	if err != nil {
		return Pod{}, err
	}
	p := hold(d, facts, inspect(d))
	if alone := d.Row.Engine != usage.NoEngine || d.Row.ReplicaGroup.Present(); !i.json && !alone && p.Detail == nil && p.claims == nil {
		s.known[key] = p
	}
	return p, nil
}

// ownFields are the values that a pod does not share with its siblings.
type ownFields struct {
	name, uid, node  []byte
	created, started int64 // Unix milliseconds
	addressed        bool  // it has an address
}

func readOwn(pod []byte) (o ownFields, err error) {
	millis := func(value []byte) (int64, error) {
		var t metav1.Time
		err := t.Unmarshal(value)
		return t.UnixMilli(), err
	}
	o.created = time.Time{}.UnixMilli() // as of a pod that says nothing of it
	err = eachField(pod, func(part int64, value []byte) error {
		return eachField(value, func(number int64, value []byte) (err error) {
			switch [2]int64{part, number} {
			case [2]int64{1, 1}:
				o.name = value
			case [2]int64{1, 5}:
				o.uid = value
			case [2]int64{1, 8}:
				o.created, err = millis(value)
			case [2]int64{2, 10}:
				o.node = value
			case [2]int64{3, 6}:
				o.addressed = len(value) > 0
			case [2]int64{3, 7}:
				o.started, err = millis(value)
			}
			return err
		})
	})
	return o, err
}
