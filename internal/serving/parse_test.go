package serving

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// TestParseGolden reads every testdata/metrics/*.txt and compares the row with
// the .json beside it.
func TestParseGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/metrics/*.txt")
	if err != nil || len(files) < 14 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			e, err := Parse(fixture(t, name), engineOf(name))
			if err != nil {
				t.Fatal(err)
			}
			golden.CompareJSON(t, strings.TrimSuffix(file, ".txt")+".json", e)
		})
	}
}

// figures writes out the figures of a row that are present, in column order.
func figures(e usage.Engine) string {
	var words []string
	v := reflect.ValueOf(e)
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("column")
		text, err := json.Marshal(v.Field(i).Interface())
		if err == nil && string(text) != "null" && i > 5 { // behind engine and model
			words = append(words, name+"="+string(text))
		}
	}
	return strings.Join(words, " ")
}

// TestParseFigures says by hand what the golden files must hold.
func TestParseFigures(t *testing.T) {
	const current = "requests_running=7 requests_waiting=2 kv_cache_usage_ratio=0.4375 prompt_tokens_total=100000 " +
		"generation_tokens_total=50000 " +
		"requests_total=R preemptions_total=4 prefix_cache_queries_total=90000 prefix_cache_hits_total=30000 ttft_seconds_sum=51.5 " +
		"ttft_seconds_count=344 " +
		"inter_token_seconds_sum=1000.25 inter_token_seconds_count=49000 e2e_seconds_sum=1500.75 e2e_seconds_count=342"
	const sglang = "prompt_tokens_total=4000 generation_tokens_total=9000 requests_total=49 P" +
		"prefix_cache_queries_total=4000 prefix_cache_hits_total=1024 ttft_seconds_sum=20.5 ttft_seconds_count=50 " +
		"inter_token_seconds_sum=180.25 inter_token_seconds_count=8950 e2e_seconds_sum=210.75 e2e_seconds_count=50"
	for name, want := range map[string]string{
		"vllm-0.6": "requests_running=3 requests_waiting=1 kv_cache_usage_ratio=0.25 prompt_tokens_total=12345 generation_tokens_total=6789 " +
			"requests_total=100 preemptions_total=2 ttft_seconds_sum=12.5 ttft_seconds_count=100 " +
			"inter_token_seconds_sum=135.78 inter_token_seconds_count=6689 e2e_seconds_sum=321.25 e2e_seconds_count=100",
		"vllm-0.8":  strings.Replace(current, "R", "342", 1),
		"vllm-0.10": strings.Replace(current, "R", "342", 1), // old and new names side by side
		"vllm-0.12": strings.Replace(current, "R", "344", 1),
		"vllm-0.32": strings.Replace(current, "R", "344", 1),
		"vllm-data-parallel": "requests_running=12 requests_waiting=2 kv_cache_usage_ratio=0.5 prompt_tokens_total=300000 " +
			"generation_tokens_total=150000 " +
			"requests_total=1032 preemptions_total=12 prefix_cache_queries_total=270000 prefix_cache_hits_total=90000 ttft_seconds_sum=154.5 " +
			"ttft_seconds_count=1032 " +
			"inter_token_seconds_sum=3000.75 inter_token_seconds_count=147000 e2e_seconds_sum=4502.25 e2e_seconds_count=1026",
		"vllm-ray": "requests_running=2 requests_waiting=0 kv_cache_usage_ratio=0.125 prompt_tokens_total=700 generation_tokens_total=300 " +
			"requests_total=10 preemptions_total=0 prefix_cache_queries_total=640 prefix_cache_hits_total=64 ttft_seconds_sum=1.25 " +
			"ttft_seconds_count=10 " +
			"inter_token_seconds_sum=6.5 inter_token_seconds_count=290 e2e_seconds_sum=9.75 e2e_seconds_count=10",
		"vllm-not-a-number": "prefix_cache_queries_total=0",
		"sglang-current": "requests_running=4 requests_waiting=1 kv_cache_usage_ratio=0.62 " +
			strings.Replace(sglang, "P", "preemptions_total=3 ", 1),
		"sglang-tensor-parallel": "requests_running=4 requests_waiting=2 kv_cache_usage_ratio=0.5 " + strings.Replace(sglang, "P", "", 1),
		"sglang-dp-attention":    "requests_running=10 requests_waiting=6 kv_cache_usage_ratio=0.625 " + strings.Replace(sglang, "P", "", 1),
		"sglang-decode":          "requests_running=6 requests_waiting=6 kv_cache_usage_ratio=0.5 " + strings.Replace(sglang, "P", "", 1),
		"sglang-fork":            "requests_running=1 requests_waiting=0 kv_cache_usage_ratio=0.1 " + strings.Replace(sglang, "P", "", 1),
		"sglang-0.4-idle": "requests_running=0 requests_waiting=0 kv_cache_usage_ratio=0 prompt_tokens_total=4000 " +
			"generation_tokens_total=9000 requests_total=50 " +
			"ttft_seconds_sum=20.5 ttft_seconds_count=50 inter_token_seconds_sum=180.25 inter_token_seconds_count=8950 e2e_seconds_sum=210.75 " +
			"e2e_seconds_count=50",
	} {
		e, err := Parse(fixture(t, name), engineOf(name))
		if got := figures(e); err != nil || got != want {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, got, want)
		}
	}
	if e, _ := Parse(fixture(t, "vllm-0.12"), usage.VLLM); e.Model != usage.Some("meta-llama/Llama-3.1-8B-Instruct") ||
		e.Engine != usage.VLLM {
		t.Errorf("engine %q, model %v", e.Engine, e.Model)
	}
}

// TestParseOrder turns the lines of every fixture around: the row is the same.
func TestParseOrder(t *testing.T) {
	files, err := filepath.Glob("testdata/metrics/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		lines := strings.SplitAfter(string(fixture(t, name)), "\n")
		want, err := Parse([]byte(strings.Join(lines, "")), engineOf(name))
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(lines)
		if got, err := Parse([]byte(strings.Join(lines, "")), engineOf(name)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, lines turned around: %v\n got %+v\nwant %+v", name, err, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ body, engine, want string }{
		{"", usage.VLLM, "no metric begins with vllm:; start the server without --disable-log-stats"},
		{"python_info 1\n", usage.SGLang, "no metric begins with sglang:; start the server with --enable-metrics"},
		{"sglang:token_usage 1\n", usage.VLLM, "no metric begins with vllm:"},
		{"<html>", usage.VLLM, "line 1: not Prometheus text"},
		{"vllm:num_requests_running 1\nvllm:num_requests_waiting\n", usage.VLLM, "line 2"},
		{"a 1", usage.NoEngine, `no metrics are known for engine ""`},
	} {
		if _, err := Parse([]byte(test.body), test.engine); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want %q in it", test.body, err, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/metrics/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		var few []string // the fuzzer is slow with large seeds
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.SplitAfterSeq(string(body), "\n") {
			if !strings.HasPrefix(line, "#") && !strings.Contains(line, "_bucket{") && !strings.Contains(line, "_created") {
				few = append(few, line)
			}
		}
		f.Add([]byte(strings.Join(few[:min(len(few), 30)], "")))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, engine := range Engines() {
			e, err := Parse(body, engine)
			if err != nil {
				continue
			}
			if e.Engine != engine || e.Model == usage.Some("") {
				t.Errorf("row %+v", e)
			}
			for _, count := range []usage.Opt[int64]{e.RequestsRunning, e.RequestsWaiting, e.PromptTokensTotal, e.GenerationTokensTotal,
				e.RequestsTotal, e.PreemptionsTotal, e.PrefixCacheQueriesTotal, e.PrefixCacheHitsTotal, e.TTFTSecondsCount} {
				if v, ok := count.Get(); ok && v < 0 {
					t.Errorf("negative figure in %+v", e)
				}
			}
			for _, v := range []usage.Opt[float64]{e.KVCacheUsageRatio, e.TTFTSecondsSum, e.InterTokenSecondsSum, e.E2ESecondsSum} {
				if x, ok := v.Get(); ok && !(x >= 0 && x <= math.MaxFloat64) {
					t.Errorf("figure %v in %+v", x, e)
				}
			}
		}
	})
}
