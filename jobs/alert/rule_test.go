package alert

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/internal/yamlfile"
)

// Every file in testdata/refused is a list of rules and, after a line ---,
// the faults that are found in it.
func TestRefusedGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/refused/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			rules, err := ParseRules("rules.yaml", body)
			if err == nil || rules != nil {
				t.Fatalf("%v is accepted: %v", rules, err)
			}
			golden.Compare(t, strings.TrimSuffix(file, ".yaml")+".golden", []byte(err.Error()+"\n"))
		})
	}
}

func TestParseRules(t *testing.T) {
	rules, err := ParseRules("x.yaml", []byte("\n\n"+cpuRule))
	if err != nil || len(rules) != 1 {
		t.Fatal(rules, err)
	}
	r := rules[0]
	r.kind, r.when, r.clear, r.placeholders = nil, nil, nil, nil
	want := Rule{Name: "cpu", On: "pod", When: "cpu_percent > thresholds.cpu", Clear: "cpu_percent < 70",
		For: For{3 * time.Minute, 3}, Severity: "WARNING", Summary: "CPU {cpu_percent} of {cpu_basis} {cpu_whole_millicores}"}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("%+v, want %+v", r, want)
	}
	for _, empty := range []string{"", "\n\n", "# nothing\n", "[]", "null", "---\n"} {
		if rules, err := ParseRules("x.yaml", []byte(empty)); err != nil || len(rules) != 0 {
			t.Errorf("%q: %v, %v", empty, rules, err)
		}
	}
}

