package kube

// ordered finds values by a hash of what they are of, at once where they are
// asked for in the order in which they were added. API servers list by name, so
// that two lists of the same things nearly are. The map that any other order
// needs is made when it is first needed: of 150,000 pods it is a tenth of a
// sample's CPU.
type ordered[V any] struct {
	entries []entry[V]
	next    int            // the entry that is asked for next, as long as the order holds
	places  map[uint64]int // of the entries, by hash; nil until the order has not held
}

type entry[V any] struct {
	hash  uint64
	value V
}

// add adds a value; none may have been asked for yet.
func (o *ordered[V]) add(hash uint64, v V) { o.entries = append(o.entries, entry[V]{hash, v}) }

// find returns the value with the hash.
func (o *ordered[V]) find(hash uint64) (v V, ok bool) {
	if o.next == len(o.entries) || o.entries[o.next].hash != hash {
		if o.places == nil {
			o.places = make(map[uint64]int, len(o.entries))
			for i, e := range o.entries {
				o.places[e.hash] = i
			}
		}
		place, ok := o.places[hash]
		if !ok {
			return v, false
		}
		o.next = place
	}
	o.next++
	return o.entries[o.next-1].value, true
}
