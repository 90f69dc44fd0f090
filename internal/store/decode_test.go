package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// TestSchemaDrift is about files that another version of this program wrote, and
// about files whose columns have the names of ours and are others.
func TestSchemaDrift(t *testing.T) {
	type gapWithMore struct {
		usage.Gap
		More int64 `column:"more"`
	}
	gap := usage.Gap{TS: time.UnixMilli(1000).UTC(), Source: "s", Target: "t", Reason: "r"}
	later := newTable[gapWithMore](usage.Gaps, "source", "target", "ts")
	rows, err := Gaps.Decode(encode(t, later, []gapWithMore{{gap, 5}}, "c"))
	if err != nil || !slices.Equal(rows, []usage.Gap{gap}) {
		t.Errorf("a column more: %v, %v", rows, err)
	}
	// An optional column that the file is too old to have is absent.
	type oldHour struct {
		Hour            time.Time `column:"hour"`
		Samples         int32     `column:"samples"`
		ExpectedSamples int32     `column:"expected_samples"`
	}
	earlier := newTable[oldHour](usage.Cluster, "hour")
	hours, err := ClusterHours.Decode(encode(t, earlier, []oldHour{{gap.TS, 3, 4}}, "c"))
	if err != nil || len(hours) != 1 || hours[0].Samples != 3 || hours[0].Cost.Present() {
		t.Errorf("an old file: %v, %v", hours, err)
	}

	body := encode(t, Gaps, []usage.Gap{gap}, "c")
	for has, change := range map[string]func(*format.SchemaElement){
		"required INT64 TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)": func(e *format.SchemaElement) {
			e.Type.Set(format.Int64)
			unit := format.TimeUnit{Value: &format.MicroSeconds{}}
			e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: unit}
		},
		"required INT32 INT(8,false)": func(e *format.SchemaElement) {
			e.Type.Set(format.Int32)
			e.LogicalType.Value = &format.IntType{BitWidth: 8}
		},
		"repeated BYTE_ARRAY STRING": func(e *format.SchemaElement) { e.RepetitionType.Set(format.Repeated) },
		"optional BYTE_ARRAY STRING": func(e *format.SchemaElement) { e.RepetitionType.Set(format.Optional) },
		"required group":             func(e *format.SchemaElement) { e.NumChildren.Set(1) },
		"required BYTE_ARRAY":        func(e *format.SchemaElement) { e.LogicalType.Value = nil },
		"required BYTE_ARRAY JSON":   func(e *format.SchemaElement) { e.LogicalType.Value = &format.JsonType{} },
		"required DOUBLE": func(e *format.SchemaElement) {
			e.Type.Set(format.Double)
			e.LogicalType.Value = nil
		},
		"no such column": func(e *format.SchemaElement) { e.Name = "object" },
	} {
		rows, err := Gaps.Decode(claim(t, body, func(m *format.FileMetaData) { change(&m.Schema[3]) }))
		var schema *SchemaError
		if !errors.As(err, &schema) || schema.Column != "target" || schema.Found != has || rows != nil {
			t.Errorf("%s: %v, %v", has, rows, err)
		}
	}
	version := func(v string) error {
		_, err := Gaps.Decode(claim(t, body, func(m *format.FileMetaData) { m.KeyValueMetadata[0].Value = v }))
		return err
	}
	if err := version("2"); err == nil || !strings.Contains(err.Error(), `schema version "2"`) {
		t.Errorf("a later version: %v", err)
	}
}

