package kube

import "hash/maphash"

// memo remembers what items were reduced to, by a hash of the bytes that the
// trimmer leaves of them. With 64 bits of a seeded hash and the length, two of
// a million items are taken for one another less than once in ten million
// samples.
type memo[T any] struct {
	seed    maphash.Seed
	trimmer *trimmer
	trimmed []byte         // scratch
	last    map[memoKey]*T // of the latest complete list
	current map[memoKey]*T // of the list being read
}

type memoKey struct {
	hash uint64
	size int
}

func newMemo[T any](t *trimmer) memo[T] { return memo[T]{seed: maphash.MakeSeed(), trimmer: t} }

// begin starts a list, or starts it anew.
func (m *memo[T]) begin() { m.current = make(map[memoKey]*T, len(m.last)) }

// reduce returns what the item reduces to, by reduce where it is new.
func (m *memo[T]) reduce(i item, reduce func(item) (T, error)) (*T, error) {
	var err error
	if m.trimmed, err = m.trimmer.trim(m.trimmed[:0], i); err != nil {
		return nil, err
	}
	i.bytes = m.trimmed
	key := memoKey{maphash.Bytes(m.seed, i.bytes), len(i.bytes)}
	v := m.last[key]
	if v == nil {
		fresh, err := reduce(i)
		if err != nil {
			return nil, err
		}
		v = &fresh
	}
	m.current[key] = v
	return v, nil
}

// end forgets what the list just read no longer holds.
func (m *memo[T]) end() { m.last, m.current = m.current, nil }
