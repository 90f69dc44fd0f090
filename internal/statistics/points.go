package statistics

import "slices"

// points is one value at each instant of a timeline. Most values, such as what
// pods request, never change: they are kept as one number and the instants that
// have it. Once two instants differ, each has a number of its own.
type points struct {
	present    []uint64 // a bit per instant; nil: no value at all
	constant   float64  // the value at all of them, unless perInstant
	perInstant bool
	sums       []float64 // by instant
	weights    []float64 // by instant, where the value is averaged over members
}

func (p *points) has(i int) bool { return p.present[i/64]>>(i%64)&1 == 1 }

// reset removes all values and keeps the memory.
func (p *points) reset() {
	*p = points{sums: p.sums[:0], weights: p.weights[:0]}
}

// allocate makes room for the first value.
func (p *points) allocate(v Value, instants int) {
	p.present = make([]uint64, (instants+63)/64)
	if v.averaged() {
		p.expand(instants)
		p.weights = zeros(p.weights, instants)
	}
}

func zeros(memory []float64, n int) []float64 {
	memory = slices.Grow(memory[:0], n)[:n]
	clear(memory)
	return memory
}

// expand gives each instant a number of its own.
func (p *points) expand(instants int) {
	p.sums, p.perInstant = zeros(p.sums, instants), true
	for i := range p.sums {
		if p.has(i) {
			p.sums[i] = p.constant
		}
	}
}

// add adds x at instant i.
func (p *points) add(v Value, i int, x, weight float64, instants int) {
	if p.present == nil {
		p.allocate(v, instants)
		p.constant = x
	}
	if !p.perInstant && (x != p.constant || p.has(i)) {
		p.expand(instants)
	}
	p.present[i/64] |= 1 << (i % 64)
	switch {
	case v.averaged():
		p.sums[i] += x * weight
		p.weights[i] += weight
	case p.perInstant:
		p.sums[i] += x
	}
}

// addMember adds a member's values, instant by instant.
func (p *points) addMember(v Value, member *points, instants int) {
	if member.present == nil {
		return
	}
	switch {
	case p.present == nil && !member.perInstant:
		p.present, p.constant = slices.Clone(member.present), member.constant
		return
	case p.present == nil:
		p.allocate(v, instants)
	}
	if !p.perInstant && !member.perInstant && slices.Equal(p.present, member.present) {
		p.constant += member.constant
		return
	}
	if !p.perInstant {
		p.expand(instants)
	}
	for i, bits := range member.present {
		p.present[i] |= bits
	}
	if !member.perInstant {
		for i := range p.sums {
			if member.has(i) {
				p.sums[i] += member.constant
			}
		}
		return
	}
	sums := p.sums[:len(member.sums)]
	for i, x := range member.sums {
		sums[i] += x
	}
	for i, w := range member.weights {
		p.weights[i] += w
	}
}

// at is the value at instant i, if there is one.
func (p *points) at(i int) (float64, bool) {
	switch {
	case p.present == nil || !p.has(i):
		return 0, false
	case !p.perInstant:
		return p.constant, true
	case len(p.weights) > 0:
		return p.sums[i] / p.weights[i], p.weights[i] > 0
	}
	return p.sums[i], true
}
