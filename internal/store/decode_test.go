package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// other encodes rows of any shape under the table's metadata.
func other[T any](t *testing.T, version string, rows ...T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := parquet.NewGenericWriter[T](&out, parquet.KeyValueMetadata("schema_version", version))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type gapsWithMore struct {
	TS     int64  `parquet:"ts,timestamp(millisecond:utc)"`
	Source string `parquet:"source"`
	Target string `parquet:"target"`
	Reason string `parquet:"reason"`
	More   int64  `parquet:"more"`
}

// TestSchemaDrift is about files that another program version wrote. The
// library on its own would read most of these as zeros and say nothing.
func TestSchemaDrift(t *testing.T) {
	rows, err := Gaps.Decode(other(t, SchemaVersion, gapsWithMore{1000, "s", "t", "r", 5}))
	if want := []usage.Gap{{TS: time.UnixMilli(1000).UTC(), Source: "s", Target: "t", Reason: "r"}}; err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("a column more: %v, %v", rows, err)
	}
	bad := map[string][]byte{
		"wrong unit of time": other(t, SchemaVersion, struct {
			TS     int64  `parquet:"ts,timestamp(millisecond:utc)"`
			Source string `parquet:"source"`
			Target int64  `parquet:"target,timestamp(microsecond:utc)"`
			Reason string `parquet:"reason"`
		}{}),
		"list for string": other(t, SchemaVersion, struct {
			TS     int64    `parquet:"ts,timestamp(millisecond:utc)"`
			Source string   `parquet:"source"`
			Target []string `parquet:"target"`
			Reason string   `parquet:"reason"`
		}{}),
		"bytes for string": other(t, SchemaVersion, struct {
			TS     int64  `parquet:"ts,timestamp(millisecond:utc)"`
			Source string `parquet:"source"`
			Target []byte `parquet:"target"`
			Reason string `parquet:"reason"`
		}{}),
		"renamed": other(t, SchemaVersion, struct {
			TS     int64  `parquet:"ts,timestamp(millisecond:utc)"`
			Source string `parquet:"source"`
			Target string `parquet:"object"`
			Reason string `parquet:"reason"`
		}{}),
		"optional for required": other(t, SchemaVersion, struct {
			TS     int64   `parquet:"ts,timestamp(millisecond:utc)"`
			Source string  `parquet:"source"`
			Target *string `parquet:"target,optional"`
			Reason string  `parquet:"reason"`
		}{}),
		"number for string": other(t, SchemaVersion, struct {
			TS     int64   `parquet:"ts,timestamp(millisecond:utc)"`
			Source string  `parquet:"source"`
			Target float64 `parquet:"target"`
			Reason string  `parquet:"reason"`
		}{}),
	}
	for name, body := range bad {
		rows, err := Gaps.Decode(body)
		var schemaErr *SchemaError
		if !errors.As(err, &schemaErr) || schemaErr.Column != "target" || rows != nil {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
	if _, err := Gaps.Decode(other(t, "2", gapsWithMore{})); err == nil || !strings.Contains(err.Error(), `schema version "2"`) {
		t.Errorf("a later version: %v", err)
	}
	// An optional column that the file is too old to have is absent.
	old := other(t, SchemaVersion, struct {
		Hour    int64 `parquet:"hour,timestamp(millisecond:utc)"`
		Samples int32 `parquet:"samples"`
		Expect  int32 `parquet:"expected_samples"`
	}{Samples: 3})
	hours, err := ClusterHours.Decode(old)
	if err != nil || len(hours) != 1 || hours[0].Samples != 3 || hours[0].Cost.Present() {
		t.Errorf("an old file: %v, %v", hours, err)
	}
}

// TestRequiredForOptional: v1 never makes an optional column required, so a
// file that has it so is not ours.
func TestRequiredForOptional(t *testing.T) {
	_, err := ClusterHours.Decode(other(t, SchemaVersion, struct {
		Hour    int64   `parquet:"hour,timestamp(millisecond:utc)"`
		Samples int32   `parquet:"samples"`
		Expect  int32   `parquet:"expected_samples"`
		Cost    float64 `parquet:"cost"`
	}{}))
	if want := "table cluster, column cost: the file has required DOUBLE, this program reads optional DOUBLE: use the k8s-monitor that wrote it, or a newer one"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestOtherEncodings reads files of the same columns from a writer that
// encodes, annotates and pages them in other ways than we do.
func TestOtherEncodings(t *testing.T) {
	type row struct {
		Hour    int64    `parquet:"hour,dict,timestamp(millisecond:utc)"`
		Node    string   `parquet:"node,delta"`
		Product *string  `parquet:"gpu_product,optional,plain,snappy"`
		Samples int32    `parquet:"samples,dict"`
		Expect  int32    `parquet:"expected_samples,plain"`
		Tokens  *int64   `parquet:"prompt_tokens,optional,dict"`
		Cost    *float64 `parquet:"cost,optional,dict"`
	}
	r := rand.New(rand.NewPCG(11, 12))
	var rows []row
	var want []usage.NodeHour
	for i := range 3000 {
		product, tokens, cost := "H100", int64(i%7), float64(i%5)
		have := row{Hour: int64(i % 3), Node: strings.Repeat("n", i%9), Samples: int32(i % 11), Expect: int32(i)}
		back := usage.NodeHour{Hour: time.UnixMilli(have.Hour).UTC(), Node: have.Node}
		back.Samples, back.ExpectedSamples = have.Samples, have.Expect
		if r.IntN(2) == 0 {
			have.Product, back.GPUProduct = &product, usage.Some(product)
		}
		if r.IntN(2) == 0 {
			have.Tokens, back.PromptTokens = &tokens, usage.Some(tokens)
		}
		if r.IntN(2) == 0 {
			have.Cost, back.Cost = &cost, usage.Some(cost)
		}
		rows, want = append(rows, have), append(want, back)
	}
	for _, version := range []int{1, 2} {
		var out bytes.Buffer
		w := parquet.NewGenericWriter[row](&out, parquet.KeyValueMetadata("schema_version", SchemaVersion),
			parquet.DataPageVersion(version), parquet.PageBufferSize(500), parquet.MaxRowsPerRowGroup(1700))
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := NodeHours.Decode(out.Bytes())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("data pages v%d: %d of %d rows, %v", version, len(got), len(want), err)
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

// TestBareIntegers: other writers leave out the logical type of an integer
// that is as wide as its physical type.
func TestBareIntegers(t *testing.T) {
	rows := randomRows(Nodes, 10, rand.New(rand.NewPCG(15, 16)))
	body, err := Nodes.Encode(rows, Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	bare := claim(t, body, func(m *format.FileMetaData) {
		for i := range m.Schema {
			if _, ok := m.Schema[i].LogicalType.Value.(*format.IntType); ok {
				m.Schema[i].LogicalType, m.Schema[i].ConvertedType.Valid = format.LogicalType{}, false
			}
		}
	})
	if back, err := Nodes.Decode(bare); err != nil || !reflect.DeepEqual(back, rows) {
		t.Error(err)
	}
	if bytes.Equal(bare, body) {
		t.Error("nothing was left out")
	}
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
