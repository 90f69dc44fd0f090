package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// open reads a file's footer and page index as a reader that is not ours does.
func open(t *testing.T, body []byte) *parquet.File {
	t.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func encode[T any](t *testing.T, table *Table[T], rows []T, cluster string) []byte {
	t.Helper()
	body, err := table.Encode(rows, Metadata{Cluster: cluster})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestEncoderReuse: an encoder that has written other files, large, small and
// failed, leaves nothing of them in the next.
func TestEncoderReuse(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	few, many := randomRows(Pods, 150, r), randomRows(Pods, 4096, r)
	fresh := newTable[usage.Pod](usage.Pods, "namespace", "pod", "ts")
	want := encode(t, fresh, few, "a")
	table := newTable[usage.Pod](usage.Pods, "namespace", "pod", "ts")
	for range 3 {
		encode(t, table, many, "cluster-b")
		encode(t, table, nil, "")
		if _, err := table.Encode([]usage.Pod{many[len(many)-1], many[0]}, Metadata{}); err == nil {
			t.Fatal("disorder passed")
		}
		if got := encode(t, table, few, "a"); !bytes.Equal(got, want) {
			t.Fatalf("a used encoder wrote %d other bytes than a new one's %d", len(got), len(want))
		}
	}
	encode(t, table, many, "b")
	got := encode(t, table, few, "a")
	kept := bytes.Clone(got)
	encode(t, table, many, "b")
	if !bytes.Equal(got, kept) {
		t.Error("a file changed after it was handed out")
	}
}

// TestEncodeRefusesDisorderAnywhere: within a block of rows and where two meet.
func TestEncodeRefusesDisorderAnywhere(t *testing.T) {
	for _, i := range []int{1, rowsPerBlock - 1, rowsPerBlock, rowsPerBlock + 1, 2*rowsPerBlock - 1} {
		rows := make([]usage.Gap, 2*rowsPerBlock)
		for j := range rows {
			rows[j].TS = time.UnixMilli(int64(j))
		}
		rows[i].TS = rows[i-1].TS.Add(-time.Millisecond)
		if _, err := Gaps.Encode(rows, Metadata{}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("row %d is out of order", i)) {
			t.Errorf("row %d out of order: %v", i, err)
		}
	}
}

func TestEncodeConcurrently(t *testing.T) {
	rows := randomRows(GPUs, 500, rand.New(rand.NewPCG(23, 24)))
	want := encode(t, GPUs, rows, "c")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				body, err := GPUs.Encode(rows, Metadata{Cluster: "c"})
				if err != nil || !bytes.Equal(body, want) {
					t.Errorf("other bytes, %v", err)
				}
				if back, err := GPUs.Decode(body); err != nil || !reflect.DeepEqual(back, rows) {
					t.Errorf("other rows, %v", err)
				}
			}
		})
	}
	group.Wait()
}

// TestRowGroups: more rows than a group holds, exactly two groups, and pages
// whose bounds a reader can trust to find a row.
func TestRowGroups(t *testing.T) {
	for _, n := range []int{rowsPerGroup, rowsPerGroup + 1, 2 * rowsPerGroup} {
		rows := make([]usage.Gap, n)
		for i := range rows {
			rows[i] = usage.Gap{TS: time.UnixMilli(int64(i)).UTC(), Source: "s", Target: "t", Reason: strings.Repeat("r", i%50)}
		}
		body := encode(t, Gaps, rows, "c")
		back, err := Gaps.Decode(body)
		if err != nil || !slices.Equal(back, rows) {
			t.Fatalf("%d rows: read back %d, %v", n, len(back), err)
		}
		file := open(t, body)
		groups := (n + rowsPerGroup - 1) / rowsPerGroup
		if len(file.RowGroups()) != groups {
			t.Errorf("%d rows are in %d groups", n, len(file.RowGroups()))
		}
		first := int64(0)
		for _, group := range file.RowGroups() {
			if group.NumRows() == 1 { // one page, no index
				continue
			}
			index, err := group.ColumnChunks()[0].ColumnIndex()
			if err != nil || index.NumPages() < 2 {
				t.Fatalf("no page index: %v", err)
			}
			if got := index.MinValue(0).Int64(); got != first {
				t.Errorf("the first page begins at %d, the rows at %d", got, first)
			}
			first += group.NumRows()
			if got := index.MaxValue(index.NumPages() - 1).Int64(); got != first-1 {
				t.Errorf("the last page ends at %d, the rows at %d", got, first-1)
			}
		}
	}
}

