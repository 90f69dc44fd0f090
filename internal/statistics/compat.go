package statistics

import "github.com/company/k8s-resource-monitor/internal/usage"

// The names that jobs/rollup still uses for Aggregate and Series.
type (
	Fold  = Aggregate
	Track = Series
)

func NewTrack(t *Timeline) *Series                                        { return NewSeries(t) }
func (s *Series) See(i int)                                               { s.MarkSeen(i) }
func (s *Series) Sum(v Value, i int) float64                              { return s.At(v, i) }
func (s *Series) AddTrack(o *Series, which Set)                           { s.AddValues(o, which) }
func (a *Aggregate) Take(s *Series, t *Timeline)                          { a.Append(t, s) }
func (a *Aggregate) Begin()                                               { a.NextHour() }
func (a *Aggregate) Stands() bool                                         { return a.HasPending() }
func (a *Aggregate) Statistics(t *Timeline, closed bool) usage.Statistics { return a.Finish(t, closed) }

func (s *Series) SeeAll(o *Series) {
	for i, seen := range o.seen {
		if seen {
			s.MarkSeen(i)
		}
	}
}
