package statistics

import (
	"math"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// binWidth is how far apart two values of one bin can be.
const binWidth = 1.008

var perBin = 1 / math.Log(binWidth)

// bin is the time of values that lie close together, and the largest of them.
// So a percentile is a value that was measured, at most 0.8 % above the exact
// one, and exact where the values of a bin are equal, as small numbers are.
type bin struct {
	index  int32 // of the value's logarithm; values up to zero share the least
	millis int64
	value  float64
}

const zeroBin = math.MinInt32

func binOf(x float64) int32 {
	if x <= 0 {
		return zeroBin
	}
	return int32(math.Ceil(math.Log(x) * perBin))
}

// distribution is the time of each value, in bins by index.
type distribution []bin

// add adds time of a value; hint is the bin that was added to before it.
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

// constant is the sum of a value that never changed; ok is false of any other.
func (d distribution) constant() (sum integral, ok bool) {
	if len(d) != 1 {
		return sum, false
	}
	return integral{d[0].value * float64(d[0].millis), d[0].millis}, true
}

// percentile is the least value such that it and the smaller ones stand for at
// least that share of all time.
func (d distribution) percentile(percent, millis int64) usage.Opt[float64] {
	covered := int64(0)
	for _, b := range d {
		if covered += b.millis; covered*100 >= percent*millis {
			return usage.Some(b.value)
		}
	}
	return usage.Opt[float64]{}
}

// integral is a value summed over time, and the time in which it was measured.
// Of what comes to pass it is the sum, and at how many instants there was any.
type integral struct {
	total  float64 // value × milliseconds
	millis int64
}

// sum is the sum of what came to pass.
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

// hours is the value × hours, absent where the value was unknown for some time.
func (n integral) hours() usage.Opt[float64] {
	if n.millis == 0 || math.IsNaN(n.total) {
		return usage.Opt[float64]{}
	}
	return usage.Some(n.total / millisPerHour)
}

const millisPerHour = 3_600_000

func (f *Fold) distribution(v Value) usage.Distribution {
	bins, sum := f.bins[v], f.sums[v]
	if len(bins) == 0 {
		return usage.Distribution{}
	}
	return usage.Distribution{Avg: sum.mean(), P50: bins.percentile(50, sum.millis), P95: bins.percentile(95, sum.millis),
		Max: usage.Some(bins[len(bins)-1].value)}
}
