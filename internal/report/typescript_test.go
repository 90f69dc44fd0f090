package report

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// documents are the roots of the vocabulary: every type that they reach is
// written out. The keys name the golden files.
var documents = map[string]any{
	"clusters":   fixtureClusters(),
	"latest":     fixtureLatest(),
	"pods":       fixturePods(),
	"gpus":       fixtureGPUs(),
	"gpumap":     fixtureGPUMap(),
	"nodes":      fixtureNodes(),
	"statistics": fixtureStatistics(),
	"nodehours":  NodeHours{Stamp: fixtureStamp, HourStarts: fixtureStatistics().HourStarts, Nodes: fixtureStatistics().Nodes},
	"podhours": PodHours{Stamp: fixtureStamp, HourStarts: fixtureStatistics().HourStarts, Namespace: Strings{[]string{"chat"}, []int32{0}},
		Pod: Strings{[]string{"sglang-0"}, []int32{0}}, GPUUtil: []Floats{{usage.Some(97.5), {}}}},
	"alerts":  fixtureAlerts(),
	"history": fixtureHistory(),
}

// TestTypeScript fails when site/src/report.ts is not what the Go documents
// say; make update writes it anew.
func TestTypeScript(t *testing.T) {
	comments, err := readComments(".")
	if err != nil {
		t.Fatal(err)
	}
	w := typeWriter{comments: comments, seen: map[reflect.Type]bool{}}
	for _, root := range []any{Clusters{}, Latest{}, PodsData{}, GPUsData{}, GPUMap{}, Nodes{}, StatisticsData{}, NodeHours{}, PodHours{}, Alerts{}, PodHistory{}} {
		w.declare(reflect.TypeOf(root))
	}
	var engines []string
	for _, e := range usage.EngineNames {
		key := e.Name
		if strings.Contains(key, "-") {
			key = "'" + key + "'"
		}
		engines = append(engines, fmt.Sprintf("%s: '%s'", key, e.Label))
	}
	text := "// Generated from the Go documents in internal/report by its tests; do not edit.\n" +
		"// make update writes it anew.\n\n" +
		fmt.Sprintf("/** The one version of the documents that this page reads. */\nexport const VERSION = %d;\n", Version) +
		fmt.Sprintf("/** From how many intervals on, without a new sample, the newest is late, and the collector has stopped. */\n"+
			"export const FRESHNESS = { late: %d, stopped: %d };\n", usage.LateIntervals, usage.StoppedIntervals) +
		"/** The engines that are known, by their names in the data, in the order in which they are shown. */\n" +
		"export const ENGINES: Record<string, string> = { " + strings.Join(engines, ", ") + " };\n" +
		"/** What the GPUs that a pod holds are doing. */\n" +
		"export const GPU_STATES = ['" + strings.Join(usage.GPUStates[:], "', '") + "'] as const;\n" +
		w.text.String()
	golden.Compare(t, filepath.Join("..", "..", "site", "src", "report.ts"), []byte(text))
}

// TestGolden keeps the JSON that the site's own tests read equal to what Go
// marshals, and reads it back to the same value.
func TestGolden(t *testing.T) {
	for name, doc := range documents {
		t.Run(name, func(t *testing.T) {
			b, err := json.MarshalIndent(doc, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, filepath.Join("testdata", name+".json"), append(b, '\n'))
			back := reflect.New(reflect.TypeOf(doc))
			if err := json.Unmarshal(b, back.Interface()); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back.Elem().Interface(), doc) {
				t.Errorf("read back: %+v, want %+v", back.Elem(), doc)
			}
		})
	}
}

// typeWriter writes Go types as TypeScript, what they need first.
type typeWriter struct {
	comments map[string]string
	seen     map[reflect.Type]bool
	text     strings.Builder
}

var timeType = reflect.TypeFor[time.Time]()

// name is how TypeScript refers to a type. An Opt is its value or null.
func (w *typeWriter) name(t reflect.Type) string {
	switch {
	case t == timeType || t.Kind() == reflect.String:
		return "string"
	case strings.HasPrefix(t.Name(), "Opt["):
		return w.name(t.Field(0).Type) + " | null"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		return "number"
	case reflect.Map:
		return "Record<" + w.name(t.Key()) + ", " + w.name(t.Elem()) + ">"
	case reflect.Slice:
		if elem := w.name(t.Elem()); strings.Contains(elem, " ") {
			return "(" + elem + ")[]"
		} else {
			return elem + "[]"
		}
	case reflect.Struct:
		w.declare(t)
		return t.Name()
	}
	panic("no TypeScript for " + t.String())
}

