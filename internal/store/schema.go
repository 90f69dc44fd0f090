package store

import (
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// element is a column as a file's schema states it.
type element struct {
	name     string
	presence format.FieldRepetitionType
	physical format.Type
	children int    // a column of ours has none
	logical  string // as the table's own are named below, "" for none
}

// Logical types of the tables' columns, as the library names them.
const (
	logicalString = "STRING"
	logicalInt    = "INT(32,true)"
	logicalBigint = "INT(64,true)"
	logicalMillis = "TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS)"
)

// element is the column's place in the schema.
func (c *column) element() element {
	e := element{name: c.name, physical: c.kind.physical()}
	if c.optional {
		e.presence = format.Optional
	}
	e.logical = [...]string{logicalString, logicalInt, logicalBigint, "", "", logicalMillis}[c.kind]
	return e
}

// String is what has to agree: presence, physical and logical type.
func (e element) String() string {
	s := strings.ToLower(e.presence.String()) + " "
	switch {
	case e.children > 0:
		return s + "group"
	case e.logical == "":
		return s + e.physical.String()
	}
	return s + e.physical.String() + " " + e.logical
}

// schema is the column's element as it is written. Readers that know no logical
// types go by the older, converted ones.
func (c *column) schema() format.SchemaElement {
	e := format.SchemaElement{Name: c.name}
	e.Type.Set(c.kind.physical())
	e.RepetitionType.Set(c.element().presence)
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

// readElement reads a column's element.
func readElement(r *thriftReader) (e element) {
	r.fields(func(id int, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			e.physical = format.Type(r.int())
		case id == 3 && kind == thriftI32:
			e.presence = format.FieldRepetitionType(r.int())
		case id == 4 && kind == thriftBinary:
			e.name = r.text()
		case id == 5 && kind == thriftI32:
			e.children = int(r.int())
		case id == 10 && kind == thriftStruct:
			e.logical = readLogical(r)
		default:
			return false
		}
		return true
	})
	return e
}

// readLogical reads a union of logical types.
func readLogical(r *thriftReader) (logical string) {
	r.fields(func(id int, kind byte) bool {
		switch {
		case id == 1:
			logical = logicalString
		case id == 8 && kind == thriftStruct:
			utc, unit := false, "?"
			r.fields(func(id int, kind byte) bool {
				utc = utc || id == 1 && kind == thriftTrue
				if id == 2 && kind == thriftStruct {
					r.fields(func(id int, _ byte) bool {
						unit = [...]string{"?", "MILLIS", "MICROS", "NANOS"}[id&3]
						return false
					})
					return true
				}
				return false
			})
			if logical = logicalMillis; !utc || unit != "MILLIS" {
				logical = fmt.Sprintf("TIMESTAMP(isAdjustedToUTC=%t,unit=%s)", utc, unit)
			}
			return true
		case id == 10 && kind == thriftStruct:
			bits, signed := 0, false
			r.fields(func(id int, kind byte) bool {
				signed = signed || id == 2 && kind == thriftTrue
				if id == 1 && kind == 3 {
					bits = int(r.byte())
					return true
				}
				return false
			})
			switch {
			case signed && bits == 32:
				logical = logicalInt
			case signed && bits == 64:
				logical = logicalBigint
			default:
				logical = fmt.Sprintf("INT(%d,%t)", bits, signed)
			}
			return true
		default:
			logical = fmt.Sprintf("logical type %d", id)
		}
		return false
	})
	return logical
}
