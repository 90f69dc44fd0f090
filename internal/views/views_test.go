package views

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/config"
	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
)

func parse(t *testing.T, rawURL string) bucket.URL {
	t.Helper()
	u, err := bucket.ParseURL(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// There is a view of every table, and store lists the names of all: prune deletes by them.
func TestEveryTableHasAView(t *testing.T) {
	var raw, hourly []string
	for _, table := range tables() {
		if table.isHourly() {
			hourly = append(hourly, table.name)
		} else {
			raw = append(raw, table.name)
		}
	}
	slices.Sort(raw)
	slices.Sort(hourly)
	if want := slices.Sorted(slices.Values(store.RawTables[:])); !slices.Equal(raw, want) {
		t.Errorf("views of the samples %q, store.RawTables %q", raw, want)
	}
	if want := slices.Sorted(slices.Values(store.HourlyTables[:])); !slices.Equal(hourly, want) {
		t.Errorf("views of hours %q, store.HourlyTables %q", hourly, want)
	}
}

var lakes = map[Dialect]Lake{
	DuckDB: {Bucket: bucket.URL{Scheme: "file", Path: "/var/lake"}},
	Athena: {Bucket: bucket.URL{Scheme: "s3", Name: "acme-lake", Prefix: "team"}, Clusters: []string{"prod", "test"},
		Keep: config.Default().Retention},
	Trino: {Bucket: bucket.URL{Scheme: "s3", Name: "acme-lake", Prefix: "team"}},
}

// The golden files show the SQL of two tables, one of samples and one of hours, with a column of each type.
// TestEveryColumn holds the tables as they are to it.
func TestGolden(t *testing.T) {
	columns := []store.ColumnInfo{{Name: "ts", Type: "timestamp"}, {Name: "pod", Type: "string"}, {Name: "ready", Type: "boolean"},
		{Name: "restarts", Type: "int"}, {Name: "memory_usage_bytes", Type: "bigint", Nullable: true},
		{Name: "gpu_util_percent", Type: "double", Nullable: true}}
	two := []table{
		{"pods", []layout.Tier{layout.Raw, layout.Samples}, "pods", columns},
		{"hourly_models", []layout.Tier{layout.Hourly}, "models", []store.ColumnInfo{{Name: "hour", Type: "timestamp"}}},
	}
	for dialect, lake := range lakes {
		t.Run(string(dialect), func(t *testing.T) {
			got, err := lake.write(dialect, two)
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, filepath.Join("testdata", string(dialect)+".sql"), []byte(got))
		})
	}
}

// Every table has a view, and in each tier that has objects of it, exactly its columns in their order with their types.
func TestEveryColumn(t *testing.T) {
	for dialect, made := range map[Dialect]struct {
		definition string // of a tier's objects, with %s for the tier and the table
		column     string
		types      map[string]string // nil: those of store
	}{
		DuckDB: {"", `'([a-z0-9_]+)': {name: '[a-z0-9_]+', type: '(\w+)', default_value: NULL}`, duckTypes},
		Athena: {"CREATE EXTERNAL TABLE `k8s_monitor`.`objects_%s_%s` (\n", "\n  `([a-z0-9_]+)` (\\w+)", nil},
		Trino:  {"CREATE TABLE objects_%s_%s (\n", `\n  "([a-z0-9_]+)" ([a-z0-9()]+)`, trinoTypes},
	} {
		all, err := lakes[dialect].SQL(dialect)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range tables() {
			if n := len(regexp.MustCompile(`VIEW (k8s_monitor[.])?`+table.view+" AS\n").FindAllString(all, -1)); n != 1 {
				t.Errorf("%s: %d views %s", dialect, n, table.view)
			}
			for _, tier := range table.tiers {
				begin := "MACRO read_" + table.view + "(files)"
				if dialect != DuckDB {
					begin = fmt.Sprintf(made.definition, tier, table.name)
				}
				_, after, found := strings.Cut(all, begin)
				definition, _, _ := strings.Cut("\n"+after, ";\n")
				definition, _, _ = strings.Cut(definition, "\n)")
				var got, want []string
				for _, m := range regexp.MustCompile(made.column).FindAllStringSubmatch(definition, -1) {
					got = append(got, m[1]+" "+m[2])
				}
				for _, c := range table.columns {
					kind := c.Type
					if made.types != nil {
						kind = made.types[kind]
					}
					want = append(want, c.Name+" "+kind)
				}
				if dialect == Trino {
					for _, key := range partitions(tier) {
						want = append(want, key+" varchar")
					}
				}
				if !found || !slices.Equal(got, want) || !strings.Contains(all, table.folder(tier)) {
					t.Errorf("%s: %s in %s has the columns\n%q, want\n%q", dialect, table.name, tier, got, want)
				}
			}
		}
	}
}

// What the golden files do not have: stores other than AWS's, one cluster, and no credential in any.
func TestVariants(t *testing.T) {
	for _, test := range []struct {
		name    string
		dialect Dialect
		lake    Lake
		has     []string
	}{
		{"DuckDB on another store", DuckDB, Lake{
			Bucket: parse(t, "s3://acme-lake/a%20team?region=eu-west-1&path_style=true"), Endpoint: "http://key:S3CRET@minio.local:9000/",
		}, []string{
			"INSTALL httpfs;\nLOAD httpfs;\nINSTALL aws;\nLOAD aws;\nCREATE OR REPLACE SECRET k8s_monitor (\n  TYPE s3,\n" +
				"  PROVIDER credential_chain,\n" +
				"  SCOPE 's3://acme-lake/',\n  REGION 'eu-west-1',\n  ENDPOINT 'minio.local:9000',\n  USE_SSL false,\n  URL_STYLE 'path'\n);\n",
			"SET VARIABLE lake = 's3://acme-lake/a team/';\n"}},
		{"DuckDB on AWS", DuckDB, Lake{Bucket: parse(t, "s3://acme-lake")}, []string{
			"  PROVIDER credential_chain,\n  SCOPE 's3://acme-lake/'\n);\n", "SET VARIABLE lake = 's3://acme-lake/';\n"}},
		{"DuckDB, one cluster", DuckDB, Lake{Bucket: parse(t, "file:///var/lake"), Cluster: "prod"}, []string{
			"AS getvariable('lake') || folder || 'cluster=prod/**/*.parquet';\n"}},
		{"Athena, one cluster", Athena, Lake{
			Bucket: parse(t, "s3://acme-lake/it's"), Cluster: "prod", Clusters: []string{"test"}, Keep: config.Retention{Raw: 36 * time.Hour},
		}, []string{
			"'projection.cluster.values' = 'prod'", "'projection.dt.range' = 'NOW-9DAYS,NOW'", `LOCATION 's3://acme-lake/it\'s/raw/v1/pods/'`,
			"FROM k8s_monitor.objects_raw_pods AS raw\n  WHERE cluster = 'prod'\n    AND NOT EXISTS"}},
		{"Trino, one cluster", Trino, Lake{Bucket: parse(t, "s3://acme-lake/it's"), Cluster: "prod"}, []string{
			"external_location = 's3://acme-lake/it''s/raw/v1/pods/'", "FROM objects_hourly_models\n  WHERE cluster = 'prod'\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.lake.SQL(test.dialect)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.has {
				if !strings.Contains(got, want) {
					t.Errorf("the SQL lacks %q:\n%s", want, got[:2000])
				}
			}
			if strings.Contains(got, "S3CRET") {
				t.Error("a credential is in the SQL")
			}
		})
	}
}

