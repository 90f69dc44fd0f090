package wire

import "hash/maphash"

// Memo remembers what items were reduced to, by a hash of their trimmed bytes:
// from one list to the next, most have not changed. With 64 bits of a seeded
// hash, two of a million items are taken for one another less than once in ten
// million lists.
type Memo[T any] struct {
	seed          maphash.Seed
	last, current map[uint64]*T // of the latest complete list, and of the one that is being read
}

// NewMemo returns a memo that knows nothing.
func NewMemo[T any]() Memo[T] { return Memo[T]{seed: maphash.MakeSeed()} }

// Len is how many items the latest complete list had.
func (m *Memo[T]) Len() int { return len(m.last) }

// Begin starts a list.
func (m *Memo[T]) Begin() { m.current = make(map[uint64]*T, len(m.last)) }

// Reduce returns what the item reduces to, by reduce where it is new.
func (m *Memo[T]) Reduce(item []byte, reduce func([]byte) (T, error)) (*T, error) {
	hash := maphash.Bytes(m.seed, item)
	v, ok := m.last[hash]
	if !ok {
		v, ok = m.current[hash] // of a list that had to begin anew
	}
	if !ok {
		fresh, err := reduce(item)
		if err != nil {
			return nil, err
		}
		v = &fresh
	}
	m.current[hash] = v
	return v, nil
}

// End forgets what the list just read no longer holds.
func (m *Memo[T]) End() { m.last, m.current = m.current, nil }
