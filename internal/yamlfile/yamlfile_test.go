package yamlfile

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

type settings struct {
	Name    string             `yaml:"name"`
	On      bool               `yaml:"on"`
	Count   int                `yaml:"count"`
	Share   float64            `yaml:"share"`
	Price   usage.Opt[float64] `yaml:"price"`
	Wait    time.Duration      `yaml:"wait"`
	List    []string           `yaml:"list"`
	Prices  map[string]float64 `yaml:"prices"`
	Section section            `yaml:"section"`
	Later   Value              `yaml:"later"`
}

type section struct {
	Depth int `yaml:"depth"`
}

func decode(body string) (settings, error) {
	s := settings{Name: "default", Count: 7, Section: section{1}}
	v, err := Parse("f.yaml", []byte(body))
	if err != nil {
		return s, err
	}
	return s, v.Decode(&s).Err()
}

func TestDecode(t *testing.T) {
	got, err := decode(
		"name: 'a'\non: true\ncount: 0x10\nshare: 1\nprice: 0\nwait: 7d\nlist: [x, \"y\"]\nprices: {7: 1.5}\nsection: {depth: 2}\n",
	)
	if err != nil {
		t.Fatal(err)
	}
	want := settings{
		"a",
		true,
		16,
		1,
		usage.Some(0.0),
		7 * 24 * time.Hour,
		[]string{"x", "y"},
		map[string]float64{"7": 1.5},
		section{2},
		Value{},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for _, empty := range []string{"", "\n", "# nothing\n", "null", "---\n", "{}", "name:\nsection:\nlist:\n"} {
		if got, err := decode(empty); err != nil || got.Name != "default" || got.Count != 7 || got.Section.Depth != 1 {
			t.Errorf("%q gives %+v, %v; want the defaults", empty, got, err)
		}
	}
}

func TestFaults(t *testing.T) {
	for body, want := range map[string]string{
		"nam: a":                      "f.yaml:1: nam: unknown key; did you mean name?",
		"\nsection: {deepth: 1}":      "f.yaml:2: section.deepth: unknown key; did you mean section.depth?",
		"depth: 1":                    "f.yaml:1: depth: unknown key; did you mean section.depth?",
		"section: {zzz: 1}":           "f.yaml:1: section.zzz: unknown key; the keys here are depth",
		"name: 1":                     "f.yaml:1: name: is a number, not text; put it in quotes",
		"name: 2026-01-01":            "f.yaml:1: name: is a date, not text; put it in quotes",
		"name: !!binary aGk=":         "f.yaml:1: name: is tagged !!binary, not text; put it in quotes",
		"name: {a: b}":                "f.yaml:1: name: is lines of key: value, not text; put it in quotes",
		"on: 'true'":                  "f.yaml:1: on: is text, not true or false",
		"count: 1.5":                  "f.yaml:1: count: is a number, not a whole number, without quotes and unit",
		"count: 99999999999999999999": "f.yaml:1: count: is a number, not a whole number, without quotes and unit",
		"share: .inf":                 "f.yaml:1: share: is not a finite number",
		"price: free":                 "f.yaml:1: price: is text, not a number, without quotes and unit",
		"wait: 5":                     "f.yaml:1: wait: is a number, not a duration such as 30s, 48h or 7d",
		"wait: 5x\u202e":              "f.yaml:1: wait: \"5x\\u202e\" is not a duration such as 30s, 48h or 7d",
		"list: a":                     "f.yaml:1: list: is text, not a list",
		"list:\n- a\n-":               "f.yaml:3: list[1]: is nothing, not text; put it in quotes",
		"prices: [1]":                 "f.yaml:1: prices: is a list, not lines of NAME: value",
		"prices: {a: 1, a: 2}":        "f.yaml:1: prices.a: is set twice; keep one",
		"section: 3":                  "f.yaml:1: section: is a number, not lines of key: value with the keys depth",
		"name: a\nname: b\nzzzz: 1\n": "f.yaml:2: name: is set twice; keep one\nf.yaml:3: zzzz: unknown key; the keys here are " +
			"name, on, count, share, price, wait, list, prices, section, later",
		"a: [b":            "f.yaml:2: not YAML: did not find expected ',' or ']' (while parsing a flow sequence at line 1)",
		"a: b\n---\nc: d":  "f.yaml:2: the file goes on after its first YAML document; keep one",
		"\"a\\u0007b\": 1": "f.yaml:1: a\ufffdb: unknown key; the keys here are name, on, count, share, price, wait, list, prices, section, later",
	} {
		if _, err := decode(body); err == nil || err.Error() != want {
			t.Errorf("%q: error\n%v, want\n%s", body, err, want)
		}
	}
}

// Callers' checks are reported where the value stands, and only for a value that was read.
func TestCheck(t *testing.T) {
	v, err := Parse("f.yaml", []byte("count: 3\n\nlist: [a,\n  b]\nwait: x\n"))
	if err != nil {
		t.Fatal(err)
	}
	var s settings
	r := v.Decode(&s)
	r.Of = "rule x"
	for _, path := range []string{"list[1]", "count", "wait", "share", ""} {
		r.Check(path, fmt.Errorf("is wrong"))
		r.Check(path, nil)
	}
	r.Missing("name")
	r.Missing("count")
	const want = "f.yaml:1: rule x: count: is wrong\nf.yaml:1: rule x: is wrong\nf.yaml:1: rule x: name: is missing\n" +
		"f.yaml:4: rule x: list[1]: is wrong\nf.yaml:5: rule x: wait: \"x\" is not a duration such as 30s, 48h or 7d"
	if err := r.Err(); err == nil || err.Error() != want {
		t.Errorf("error\n%v, want\n%s", err, want)
	}
}

// A small file cannot grow without bound through its aliases, nor nest without end.
func TestBombs(t *testing.T) {
	var aliases, merges strings.Builder
	aliases.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x]\n")
	merges.WriteString("a0: &a0 {x: 1}\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&aliases, "a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9))
		fmt.Fprintf(&merges, "a%d: &a%d {<<: [%s]}\n", i, i, strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9))
	}
	for name, body := range map[string]string{
		"aliases": aliases.String(), "merges": merges.String(), "itself": "a: &a [*a]", "merged itself": "a: &a {<<: *a}",
		"flow": strings.Repeat("[", 1e6), "maps": strings.Repeat("{a: ", 1e6), "dashes": strings.Repeat("- ", 1e6) + "a",
	} {
		if _, err := Parse("f.yaml", []byte(body)); err == nil || len(err.Error()) > 200 {
			t.Errorf("%s: error %.300v", name, err)
		}
	}
}

