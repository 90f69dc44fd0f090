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

// podRow is what a rule on pods sees. Percents are of the first of limit,
// request and the node's allocatable that is known; the basis says which.
type podRow struct {
	usage.Pod
	CPUPercent       usage.Opt[float64]     `column:"cpu_percent"`
	CPUBasis         usage.Opt[usage.Basis] `column:"cpu_basis"`
	CPUWhole         usage.Opt[int64]       `column:"cpu_whole_millicores"` // what 100 percent is
	MemoryPercent    usage.Opt[float64]     `column:"memory_percent"`
	MemoryBasis      usage.Opt[usage.Basis] `column:"memory_basis"`
	MemoryWhole      usage.Opt[int64]       `column:"memory_whole_bytes"`
	GPUMemoryPercent usage.Opt[float64]     `column:"gpu_memory_percent"`
}

// nodeRow is what a rule on nodes sees. Percents are of allocatable.
type nodeRow struct {
	usage.Node
	CPUPercent    usage.Opt[float64] `column:"cpu_percent"`
	MemoryPercent usage.Opt[float64] `column:"memory_percent"`
}

// gpuRow is what a rule on GPUs sees.
type gpuRow struct {
	usage.GPU
	GPUMemoryPercent usage.Opt[float64] `column:"gpu_memory_percent"`
}

// modelRow is what a rule on models sees: the pods of a namespace that serve
// one model. Requests are summed and the cache ratio is the fullest one; each
// is absent where no pod reports it.
type modelRow struct {
	TS                time.Time          `column:"ts"`
	Namespace         string             `column:"namespace"`
	Model             string             `column:"model"`
	Engine            string             `column:"engine"`
	Pods              int32              `column:"pods"` // that have not ended
	PodsReady         int32              `column:"pods_ready"`
	RequestsRunning   usage.Opt[int64]   `column:"requests_running"`
	RequestsWaiting   usage.Opt[int64]   `column:"requests_waiting"`
	KVCacheUsageRatio usage.Opt[float64] `column:"kv_cache_usage_ratio"`
}

// snapshotRow is what a rule on the snapshot itself sees, once a run.
type snapshotRow struct {
	SampledAt       usage.Opt[time.Time] `column:"sampled_at"` // the newest committed sample
	AgeSeconds      usage.Opt[float64]   `column:"age_seconds"`
	IntervalSeconds usage.Opt[int64]     `column:"interval_seconds"` // between samples
	// AgeIntervals counts the age in intervals, and in minutes where the
	// interval is shorter: the snapshot job runs at most once a minute.
	AgeIntervals usage.Opt[float64] `column:"age_intervals"`
}

// thresholdNames are the thresholds of the configuration, as expressions name them.
func thresholdNames(t report.Thresholds) map[string]float64 {
	return map[string]float64{
		"thresholds.cpu": t.CPUPercent, "thresholds.memory": t.MemoryPercent, "thresholds.gpu": t.GPUPercent,
	}
}

// kind is what rules on one kind of subject may say.
type kind struct {
	name    string
	env     *cel.Env
	columns map[string]column
}

type column struct {
	index   []int // of the field in the kind's row
	celType *cel.Type
}

// newKinds builds the vocabulary of every kind from the rows' column tags.
func newKinds() (map[string]*kind, error) {
	kinds := map[string]*kind{}
	for name, row := range map[string]reflect.Type{
		onPod:      reflect.TypeFor[podRow](),
		onNode:     reflect.TypeFor[nodeRow](),
		onGPU:      reflect.TypeFor[gpuRow](),
		onModel:    reflect.TypeFor[modelRow](),
		onSnapshot: reflect.TypeFor[snapshotRow](),
	} {
		k := &kind{name: name, columns: map[string]column{}}
		if err := k.add(row, nil); err != nil {
			return nil, err
		}
		options := []cel.EnvOption{cel.CrossTypeNumericComparisons(true)}
		for _, column := range slices.Sorted(maps.Keys(k.columns)) {
			options = append(options, cel.Variable(column, k.columns[column].celType))
		}
		for _, threshold := range slices.Sorted(maps.Keys(thresholdNames(report.Thresholds{}))) {
			options = append(options, cel.Variable(threshold, cel.DoubleType))
		}
		var err error
		if k.env, err = cel.NewEnv(options...); err != nil {
			return nil, fmt.Errorf("expressions on %s: %w", name, err)
		}
		kinds[name] = k
	}
	return kinds, nil
}

