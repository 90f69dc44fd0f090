package sim

import (
	"math"
	"strconv"
)

// figures are what a model server would know of itself.
type figures struct {
	running, waiting   float64
	kv                 float64 // ratio
	prompt, generation float64 // tokens since it started
	cached             float64 // prompt tokens found in the prefix cache
	calm, pressed      float64 // requests finished, without and under pressure
	calmTokens         float64 // intervals between generated tokens, likewise
	pressedTokens      float64
	preemptions        float64
}

func (f figures) requests() float64 { return f.calm + f.pressed }

// A request without pressure takes this many seconds from end to end, a token
// after the first this many.
const (
	perRequest = 9.5
	perToken   = 0.021
	hitRatio   = 0.42
)

// figures come from the integrals of the load, so counters only grow.
func (s *slot) figures(st state, t float64) figures {
	e, l, w := s.w.engine, s.loadAt(st, t), s.works(st, t)
	w.busy += s.w.past
	over := max(0, l.demand-1)
	f := figures{
		running:     math.Round(e.running * l.busy),
		waiting:     math.Round(over * e.running * 4),
		prompt:      math.Floor(e.prompt * w.busy),
		generation:  math.Floor(e.generation * w.busy),
		cached:      math.Floor(e.prompt * w.busy * hitRatio),
		calm:        math.Floor(e.requests * (w.busy - w.slow)),
		pressed:     math.Floor(e.requests * w.slow),
		preemptions: math.Floor(w.queue / 4),

		calmTokens:    math.Floor(max(0, e.generation-e.requests) * (w.busy - w.slow)),
		pressedTokens: math.Floor(max(0, e.generation-e.requests) * w.slow),
	}
	if f.running > 0 {
		f.kv = min(0.985, 0.03+0.8*l.busy*l.busy+min(0.16, over*2))
	}
	return f
}

// engineTexts write the /metrics of each engine, which has a file of its own.
// They are written by what the engines print, not by what package serving reads.
var engineTexts = map[string]func(w *writer, s *slot, f figures, st state){
	"vllm":   vllmText,
	"sglang": sglangText,
}

// text writes the engine's /metrics at Unix time t.
func (s *slot) text(b []byte, st state, t float64) []byte {
	w := &writer{b: b}
	engineTexts[s.w.engine.kind](w, s, s.figures(st, t), st)
	return w.b
}

// writer appends families of one engine; every sample has the same labels.
type writer struct {
	b      []byte
	labels string // without braces
}

func (w *writer) family(name, kind, help string) {
	w.b = append(append(append(w.b, "# HELP "...), name...), ' ')
	w.b = append(append(append(w.b, help...), "\n# TYPE "...), name...)
	w.b = append(append(append(w.b, ' '), kind...), '\n')
}

func (w *writer) sample(name, suffix, label, labelValue string, value float64) {
	w.b = append(append(append(append(w.b, name...), suffix...), '{'), w.labels...)
	if label != "" {
		w.b = append(append(append(w.b, ','), label...), `="`...)
		w.b = append(append(w.b, labelValue...), '"')
	}
	w.b = append(w.b, "} "...)
	if whole := int64(value); float64(whole) == value {
		w.b = append(strconv.AppendInt(w.b, whole, 10), ".0\n"...)
		return
	}
	w.b = append(strconv.AppendFloat(w.b, value, 'g', -1, 64), '\n')
}

func (w *writer) one(name, kind, help string, value float64) {
	w.family(name, kind, help)
	w.sample(name, "", "", "", value)
}

// spread is a histogram's buckets and the share of observations in each and
// those below it, without and under pressure. Two fixed distributions, each
// times a counter, keep every bucket a counter too.
type spread struct {
	bounds        []string
	calm, pressed []float64
	means         [2]float64
}

// logNormal spreads observations around a median; under pressure it is factor
// times as high.
func logNormal(median, sigma, factor float64, bounds ...string) spread {
	s := spread{bounds: bounds}
	below := func(bound, median float64) float64 {
		return math.Erfc(-math.Log(bound/median)/(sigma*math.Sqrt2)) / 2
	}
	for _, b := range bounds {
		bound, err := strconv.ParseFloat(b, 64)
		if err != nil {
			panic(err) // a constant of ours
		}
		s.calm = append(s.calm, below(bound, median))
		s.pressed = append(s.pressed, below(bound, median*factor))
	}
	mean := median * math.Exp(sigma*sigma/2)
	s.means = [2]float64{mean, mean * factor}
	return s
}

// spreads are the histograms of one engine.
type spreads struct{ ttft, token, e2e, queue, prompt, generation spread }

func newSpreads(e *engine) *spreads {
	tokens := []string{"1.0", "2.0", "5.0", "10.0", "20.0", "50.0", "100.0", "200.0", "500.0", "1000.0", "2000.0", "5000.0", "10000.0", "20000.0"}
	seconds := []string{"0.3", "0.5", "0.8", "1.0", "1.5", "2.0", "2.5", "5.0", "10.0", "15.0", "20.0", "30.0", "40.0", "50.0", "60.0", "120.0", "240.0", "480.0"}
	per := max(e.requests, 1e-9)
	return &spreads{
		ttft:       logNormal(e.ttft, 0.55, 5, "0.001", "0.005", "0.01", "0.02", "0.04", "0.06", "0.08", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0", "7.5", "10.0", "20.0", "40.0", "80.0"),
		token:      logNormal(perToken, 0.35, 1.9, "0.01", "0.025", "0.05", "0.075", "0.1", "0.15", "0.2", "0.3", "0.4", "0.5", "0.75", "1.0", "2.5"),
		e2e:        logNormal(max(e.ttft*1.5, min(perRequest, perToken*e.generation/per)), 0.7, 2.2, seconds...),
		queue:      logNormal(0.004, 0.9, 90, seconds...),
		prompt:     logNormal(max(1, e.prompt/per*0.7), 0.85, 1, tokens...),
		generation: logNormal(max(1, e.generation/per*0.7), 0.85, 1, tokens...),
	}
}

func (w *writer) histogram(name, help string, s *spread, calm, pressed float64) {
	w.family(name, "histogram", help)
	for i, bound := range s.bounds {
		w.sample(name, "_bucket", "le", bound, math.Floor(calm*s.calm[i])+math.Floor(pressed*s.pressed[i]))
	}
	w.sample(name, "_bucket", "le", "+Inf", calm+pressed)
	w.sample(name, "_count", "", "", calm+pressed)
	w.sample(name, "_sum", "", "", calm*s.means[0]+pressed*s.means[1])
}
