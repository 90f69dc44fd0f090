package cluster

import (
	"math"
)

// Figures are the internal counters and gauges of a model server.
type Figures struct {
	Running, Waiting   float64
	KV                 float64 // ratio
	Prompt, Generation float64 // tokens since it started
	Cached             float64 // prompt tokens found in the prefix cache
	Calm, Pressed      float64 // requests finished, without and under pressure
	CalmTokens         float64 // intervals between generated tokens, likewise
	PressedTokens      float64
	Preemptions        float64
}

// Requests is the number of requests finished.
func (f Figures) Requests() float64 { return f.Calm + f.Pressed }

// A request without pressure takes this many seconds from end to end, a token
// after the first this many.
const (
	perRequest = 9.5
	perToken   = 0.021
	HitRatio   = 0.42
)

// Figures come from the integrals of the load, so counters only grow.
func (s *Slot) Figures(st State, t float64) Figures {
	e, l, w := s.Workload.Engine, s.loadAt(st, t), s.works(st, t)
	w.Busy += s.Workload.past
	over := max(0, l.demand-1)
	f := Figures{
		Running:     math.Round(e.Running * l.busy),
		Waiting:     math.Round(over * e.Running * 4),
		Prompt:      math.Floor(e.Prompt * w.Busy),
		Generation:  math.Floor(e.Generation * w.Busy),
		Cached:      math.Floor(e.Prompt * w.Busy * HitRatio),
		Calm:        math.Floor(e.Requests * (w.Busy - w.slow)),
		Pressed:     math.Floor(e.Requests * w.slow),
		Preemptions: math.Floor(w.queue / 4),

		CalmTokens:    math.Floor(max(0, e.Generation-e.Requests) * (w.Busy - w.slow)),
		PressedTokens: math.Floor(max(0, e.Generation-e.Requests) * w.slow),
	}
	if f.Running > 0 {
		f.KV = min(0.985, 0.03+0.8*l.busy*l.busy+min(0.16, over*2))
	}
	return f
}