// TestRequiredForOptional: v1 never makes an optional column required, so a
// file that has it so is not ours.
func TestRequiredForOptional(t *testing.T) {
	type row struct {
		Hour            time.Time `column:"hour"`
		Samples         int32     `column:"samples"`
		ExpectedSamples int32     `column:"expected_samples"`
		Cost            float64   `column:"cost"`
	}
	_, err := ClusterHours.Decode(encode(t, newTable[row](usage.Cluster, "hour"), nil, "c"))
	want := "table cluster, column cost: the file has required DOUBLE, this program reads optional DOUBLE: " +
		"use the k8s-monitor that wrote it, or a newer one"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestForeignFiles: a file that another program wrote is refused, with one
// error that says so, and so are pages as other programs write them.
func TestForeignFiles(t *testing.T) {
	type gap struct {
		TS     int64  `parquet:"ts,timestamp(millisecond:utc)"`
		Source string `parquet:"source"`
		Target string `parquet:"target"`
		Reason string `parquet:"reason"`
	}
	ours := parquet.KeyValueMetadata("schema_version", SchemaVersion)
	zstd := parquet.Compression(&parquet.Zstd)
	for want, options := range map[string][]parquet.WriterOption{
		"not a file that k8s-monitor wrote":         {zstd},
		"codec SNAPPY is not supported":             {ours, parquet.Compression(&parquet.Snappy)},
		"a page of type DATA_PAGE is not supported": {ours, zstd, parquet.DataPageVersion(1)},
		"of a string is not supported":              {ours, zstd},
	} {
		var out bytes.Buffer
		w := parquet.NewGenericWriter[gap](&out, options...)
		if _, err := w.Write([]gap{{1, "s", "t", "r"}}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if rows, err := Gaps.Decode(out.Bytes()); err == nil || !strings.Contains(err.Error(), want) || rows != nil {
			t.Errorf("%s: %v, %v", want, rows, err)
		}
	}
}

// claim rewrites a file's footer.
func claim(t testing.TB, body []byte, change func(*format.FileMetaData)) []byte {
	t.Helper()
	var protocol thrift.CompactProtocol
	var meta format.FileMetaData
	end := len(body) - 8
	start := end - int(binary.LittleEndian.Uint32(body[end:]))
	if err := thrift.Unmarshal(&protocol, body[start:end], &meta); err != nil {
		t.Fatal(err)
	}
	change(&meta)
	footer, err := thrift.Marshal(&protocol, &meta)
	if err != nil {
		t.Fatal(err)
	}
	out := append(bytes.Clone(body[:start]), footer...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(footer)))
	return append(out, "PAR1"...)
}

// TestFooterLength: no memory is asked for on the word of eight bytes.
func TestFooterLength(t *testing.T) {
	for _, body := range []string{"", "PAR1", "PAR1PAR1", "PAR1\xff\xff\xff\xffPAR1", "PAR1\x01\x00\x00\x00PAR1"} {
		if _, err := Gaps.Decode([]byte(body)); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "no footer at its end") {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// TestFalseFooter is about footers that do not say what the pages hold.
func TestFalseFooter(t *testing.T) {
	rows := randomRows(Nodes, 300, rand.New(rand.NewPCG(13, 14)))
	body, err := Nodes.Encode(rows, Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	if back, err := Nodes.Decode(claim(t, body, func(*format.FileMetaData) {})); err != nil || !reflect.DeepEqual(back, rows) {
		t.Fatalf("an unchanged footer: %v", err)
	}
	for name, change := range map[string]func(*format.FileMetaData){
		"rows of the file, more":       func(m *format.FileMetaData) { m.NumRows++ },
		"rows of the file, many more":  func(m *format.FileMetaData) { m.NumRows = 1 << 50 },
		"rows of the file, negative":   func(m *format.FileMetaData) { m.NumRows = -1 },
		"rows of the group, more":      func(m *format.FileMetaData) { m.RowGroups[0].NumRows++; m.NumRows++ },
		"rows of the group, many more": func(m *format.FileMetaData) { m.RowGroups[0].NumRows = 1 << 25; m.NumRows = 1 << 25 },
		"rows of the group, fewer":     func(m *format.FileMetaData) { m.RowGroups[0].NumRows--; m.NumRows-- },
		"rows of the group, negative":  func(m *format.FileMetaData) { m.RowGroups[0].NumRows = -1 },
		"pages elsewhere":              func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.DataPageOffset = 1 << 40 },
		"another column's pages": func(m *format.FileMetaData) {
			m.RowGroups[0].Columns[1], m.RowGroups[0].Columns[10] = m.RowGroups[0].Columns[10], m.RowGroups[0].Columns[1]
		},
		"size of a chunk":   func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.TotalCompressedSize = 1 << 40 },
		"values of a chunk": func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.NumValues++ },
		"rows and values, fewer": func(m *format.FileMetaData) {
			m.NumRows--
			m.RowGroups[0].NumRows--
			for i := range m.RowGroups[0].Columns {
				m.RowGroups[0].Columns[i].MetaData.NumValues--
			}
		},
		"rows and values, many more": func(m *format.FileMetaData) {
			m.NumRows = 1 << 25
			m.RowGroups[0].NumRows = 1 << 25
			for i := range m.RowGroups[0].Columns {
				m.RowGroups[0].Columns[i].MetaData.NumValues = 1 << 25
			}
		},
		"no columns":     func(m *format.FileMetaData) { m.RowGroups[0].Columns = nil },
		"another codec":  func(m *format.FileMetaData) { m.RowGroups[0].Columns[3].MetaData.Codec = format.Gzip },
		"unknown codec":  func(m *format.FileMetaData) { m.RowGroups[0].Columns[3].MetaData.Codec = 99 },
		"endless schema": func(m *format.FileMetaData) { m.Schema[0].NumChildren.Set(1 << 30) },
	} {
		back, err := Nodes.Decode(claim(t, body, change))
		if !errors.Is(err, ErrCorrupt) || back != nil {
			t.Errorf("%s: %d rows, %v", name, len(back), err)
		}
	}
}
