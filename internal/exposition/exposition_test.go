package exposition

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sample renders a sample for comparison: name{label="value",…} value.
func sample(name string, labels [][2]string, value float64) string {
	var b strings.Builder
	b.WriteString(name)
	for _, l := range labels {
		fmt.Fprintf(&b, " %s=%q", l[0], l[1])
	}
	if math.IsNaN(value) {
		return b.String() + " NaN"
	}
	return fmt.Sprintf("%s %v", b.String(), value)
}

// read returns the samples of the wanted names, rendered.
func read(body []byte, names ...string) ([]string, error) {
	wanted := map[string]string{}
	for _, n := range names {
		wanted[n] = n
	}
	var got []string
	err := Read(body, wanted, func(name string, s *Sample) {
		if name != string(s.Name) {
			got = append(got, "name of the table differs from that of the sample")
		}
		var labels [][2]string
		s.Labels(func(name, value []byte) { labels = append(labels, [2]string{string(name), string(value)}) })
		got = append(got, sample(string(s.Name), labels, s.Value))
	})
	return got, err
}

func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want []string
	}{
		"empty":             {"", nil},
		"blank lines":       {"\n\n \t\n\r\n", nil},
		"comments":          {"# HELP a is \\ anything\n# TYPE a nonsense\n#\n   # EOF\n#a 1\na 2\n", []string{"a 2"}},
		"no newline":        {"a 1", []string{"a 1"}},
		"CRLF":              {"a 1\r\nb{x=\"y\"} 2\r\n", []string{"a 1", `b x="y" 2`}},
		"blanks":            {"  a\t{ x = \"y\" , z=\"\" }\t 5\t\n", []string{`a x="y" z="" 5`}},
		"no labels":         {"a{} 1\n", []string{"a 1"}},
		"comma at the end":  {`a{x="y",} 1`, []string{`a x="y" 1`}},
		"escapes":           {`a{x="q\"b\\n\n}",y="\\"} 1`, []string{`a x="q\"b\\n\n}" y="\\" 1`}},
		"braces in a value": {`a{x="} 7 # {"} 1`, []string{`a x="} 7 # {" 1`}},
		"unicode":           {`a{x="모델"} 1`, []string{`a x="모델" 1`}},
		"numbers": {"a 1.5\na -2e3\na +Inf\na -Inf\na NaN\na 007\na 12.0\na 9007199254740993\na .5\na 1e-320", []string{
			"a 1.5", "a -2000", "a +Inf", "a -Inf", "a NaN", "a 7", "a 12", "a 9.007199254740992e+15", "a 0.5", "a 1e-320"}},
		"timestamps": {"a 1 1700000000000\na 2 1700000000.123\na 3 -1\n", []string{"a 1", "a 2", "a 3"}},
		"exemplars":  {"a 1 # {trace_id=\"KOO5S4vxi0o\"} 0.67\na{x=\"y\"} 2 1.5 # {} 1 2\n# EOF\n", []string{"a 1", `a x="y" 2`}},
		"quoted names": {"{\"a\"} 1\n{ \"b\" , x=\"y\" } 2\n{\"other.name\",x=\"y\"} 3\na{\"odd label\"=\"v\"} 4\n",
			[]string{"a 1", `b x="y" 2`, `a odd label="v" 4`}},
		"unwanted is skipped": {"c{broken 1\nc\t{x=\"y\"} what\nab 1\na_b 2\na 3\n", []string{"a 3"}},
		"same name again":     {"a 1\na{x=\"1\"} 2\nab 3\na 4\n", []string{"a 1", `a x="1" 2`, "a 4"}},
		"same labels again": {"a{x=\"1\"} 1\nb{x=\"1\"} 2\na{x=\"1\",y=\"2\"} 3\nb{x=\"1\",y=\"2\"} 4\na{x=\"1\"} 5\n",
			[]string{`a x="1" 1`, `b x="1" 2`, `a x="1" y="2" 3`, `b x="1" y="2" 4`, `a x="1" 5`}},
	} {
		got, err := read([]byte(test.body), "a", "b")
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, %v\nwant %q", name, got, err, test.want)
		}
	}
}

// TestReadManyLabelSets goes through more label sets than are kept, in an
// order that meets each again after it has been dropped.
func TestReadManyLabelSets(t *testing.T) {
	var body strings.Builder
	var want []string
	for round := range 4 {
		for i := range 50 {
			fmt.Fprintf(&body, "a{i=\"%d\",r=\"%d\"} %d\n", i, round%2, i)
			want = append(want, fmt.Sprintf(`a i="%d" r="%d" %d`, i, round%2, i))
		}
	}
	if got, err := read([]byte(body.String()), "a"); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %d samples: %q", err, len(got), got)
	}
}