func (w *typeWriter) declare(t reflect.Type) {
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	var extends, fields []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			extends = append(extends, w.name(f.Type))
			continue
		}
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "-" {
			continue
		}
		line := "  " + key + ": " + w.name(f.Type) + ";"
		if c := w.comments[t.Name()+"."+f.Name]; c != "" {
			line += " // " + c
		}
		fields = append(fields, line)
	}
	w.text.WriteString("\n")
	if c := w.comments[t.Name()]; c != "" {
		w.text.WriteString("/** " + c + " */\n")
	}
	w.text.WriteString("export interface " + t.Name())
	if len(extends) > 0 {
		w.text.WriteString(" extends " + strings.Join(extends, ", "))
	}
	w.text.WriteString(" {\n" + strings.Join(fields, "\n") + "\n}\n")
}

// readComments reads the doc comments of types ("T") and the line comments of
// fields ("T.F") from the sources, since reflection does not carry them.
func readComments(dir string) (map[string]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	comments := map[string]string{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				return true
			}
			for _, spec := range decl.Specs {
				ts := spec.(*ast.TypeSpec)
				doc := ts.Doc
				if doc == nil {
					doc = decl.Doc
				}
				comments[ts.Name.Name] = oneLine(doc)
				if st, ok := ts.Type.(*ast.StructType); ok {
					for _, f := range st.Fields.List {
						for _, id := range f.Names {
							comments[ts.Name.Name+"."+id.Name] = oneLine(f.Comment)
						}
					}
				}
			}
			return false
		})
	}
	return comments, nil
}

func oneLine(c *ast.CommentGroup) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(c.Text()), " "), "*/", "* /")
}

// The fixtures are one tiny cluster: two nodes, three pods, two GPUs, two hours.

var (
	fixtureAt    = time.Date(2026, 3, 2, 10, 15, 0, 0, time.UTC)
	fixtureStamp = Stamp{Version: Version, Cluster: "golden", GeneratedAt: fixtureAt.Add(20 * time.Second), SampledAt: fixtureAt}
)

func some[T any](vs ...T) []usage.Opt[T] {
	out := make([]usage.Opt[T], len(vs))
	for i, v := range vs {
		out[i] = usage.Some(v)
	}
	return out
}

func fixtureClusters() Clusters {
	return Clusters{Version: Version, Clusters: []ClusterEntry{{Name: "golden"}, {Name: "other"}}}
}

func fixtureLatest() Latest {
	return Latest{
		Stamp: fixtureStamp, IntervalSeconds: 60, ProgramVersion: "v0.1.0",
		Thresholds: Thresholds{CPUPercent: 80, MemoryPercent: 80, GPUPercent: 80},
		ClusterSummary: ClusterSummary{
			TotalNodes: 2, ReadyNodes: 1, TotalPods: 3, VLLMPods: 1, SGLangPods: 1, ByEngine: map[string]int{"vllm": 1, "sglang": 1},
			AvgCPU: usage.Some(41.5), AvgMemory: usage.Some(63.25), TotalGPUs: 2, HeldGPUs: 1, IdleGPUs: 1,
			IdleToday: usage.Some(4.5),
		},
		Gaps: []usage.Gap{{Source: "engine", Target: "chat/vllm-0", Reason: "connection refused: check that /metrics is served"}},
		Objects: Objects{
			Pods: []PodsObject{
				{DataObject: DataObject{Path: "data/1.json", Bytes: 2000}, Count: 3, FirstNamespace: "chat", LastNamespace: "web"},
			},
			Nodes:      DataObject{Path: "data/2.json", Bytes: 900},
			GPUs:       DataObject{Path: "data/3.json", Bytes: 700},
			GPUMap:     DataObject{Path: "data/7.json", Bytes: 800},
			Statistics: DataObject{Path: "data/4.json", Bytes: 4000},
			NodeHours:  DataObject{Path: "data/5.json", Bytes: 1000},
			PodHours:   DataObject{Path: "data/6.json", Bytes: 300},
		},
	}
}

