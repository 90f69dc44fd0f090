package alert

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Kinds of subjects, as rules name them in `on` and alerts.json in kind.
const (
	onPod      = "pod"
	onNode     = "node"
	onGPU      = "gpu"
	onModel    = "model"
	onSnapshot = "snapshot"
)

var kindNames = []string{onPod, onNode, onGPU, onModel, onSnapshot}

// limits are the numbers that expressions name beside columns: the
// configuration's thresholds, and when a snapshot is late and has stopped.
func limits(t report.Thresholds) map[string]float64 {
	return map[string]float64{
		"thresholds.cpu": t.CPUPercent, "thresholds.memory": t.MemoryPercent, "thresholds.gpu": t.GPUPercent,
		"freshness.late": usage.LateIntervals, "freshness.stopped": usage.StoppedIntervals,
	}
}

// newKinds are the CEL environments in which the rules on each kind are
// checked: the columns of the kind's row with their types, and the limits.
func newKinds() (map[string]*kind, error) {
	r, kinds := newRows(nil, report.Thresholds{}), map[string]*kind{}
	for _, name := range kindNames {
		k := &kind{columns: r.view(name).cells}
		options := []cel.EnvOption{cel.CrossTypeNumericComparisons(true)}
		for _, column := range slices.Sorted(maps.Keys(k.columns)) {
			options = append(options, cel.Variable(column, k.columns[column].celType))
		}
		var err error
		if k.env, err = cel.NewEnv(options...); err != nil {
			return nil, fmt.Errorf("expressions on %s: %w", name, err)
		}
		kinds[name] = k
	}
	return kinds, nil
}

// kind is what rules on one kind of subject may say.
type kind struct {
	env     *cel.Env
	columns map[string]cell
}

// view is a row as expressions and summaries see it: a name is one of the row's
// columns or a limit. It is the activation of CEL programs. The row it was
// made for is read each time, so a view lives as long as its row.
type view struct {
	rules []*Rule // on this kind
	cells map[string]cell
}

// cell reads one named value: string, int64, float64, bool or time.Time; nil
// where a number or time is absent. Absent text is "": a pod without a reason
// has no reason, whereas a pod without a usage has one that is not known.
type cell struct {
	celType *cel.Type
	get     func() any
}

// newView shows the row that the pointer points to, by its column tags.
func newView(row any, t report.Thresholds) view {
	v := view{cells: map[string]cell{}}
	v.add(reflect.ValueOf(row).Elem())
	for name, limit := range limits(t) {
		v.cells[name] = cell{cel.DoubleType, func() any { return limit }}
	}
	return v
}

// add takes in the fields of a row, and of the structs embedded in it.
func (v *view) add(row reflect.Value) {
	for i := range row.NumField() {
		if field := row.Type().Field(i); field.Anonymous {
			v.add(row.Field(i))
		} else {
			v.cells[field.Tag.Get("column")] = cellOf(row.Field(i).Addr().Interface())
		}
	}
}

// cellOf reads the field that the pointer points to. A row with a field of
// another type is a fault of this package.
func cellOf(field any) cell {
	switch p := field.(type) {
	case *string:
		return cell{cel.StringType, func() any { return *p }}
	case *usage.Opt[string]:
		return cell{cel.StringType, func() any { s, _ := p.Get(); return s }}
	case *usage.Opt[usage.Basis]:
		return cell{cel.StringType, func() any { b, _ := p.Get(); return string(b) }}
	case *int32:
		return cell{cel.IntType, func() any { return int64(*p) }}
	case *int64:
		return cell{cel.IntType, func() any { return *p }}
	case *usage.Opt[int32]:
		return cell{cel.IntType, func() any {
			if n, ok := p.Get(); ok {
				return int64(n)
			}
			return nil
		}}
	case *usage.Opt[int64]:
		return cell{cel.IntType, func() any { return orNil(*p) }}
	case *float64:
		return cell{cel.DoubleType, func() any { return *p }}
	case *usage.Opt[float64]:
		return cell{cel.DoubleType, func() any { return orNil(*p) }}
	case *bool:
		return cell{cel.BoolType, func() any { return *p }}
	case *time.Time:
		return cell{cel.TimestampType, func() any { return *p }}
	case *usage.Opt[time.Time]:
		return cell{cel.TimestampType, func() any { return orNil(*p) }}
	}
	panic(fmt.Sprintf("rules cannot read a %T", field))
}

func orNil[T any](o usage.Opt[T]) any {
	if v, ok := o.Get(); ok {
		return v
	}
	return nil
}

// absent is CEL's unknown, which spreads through every operator except where
// the other side of && or || decides alone.
var absent = types.NewUnknown(1, nil)

// ResolveName makes view an activation.
func (v *view) ResolveName(name string) (any, bool) {
	c, ok := v.cells[name]
	if !ok {
		return nil, false
	}
	if value := c.get(); value != nil {
		return value, true
	}
	return absent, true
}

// Parent makes view an activation.
func (v *view) Parent() cel.Activation { return nil }

// truth is what an expression says of a row.
type truth int

const (
	unknown truth = iota // it depends on something absent, or fails on this row
	no
	yes
)

func eval(p cel.Program, v *view) truth {
	result, _, err := p.Eval(v)
	if err != nil {
		return unknown
	}
	switch result {
	case types.True:
		return yes
	case types.False:
		return no
	}
	return unknown
}
