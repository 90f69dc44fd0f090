package store

import (
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// element is a column as a file's schema states it, of format.SchemaElement.
type element struct {
	Physical format.Type                `thrift:"1,optional"`
	Presence format.FieldRepetitionType `thrift:"3,optional"`
	Name     string                     `thrift:"4,required"`
	Children int32                      `thrift:"5,optional"` // a column of ours has none
	Logical  format.LogicalType         `thrift:"10,optional"`
}

// String is the element's presence, physical and logical type.
func (e *element) String() string {
	s := strings.ToLower(e.Presence.String()) + " "
	if e.Children > 0 {
		return s + "group"
	}
	return strings.TrimSpace(s + e.Physical.String() + " " + e.Logical.String())
}

// is reports whether the column has the element's type and presence.
func (e *element) is(c *column) bool {
	if e.Children > 0 || e.Physical != c.kind.physical() || e.Presence != c.presence() {
		return false
	}
	switch l := e.Logical.Value.(type) {
	case nil:
		return c.kind == kindDouble || c.kind == kindBoolean
	case *format.StringType:
		return c.kind == kindString
	case *format.IntType:
		return *l == format.IntType{BitWidth: 32, IsSigned: true} && c.kind == kindInt ||
			*l == format.IntType{BitWidth: 64, IsSigned: true} && c.kind == kindBigint
	case *format.TimestampType:
		_, millis := l.Unit.Value.(*format.MilliSeconds)
		return millis && l.IsAdjustedToUTC && c.kind == kindTimestamp
	}
	return false
}

func (c *column) presence() format.FieldRepetitionType {
	if c.optional {
		return format.Optional
	}
	return format.Required
}

// schema is the column's element as it is written. Readers that know no logical
// types go by the older, converted ones.
func (c *column) schema() format.SchemaElement {
	e := format.SchemaElement{Name: c.name}
	e.Type.Set(c.kind.physical())
	e.RepetitionType.Set(c.presence())
	switch c.kind {
	case kindString:
		e.ConvertedType.Set(deprecated.UTF8)
		e.LogicalType.Value = &format.StringType{}
	case kindInt:
		e.ConvertedType.Set(deprecated.Int32)
		e.LogicalType.Value = &format.IntType{BitWidth: 32, IsSigned: true}
	case kindBigint:
		e.ConvertedType.Set(deprecated.Int64)
		e.LogicalType.Value = &format.IntType{BitWidth: 64, IsSigned: true}
	case kindTimestamp:
		e.ConvertedType.Set(deprecated.TimestampMillis)
		unit := format.TimeUnit{Value: &format.MilliSeconds{}}
		e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: unit}
	}
	return e
}
