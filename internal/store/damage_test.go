package store

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go/format"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// readAll reads a file as a merge does, and checks that it ends.
func readAll[T any](t testing.TB, table *Table[T], body []byte) (n int, err error) {
	r, err := table.NewReader(body)
	if err != nil {
		return 0, err
	}
	for space := make([]T, 300); ; {
		k, err := r.Read(space)
		if n += k; n > r.Rows() {
			t.Fatalf("%d of %d rows", n, r.Rows())
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil || k == 0 {
			return n, err
		}
	}
}

// TestDamage: whatever happens to a file's bytes, reading it ends, without a
// panic and without memory beyond its size.
func TestDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(33, 34))
	for _, n := range []int{1, 60, 2500} {
		rows := wildRows(Pods, n, r)
		body := encode(t, Pods, rows, "c")
		for i := range 400 {
			cut := r.IntN(len(body))
			if _, err := readAll(t, Pods, body[:cut]); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			flipped := bytes.Clone(body)
			for range 1 + i%3 {
				at := r.IntN(len(body))
				if i%2 == 0 { // the footer is the smaller part
					at = len(body) - 1 - r.IntN(min(len(body), 4000))
				}
				flipped[at] ^= 1 << r.IntN(8)
			}
			var schema *SchemaError
			switch k, err := readAll(t, Pods, flipped); {
			case err == nil && k != n:
				t.Fatalf("%d of %d rows", k, n)
			case err != nil && !errors.Is(err, ErrCorrupt) && !errors.As(err, &schema) && !strings.Contains(err.Error(), "schema version") && !strings.Contains(err.Error(), "schema_version"):
				t.Fatal(err)
			}
		}
	}
}

// TestChecksum: a bit that has changed in a page is an error that names object
// and column, wherever it is. A page without a checksum is read all the same.
func TestChecksum(t *testing.T) {
	rows := fleet(300, 2)
	body := encode(t, Pods, rows, "c")
	size, _ := footerSize(body, int64(len(body)))
	footer, err := readFooter(body[int64(len(body))-size:])
	if err != nil {
		t.Fatal(err)
	}
	b, r := bucket.Mem(), rand.New(rand.NewPCG(35, 36))
	for i := range footer.columns() {
		start, end := footer.Groups[0].Chunks[i].Info.span()
		for at := int(start); at < int(end); {
			var page format.PageHeader
			n, err := newThriftReader().read(body[at:end], &page)
			if err != nil {
				t.Fatal(err)
			}
			from := at + n
			at = from + int(page.CompressedPageSize)
			if from == at {
				continue
			}
			damaged := bytes.Clone(body)
			damaged[from+r.IntN(at-from)] ^= 1 << r.IntN(8)
			put(t, b, "raw/x.parquet", damaged)
			_, err = Pods.Read(t.Context(), b, "raw/x.parquet")
			if column := "column " + Pods.columns[i].name; !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "raw/x.parquet") ||
				!strings.Contains(err.Error(), column) || !strings.Contains(err.Error(), "checksum") {
				t.Errorf("%s: %v", column, err)
			}
		}
	}
	old, err := os.ReadFile(filepath.Join("testdata", "without_checksums.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Gaps.Decode(old); err != nil || len(got) != 1000 || got[999].Target != "node-999" {
		t.Errorf("a file without checksums: %d rows, %v", len(got), err)
	}
}

// TestLevels: there is absent and present, and nothing beyond.
func TestLevels(t *testing.T) {
	column := &column{kind: kindBigint, optional: true}
	for _, levels := range []string{"\x14\x02", "\x08\x01\x0c\x02"} { // ten times 2; four times 1, six times 2
		c := cursor{column: column, leveled: true, levels: runReader{b: []byte(levels), width: 1}, values: make([]byte, 80)}
		if _, err := c.some(block{rows: 10}, new(scratch)); err == nil || !strings.Contains(err.Error(), "level 2") {
			t.Errorf("%x: %v", levels, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 20} {
		gaps, err := Gaps.Encode(randomRows(Gaps, n, r), Metadata{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(gaps)
		pods, err := Pods.Encode(wildRows(Pods, n, r), Metadata{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pods)
	}
	f.Add([]byte("PAR1"))
	f.Fuzz(func(t *testing.T, body []byte) {
		gaps, err := Gaps.Decode(body)
		if err != nil && gaps != nil {
			t.Error("rows beside an error")
		}
		if n, again := readAll(t, Gaps, body); (again == nil) != (err == nil) || err == nil && n != len(gaps) {
			t.Errorf("a reader has %d rows, %v; Decode %d, %v", n, again, len(gaps), err)
		}
		pods, err := Pods.Decode(body)
		if err != nil && pods != nil {
			t.Error("rows beside an error")
		}
		if n, again := readAll(t, Pods, body); (again == nil) != (err == nil) || err == nil && n != len(pods) {
			t.Errorf("a reader has %d rows, %v; Decode %d, %v", n, again, len(pods), err)
		}
	})
}

// FuzzPages damages what the footer does not protect: values of all encodings.
func FuzzPages(f *testing.F) {
	f.Add([]byte{2, 3, 1, 1}, uint8(8), false)
	f.Add(appendDelta(nil, []int64{1, 5, -7}, false), uint8(5), true)
	var w textWriter
	for _, s := range []string{"svc-a", "svc-a", "svc-b", ""} {
		w.add(s, 1)
	}
	texts := w.encode(nil)
	f.Add(texts, uint8(7), false)
	f.Add([]byte{0, 0, 0, 0, 1, 0, 0, 0, 'x'}, uint8(0), true)
	f.Fuzz(func(t *testing.T, values []byte, encoding uint8, optional bool) {
		for k := kindString; k <= kindTimestamp; k++ {
			c := cursor{column: &column{kind: k, optional: optional}, rows: 700, encoding: format.Encoding(encoding),
				texts: []string{"a", "b"}, numbers: []int64{1, 2}}
			if c.begin(values) != nil {
				continue
			}
			var s scratch
			for err := error(nil); err == nil && c.rows > 0; c.rows -= 100 {
				if k == kindString {
					err = c.readTexts(s.texts[:100], &s)
				} else {
					err = c.readNumbers(s.numbers[:100], &s)
				}
			}
		}
	})
}