// A rule of the configuration takes the place of the default of its name.
func TestRules(t *testing.T) {
	defaults, err := Rules(yamlfile.Value{})
	if err != nil {
		t.Fatal(err)
	}
	parse := func(body string) yamlfile.Value {
		list, err := yamlfile.Parse("c.yaml", []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	rules, err := Rules(parse(`
- {name: gpu-busy, on: pod, when: "false", severity: INFO, summary: off}
- {name: own, on: node, when: unschedulable, severity: INFO, summary: "{node} is cordoned"}
`))
	if err != nil || len(rules) != len(defaults)+1 {
		t.Fatalf("%d rules of %d, %v", len(rules), len(defaults), err)
	}
	for i, r := range rules {
		if i < len(defaults) && r.Name != defaults[i].Name || r.Name == "gpu-busy" && r.When != "false" {
			t.Errorf("rule %d is %s, when %s", i, r.Name, r.When)
		}
	}
	if _, err := Rules(parse("- name: x\n")); err == nil || !strings.HasPrefix(err.Error(), "c.yaml:1: rule x: ") {
		t.Error(err)
	}
}

// A rule can read every column that its table has.
func TestEveryColumnIsReadable(t *testing.T) {
	kinds, err := newKinds()
	if err != nil {
		t.Fatal(err)
	}
	for on, table := range map[string]any{onPod: usage.Pod{}, onNode: usage.Node{}, onGPU: usage.GPU{}} {
		for i, n := 0, reflect.TypeOf(table).NumField(); i < n; i++ {
			if name := reflect.TypeOf(table).Field(i).Tag.Get("column"); kinds[on].columns[name].celType == nil {
				t.Errorf("a rule on %s cannot read %s", on, name)
			}
		}
	}
}

// What is absent makes an expression unknown, unless the rest decides alone;
// absent text is "".
func TestAbsentIsUnknown(t *testing.T) {
	p := usage.Pod{Namespace: "chat", Pod: "vllm-0", Phase: "Running", CPUUsageMillicores: usage.Some[int64](0)}
	for expression, want := range map[string]truth{
		"gpu_util_percent > 5":                           unknown,
		"!(gpu_util_percent > 5)":                        unknown,
		"gpu_util_percent == 0.0":                        unknown,
		"gpu_util_percent > 5 || phase == 'Running'":     yes,
		"gpu_util_percent > 5 && phase == 'Pending'":     no,
		"gpu_util_percent > 5 && phase == 'Running'":     unknown,
		"(gpu_util_percent > 5 ? 1 : 2) == 2":            unknown,
		"memory_usage_bytes + 1 > 0":                     unknown,
		"timestamp('2026-03-02T00:00:00Z') > started_at": unknown,
		"cpu_usage_millicores == 0":                      yes,
		"cpu_percent >= 0":                               unknown, // of what?
		"reason == ''":                                   yes,
		"node == '' && !ready":                           yes,
		"restarts > 0":                                   no,
		"1 / restarts > 0":                               unknown, // it fails on this row
		"thresholds.cpu == 80.0":                         yes,
	} {
		rules, err := ParseRules("x", []byte("- {name: x, on: pod, severity: INFO, summary: x, when: \""+expression+"\"}"))
		if err != nil {
			t.Fatal(err)
		}
		r := newRows(rules, report.Thresholds{CPUPercent: 80})
		r.pod.set(&p, nil, usage.Opt[string]{})
		if got := eval(rules[0].when, &r.onPod); got != want {
			t.Errorf("%s is %v, want %v", expression, got, want)
		}
	}
}

// A basis has one name in rules, JSON and SQL; only messages put it into words.
func TestBasisHasOneName(t *testing.T) {
	limited := usage.Pod{CPUUsageMillicores: usage.Some[int64](100), CPULimitMillicores: usage.Some[int64](200)}
	requested := usage.Pod{CPUUsageMillicores: usage.Some[int64](100), CPURequestMillicores: usage.Some[int64](200)}
	neither := usage.Pod{Node: usage.Some("a"), CPUUsageMillicores: usage.Some[int64](100)}
	node := &usage.Node{Node: "a", CPUAllocatableMillicores: 8000, MemoryAllocatableBytes: 1 << 30}
	for _, test := range []struct {
		pod   usage.Pod
		basis usage.Basis
		words string
	}{{limited, usage.OfLimit, "limit"}, {requested, usage.OfRequest, "request"}, {neither, usage.OfNode, "node's allocatable"}} {
		rules, err := ParseRules("x", []byte(fmt.Sprintf(
			"- {name: x, on: pod, severity: INFO, summary: 'of {cpu_basis}', when: 'cpu_basis == %q'}", test.basis)))
		if err != nil {
			t.Fatal(err)
		}
		r := newRows(rules, report.Thresholds{})
		r.pod.set(&test.pod, node, usage.Opt[string]{})
		if got := eval(rules[0].when, &r.onPod); got != yes {
			t.Errorf("cpu_basis == %q is %v, want yes", test.basis, got)
		}
		if got, _ := summarise(rules[0].Summary, r.onPod.values(rules[0].placeholders, nil)); got != "of "+test.words {
			t.Errorf("%s is worded %q, want %q", test.basis, got, "of "+test.words)
		}
	}
}

func TestNumbersInWords(t *testing.T) {
	for _, test := range []struct {
		name  string
		value any
		want  string
	}{
		{"cpu_percent", 90.96, "91 %"}, {"cpu_percent", 90.04, "90 %"}, {"cpu_percent", 0.04, "0.04 %"}, {"thresholds.cpu", 80.0, "80 %"},
		{"cpu_limit_millicores", int64(4000), "4 cores"},
		{"cpu_limit_millicores", int64(1000), "1 core"},
		{"cpu_limit_millicores", int64(250), "0.25 cores"},
		{"memory_limit_bytes", int64(1536 << 20), "1.5 GiB"},
		{"memory_limit_bytes", int64(0), "0 B"},
		{"memory_limit_bytes", int64(5000 << 40), "5000 TiB"},
		{"age_seconds", 95.0, "95 s"},
		{"age_seconds", 900.0, "15 min"},
		{"age_seconds", 7500.0, "2 h 5 min"},
		{"age_seconds", 90000.0, "1 d 1 h"},
		{"restarts", int64(3), "3"}, {"ready", false, "false"}, {"phase", "Pending", "Pending"}, {"gpu_util_percent", nil, "?"},
		{"created_at", start, "2026-03-02 10:00 UTC"},
	} {
		v := view{cells: map[string]cell{test.name: {get: func() any { return test.value }}}}
		if got := words(v.values([]string{test.name}, nil)[0]); got != test.want {
			t.Errorf("%s %v: %q, want %q", test.name, test.value, got, test.want)
		}
	}
}

// Whatever the file holds, ParseRules does not panic; what it accepts is
// complete and runs on a row of nothing, and what it refuses names the file.
func FuzzParseRules(f *testing.F) {
	f.Add(defaultRules)
	f.Add([]byte(cpuRule))
	files, err := filepath.Glob("testdata/refused/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rules, err := ParseRules("x.yaml", body)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "x.yaml:") {
					t.Fatalf("a fault without the file: %q", line)
				}
			}
			return
		}
		for i := range rules {
			r := &rules[i]
			if r.Name == "" || r.when == nil || r.kind == nil || r.Summary == "" || r.For.Samples < 1 || r.clear == nil != (r.Clear == "") {
				t.Fatalf("accepts %+v", *r)
			}
			nothing := newRows(nil, report.Thresholds{}).view(r.On)
			eval(r.when, nothing)
			summarise(r.Summary, nothing.values(r.placeholders, nil))
		}
	})
}
