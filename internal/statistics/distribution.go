package statistics

import (
	"math"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// binWidth is the ratio of the largest to the smallest value of a bin.
const binWidth = 1.008

var binsPerLog = 1 / math.Log(binWidth)

// bin is how long values that lie close together were held, and the largest of
// them. A percentile is therefore a value that was measured, at most 0.8 % above
// the exact one, and exact where a bin holds equal values, as with small whole
// numbers.
type bin struct {
	index  int32 // of the value's logarithm; values up to zero share zeroBin
	millis int64
	value  float64
}

const zeroBin = math.MinInt32

func binOf(x float64) int32 {
	if x <= 0 {
		return zeroBin
	}
	return int32(math.Ceil(math.Log(x) * binsPerLog))
}

// distribution is how long each value was held, in bins ordered by index.
type distribution []bin

// add adds time of a value and returns the position of its bin, which is the hint
// for the next one: values tend to repeat.
func (d *distribution) add(x float64, millis int64, hint int) int {
	bins := *d
	if hint < len(bins) && bins[hint].value == x {
		bins[hint].millis += millis
		return hint
	}
	index := binOf(x)
	low, high := 0, len(bins)
	for low < high {
		if mid := (low + high) / 2; bins[mid].index < index {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low < len(bins) && bins[low].index == index {
		bins[low].millis += millis
		bins[low].value = max(bins[low].value, x)
		return low
	}
	bins = append(bins, bin{})
	copy(bins[low+1:], bins[low:])
	bins[low] = bin{index, millis, x}
	*d = bins
	return low
}

// constant is the integral of a value that never changed; ok is false if it did.
func (d distribution) constant() (sum integral, ok bool) {
	if len(d) != 1 {
		return sum, false
	}
	return integral{d[0].value * float64(d[0].millis), d[0].millis}, true
}

// percentile is the smallest value that, with all smaller ones, was held for at
// least that share of the time.
func (d distribution) percentile(percent, millis int64) usage.Opt[float64] {
	covered := int64(0)
	for _, b := range d {
		if covered += b.millis; covered*100 >= percent*millis {
			return usage.Some(b.value)
		}
	}
	return usage.Opt[float64]{}
}

// integral is a value summed over time, and for how long it was measured. Of a
// value that is declared asSum it is the plain sum, and the number of instants.
type integral struct {
	total  float64 // value × milliseconds
	millis int64
}

// sum is the plain sum.
func (n integral) sum() usage.Opt[float64] {
	if n.millis == 0 {
		return usage.Opt[float64]{}
	}
	return usage.Some(n.total)
}

// mean is the time-weighted mean.
func (n integral) mean() usage.Opt[float64] {
	if n.millis == 0 {
		return usage.Opt[float64]{}
	}
	return usage.Some(n.total / float64(n.millis))
}

// hours is the value × hours, absent where the value was NaN, unknown, at any time.
func (n integral) hours() usage.Opt[float64] {
	if n.millis == 0 || math.IsNaN(n.total) {
		return usage.Opt[float64]{}
	}
	return usage.Some(n.total / millisPerHour)
}

const millisPerHour = 3_600_000
