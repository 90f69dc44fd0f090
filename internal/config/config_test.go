package config

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/internal/yamlfile"
)

const example = "../../deploy/cronjobs/base/config.example.yaml"

// The example promises "every setting, with its default".
func TestExampleIsTheDefaults(t *testing.T) {
	body, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Load("config.example.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	if want := Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("the example loads as\n%+v, the defaults are\n%+v", got, want)
	}

	var tree map[string]any
	if err := yaml.Load(body, &tree); err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(yamlfile.Keys[Config]()))
	if keys := slices.Sorted(maps.Keys(flatten("", tree))); !slices.Equal(keys, want) {
		t.Errorf("keys of the example: %v\nkeys that exist: %v", keys, want)
	}
}

func flatten(path string, tree map[string]any) map[string]bool {
	keys := map[string]bool{}
	for key, value := range tree {
		if section, ok := value.(map[string]any); ok {
			maps.Copy(keys, flatten(path+key+".", section))
		} else {
			keys[path+key] = true
		}
	}
	return keys
}

func TestLoadEverySetting(t *testing.T) {
	const body = `
cluster: prod-1
bucket: s3://monitor/prod?path_style=true
namespaces: [research, model-serving, research]
collection: {interval: 15s}
retention:
  raw: 72h
  samples: 14d
  hourly: 10d
  report: 90d
thresholds: {cpu: 70, memory: 75.5, gpu: 100}
alerts:
  siteURL: https://monitor.example.com/k8s-monitor/
  rules:
    - name: hot
      when: cpu_percent > 90.0

    - name: cold # a comment
      when: cpu_percent < 1.0
prices:
  currency: KRW
  gpuHour: {NVIDIA-H100-80GB-HBM3: 2.5, NVIDIA-L4: 0}
  cpuCoreHour: 0.04
`
	got, err := Load("c.yaml", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := got.Alerts.Rules.Items()
	if err != nil || len(rules) != 2 || rules[0].Line() != 15 || rules[1].Line() != 18 {
		t.Errorf("rules are %v, %v; want those of lines 15 and 18", rules, err)
	}
	got.Alerts.Rules = yamlfile.Value{}
	want := Config{
		Cluster: "prod-1", Bucket: "s3://monitor/prod?path_style=true",
		Namespaces: []string{"model-serving", "research"},
		Collection: Collection{15 * time.Second},
		Retention:  Retention{Raw: 72 * time.Hour, Samples: 14 * 24 * time.Hour, Hourly: 240 * time.Hour, Report: 90 * 24 * time.Hour},
		Thresholds: Thresholds{70, 75.5, 100},
		Alerts:     Alerts{SiteURL: "https://monitor.example.com/k8s-monitor/"},
		Prices: Prices{Currency: "KRW", GPUHour: map[string]float64{"NVIDIA-H100-80GB-HBM3": 2.5, "NVIDIA-L4": 0},
			CPUCoreHour: usage.Some(0.04)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// The same settings in any style of YAML are read the same.
func TestLoadAnyStyle(t *testing.T) {
	want, err := Load("c.yaml", []byte("cluster: prod\nretention: {raw: 72h, samples: 7d}\nnamespaces: [a, b]\n"+
		"alerts: {rules: [{name: x}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want.Alerts.Rules = yamlfile.Value{}
	for name, body := range map[string]string{
		"block":   "cluster: prod\nretention:\n  raw: 72h\n  samples: 7d\nnamespaces:\n- a\n- b\nalerts:\n  rules:\n  - name: x\n",
		"flow":    "{cluster: prod, retention: {raw: 72h, samples: 7d}, namespaces: [a, b], alerts: {rules: [{name: x}]}}\n",
		"JSON":    `{"cluster": "prod", "retention": {"raw": "72h"}, "namespaces": ["a", "b"], "alerts": {"rules": [{"name": "x"}]}}`,
		"quoted":  "'cluster': \"prod\"\n\"retention\": {'raw': '72h'}\nnamespaces: ['a', \"\\x62\"]\nalerts: {rules: [{name: x}]}\n",
		"aliases": "cluster: &c prod\nretention: {raw: &r 72h}\nnamespaces: [&a a, b, *a]\nalerts: {rules: [{name: *c}]}\n",
		"merge key": "retention:\n  <<: [{raw: 72h}, {raw: 99h}]\n  samples: 7d\n<<: {cluster: prod, " +
			"namespaces: [b, a]}\nalerts: {rules: [{}]}\n",
		"multiline": "cluster: >-\n  prod\nretention: {raw: 72h}\nnamespaces: [a,\n  b]\nalerts:\n  rules:\n    - when: |\n" +
			"        x\n        y\n",
		"documents": "%YAML 1.1\n--- # settings\ncluster: prod\nretention: {raw: 72h}\nnamespaces: [a, b]\nalerts: {rules: [{}]}\n...\n",
		"crlf":      "cluster: prod\r\nretention:\r\n  raw: 72h\r\nnamespaces: [a, b]\r\nalerts:\r\n  rules:\r\n  - name: x\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Load("c.yaml", []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if rules, err := got.Alerts.Rules.Items(); err != nil || len(rules) != 1 {
				t.Errorf("%d rules, %v", len(rules), err)
			}
			got.Alerts.Rules = yamlfile.Value{}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestLoadFaults(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"unknown", "cluster: a\ncolour: red\n",
			"c.yaml:2: colour: unknown key; the keys here are cluster, bucket, namespaces, collection, retention, thresholds, " +
				"alerts, prices"},
		{"near", "clutser: a\n", "c.yaml:1: clutser: unknown key; did you mean cluster?"},
		{"case", "alerts:\n  siteUrl: http://x\n", "c.yaml:2: alerts.siteUrl: unknown key; did you mean alerts.siteURL?"},
		{"section", "threshold: {cpu: 1}\n", "c.yaml:1: threshold: unknown key; did you mean thresholds?"},
		{"elsewhere", "interval: 30s\n", "c.yaml:1: interval: unknown key; did you mean collection.interval?"},
		{"twice", "cluster: a\n\ncluster: b\n", "c.yaml:3: cluster: is set twice; keep one"},
		{"not a mapping", "- a\n", "c.yaml:1: the file: is a list, not lines of key: value with the keys cluster, bucket, " +
			"namespaces, collection, retention, thresholds, alerts, prices"},
		{"not a section", "retention: 7d\n", "c.yaml:1: retention: is text, not lines of key: value with the keys raw, samples, hourly, report"},
		{"no YAML", "cluster: [a\nbucket: b\n", "c.yaml:2: not YAML: did not find expected ',' or ']' (while parsing a flow sequence at line 1)"},
		{"two documents", "cluster: a\n---\ncluster: b\n", "c.yaml:2: the file goes on after its first YAML document; keep one"},
		{"number for text", "cluster: 12\n", "c.yaml:1: cluster: is a number, not text; put it in quotes"},
		{"cluster", "cluster: Prod\n",
			`c.yaml:1: cluster: "Prod" cannot be the name of a cluster: use at most 63 lower-case letters, digits, '-' and '.', ` +
				`and no name of a file of the site`},
		{"bucket", "bucket: monitor\n", `c.yaml:1: bucket: "monitor" is not a bucket's URL: write s3://NAME/PREFIX or file:///DIR`},
		{"namespaces", "namespaces: a\n", "c.yaml:1: namespaces: is text, not a list"},
		{"namespace", "namespaces:\n- a b\n", `c.yaml:2: namespaces[0]: "a b" is not a name that a namespace can have`},
		{"no unit", "retention:\n  raw: 48\n", "c.yaml:2: retention.raw: is a number, not a duration such as 30s, 48h or 7d"},
		{"bad unit", "retention:\n  raw: 48x\n", `c.yaml:2: retention.raw: "48x" is not a duration such as 30s, 48h or 7d`},
		{"days and hours", "retention: {raw: 1.5d}\n", `c.yaml:1: retention.raw: "1.5d" is not a duration such as 30s, 48h or 7d`},
		{"too long", "retention: {raw: 99999999d}\n", `c.yaml:1: retention.raw: "99999999d" is not a duration such as 30s, 48h or 7d`},
		{"short", "retention: {raw: 5m}\n", "c.yaml:1: retention.raw: 5m0s is too short: keep at least 1h"},
		{"negative", "retention: {raw: -48h}\n", "c.yaml:1: retention.raw: -48h0m0s is too short: keep at least 1h"},
		{"interval", "collection: {interval: 25s}\n",
			"c.yaml:1: collection.interval: 25s does not fit: use 10s, 12s, 15s, 20s, 30s, or 1m to 5m in whole minutes"},
		{"interval zero", "collection: {interval: 0s}\n",
			"c.yaml:1: collection.interval: 0s does not fit: use 10s, 12s, 15s, 20s, 30s, or 1m to 5m in whole minutes"},
		{"percent", "thresholds: {cpu: 0}\n", "c.yaml:1: thresholds.cpu: 0 is not a percent above 0 and up to 100"},
		{"quoted number", "thresholds: {cpu: '80'}\n", "c.yaml:1: thresholds.cpu: is text, not a number, without quotes and unit"},
		{"nan", "thresholds: {gpu: .nan}\n", "c.yaml:1: thresholds.gpu: is not a finite number"},
		{"site", "alerts: {siteURL: monitor}\n", `c.yaml:1: alerts.siteURL: "monitor" is not the address of a page: write https://HOST/PATH`},
		{"rules", "alerts: {rules: yes please}\n", "c.yaml:1: alerts.rules: is text, not a list"},
		{"currency", "prices: {currency: dollars}\n",
			`c.yaml:1: prices.currency: "dollars" is not a currency's code of three letters, such as USD`},
		{"price", "prices:\n  gpuHour:\n    H100: -1\n", "c.yaml:3: prices.gpuHour.H100: -1 is below zero; a price is not"},
		{"price as text", "prices: {cpuCoreHour: free}\n", "c.yaml:1: prices.cpuCoreHour: is text, not a number, without quotes and unit"},
		{"alias", "cluster: &a b\nbucket: *a\n", `c.yaml:2: bucket: "b" is not a bucket's URL: write s3://NAME/PREFIX or file:///DIR`},
		{"unknown anchor", "cluster: a\nbucket: *a\n", "c.yaml:2: not YAML: unknown anchor 'a' referenced"},
		{"anchor in itself", "alerts: &a\n  rules: [*a]\n", "c.yaml:2: the file holds more than 100000 values, counting what its aliases repeat"},
		{"merge of text", "cluster: a\n<<: b\n", "c.yaml:2: <<: is text, not key: value lines to take over"},
		{"merged key", "<<: {colour: red}\n",
			"c.yaml:1: colour: unknown key; the keys here are cluster, bucket, namespaces, collection, retention, thresholds, " +
				"alerts, prices"},
		{"list as key", "? [a]\n: b\n", "c.yaml:1: the file: a key here is a list, not text"},
		{"no price", "prices: {gpuHour: {H100: }}\n", "c.yaml:1: prices.gpuHour.H100: is nothing, not a number, without quotes and unit"},
		{"all at once", "cluster: 1\nbukket: x\n",
			"c.yaml:1: cluster: is a number, not text; put it in quotes\nc.yaml:2: bukket: unknown key; did you mean bucket?"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load("c.yaml", []byte(test.body))
			if err == nil || err.Error() != test.want {
				t.Errorf("error is\n%v, want\n%s", err, test.want)
			}
		})
	}
}

func TestSecretsAreRefused(t *testing.T) {
	const secret = "T0000SECRET"
	for name, body := range map[string]string{
		"key":      "slackWebhookURL: https://example.com/" + secret + "\n",
		"nested":   "alerts:\n  token: " + secret + "\n",
		"value":    "alerts:\n  siteURL: https://hooks.slack.com/services/" + secret + "\n",
		"in rules": "alerts:\n  rules:\n    - summary: xoxb-1" + secret + "\n",
		"user":     "bucket: s3://me:" + secret + "@bucket/prefix\n",
		"bad user": "bucket: s3://me:" + secret + "%@bucket/prefix\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load("c.yaml", []byte(body))
			if err == nil || !strings.Contains(err.Error(), "SLACK_WEBHOOK_URL_FILE") {
				t.Fatalf("error is %v, want one that says where secrets go", err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}

func TestSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "webhook")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		env       map[string]string
		want, err string
	}{
		"neither":  {nil, "", ""},
		"variable": {map[string]string{"S": "from-env"}, "from-env", ""},
		"file":     {map[string]string{"S_FILE": file}, "from-file", ""},
		"both":     {map[string]string{"S": "x", "S_FILE": file}, "", "both S and S_FILE are set; keep one"},
		"no file":  {map[string]string{"S_FILE": "/nonexistent"}, "", "S_FILE: open /nonexistent: no such file or directory"},
		"empty":    {map[string]string{"S_FILE": os.DevNull}, "", "S_FILE: /dev/null is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Secret(func(key string) string { return test.env[key] }, "S")
			if err == nil && test.err != "" || err != nil && err.Error() != test.err || got != test.want {
				t.Errorf("got %q, %v; want %q, %s", got, err, test.want, test.err)
			}
		})
	}
}

func TestSamplesPerRun(t *testing.T) {
	for interval, want := range map[time.Duration]int{10 * time.Second: 6, 30 * time.Second: 2, time.Minute: 1, 5 * time.Minute: 1} {
		if got := (Collection{interval}).SamplesPerRun(); got != want {
			t.Errorf("%v: %d samples, want %d", interval, got, want)
		}
	}
}

// Whatever the file contains, Load does not panic, its errors name the file, and what it returns passes its own checks.
func FuzzLoad(f *testing.F) {
	body, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte("alerts:\n  rules:\n    - a: b\n"))
	f.Add([]byte("prices: {gpuHour: {a: 1e308}}\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Add([]byte("&a [*a]"))
	f.Add([]byte("!!binary x: !!float y"))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := Load("c.yaml", body)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "c.yaml:") {
					t.Fatalf("a fault without its place: %q", line)
				}
			}
			return
		}
		if clusterName(c.Cluster) != nil || interval(c.Collection.Interval) != nil || percent(c.Thresholds.GPU) != nil ||
			atLeastAnHour(c.Retention.Raw) != nil || currency(c.Prices.Currency) != nil {
			t.Fatalf("accepted %+v", c)
		}
	})
}
