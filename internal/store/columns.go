package store

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"

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

// column is one column of a table: where its value lies in the row, and for an
// optional one, where the row says whether it is present.
type column struct {
	name     string
	kind     kind
	optional bool
	value    uintptr // offset of the value in the row
	present  uintptr // offset of the presence flag, if optional
	want     string  // what a file's column has to be, as describe says it
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

// newTable derives the Parquet schema from the row type.
func newTable[T any](name string, compare func(a, b T) int, sorted ...string) *Table[T] {
	t := &Table[T]{name: name, compare: compare, sorted: sorted, columns: columnsOf(reflect.TypeFor[T](), 0)}
	root := inOrder{Group: parquet.Group{}}
	for i := range t.columns {
		c := &t.columns[i]
		node := c.node()
		c.want = describe(node)
		root.Group[c.name] = node
		root.names = append(root.names, c.name)
	}
	t.schema = parquet.NewSchema(name, root)
	return t
}

// column is the column of that name, which there has to be.
func (t *Table[T]) column(name string) *column {
	i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
	return &t.columns[i]
}

// node is the column's place in the Parquet schema.
func (c *column) node() parquet.Node {
	var n parquet.Node
	switch c.kind {
	case kindString:
		n = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	case kindInt:
		n = parquet.Encoded(parquet.Int(32), &parquet.DeltaBinaryPacked)
	case kindBigint:
		n = parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)
	case kindDouble:
		n = parquet.Leaf(parquet.DoubleType)
	case kindBoolean:
		n = parquet.Leaf(parquet.BooleanType)
	case kindTimestamp:
		n = parquet.Encoded(parquet.Timestamp(parquet.Millisecond), &parquet.DeltaBinaryPacked)
	}
	if c.optional {
		n = parquet.Optional(n)
	}
	return n
}

// inOrder is a group whose fields keep the order of names; the library's own
// group sorts them.
type inOrder struct {
	parquet.Group
	names []string
}

// Fields lists the group's fields in order.
func (g inOrder) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range g.Group.Fields() {
		byName[f.Name()] = f
	}
	fields := make([]parquet.Field, len(g.names))
	for i, name := range g.names {
		fields[i] = byName[name]
	}
	return fields
}
