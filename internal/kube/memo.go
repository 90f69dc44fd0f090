package kube

import "hash/maphash"

// memo remembers what trimmed items were reduced to, by a hash of their bytes.
// With 64 bits of a seeded hash, two of a million items are taken for one
// another less than once in ten million samples.
type memo[T any] struct {
	seed    maphash.Seed
	last    ordered[*T] // of the latest complete list
	current ordered[*T] // of the list being read
}

func newMemo[T any]() memo[T] { return memo[T]{seed: maphash.MakeSeed()} }

// begin starts a list, or starts it anew.
func (m *memo[T]) begin() {
	m.last.next = 0
	m.current = ordered[*T]{entries: make([]entry[*T], 0, len(m.last.entries))}
}

// reduce returns what the item reduces to, by reduce where it is new.
func (m *memo[T]) reduce(i item, reduce func(item) (T, error)) (*T, error) {
	hash := maphash.Bytes(m.seed, i.bytes)
	v, ok := m.last.find(hash)
	if !ok {
		fresh, err := reduce(i)
		if err != nil {
			return nil, err
		}
		v = &fresh
	}
	m.current.add(hash, v)
	return v, nil
}

// end forgets what the list just read no longer holds.
func (m *memo[T]) end() { m.last, m.current = m.current, ordered[*T]{} }
