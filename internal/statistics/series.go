package statistics

import "slices"

// series is a value at each instant of a run. Most of a key's values, such as
// its pods and what they request, do not change: they are kept as one number.
type series struct {
	there  []uint64 // a bit an instant; nil: no value at all
	value  float64  // at all of them, unless it is spread out
	spread bool
	sum    []float64 // by instant
	weight []float64 // of what was added, where values are averaged
}

func (s *series) has(i int) bool { return s.there[i/64]>>(i%64)&1 == 1 }

// reset takes all values away; the memory is kept.
func (s *series) reset() {
	*s = series{sum: s.sum[:0], weight: s.weight[:0]}
}

// begin makes room for the first value.
func (s *series) begin(v Value, instants int) {
	s.there = make([]uint64, (instants+63)/64)
	if v.averaged() {
		s.spreadOut(instants)
		s.weight = zeros(s.weight, instants)
	}
}

func zeros(memory []float64, n int) []float64 {
	memory = slices.Grow(memory[:0], n)[:n]
	clear(memory)
	return memory
}

// spreadOut gives each instant a number of its own.
func (s *series) spreadOut(instants int) {
	s.sum, s.spread = zeros(s.sum, instants), true
	for i := range s.sum {
		if s.has(i) {
			s.sum[i] = s.value
		}
	}
}

func (s *series) add(v Value, i int, x, weight float64, instants int) {
	if s.there == nil {
		s.begin(v, instants)
		s.value = x
	}
	if !s.spread && (x != s.value || s.has(i)) {
		s.spreadOut(instants)
	}
	s.there[i/64] |= 1 << (i % 64)
	switch {
	case v.averaged():
		s.sum[i] += x * weight
		s.weight[i] += weight
	case s.spread:
		s.sum[i] += x
	}
}

// addSeries adds the values of a member.
func (s *series) addSeries(v Value, from *series, instants int) {
	if from.there == nil {
		return
	}
	switch {
	case s.there == nil && !from.spread:
		s.there, s.value = slices.Clone(from.there), from.value
		return
	case s.there == nil:
		s.begin(v, instants)
	}
	if !s.spread && !from.spread && slices.Equal(s.there, from.there) {
		s.value += from.value
		return
	}
	if !s.spread {
		s.spreadOut(instants)
	}
	for i, bits := range from.there {
		s.there[i] |= bits
	}
	if !from.spread {
		for i := range s.sum {
			if from.has(i) {
				s.sum[i] += from.value
			}
		}
		return
	}
	sum := s.sum[:len(from.sum)]
	for i, x := range from.sum {
		sum[i] += x
	}
	for i, w := range from.weight {
		s.weight[i] += w
	}
}

// at is the value at instant i, if there is one.
func (s *series) at(i int) (float64, bool) {
	switch {
	case s.there == nil || !s.has(i):
		return 0, false
	case !s.spread:
		return s.value, true
	case len(s.weight) > 0:
		return s.sum[i] / s.weight[i], s.weight[i] > 0
	}
	return s.sum[i], true
}
