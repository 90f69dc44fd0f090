package statistics

import (
	"fmt"
	"reflect"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Column is a column of usage.Statistics by its name in the hourly tables.
type Column struct {
	field int
	part  func(*usage.Distribution) usage.Opt[float64] // nil: the field is the column
}

var parts = map[string]func(*usage.Distribution) usage.Opt[float64]{
	"_avg": func(d *usage.Distribution) usage.Opt[float64] { return d.Avg },
	"_p50": func(d *usage.Distribution) usage.Opt[float64] { return d.P50 },
	"_p95": func(d *usage.Distribution) usage.Opt[float64] { return d.P95 },
	"_max": func(d *usage.Distribution) usage.Opt[float64] { return d.Max },
}

// columns are all columns of usage.Statistics, as its tags name them.
var columns = func() map[string]Column {
	all := map[string]Column{}
	row := reflect.TypeFor[usage.Statistics]()
	for i := range row.NumField() {
		name := row.Field(i).Tag.Get("column")
		if row.Field(i).Type != reflect.TypeFor[usage.Distribution]() {
			all[name] = Column{field: i}
			continue
		}
		for suffix, part := range parts {
			all[name+suffix] = Column{i, part}
		}
	}
	return all
}()

// ColumnOf returns the column with a name such as gpu_util_percent_p95.
func ColumnOf(name string) (Column, bool) {
	c, ok := columns[name]
	return c, ok
}

// Get returns the figure of a row as a number, whatever its type.
func (c Column) Get(s *usage.Statistics) usage.Opt[float64] {
	switch v := c.pointer(s).(type) {
	case *usage.Distribution:
		return c.part(v)
	case *usage.Opt[float64]:
		return *v
	case *usage.Opt[int64]:
		return Ratio(*v, usage.Some(1.0), 1)
	case *int32:
		return usage.Some(float64(*v))
	default:
		panic(fmt.Sprintf("statistics: no column has the type %T", v))
	}
}

func (c Column) pointer(s *usage.Statistics) any {
	return reflect.ValueOf(s).Elem().Field(c.field).Addr().Interface()
}

// at points to a field of a row.
func at[T any](row reflect.Value, field int) *T { return row.Field(field).Addr().Interface().(*T) }

// valueFields and counterFields are the fields of usage.Statistics that values
// and counters fill; -1: none.
var valueFields, counterFields = func() (ofValues [values]int, ofCounters [len(counterNames)]int) {
	for v, d := range declared {
		want := reflect.TypeFor[usage.Opt[float64]]()
		suffix := ""
		switch d.kind {
		case asSum:
			ofValues[v] = -1
			continue
		case asDistribution:
			want, suffix = reflect.TypeFor[usage.Distribution](), "_avg"
		}
		c, ok := columns[d.name+suffix]
		if !ok || reflect.TypeFor[usage.Statistics]().Field(c.field).Type != want {
			panic(fmt.Sprintf("statistics: usage.Statistics has no column %q of type %v, which a %s fills", d.name, want, d.kind))
		}
		ofValues[v] = c.field
	}
	for i, name := range counterNames {
		ofCounters[i] = -1
		if c, ok := columns[name]; ok {
			ofCounters[i] = c.field
		}
	}
	return ofValues, ofCounters
}()
