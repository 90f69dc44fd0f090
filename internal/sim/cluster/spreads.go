package cluster

import (
	"math"
	"strconv"
)

// Spread is a histogram's buckets and the cumulative share of observations up to
// each, without and under pressure. Both distributions are fixed and multiplied by
// counters, so each bucket is a counter too.
type Spread struct {
	Bounds        []string
	Calm, Pressed []float64
	Means         [2]float64
}

// logNormal spreads observations around a median; under pressure it is factor
// times as high.
func logNormal(median, sigma, factor float64, bounds ...string) Spread {
	s := Spread{Bounds: bounds}
	below := func(bound, median float64) float64 {
		return math.Erfc(-math.Log(bound/median)/(sigma*math.Sqrt2)) / 2
	}
	for _, b := range bounds {
		bound, err := strconv.ParseFloat(b, 64)
		if err != nil {
			panic(err) // a constant of this package
		}
		s.Calm = append(s.Calm, below(bound, median))
		s.Pressed = append(s.Pressed, below(bound, median*factor))
	}
	mean := median * math.Exp(sigma*sigma/2)
	s.Means = [2]float64{mean, mean * factor}
	return s
}

// Spreads are the histograms of one engine.
type Spreads struct{ TTFT, Token, E2E, Queue, Prompt, Generation Spread }

func newSpreads(e *Engine) *Spreads {
	tokens := []string{"1.0", "2.0", "5.0", "10.0", "20.0", "50.0", "100.0", "200.0", "500.0", "1000.0", "2000.0", "5000.0", "10000.0",
		"20000.0"}
	seconds := []string{"0.3", "0.5", "0.8", "1.0", "1.5", "2.0", "2.5", "5.0", "10.0", "15.0", "20.0", "30.0", "40.0", "50.0", "60.0",
		"120.0", "240.0", "480.0"}
	per := max(e.Requests, 1e-9)
	return &Spreads{
		TTFT: logNormal(e.TTFT, 0.55, 5, "0.001", "0.005", "0.01", "0.02", "0.04", "0.06", "0.08", "0.1", "0.25", "0.5", "0.75", "1.0",
			"2.5", "5.0", "7.5", "10.0", "20.0", "40.0", "80.0"),
		Token: logNormal(perToken, 0.35, 1.9, "0.01", "0.025", "0.05", "0.075", "0.1", "0.15", "0.2", "0.3", "0.4", "0.5", "0.75", "1.0",
			"2.5"),
		E2E:        logNormal(max(e.TTFT*1.5, min(perRequest, perToken*e.Generation/per)), 0.7, 2.2, seconds...),
		Queue:      logNormal(0.004, 0.9, 90, seconds...),
		Prompt:     logNormal(max(1, e.Prompt/per*0.7), 0.85, 1, tokens...),
		Generation: logNormal(max(1, e.Generation/per*0.7), 0.85, 1, tokens...),
	}
}
