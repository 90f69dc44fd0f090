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

// begin starts a list.
func (m *memo[T]) begin() {
	m.last.next = 0
	m.current = ordered[*T]{entries: make([]entry[*T], 0, len(m.last.entries))}
}

// again drops what the list has beyond its first n items, which are going to be
// read again: what those reduced to is found then.
func (m *memo[T]) again(n int) {
	if dropped := m.current.entries[n:]; len(dropped) > 0 {
		m.last = ordered[*T]{entries: append(m.last.entries, dropped...)}
		m.current.entries = m.current.entries[:n]
	}
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
