package usage

import "time"

// Freshness limits: from how many intervals on, without a new sample, the page
// and the alert rules call the newest one late, and the collector stopped.
const (
	LateIntervals    = 3
	StoppedIntervals = 10
)

// AgeIntervals is the age of a sample in intervals between samples, and in
// minutes where the interval is shorter: the snapshot job runs at most once a
// minute.
func AgeIntervals(age, interval time.Duration) float64 {
	return float64(age) / float64(max(interval, time.Minute))
}