func TestReadErrors(t *testing.T) {
	for body, want := range map[string]string{
		"<!DOCTYPE html>\n<html>":            `line 1: not Prometheus text: "<!DOCTYPE html>"`,
		"\n# x\n404 page not found":          `line 3: not Prometheus text: "404 page not found"`,
		`{"detail":"Not Found"}`:             `line 1: not Prometheus text: "{\"detail\":\"Not Found\"}"`,
		"{}":                                 "line 1: not Prometheus text",
		"OK":                                 "line 1: not Prometheus text",
		"a:b:c,1":                            "line 1: not Prometheus text",
		"b 1\na":                             "line 2: not Prometheus text",
		"a ":                                 `line 1: value "" of a is not a number`,
		"a one":                              `line 1: value "one" of a is not a number`,
		"a 0x1p4":                            "is not a number",
		"a 1_000":                            "is not a number",
		"a 1e999":                            "is not a number",
		"a 1 soon":                           `line 1: timestamp "soon" of a is not a number`,
		"a 1 2 3":                            `line 1: "3" follows the value of a`,
		`a{x="y} 1`:                          "line 1: labels of a: no closing quote",
		`a{x="y\"} 1`:                        "no closing quote",
		`a{x=y} 1`:                           "value of x is not quoted",
		`a{x} 1`:                             `want name="value"`,
		`a{x="y"`:                            "want , or } behind x",
		`a{x="y" z="w"} 1`:                   "want , or } behind x",
		`a{,} 1`:                             `want name="value"`,
		`a{`:                                 `want name="value"`,
		`a {"x} 1`:                           "no closing quote",
		"b 1\r\nb 2\r\n\r\na{x=\"y\"} x\r\n": `line 4: value "x" of a is not a number`,
	} {
		_, err := read([]byte(body), "a")
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", body, err, want)
		}
	}
}

func TestLabel(t *testing.T) {
	body := []byte(`a{x="1",y="a\nb",empty=""} 1`)
	err := Read(body, map[string]bool{"a": true}, func(_ bool, s *Sample) {
		if string(s.Label("x")) != "1" || string(s.Label("y")) != "a\nb" || s.Label("z") != nil || s.Label("empty") == nil {
			t.Errorf("x %q y %q z %q empty %q", s.Label("x"), s.Label("y"), s.Label("z"), s.Label("empty"))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestReadAllocations checks that what is not wanted costs nothing, and that
// the number of wanted lines does not count either.
func TestReadAllocations(t *testing.T) {
	unwanted := []byte(strings.Repeat("other{x=\"y\",z=\"a\\nb\"} 1.25e3\n", 1000))
	wantedLines := []byte(strings.Repeat("a{x=\"y\"} 1.25e3\n", 1000))
	wanted := map[string]int{"a": 1}
	count := func(body []byte) float64 {
		return testing.AllocsPerRun(20, func() {
			if err := Read(body, wanted, func(_ int, s *Sample) { s.Label("x") }); err != nil {
				t.Fatal(err)
			}
		})
	}
	if n := count(unwanted); n > 2 {
		t.Errorf("%v allocations for a body without a wanted line", n)
	}
	if n := count(wantedLines); n > 4 {
		t.Errorf("%v allocations for 1000 wanted lines with the same labels", n)
	}
}

// fixtures are the bodies that the packages above read.
func fixtures(t testing.TB) map[string][]byte {
	bodies := map[string][]byte{}
	for _, pattern := range []string{"../serving/testdata/metrics/*.txt", "../gpu/testdata/*.txt"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files match %s (%v)", pattern, err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			bodies[file] = body
		}
	}
	return bodies
}

func FuzzRead(f *testing.F) {
	for _, body := range fixtures(f) {
		var few []byte // the fuzzer is slow with large seeds
		for i, line := range bytes.SplitAfter(body, []byte("\n")) {
			if i%20 == 5 {
				few = append(few, line...)
			}
		}
		f.Add(few)
	}
	for _, body := range []string{
		"a 1\n", "a{x=\"y\"} 1 2\n", "a{x=\"\\\"\\n\\\\\",} +Inf\n", "{\"a\",b=\"c\"} 1\n", "a NaN\na{} -Inf", "<html>", "# EOF", "a 1\r\n",
		"\ta { x = \"}\" , y=\"#\" } 1e3 5\n", "a{\"b\"=\"c\"} 1 # {d=\"e\"} 2 3\n",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		samples, err := read(body, "a", "vllm:num_requests_running", "DCGM_FI_DEV_GPU_UTIL")
		if n := strings.Count(string(body), "\n") + 1; len(samples) > n {
			t.Errorf("%d samples on %d lines", len(samples), n)
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Line < 1 || e.Line > strings.Count(string(body), "\n")+1) {
			t.Errorf("error %v", err)
		}
	})
}

// BenchmarkReadUnwanted is the cost of the lines that nobody wants.
func BenchmarkReadUnwanted(b *testing.B) {
	body := fixtures(b)["../serving/testdata/metrics/vllm-0.12.txt"]
	wanted := map[string]int{"none": 1}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Read(body, wanted, func(int, *Sample) {}); err != nil {
			b.Fatal(err)
		}
	}
}
