package store

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go/format"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// kind is a column's type.
type kind int

const (
	kindString kind = iota
	kindInt
	kindBigint
	kindDouble
	kindBoolean
	kindTimestamp
)

// String is the type's name in SQL and in the documentation.
func (k kind) String() string {
	return [...]string{"string", "int", "bigint", "double", "boolean", "timestamp"}[k]
}

// physical is the type that the kind's values are stored as.
func (k kind) physical() format.Type {
	return [...]format.Type{format.ByteArray, format.Int32, format.Int64, format.Double, format.Boolean, format.Int64}[k]
}

// column is one column of a table: where its value lies in the row, and for an
// optional one, where the row says whether it is present.
type column struct {
	name     string
	kind     kind
	optional bool
	value    uintptr // offset of the value in the row
	present  uintptr // offset of the presence flag, if optional
	want     string  // what a file's column has to be, as its element says it
	path     []string
}

var plainKinds = map[reflect.Type]kind{
	reflect.TypeFor[string]():    kindString,
	reflect.TypeFor[int32]():     kindInt,
	reflect.TypeFor[int64]():     kindBigint,
	reflect.TypeFor[float64]():   kindDouble,
	reflect.TypeFor[bool]():      kindBoolean,
	reflect.TypeFor[time.Time](): kindTimestamp,
}

var optionalKinds = map[reflect.Type]kind{
	reflect.TypeFor[usage.Opt[string]]():    kindString,
	reflect.TypeFor[usage.Opt[int32]]():     kindInt,
	reflect.TypeFor[usage.Opt[int64]]():     kindBigint,
	reflect.TypeFor[usage.Opt[float64]]():   kindDouble,
	reflect.TypeFor[usage.Opt[bool]]():      kindBoolean,
	reflect.TypeFor[usage.Opt[time.Time]](): kindTimestamp,
}

// columnsOf reads the columns off a row type. A type that cannot be stored is
// a mistake in this program, found when it starts.
func columnsOf(row reflect.Type, base uintptr) []column {
	var columns []column
	for i := range row.NumField() {
		f := row.Field(i)
		name, offset := f.Tag.Get("column"), base+f.Offset
		switch {
		case f.Anonymous:
			columns = append(columns, columnsOf(f.Type, offset)...)
			continue
		case f.Type == reflect.TypeFor[usage.Distribution]():
			for j, suffix := range [...]string{"_avg", "_p50", "_p95", "_max"} {
				d := f.Type.Field(j)
				columns = append(columns, optionalColumn(name+suffix, kindDouble, d.Type, offset+d.Offset))
			}
			continue
		}
		if k, ok := plainKinds[f.Type]; ok && name != "" {
			columns = append(columns, column{name: name, kind: k, value: offset})
		} else if k, ok := optionalKinds[f.Type]; ok && name != "" {
			columns = append(columns, optionalColumn(name, k, f.Type, offset))
		} else {
			panic(fmt.Sprintf("store: %s.%s: no column tag, or type %s is not a column's", row, f.Name, f.Type))
		}
	}
	return columns
}

func optionalColumn(name string, k kind, opt reflect.Type, offset uintptr) column {
	value, _ := opt.FieldByName("value")
	present, _ := opt.FieldByName("present")
	return column{name: name, kind: k, optional: true, value: offset + value.Offset, present: offset + present.Offset}
}

// newTable derives the Parquet schema from the row type. Rows are sorted by the
// named columns: keys, which are strings or 32-bit integers, and a time as the last.
func newTable[T any](name string, sorted ...string) *Table[T] {
	t := &Table[T]{name: name, sorted: sorted, columns: columnsOf(reflect.TypeFor[T](), 0)}
	for i, name := range sorted {
		n, c := t.column(name)
		t.order = append(t.order, format.SortingColumn{ColumnIdx: int32(n), NullsFirst: c.optional})
		switch last := i == len(sorted)-1; {
		case last && c.kind == kindTimestamp && !c.optional:
			t.time = c
		case !last && (c.kind == kindString || c.kind == kindInt):
			t.keys = append(t.keys, *c)
		default:
			panic("store: table " + t.name + " cannot be sorted by " + name)
		}
	}
	root := format.SchemaElement{Name: name}
	root.NumChildren.Set(int32(len(t.columns)))
	t.schema = append(t.schema, root)
	for i := range t.columns {
		c := &t.columns[i]
		s := c.schema()
		t.schema = append(t.schema, s)
		c.want = (&element{Physical: s.Type.V, Presence: s.RepetitionType.V, Logical: s.LogicalType}).String()
		c.path = []string{c.name}
	}
	return t
}

// column is the column of that name, which there has to be.
func (t *Table[T]) column(name string) (int, *column) {
	i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
	return i, &t.columns[i]
}
