package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/config"
)

func TestSQL(t *testing.T) {
	dir := "file://" + t.TempDir()
	for _, test := range []struct {
		name string
		env  map[string]string
		args []string
		code int
		says string // in what is printed, or in the error
	}{
		{"duckdb", nil, []string{"sql", "duckdb", "--bucket", dir}, 0, "CREATE OR REPLACE TEMP VIEW hourly_models AS"},
		{"duckdb on S3", map[string]string{"AWS_ENDPOINT_URL_S3": "http://minio:9000", "AWS_SECRET_ACCESS_KEY": "S3CRET",
			"K8S_MONITOR_BUCKET": "s3://lake?path_style=true"},
			[]string{"sql", "duckdb"}, 0, "ENDPOINT 'minio:9000',\n  USE_SSL false,\n  URL_STYLE 'path'"},
		{"athena", nil, []string{"sql", "athena", "--bucket", "s3://lake", "--cluster", "prod"}, 0, "'projection.cluster.values' = 'prod'"},
		{"trino", nil, []string{"sql", "trino", "--bucket", "s3://lake"}, 0, "external_location = 's3://lake/raw/v1/pods/'"},
		{"a question, of no bucket", nil, []string{"sql", "trino", "--question", "free-gpus"}, 0,
			"-- Which nodes have GPUs to give now?\nSELECT"},

		{"no dialect", nil, []string{"sql"}, 2, `expected \"<dialect>\"`},
		{"unknown dialect", nil, []string{"sql", "mysql", "--bucket", dir}, 2,
			`must be one of \"duckdb\",\"athena\",\"trino\" but got \"mysql\"`},
		{"unknown question", nil, []string{"sql", "duckdb", "--question", "why"}, 2,
			`--question: no question \"why\": there are free-gpus, gpu-hours, idle-gpus`},
		{"no bucket", nil, []string{"sql", "duckdb"}, 2, "no bucket: set --bucket"},
		{"bad bucket", nil, []string{"sql", "duckdb", "--bucket", "ftp://x"}, 2, `unknown scheme \"ftp\"`},
		{"bad cluster", nil, []string{"sql", "duckdb", "--bucket", dir, "--cluster", "A"}, 2, "cannot be the name of a cluster"},
		{"athena on a directory", nil, []string{"sql", "athena", "--bucket", dir}, 2, "athena reads only S3"},
		{"trino on a directory", nil, []string{"sql", "trino", "--bucket", dir}, 2, "trino reads only S3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := invoke(t, test.env, test.args...)
			if code != test.code || !strings.Contains(stdout+stderr, test.says) {
				t.Errorf("exit code %d, %s\n%s\nwant %d and %s", code, stdout[:min(len(stdout), 1000)], stderr, test.code, test.says)
			}
			if test.code != 0 && stdout != "" || test.code == 0 && stderr != "" || strings.Contains(stdout+stderr, "S3CRET") {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
		})
	}
}

// The clusters of Athena's tables are those in the site's list.
func TestListedClusters(t *testing.T) {
	dir := t.TempDir()
	p := parts{&program{log: slog.New(slog.DiscardHandler)}, config.Config{Bucket: "file://" + dir}}
	if names, err := p.clusters(t.Context()); names != nil || err != nil {
		t.Errorf("before the first rollup: %q, %v", names, err)
	}
	for _, test := range []struct {
		body string
		want []string
		says string
	}{
		{`{"version": 1, "clusters": [{"name": "prod"}, {"name": "test"}]}`, []string{"prod", "test"}, ""},
		{`{"version": 1, "clusters": [{"name": "a','b"}]}`, nil,
			`site/clusters.json: "a','b" cannot be the name of a cluster; with --cluster NAME this list is not needed`},
		{`not JSON`, nil, "site/clusters.json: "},
	} {
		if err := os.MkdirAll(filepath.Join(dir, "site"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "site", "clusters.json"), []byte(test.body), 0o644); err != nil {
			t.Fatal(err)
		}
		names, err := p.clusters(t.Context())
		if !slices.Equal(names, test.want) || (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %q, %v; want %q and %q", test.body, names, err, test.want, test.says)
		}
	}
}
