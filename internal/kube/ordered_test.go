package kube

import (
	"math/rand/v2"
	"testing"
)

// Whatever is asked for, in whatever order, the answer is a map's.
func TestOrdered(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var o ordered[int]
		want := map[uint64]int{}
		hashes := make([]uint64, r.IntN(20))
		for i := range hashes {
			hashes[i] = r.Uint64()
			o.add(hashes[i], i)
			want[hashes[i]] = i
		}
		asked := append([]uint64{}, hashes...)
		for range r.IntN(4) { // some are gone, some new, some elsewhere
			switch i := r.IntN(len(asked) + 1); {
			case i == len(asked):
				asked = append(asked, r.Uint64())
			case r.IntN(2) == 0:
				asked = append(asked[:i], asked[i+1:]...)
			default:
				j := r.IntN(len(asked))
				asked[i], asked[j] = asked[j], asked[i]
			}
		}
		inOrder := true
		for i, hash := range asked {
			inOrder = inOrder && i < len(hashes) && hash == hashes[i]
			got, ok := o.find(hash)
			if value, known := want[hash]; got != value || ok != known {
				t.Fatalf("seed %d: %d is %d, %v; want %d, %v", seed, hash, got, ok, value, known)
			}
		}
		if inOrder && o.places != nil {
			t.Errorf("seed %d: a map was made although the order held", seed)
		}
	}
}
