package publish

import (
	"fmt"
	"reflect"
	"time"

	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// fillColumns fills the columns of a document, which data points to: each from
// the field of the rows that has its name. A column that is filled already is
// left alone. A column that no field fits is a fault of the document's type, and
// panics.
func fillColumns[T any](data any, rows []T) {
	document := reflect.ValueOf(data).Elem()
	for i := range document.NumField() {
		column := document.Field(i)
		name := document.Type().Field(i).Name
		switch to := column.Addr().Interface().(type) {
		case *report.Strings:
			if to.Indexes == nil {
				*to = stringsOf(rows, name)
			}
		case *report.Ints:
			*to = make(report.Ints, len(rows))
			eachField(rows, name, func(i int, field any) { (*to)[i] = intOf(field, name) })
		case *report.Floats:
			*to = make(report.Floats, len(rows))
			eachField(rows, name, func(i int, field any) { (*to)[i] = *field.(*usage.Opt[float64]) })
		case *[]bool:
			*to = make([]bool, len(rows))
			eachField(rows, name, func(i int, field any) { (*to)[i] = *field.(*bool) })
		}
	}
}

// eachField calls do with a pointer to the named field of each row.
func eachField[T any](rows []T, name string, do func(i int, field any)) {
	field, ok := reflect.TypeFor[T]().FieldByName(name)
	if !ok {
		panic(fmt.Sprintf("%v has no field %s for the column of this name", reflect.TypeFor[T](), name))
	}
	for i := range rows {
		do(i, reflect.ValueOf(&rows[i]).Elem().FieldByIndex(field.Index).Addr().Interface())
	}
}

func stringsOf[T any](rows []T, name string) report.Strings {
	d := newDictionary(len(rows))
	eachField(rows, name, func(_ int, field any) {
		if text, ok := field.(*string); ok {
			d.add(*text)
		} else {
			d.addOpt(*field.(*usage.Opt[string]))
		}
	})
	return d.column
}

// intOf is a number, or a time in Unix milliseconds.
func intOf(field any, name string) usage.Opt[int64] {
	switch v := field.(type) {
	case *int32:
		return usage.Some(int64(*v))
	case *time.Time:
		return usage.Some(v.UnixMilli())
	case *usage.Opt[int64]:
		return *v
	case *usage.Opt[int32]:
		if n, ok := v.Get(); ok {
			return usage.Some(int64(n))
		}
		return usage.Opt[int64]{}
	}
	panic(fmt.Sprintf("column %s is of whole numbers, its field is a %T", name, field))
}

// copyFields copies the fields of from that to has by the same name and type.
func copyFields(to, from any) {
	target, source := reflect.ValueOf(to).Elem(), reflect.ValueOf(from).Elem()
	for i := range target.NumField() {
		field := target.Type().Field(i)
		if f := source.FieldByName(field.Name); f.IsValid() && f.Type() == field.Type {
			target.Field(i).Set(f)
		}
	}
}

// dictionary builds a column of strings.
type dictionary struct {
	column report.Strings
	index  map[string]int32
}

func newDictionary(rows int) *dictionary {
	return &dictionary{report.Strings{Dictionary: []string{}, Indexes: make([]int32, 0, rows)}, map[string]int32{}}
}

func (d *dictionary) add(s string) {
	i, ok := d.index[s]
	if !ok {
		i = int32(len(d.column.Dictionary))
		d.index[s] = i
		d.column.Dictionary = append(d.column.Dictionary, s)
	}
	d.column.Indexes = append(d.column.Indexes, i)
}

func (d *dictionary) addOpt(o usage.Opt[string]) {
	if s, ok := o.Get(); ok {
		d.add(s)
		return
	}
	d.column.Indexes = append(d.column.Indexes, -1)
}
