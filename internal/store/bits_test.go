package store

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestPacked(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	for width := range 65 {
		want := make([]uint64, 64)
		for i := range want {
			want[i] = r.Uint64() & (1<<width - 1)
		}
		b := packed(nil, want, width)
		if len(b) != width*8 {
			t.Fatalf("%d bits: %d bytes", width, len(b))
		}
		for _, tail := range []int{0, 20} { // the bytes that follow are not looked at
			got := make([]uint64, 61)
			unpack(got, append(slices.Clone(b), make([]byte, tail)...), 3*width, width)
			if !slices.Equal(got, want[3:]) {
				t.Errorf("%d bits, %d bytes behind: other values", width, tail)
			}
		}
	}
}

func TestRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(43, 44))
	for width := 1; width <= 32; width++ {
		for _, longest := range []int{1, 3, 40, 5000} {
			var runs []run
			var want []uint64
			for range 300 {
				v, n := r.Uint32()>>(32-width), 1+r.IntN(longest)
				runs = push(runs, v, n)
				want = append(want, slices.Repeat([]uint64{uint64(v)}, n)...)
			}
			reader := runReader{b: appendRuns(nil, runs, width), width: width}
			got := make([]uint64, len(want))
			for done := 0; done < len(got); {
				n := min(len(got)-done, 1+r.IntN(2*longest))
				if v, k := reader.long(n); k > 0 {
					copy(got[done:], slices.Repeat([]uint64{v}, k))
					n = k
				} else if err := reader.read(got[done : done+n]); err != nil {
					t.Fatal(err)
				}
				done += n
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d bits, runs up to %d: other values", width, longest)
			}
		}
	}
}

func TestDelta(t *testing.T) {
	r := rand.New(rand.NewPCG(45, 46))
	for _, narrow := range []bool{false, true} {
		for bits := range 65 {
			for _, n := range []int{0, 1, 2, 32, 33, 34, 128, 129, 130, 400} {
				want := make([]int64, n)
				for i := range want {
					want[i] = int64(r.Uint64()) >> (64 - bits)
					if narrow {
						want[i] = int64(int32(want[i]))
					}
				}
				b := appendDelta(nil, want, narrow)
				for _, tail := range []string{"", "what follows"} {
					var reader deltaReader
					if rest, err := reader.after(append(slices.Clone(b), tail...)); err != nil || string(rest) != tail {
						t.Fatalf("%d integers of %d bits: followed by %q, %v", n, bits, rest, err)
					}
					got := make([]int64, n)
					if err := reader.open(append(slices.Clone(b), tail...), narrow); err != nil {
						t.Fatal(err)
					}
					cut := r.IntN(n + 1)
					if err := reader.read(got[:cut]); err != nil {
						t.Fatal(err)
					}
					if err := reader.read(got[cut:]); err != nil || !slices.Equal(got, want) {
						t.Fatalf("%d integers of %d bits: other integers, %v", n, bits, err)
					}
					if err := reader.read(make([]int64, 1)); err == nil {
						t.Fatalf("%d integers of %d bits: one more", n, bits)
					}
				}
			}
		}
	}
}

// TestWrap: differences of 32-bit integers are no wider than 32 bits, which is
// all that other readers unpack.
func TestWrap(t *testing.T) {
	var reader deltaReader
	if err := reader.open(appendDelta(nil, []int64{math.MaxInt32, math.MinInt32, math.MaxInt32, 0}, true), true); err != nil {
		t.Fatal(err)
	}
	reader.left--
	if _, width, _, err := reader.next(); err != nil || width > 32 || reader.least < math.MinInt32 {
		t.Errorf("%d bits above %d, %v", width, reader.least, err)
	}
}

// TestExpansion: strings that a page's bytes do not account for are refused.
func TestExpansion(t *testing.T) {
	var w textWriter
	w.add(strings.Repeat("x-", 50_000), 1)
	for i := range 2000 {
		w.add(strings.Repeat("x-", 50_000-1)+fmt.Sprint(i%10), 1)
	}
	page := w.encode(nil)
	var r textReader
	if err := r.open(page); err != nil {
		t.Fatal(err)
	}
	var s scratch
	var err error
	for range 10 {
		if err == nil {
			err = r.read(s.texts[:200], &s)
		}
	}
	if err == nil || !strings.Contains(err.Error(), "much longer than their page") {
		t.Errorf("200 MB out of %d bytes: %v", len(page), err)
	}
}

// TestZeroBounds: a zero as a bound stands for both zeros.
func TestZeroBounds(t *testing.T) {
	for _, zero := range []float64{0, math.Copysign(0, -1)} {
		var b bounds
		b.add(kindDouble, int64(math.Float64bits(zero)))
		least, most, ok := b.encode(kindDouble)
		if !ok || string(least) != "\x00\x00\x00\x00\x00\x00\x00\x80" || string(most) != "\x00\x00\x00\x00\x00\x00\x00\x00" {
			t.Errorf("%v: %x to %x, %v", zero, least, most, ok)
		}
	}
}