// Aliases and merge keys mean what they stand for, at the line where they are used.
func TestAliases(t *testing.T) {
	got, err := decode("later: &l {depth: 3}\nname: &n x\nsection: *l\nlist: [*n, y]\nprices: {<<: [{a: 1}, {a: 2, b: 3}], c: 4}\n")
	if err != nil || got.Section.Depth != 3 || !slices.Equal(got.List, []string{"x", "y"}) || fmt.Sprint(got.Prices) != "map[a:1 b:3 c:4]" {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = decode("later: &l zz\n\ncount: *l\n")
	if want := "f.yaml:3: count: is text, not a whole number, without quotes and unit"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestKeys(t *testing.T) {
	if got, want := fmt.Sprint(Keys[settings]()), "[name on count share price wait list prices section.depth later]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestItemsAndScalars(t *testing.T) {
	v, err := Parse("f.yaml", []byte("- a\n- {b: [c]}\n- \n"))
	if err != nil {
		t.Fatal(err)
	}
	items, err := v.Items()
	if err != nil || len(items) != 3 || items[1].Line() != 2 {
		t.Fatalf("%v, %v", items, err)
	}
	var all []string
	for s, isKey := range v.Scalars() {
		all = append(all, fmt.Sprintf("%d:%s:%v", s.Line(), s.Text, isKey))
	}
	if got, want := fmt.Sprint(all), "[1:a:false 2:b:true 2:c:false 3::false]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if _, err := items[1].Items(); err == nil || err.Error() != "is lines of key: value, not a list" {
		t.Error(err)
	}
}

// Whatever a file holds, reading it does not panic, and what is wrong is told
// with the file and a line, a line a fault.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{"name: a\nsection: {depth: 1}", "list: [&a x, *a]", "? [a]\n: b\n", "&a [*a]", "<<: {name: b}", "<<: [*a]", "&a : *a",
		"!!binary x: !!float y", "wait: 7d\nprices: {a: 1e308, b: .nan}", "--- |\n a\n...\n---", "%YAML 1.1\n---\na: >-\n b", "\xef\xbb\xbfname: a", "\xff\xfen\x00"} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := Parse("f.yaml", body)
		if err == nil {
			var s settings
			r := v.Decode(&s)
			r.Check("count", fmt.Errorf("x"))
			r.Missing("name")
			err = r.Err()
			for s := range s.Later.Scalars() {
				_ = s.Line()
			}
			_, _ = s.Later.Items()
		}
		if err == nil {
			return
		}
		for line := range strings.Lines(err.Error()) {
			var n int
			if _, scan := fmt.Sscanf(line, "f.yaml:%d: ", &n); scan != nil || n < 1 {
				t.Fatalf("a fault without its place: %q", line)
			}
		}
	})
}