// TestFooter is what the file says of itself, and how its columns are coded.
func TestFooter(t *testing.T) {
	file := open(t, encode(t, GPUs, randomRows(GPUs, 2000, rand.New(rand.NewPCG(25, 26))), "prod"))
	for key, want := range map[string]string{"schema_version": "1", "table": "gpus", "cluster": "prod"} {
		if got, _ := file.Lookup(key); got != want {
			t.Errorf("%s is %q, not %q", key, got, want)
		}
	}
	if got := file.Metadata().CreatedBy; !strings.HasPrefix(got, "k8s-monitor version v1") {
		t.Errorf("created_by is %q", got)
	}
	group := file.Metadata().RowGroups[0]
	wantSorted := []format.SortingColumn{{ColumnIdx: 1}, {ColumnIdx: 2}, {ColumnIdx: 6, NullsFirst: true}, {ColumnIdx: 0}}
	if !slices.Equal(group.SortingColumns, wantSorted) {
		t.Errorf("sorted by %v, not %v", group.SortingColumns, wantSorted)
	}
	for i, c := range group.Columns {
		if got := strings.Join(c.MetaData.PathInSchema, "."); got != GPUs.columns[i].name {
			t.Errorf("column %d is %q, not %q", i, got, GPUs.columns[i].name)
		}
	}
}

// TestEncodings: which encoding a column gets is a function of its values.
func TestEncodings(t *testing.T) {
	rows, r := fleet(20_000, 1), rand.New(rand.NewPCG(27, 28))
	for i := range rows {
		rows[i].Restarts = int32(i)
		rows[i].ReplicaGroup = usage.Some(fmt.Sprintf("group-%d", r.IntN(500)))
	}
	want := map[string]format.Encoding{
		"ts": format.RLEDictionary, "namespace": format.RLEDictionary, "owner_kind": format.RLEDictionary, "cpu_request_millicores": format.RLEDictionary,
		"replica_group": format.RLEDictionary,
		"pod":           format.DeltaByteArray, "pod_uid": format.DeltaByteArray,
		"ready": format.Plain, "restarts": format.DeltaBinaryPacked, "memory_usage_bytes": format.Plain, "gpu_power_watts": format.Plain,
		"reason": format.Plain, // all absent
	}
	for _, c := range open(t, encode(t, Pods, rows, "c")).Metadata().RowGroups[0].Columns {
		name := c.MetaData.PathInSchema[0]
		if e, ok := want[name]; ok && !slices.Contains(c.MetaData.Encoding, e) {
			t.Errorf("%s: encodings %v, want %v", name, c.MetaData.Encoding, e)
		}
		if plain := slices.Contains(c.MetaData.Encoding, format.Plain); name == "pod" && plain {
			t.Errorf("%s: a dictionary although no string recurs", name)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("no columns %v", want)
	}
}

// TestParquetTypes fixes the types as the library prints them, and so what
// DuckDB, Athena and Trino see.
func TestParquetTypes(t *testing.T) {
	const want = `message gpus {
	required int64 ts (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));
	required binary node (STRING);
	required int32 gpu_index (INT(32,true));
	required binary gpu_uuid (STRING);
	required binary gpu_product (STRING);
	optional binary mig_profile (STRING);
	optional int32 mig_instance (INT(32,true));
	optional binary namespace (STRING);
	optional binary pod (STRING);
	optional binary container (STRING);
	required int32 share_count (INT(32,true));
	optional double util_percent;
	optional binary util_source (STRING);
	optional int64 memory_used_bytes (INT(64,true));
	optional int64 memory_total_bytes (INT(64,true));
	optional double power_watts;
	optional int64 energy_millijoules_total (INT(64,true));
	optional int32 temperature_celsius (INT(32,true));
	optional int32 sm_clock_mhz (INT(32,true));
	optional int32 xid_last (INT(32,true));
	required binary source (STRING);
}`
	if got := open(t, encode(t, GPUs, nil, "c")).Schema().String(); got != want {
		t.Errorf("got %s", got)
	}
}
