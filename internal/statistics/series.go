package statistics

import "github.com/company/k8s-resource-monitor/internal/usage"

// Series is what was sampled of one key at the instants of a Timeline: its values,
// and what its counters grew by.
type Series struct {
	Counters
	instants int
	seen     []bool // at which instants there was a sample of the key
	samples  int32
	points   [values]points
}

// NewSeries makes a series without values for the timeline's instants.
func NewSeries(t *Timeline) *Series {
	return &Series{instants: t.Len(), seen: make([]bool, t.Len())}
}

// Reset removes all values and keeps the memory.
func (s *Series) Reset() {
	s.Counters, s.samples = Counters{}, 0
	clear(s.seen)
	for v := range s.points {
		s.points[v].reset()
	}
}

// MarkSeen notes that there is a sample of the key at instant i.
func (s *Series) MarkSeen(i int) {
	if !s.seen[i] {
		s.seen[i] = true
		s.samples++
	}
}

// Len is the number of instants.
func (s *Series) Len() int { return s.instants }

// Seen reports whether there is a sample of the key at instant i.
func (s *Series) Seen(i int) bool { return s.seen[i] }

// Add adds a member's value at instant i. The weight counts for values that are
// averaged over members.
func (s *Series) Add(v Value, i int, x, weight float64) {
	s.points[v].add(v, i, x, weight, s.instants)
}

// AddOpt adds x with a weight of one, if it is present.
func AddOpt[T usage.Number](s *Series, v Value, i int, x usage.Opt[T]) {
	if x, ok := x.Get(); ok {
		s.Add(v, i, float64(x), 1)
	}
}

// At is the value at instant i, zero if none was added.
func (s *Series) At(v Value, i int) float64 {
	x, _ := s.points[v].at(i)
	return x
}

// AddMember adds a member of the key: the values in which, its samples and the
// growth of its counters.
func (s *Series) AddMember(member *Series, which Set) {
	s.AddValues(member, which)
	for i, seen := range member.seen {
		if seen {
			s.MarkSeen(i)
		}
	}
	s.Counters.Add(&member.Counters)
}

// AddValues adds some values of a member of the key.
func (s *Series) AddValues(member *Series, which Set) {
	for v := range values {
		if which.Has(v) {
			s.points[v].addMember(v, &member.points[v], s.instants)
		}
	}
}
