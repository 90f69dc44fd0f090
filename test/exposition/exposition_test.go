// Package exposition compares the product's reader of Prometheus text with
// Prometheus' own Go library.
package exposition_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/company/k8s-resource-monitor/internal/exposition"
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
	err := exposition.Read(body, wanted, func(name string, s *exposition.Sample) {
		if name != string(s.Name) {
			got = append(got, "name of the table differs from that of the sample")
		}
		var labels [][2]string
		s.Labels(func(name, value []byte) { labels = append(labels, [2]string{string(name), string(value)}) })
		got = append(got, sample(string(s.Name), labels, s.Value))
	})
	return got, err
}

// comment matches the lines that the reader skips and expfmt interprets.
var comment = regexp.MustCompile(`(?m)^[ \t]*#.*$`)

// reference reads with expfmt. Comments are left out, so that every sample is
// untyped and none is folded into a histogram.
func reference(body []byte) (samples, names []string, err error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(comment.ReplaceAll(body, nil))))
	if err != nil {
		return nil, nil, err
	}
	for name, f := range families {
		if f.GetType() != dto.MetricType_UNTYPED {
			return nil, nil, fmt.Errorf("family %s has type %v", name, f.GetType())
		}
		names = append(names, name)
		for _, m := range f.GetMetric() {
			var labels [][2]string
			for _, l := range m.GetLabel() {
				labels = append(labels, [2]string{l.GetName(), l.GetValue()})
			}
			samples = append(samples, sample(name, labels, m.GetUntyped().GetValue()))
		}
	}
	return samples, names, nil
}

// value matches a quoted label value with the sign before it.
var value = regexp.MustCompile(`=[ \t]*"(\\.|[^"\\])*"`)

// joined matches a name that its value follows without a blank.
var joined = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*[^a-zA-Z0-9_: \t{]`)

// oddForm reports whether a line is of a form that expfmt takes and nobody
// writes: the name in braces (unquoted, or behind its labels), a quote in the
// middle of a name, no blank before the value.
func oddForm(line string) bool {
	line = strings.TrimLeft(line, " \t")
	if strings.HasPrefix(line, "#") {
		return false
	}
	return strings.HasPrefix(line, "{") || joined.MatchString(line) || strings.Contains(value.ReplaceAllString(line, "="), `"`)
}

// compare checks that where expfmt accepts a body, the reader finds the same
// samples in it.
func compare(t *testing.T, body []byte) {
	want, names, err := reference(body)
	if err != nil {
		return
	}
	for line := range strings.SplitSeq(string(body), "\n") {
		if oddForm(line) {
			return
		}
	}
	got, err := read(body, names...)
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
}

// fixtures are the bodies that the packages above read.
func fixtures(t testing.TB) map[string][]byte {
	bodies := map[string][]byte{}
	for _, pattern := range []string{"../../internal/serving/testdata/metrics/*.txt", "../../internal/gpu/testdata/*.txt"} {
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

func TestReadLikeExpfmt(t *testing.T) {
	for file, body := range fixtures(t) {
		if _, names, err := reference(body); err != nil || len(names) == 0 {
			t.Errorf("%s: expfmt finds %d names, %v", file, len(names), err)
		}
		compare(t, body)
	}
}

func FuzzReadLikeExpfmt(f *testing.F) {
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
		compare(t, body)
	})
}
