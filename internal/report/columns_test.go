package report

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// A column reads as encoding/json writes its values one by one.
func FuzzColumns(f *testing.F) {
	for _, v := range []float64{0, math.Copysign(0, -1), 1, -97.5, 1.0 / 3, 1e-6, 9e-7, 1e20, 1e21, math.MaxFloat64, math.SmallestNonzeroFloat64, math.NaN(), math.Inf(-1)} {
		f.Add(v, int64(v))
	}
	f.Fuzz(func(t *testing.T, v float64, n int64) {
		same(t, Floats{usage.Some(v), {}, usage.Some(-v)}, []any{v, nil, -v})
		same(t, Ints{{}, usage.Some(n), usage.Some(-n)}, []any{nil, n, -n})
	})
}

func TestColumns(t *testing.T) {
	same(t, Floats(nil), []any(nil))
	same(t, Floats{}, []any{})
	same(t, Ints{}, []any{})
}

func same(t *testing.T, column, values any) {
	t.Helper()
	got, gotErr := json.Marshal(column)
	want, err := json.Marshal(values)
	if string(got) != string(want) || (gotErr == nil) != (err == nil) {
		t.Errorf("%s, %v; encoding/json writes %s, %v", got, gotErr, want, err)
	}
}