func fixturePods() PodsData {
	none := usage.Opt[int64]{}
	nothing := usage.Opt[float64]{}
	texts := func(dictionary []string, indexes ...int32) Strings { return Strings{dictionary, indexes} }
	return PodsData{
		Stamp: fixtureStamp, Count: 3,
		Namespace:            texts([]string{"chat", "web"}, 0, 0, 1),
		Pod:                  texts([]string{"sglang-0", "vllm-0", "nginx"}, 0, 1, 2),
		Node:                 texts([]string{"node-a"}, 0, 0, -1),
		OwnerKind:            texts([]string{"StatefulSet", "Deployment"}, 0, 0, 1),
		Owner:                texts([]string{"sglang", "vllm", "nginx"}, 0, 1, 2),
		Phase:                texts([]string{"Running", "Pending"}, 0, 0, 1),
		Reason:               texts([]string{"Unschedulable"}, -1, -1, 0),
		Ready:                []bool{true, true, false},
		Restarts:             some[int64](0, 2, 0),
		CreatedAt:            some(fixtureAt.Add(-time.Hour).UnixMilli(), fixtureAt.Add(-72*time.Hour).UnixMilli(), fixtureAt.UnixMilli()),
		Image:                texts([]string{"sglang:1", "vllm:1", "nginx:1"}, 0, 1, 2),
		Engine:               texts([]string{"sglang", "vllm", ""}, 0, 1, 2),
		Model:                texts([]string{"Qwen3-32B", "Llama-3.1-8B"}, 0, 1, -1),
		Role:                 texts([]string{}, -1, -1, -1),
		ReplicaGroup:         texts([]string{}, -1, -1, -1),
		IdentifiedBy:         texts([]string{"args: vllm serve"}, -1, 0, -1),
		CPUUsagePercent:      []usage.Opt[float64]{usage.Some(91.25), usage.Some(0.0), nothing},
		CPUBasis:             texts([]string{"limit", "request"}, 0, 1, -1),
		CPUUsageMillicores:   []usage.Opt[int64]{usage.Some[int64](3650), usage.Some[int64](0), none},
		CPURequestMillicores: some[int64](2000, 1000, 100),
		CPULimitMillicores:   []usage.Opt[int64]{usage.Some[int64](4000), none, none},
		MemoryUsagePercent:   []usage.Opt[float64]{usage.Some(50.0), usage.Some(62.5), nothing},
		MemoryBasis:          texts([]string{"limit"}, 0, 0, -1),
		MemoryUsageBytes:     []usage.Opt[int64]{usage.Some[int64](32 << 30), usage.Some[int64](10 << 30), none},
		MemoryRequestBytes:   some[int64](64<<30, 16<<30, 128<<20),
		MemoryLimitBytes:     []usage.Opt[int64]{usage.Some[int64](64 << 30), usage.Some[int64](16 << 30), none},
		GPURequest:           some[int64](1, 0, 0),
		GPUUtilPercent:       []usage.Opt[float64]{usage.Some(0.0), nothing, nothing},
		GPUMemoryUsedBytes:   []usage.Opt[int64]{usage.Some[int64](70 << 30), none, none},
		GPUMemoryTotalBytes:  []usage.Opt[int64]{usage.Some[int64](80 << 30), none, none},
		GPUPowerWatts:        []usage.Opt[float64]{usage.Some(118.5), nothing, nothing},
		GPUAttribution:       texts([]string{"exclusive"}, 0, -1, -1),
		GPUState:             texts([]string{"idle_held"}, 0, -1, -1),
		RequestsRunning:      []usage.Opt[int64]{usage.Some[int64](0), usage.Some[int64](12), none},
		RequestsWaiting:      []usage.Opt[int64]{usage.Some[int64](0), usage.Some[int64](3), none},
		KVCacheUsageRatio:    []usage.Opt[float64]{usage.Some(0.0), usage.Some(0.74), nothing},
	}
}

func fixtureGPUs() GPUsData {
	return GPUsData{
		Stamp: fixtureStamp, Count: 2,
		Node:               Strings{[]string{"node-a"}, []int32{0, 0}},
		GPUIndex:           some[int64](0, 1),
		GPUProduct:         Strings{[]string{"NVIDIA H100 80GB HBM3"}, []int32{0, 0}},
		MIGProfile:         Strings{[]string{}, []int32{-1, -1}},
		MIGInstance:        make(Ints, 2),
		Namespace:          Strings{[]string{"chat"}, []int32{0, -1}},
		Pod:                Strings{[]string{"sglang-0"}, []int32{0, -1}},
		ShareCount:         some[int64](1, 0),
		State:              Strings{[]string{"idle_held"}, []int32{0, -1}},
		UtilPercent:        some(0.0, 0.0),
		MemoryUsedBytes:    some[int64](70<<30, 0),
		MemoryTotalBytes:   some[int64](80<<30, 80<<30),
		PowerWatts:         some(118.5, 70.0),
		TemperatureCelsius: some[int64](41, 33),
		XIDLast:            make(Ints, 2),
	}
}

func fixtureGPUMap() GPUMap {
	g := fixtureGPUs()
	return GPUMap{Stamp: g.Stamp, Count: g.Count, Node: g.Node, State: g.State, UtilPercent: g.UtilPercent}
}

