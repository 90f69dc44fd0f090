package store

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// wildRows makes rows that a table's columns can hold and a cluster would not
// give: each column by its own kind of values, from all the same to all
// different, with the extremes, the empty and the absent among them.
func wildRows[T any](t *Table[T], n int, r *rand.Rand) []T {
	rows := make([]T, n)
	type habit struct{ distinct, absent, stay int }
	habits := make([]habit, len(t.columns))
	for i := range habits {
		habits[i] = habit{[]int{1, 2, 40, 1 << 30}[r.IntN(4)], []int{0, 1, 5, 100}[r.IntN(4)], []int{0, 50, 99}[r.IntN(3)]}
	}
	for i := range rows {
		at := 0
		each(reflect.ValueOf(&rows[i]).Elem(), func(v reflect.Value) {
			h := habits[at]
			at++
			if i > 0 && r.IntN(100) < h.stay {
				k := 0
				each(reflect.ValueOf(&rows[i-1]).Elem(), func(last reflect.Value) {
					if k++; k == at {
						v.Set(last)
					}
				})
				return
			}
			wild(v, r, r.IntN(h.distinct), r.IntN(100) < h.absent)
		})
	}
	slices.SortStableFunc(rows, func(a, b T) int { return t.compareRows(&a, &b) })
	return rows
}

// each calls f for each column of a row.
func each(v reflect.Value, f func(reflect.Value)) {
	switch v.Addr().Interface().(type) {
	case *string, *int32, *int64, *float64, *bool, *time.Time,
		*usage.Opt[string], *usage.Opt[int32], *usage.Opt[int64], *usage.Opt[float64], *usage.Opt[time.Time]:
		f(v)
		return
	}
	for i := range v.NumField() {
		each(v.Field(i), f)
	}
}

func wild(v reflect.Value, r *rand.Rand, seed int, absent bool) {
	text := func() string {
		switch seed % 17 {
		case 3:
			return ""
		case 4:
			return strings.Repeat("long-", seed%97+13)
		case 5:
			return "\x00\xff\xfe" + fmt.Sprint(seed)
		case 6:
			return "tail-" + strings.Repeat("é", seed%40)
		}
		return fmt.Sprintf("svc-%d-%x", seed%7, seed)
	}
	number := func() int64 {
		return []int64{0, -1, math.MinInt64, math.MaxInt64, int64(seed), -int64(seed) << 30, int64(seed) << 12}[seed%7]
	}
	double := func() float64 {
		return []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), float64(seed) / 8, -float64(seed), math.MaxFloat64, math.SmallestNonzeroFloat64}[seed%8]
	}
	instant := func() time.Time { return time.UnixMilli(number() % 1e14).UTC() }
	switch p := v.Addr().Interface().(type) {
	case *string:
		*p = text()
	case *int32:
		*p = int32(number() >> (seed % 2 * 32))
	case *int64:
		*p = number()
	case *float64:
		*p = double()
	case *bool:
		*p = seed%2 == 0
	case *time.Time:
		*p = instant()
	case *usage.Opt[string]:
		*p = opt(text(), absent)
	case *usage.Opt[int32]:
		*p = opt(int32(number()>>(seed%2*32)), absent)
	case *usage.Opt[int64]:
		*p = opt(number(), absent)
	case *usage.Opt[float64]:
		*p = opt(double(), absent)
	case *usage.Opt[time.Time]:
		*p = opt(instant(), absent)
	}
}

func opt[V any](v V, absent bool) usage.Opt[V] {
	if absent {
		return usage.Opt[V]{}
	}
	return usage.Some(v)
}