func TestRefused(t *testing.T) {
	s3, file := parse(t, "s3://acme-lake"), parse(t, "file:///var/lake")
	for _, test := range []struct {
		name    string
		dialect Dialect
		lake    Lake
		says    string
	}{
		{"a dialect", "mysql", Lake{Bucket: s3}, `no dialect "mysql": there are duckdb, athena and trino`},
		{"a directory", Athena, Lake{Bucket: file, Cluster: "prod"},
			"athena reads only S3, and the bucket is file:///var/lake: set --bucket s3://"},
		{"a directory", Trino, Lake{Bucket: file}, "trino reads only S3"},
		{"no clusters", Athena, Lake{Bucket: s3}, "set --cluster NAME, or run k8s-monitor rollup first"},
		{"an endpoint", DuckDB, Lake{Bucket: s3, Endpoint: "key:S3CRET@minio"}, "AWS_ENDPOINT_URL_S3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := test.lake.SQL(test.dialect)
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "S3CRET") || out != "" {
				t.Errorf("got %q and the error %v, want one that says %q", out, err, test.says)
			}
		})
	}
}

// A path may contain any character, also those that have a meaning in SQL and in patterns.
func TestNamesAreQuoted(t *testing.T) {
	hostile := Lake{Bucket: bucket.URL{Scheme: "file", Path: "/a'b;\n-- [x]*?"}}
	got, err := hostile.SQL(DuckDB)
	if err != nil {
		t.Fatal(err)
	}
	if want := "SET VARIABLE lake = '/a''b;\n-- [[]x][*][?]/';\n"; strings.Count(got, "a''b") != 1 || !strings.Contains(got, want) {
		t.Errorf("the SQL lacks %q:\n%s", want, got[:400])
	}
	if header, _, _ := strings.Cut(got, "\n"); !strings.HasPrefix(header, "-- ") || !strings.Contains(header, `%0A`) {
		t.Errorf("the first line is %s", header)
	}
	for _, test := range []struct{ quote, s, want string }{
		{text(`a'b`), "text", `'a''b'`}, {name(`a"b`), "name", `"a""b"`}, {hiveText(`a'b\`), "hiveText", `'a\'b\\'`},
	} {
		if test.quote != test.want {
			t.Errorf("%s gives %s, want %s", test.s, test.quote, test.want)
		}
	}
}

// The SQL takes an object's hour from its name. Its expressions find it in every name that layout makes.
func TestHoursAreInTheNames(t *testing.T) {
	out, err := Lake{Bucket: bucket.URL{Scheme: "file", Path: "/lake"}}.SQL(DuckDB)
	if err != nil {
		t.Fatal(err)
	}
	duck := regexp.MustCompile(`regexp_replace\(file, '([^']+)'`).FindStringSubmatch(out)
	if duck == nil {
		t.Fatal("no expression")
	}
	hive := regexp.MustCompile(`/([0-9]{2})[.]parquet$`)
	at := time.Date(2026, 1, 31, 9, 5, 0, 0, time.UTC)
	for _, o := range []layout.Object{
		{Tier: layout.Raw, Table: "pods", Cluster: "prod.eu-1", Time: at},
		{Tier: layout.Raw, Table: "gpus", Cluster: "prod.eu-1", Time: at, Node: "node-1.10"},
		{Tier: layout.Samples, Table: "pods", Cluster: "prod.eu-1", Time: at.Truncate(time.Hour)},
		{Tier: layout.Hourly, Table: "models", Cluster: "prod.eu-1", Time: at.Truncate(time.Hour)},
	} {
		file := "s3://lake/cluster=x/dt=2000-01-01/hh=01/" + o.Name() // whatever the bucket is called
		if got := regexp.MustCompile(duck[1]).ReplaceAllString(file, "$1/$2/$3"); got != "prod.eu-1/2026-01-31/09" {
			t.Errorf("DuckDB reads %s off %s", got, file)
		}
		if m := hive.FindStringSubmatch(file); o.Tier != layout.Raw && (m == nil || m[1] != "09") {
			t.Errorf("Athena and Trino read %v off %s", m, file)
		}
	}
}