func fixtureNodes() Nodes {
	return Nodes{Stamp: fixtureStamp, Nodes: []Node{
		{
			Name: "node-a", Ready: true, Roles: "worker", InstanceType: usage.Some("p5.48xlarge"), Zone: usage.Some("eu-1a"),
			KubeletVersion: "v1.34.1", CreationTime: fixtureAt.Add(-240 * time.Hour),
			CPUUsagePercent: usage.Some(41.5), CPUUsageMillicores: usage.Some[int64](3320), CPURequestedMillicores: 3100,
			CPUAllocatable: 8000, CPUCapacity: 8000, MemoryUsagePercent: usage.Some(63.25),
			MemoryUsageBytes: usage.Some[int64](81 << 30), MemoryRequestedBytes: 80 << 30, MemoryAllocatable: 128 << 30,
			MemoryCapacity: 128 << 30, PodsRunning: 2, PodsAllocatable: 110, GPUProduct: usage.Some("NVIDIA H100 80GB HBM3"),
			GPURequested: 1, GPUAllocatable: 2, GPUUsagePercent: usage.Some(0.0),
		},
		{Name: "node-b", Pressure: "DiskPressure", KubeletVersion: "v1.34.1", CreationTime: fixtureAt, CPUAllocatable: 4000,
			CPUCapacity: 4000, MemoryAllocatable: 16 << 30, MemoryCapacity: 16 << 30, PodsAllocatable: 110},
	}}
}

func fixtureSeries() Series {
	return Series{
		Coverage:              some(1.0, 0.25),
		CPUUsageMillicoresAvg: some(3300.0, 3320.0),
		GPUHoursAllocated:     some(1.0, 0.25),
		GPUHoursActive:        some(0.5, 0.0),
		GPUHoursIdleHeld:      some(0.5, 0.25),
		PromptTokens:          Floats{usage.Some(1200.0), {}},
		GenerationTokens:      Floats{usage.Some(800.0), {}},
	}
}

func fixtureStatistics() StatisticsData {
	total := Totals{
		Samples: 75, ExpectedSamples: 75, GPUHoursAllocated: usage.Some(1.25), GPUHoursActive: usage.Some(0.5),
		GPUHoursIdleHeld: usage.Some(0.75), PromptTokens: usage.Some[int64](1200), GenerationTokens: usage.Some[int64](800),
		TokensPerGPUHour: usage.Some(1600.0),
	}
	return StatisticsData{
		Stamp: fixtureStamp, Hours: 2,
		HourStarts: []time.Time{fixtureAt.Truncate(time.Hour).Add(-time.Hour), fixtureAt.Truncate(time.Hour)},
		NodesSeen:  some[int64](1, 2),
		ClusterAll: fixtureSeries(),
		Models:     []ModelStatistics{{Namespace: "chat", ModelType: "sglang", Model: "Qwen3-32B", Total: total, Series: fixtureSeries()}},
		Namespaces: []NamespaceStatistics{{Namespace: "chat", Total: total, Series: fixtureSeries()}},
		Nodes: []NodeStatistics{
			{Node: "node-a", GPUProduct: usage.Some("NVIDIA H100 80GB HBM3"), Total: total, Series: fixtureSeries()},
		},
	}
}

func fixtureAlerts() Alerts {
	return Alerts{
		Stamp: fixtureStamp,
		Firing: []Alert{{Rule: "idle-gpu", Severity: "WARNING", Kind: "pod", Namespace: "chat", Name: "sglang-0", Node: "node-a",
			Model: "Qwen3-32B", Summary: "1 GPU held without work for 60 min", Values: []AlertValue{}, Value: usage.Some(0.0), Since: fixtureAt.Add(-time.Hour)}},
		Resolved: []Alert{{Rule: "cpu", Severity: "WARNING", Kind: "pod", Namespace: "chat", Name: "sglang-0", Node: "node-a",
			Summary: "CPU 84 % of limit 8 cores, threshold 80 %", Sentence: "cpu",
			Values: []AlertValue{{Name: "cpu_percent", Number: usage.Some(84.0)}, {Name: "cpu_basis", Text: usage.Some("limit")},
				{Name: "cpu_whole_millicores", Number: usage.Some(8000.0)}, {Name: "thresholds.cpu", Number: usage.Some(80.0)}},
			Value: usage.Some(84.0), Since: fixtureAt.Add(-5 * time.Hour),
			ResolvedAt: usage.Some(fixtureAt.Add(-4 * time.Hour))}},
	}
}

func fixtureHistory() PodHistory {
	return PodHistory{
		Stamp: fixtureStamp,
		Pod: Pod{Pod: "sglang-0", Namespace: "chat", Node: usage.Some("node-a"), Engine: "sglang", Model: usage.Some("Qwen3-32B"),
			Phase: "Running", Ready: true, CreatedAt: fixtureAt.Add(-time.Hour), Image: "sglang:1", GPURequest: 1,
			IdentifiedBy: usage.Some("sglang, from `sglang.launch_server` in args")},
		Hours:   []time.Time{fixtureAt.Truncate(time.Hour).Add(-time.Hour), fixtureAt.Truncate(time.Hour)},
		History: fixtureSeries(),
	}
}