// add takes in the fields of a row type, and of the structs embedded in it.
func (k *kind) add(row reflect.Type, index []int) error {
	for i := range row.NumField() {
		field, at := row.Field(i), append(slices.Clone(index), i)
		if field.Anonymous {
			if err := k.add(field.Type, at); err != nil {
				return err
			}
			continue
		}
		column, err := columnOf(field, at)
		if err != nil {
			return err
		}
		k.columns[field.Tag.Get("column")] = column
	}
	return nil
}

func columnOf(f reflect.StructField, index []int) (column, error) {
	var t *cel.Type
	switch reflect.Zero(f.Type).Interface().(type) {
	case string, usage.Opt[string], usage.Opt[usage.Basis]:
		t = cel.StringType
	case int32, int64, usage.Opt[int32], usage.Opt[int64]:
		t = cel.IntType
	case float64, usage.Opt[float64]:
		t = cel.DoubleType
	case bool:
		t = cel.BoolType
	case time.Time, usage.Opt[time.Time]:
		t = cel.TimestampType
	default:
		return column{}, fmt.Errorf("column %s: rules cannot read a %v", f.Tag.Get("column"), f.Type)
	}
	return column{index, t}, nil
}

// row is one subject at one instant, with the names that expressions and
// summaries may use. It is the activation of CEL programs.
type row struct {
	kind       *kind
	fields     reflect.Value // of the kind's row type
	thresholds map[string]float64
}

// get returns a name's value as string, int64, float64, bool or time.Time, and
// nil where a number or time is absent. Absent text is "": a pod without a
// reason has no reason, whereas a pod without a usage has one that is not known.
func (r row) get(name string) any {
	if t, ok := r.thresholds[name]; ok {
		return t
	}
	switch v := r.fields.FieldByIndex(r.kind.columns[name].index).Interface().(type) {
	case int32:
		return int64(v)
	case usage.Opt[string]:
		s, _ := v.Get()
		return s
	case usage.Opt[usage.Basis]:
		b, _ := v.Get()
		return string(b)
	case usage.Opt[int32]:
		if n, ok := v.Get(); ok {
			return int64(n)
		}
		return nil
	case usage.Opt[int64]:
		return orNil(v)
	case usage.Opt[float64]:
		return orNil(v)
	case usage.Opt[time.Time]:
		return orNil(v)
	default:
		return v
	}
}

func orNil[T any](o usage.Opt[T]) any {
	if v, ok := o.Get(); ok {
		return v
	}
	return nil
}

// ResolveName makes row an activation. What is absent is CEL's unknown, which
// spreads through every operator except where the other side of && or ||
// decides alone.
func (r row) ResolveName(name string) (any, bool) {
	if _, known := r.kind.columns[name]; !known {
		if _, known := r.thresholds[name]; !known {
			return nil, false
		}
	}
	if v := r.get(name); v != nil {
		return v, true
	}
	return types.NewUnknown(1, nil), true
}

// Parent makes row an activation.
func (r row) Parent() cel.Activation { return nil }

// truth is what an expression says of a row.
type truth int

const (
	unknown truth = iota // it depends on something absent, or fails on this row
	no
	yes
)

func eval(p cel.Program, r row) truth {
	v, _, err := p.Eval(r)
	if err != nil {
		return unknown
	}
	switch v {
	case types.True:
		return yes
	case types.False:
		return no
	}
	return unknown
}
