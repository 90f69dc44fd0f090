package store

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// wildTrip writes wild rows in one piece and in pieces, reads them back in
// pieces, and lets the library read them.
func wildTrip[T any](t *testing.T, table *Table[T], sizes ...int) {
	t.Helper()
	r := rand.New(rand.NewPCG(31, uint64(len(table.columns))))
	for _, n := range sizes {
		rows := wildRows(table, n, r)
		body := encode(t, table, rows, "c")
		var pieces bytes.Buffer
		w := table.NewWriter(&pieces, Metadata{Cluster: "c"})
		for rest := rows; len(rest) > 0; {
			k := min(len(rest), r.IntN(3*rowsPerBlock))
			if err := w.Write(rest[:k]); err != nil {
				t.Fatal(err)
			}
			rest = rest[k:]
		}
		if err := w.Close(); err != nil || !bytes.Equal(pieces.Bytes(), body) {
			t.Errorf("%s, %d rows: written in pieces the file is another (%v)", table.name, n, err)
		}
		back, err := table.Decode(body)
		if err != nil || len(back) != n || n > 0 && !reflect.DeepEqual(back, rows) {
			t.Fatalf("%s, %d rows: read back %d others, %v", table.name, n, len(back), err)
		}
		reader, err := table.NewReader(body)
		if err != nil || reader.Rows() != n {
			t.Fatalf("%s: a reader of %d rows, %v", table.name, reader.Rows(), err)
		}
		space := slices.Clone(rows[:min(n, 700)]) // Read has to clear what it finds
		for done := 0; ; {
			k, err := reader.Read(space[:r.IntN(len(space)+1)])
			if !reflect.DeepEqual(space[:k], rows[done:done+k]) {
				t.Fatalf("%s: other rows after row %d", table.name, done)
			}
			done += k
			if err == io.EOF || n == 0 {
				if done != n {
					t.Errorf("%s: the end after %d of %d rows", table.name, done, n)
				}
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		compareWithLibrary(t, table, rows, body)
	}
}

func TestWild(t *testing.T) {
	wildTrip(t, Pods, 0, 1, 2, 5, 511, 512, 513, 1023, 1024, 1025, 9000)
	wildTrip(t, Pods, 9000, 9000, 9000)
	wildTrip(t, Nodes, 1, 100, 3000)
	wildTrip(t, GPUs, 1, 100, 3000, 20_000)
	wildTrip(t, Engines, 1, 100, 3000)
	wildTrip(t, Gaps, 0, 1, 100, 3000, rowsPerGroup+1)
	wildTrip(t, ModelHours, 1, 100, 3000)
	wildTrip(t, WorkloadHours, 700)
	wildTrip(t, NamespaceHours, 700)
	wildTrip(t, PodHours, 700)
	wildTrip(t, NodeHours, 700)
	wildTrip(t, ClusterHours, 700)
}

// TestFleet: what a cluster has, in many pages and row groups.
func TestFleet(t *testing.T) {
	rows := fleet(70_000, 2)
	body := encode(t, Pods, rows, "c")
	if perRow := float64(len(body)) / float64(len(rows)); perRow > 22.5 {
		t.Errorf("%.2f bytes a row", perRow)
	}
	back, err := Pods.Decode(body)
	if err != nil || !slices.Equal(back, rows) {
		t.Errorf("read back %d others, %v", len(back), err)
	}
	compareWithLibrary(t, Pods, rows, body)
}

// TestNaN: a NaN comes back, and no bounds are stated that would hide it.
func TestNaN(t *testing.T) {
	rows := []usage.GPU{{UtilPercent: usage.Some(1.0)}, {UtilPercent: usage.Some(math.NaN())}, {UtilPercent: usage.Some(2.0)}}
	body := encode(t, GPUs, rows, "c")
	back, err := GPUs.Decode(body)
	if err != nil || fmt.Sprint(back) != fmt.Sprint(rows) {
		t.Errorf("%v, %v", back, err)
	}
	i, _ := GPUs.column("util_percent")
	if s := open(t, body).Metadata().RowGroups[0].Columns[i].MetaData.Statistics; s.MinValue != nil || s.MaxValue != nil ||
		s.NullCount != 0 {
		t.Errorf("statistics %v", s)
	}
}

// parquetValues are a column's values in the rows, as the library has them.
func parquetValues[T any](table *Table[T], i int, rows []T) []parquet.Value {
	c := &table.columns[i]
	out := make([]parquet.Value, 0, len(rows))
	for r := range rows {
		b := blockOf(rows[r : r+1])
		if c.optional && !*field[bool](b, 0, c.present) {
			out = append(out, parquet.NullValue())
			continue
		}
		switch c.kind {
		case kindString:
			out = append(out, parquet.ByteArrayValue([]byte(*field[string](b, 0, c.value))))
		case kindInt:
			out = append(out, parquet.Int32Value(*field[int32](b, 0, c.value)))
		case kindBigint:
			out = append(out, parquet.Int64Value(*field[int64](b, 0, c.value)))
		case kindDouble:
			out = append(out, parquet.DoubleValue(*field[float64](b, 0, c.value)))
		case kindBoolean:
			out = append(out, parquet.BooleanValue(*field[bool](b, 0, c.value)))
		case kindTimestamp:
			out = append(out, parquet.Int64Value(field[time.Time](b, 0, c.value).UnixMilli()))
		}
	}
	return out
}

// compareWithLibrary reads a file with the library, page by page, and holds
// its values, statistics and page index against the rows.
func compareWithLibrary[T any](t *testing.T, table *Table[T], rows []T, body []byte) {
	t.Helper()
	file := open(t, body)
	done := 0
	for g, group := range file.RowGroups() {
		part := rows[done : done+int(group.NumRows())]
		done += len(part)
		for i, chunk := range group.ColumnChunks() {
			name := fmt.Sprintf("%s.%s, %d rows", table.name, table.columns[i].name, len(rows))
			want := parquetValues(table, i, part)
			column := chunk.Type()
			// A file without a page index has one page a column.
			index, _ := chunk.ColumnIndex()
			offsets, _ := chunk.OffsetIndex()
			pages := chunk.Pages()
			first := 0
			var bounds []parquet.Value
			for p := 0; ; p++ {
				page, err := pages.ReadPage()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				got := make([]parquet.Value, page.NumValues())
				if n, err := page.Values().ReadValues(got); n != len(got) || err != nil && err != io.EOF {
					t.Fatalf("%s: %d values, %v", name, n, err)
				}
				here := want[first : first+len(got)]
				nulls, least, most := 0, parquet.NullValue(), parquet.NullValue()
				for k := range got {
					switch same := got[k].IsNull() == here[k].IsNull(); {
					case !same, !here[k].IsNull() && !parquet.Equal(got[k], here[k]):
						t.Fatalf("%s, row %d: the library reads %v, not %v", name, first+k, got[k], here[k])
					case here[k].IsNull():
						nulls++
					case least.IsNull():
						least, most = here[k], here[k]
					default:
						if column.Compare(here[k], least) < 0 {
							least = here[k]
						}
						if column.Compare(here[k], most) > 0 {
							most = here[k]
						}
					}
				}
				if offsets != nil && offsets.FirstRowIndex(p) != int64(first) {
					t.Errorf("%s, page %d: begins at row %d, not %d", name, p, offsets.FirstRowIndex(p), first)
				}
				if index != nil {
					if index.NullCount(p) != int64(nulls) || index.NullPage(p) != least.IsNull() {
						t.Errorf("%s, page %d: %d absent, %v", name, p, index.NullCount(p), index.NullPage(p))
					}
					if !least.IsNull() && (column.Compare(index.MinValue(p), least) != 0 || column.Compare(index.MaxValue(p), most) != 0) {
						t.Errorf("%s, page %d: from %v to %v, not %v to %v", name, p, index.MinValue(p), index.MaxValue(p), least, most)
					}
				}
				if !least.IsNull() {
					bounds = append(bounds, least, most)
				}
				first += len(got)
				parquet.Release(page)
			}
			pages.Close()
			if first != len(part) {
				t.Errorf("%s: %d values", name, first)
			}
			if index != nil {
				up, down := true, true
				for k := 2; k < len(bounds); k++ {
					order := column.Compare(bounds[k-2], bounds[k])
					up, down = up && order <= 0, down && order >= 0
				}
				if index.IsAscending() != up || index.IsDescending() != (down && !up) {
					t.Errorf("%s: ascending %v, descending %v, but %v, %v", name, index.IsAscending(), index.IsDescending(), up, down)
				}
			}
			statistics := file.Metadata().RowGroups[g].Columns[i].MetaData.Statistics
			nulls := 0
			for _, v := range want {
				if v.IsNull() {
					nulls++
				}
			}
			if statistics.NullCount != int64(nulls) {
				t.Errorf("%s: %d absent, not %d", name, statistics.NullCount, nulls)
			}
			if len(bounds) == 0 {
				continue
			}
			least, most := slices.MinFunc(bounds, column.Compare), slices.MaxFunc(bounds, column.Compare)
			if table.columns[i].kind == kindString && max(len(least.ByteArray()), len(most.ByteArray())) > longestBound {
				if statistics.MinValue != nil || statistics.MaxValue != nil {
					t.Errorf("%s: bounds of many bytes", name)
				}
				continue
			}
			if column.Compare(column.Kind().Value(statistics.MinValue), least) != 0 ||
				column.Compare(column.Kind().Value(statistics.MaxValue), most) != 0 {
				t.Errorf("%s: from %x to %x, not %v to %v", name, statistics.MinValue, statistics.MaxValue, least, most)
			}
		}
	}
	if done != len(rows) {
		t.Errorf("%s: row groups of %d rows", table.name, done)
	}
}
