package views

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
)

// duckTypes are DuckDB's names of the column types.
var duckTypes = map[string]string{"string": "VARCHAR", "int": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE",
	"boolean": "BOOLEAN", "timestamp": "TIMESTAMPTZ"}

// duckDB reads with a schema instead of union_by_name and hive_partitioning, which open every object to see its columns,
// in each query again. With a schema an object is opened only to read its rows, and only if its name does not rule it
// out. A column that an older object lacks is NULL either way.
func (l Lake) duckDB(tables []table) (string, error) {
	var b strings.Builder
	root := l.Bucket.Path
	fmt.Fprintf(&b, "-- The bucket %q for DuckDB 1.3 or newer, by k8s-monitor sql duckdb.\n"+
		"-- The views live as long as the session: start it with duckdb -init FILE. What is written later is seen, but a\n"+
		"-- table that has no object yet stays empty until FILE is read again.\n"+
		"SET TimeZone = 'UTC';\n", l.Bucket.String())
	if l.Bucket.Scheme == "s3" {
		secret, err := l.duckSecret()
		if err != nil {
			return "", err
		}
		b.WriteString(secret)
		root = strings.TrimSuffix("s3://"+l.Bucket.Name+"/"+l.Bucket.Prefix, "/")
	}
	objects := ""
	if l.Cluster != "" {
		objects = "cluster=" + l.Cluster + "/"
	}
	fmt.Fprintf(&b, `
-- What an object's name says: its pattern, from the folder of its table, and its cluster, day and hour.
SET VARIABLE lake = %s;
CREATE OR REPLACE TEMP MACRO objects(folder) AS getvariable('lake') || folder || %s;
CREATE OR REPLACE TEMP MACRO hour_of(file) AS
  regexp_replace(file, '^.*/cluster=([^/]+)/dt=([0-9-]{10})/(?:hh=)?([0-9]{2}).*$', '\1/\2/\3');
-- The pattern, if it matches something: read_parquet fails on one that does not.
CREATE OR REPLACE TEMP MACRO present(folder) AS
  (SELECT coalesce(list(DISTINCT objects(folder)), []) FROM glob(objects(folder)));
`, text(literalGlob(root)+"/"), text(literalGlob(objects)+"**/*.parquet"))
	for _, t := range tables {
		b.WriteString(t.duckDB())
	}
	b.WriteString("\nCREATE OR REPLACE TEMP VIEW " + gpuStates + " AS\n" + gpuStatesBody("") + ";\n")
	return b.String(), nil
}

// duckDB is the statements that make the table's macros and its view.
func (t table) duckDB() string {
	column := func(c store.ColumnInfo) string {
		return fmt.Sprintf("  %s: {name: %[1]s, type: %s, default_value: NULL}", text(c.Name), text(duckTypes[c.Type]))
	}
	typed := func(c store.ColumnInfo) string { return name(c.Name) + " " + duckTypes[c.Type] }
	present := each(t.tiers, " || ", func(tier layout.Tier) string { return "present(" + text(t.folder(tier)) + ")" })
	made := fmt.Sprintf(`
CREATE OR REPLACE TEMP MACRO read_%[1]s(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
%[2]s
});
CREATE OR REPLACE TEMP TABLE no_%[1]s (%[3]s, filename VARCHAR);
SET VARIABLE %[1]s_objects = %[4]s;
`, t.view, each(t.columns, ",\n", column), each(t.columns, ", ", typed), present)
	stored := `SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt`
	if !t.isHourly() {
		stored += `, split_part(hour_of(filename), '/', 3) AS hh`
	}
	stored += fmt.Sprintf(`
FROM query(if(len(getvariable('%[1]s_objects')) > 0, 'FROM read_%[1]s(getvariable(''%[1]s_objects''))', 'FROM no_%[1]s'))`, t.view)
	if !t.isHourly() {
		samples := t.folder(layout.Samples)
		made += fmt.Sprintf(`SET VARIABLE %[1]s_samples = present(%[2]s);
SET VARIABLE %[1]s_hours = (SELECT coalesce(list(hour_of(file)), []) FROM glob(getvariable('%[1]s_samples')));
`, t.view, text(samples))
		// The second condition follows from the first, except for hours that were compacted after the session began. It
		// is there because DuckDB can evaluate it without opening the raw objects.
		stored += fmt.Sprintf(`
WHERE (contains(filename, %[2]s) OR hour_of(filename) NOT IN (SELECT hour_of(file) FROM glob(getvariable('%[1]s_samples'))))
  AND (contains(filename, %[2]s) OR NOT list_contains(getvariable('%[1]s_hours'), hour_of(filename)))`, t.view, text("/"+samples))
	}
	return made + "CREATE OR REPLACE TEMP VIEW " + t.view + " AS\n" + t.body(stored, "") + ";\n"
}

// duckSecret is the statements by which DuckDB finds the credentials where all AWS tools find them, and connects to the
// store with the same options as this program.
func (l Lake) duckSecret() (string, error) {
	options := []string{"TYPE s3", "PROVIDER credential_chain", "SCOPE " + text("s3://"+l.Bucket.Name+"/")}
	if l.Bucket.Region != "" {
		options = append(options, "REGION "+text(l.Bucket.Region))
	}
	if l.Endpoint != "" {
		u, err := url.Parse(l.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			// The message does not quote the endpoint: it may contain a credential.
			return "", errors.New("the endpoint of the store (AWS_ENDPOINT_URL_S3) is not a URL such as https://s3.example.com")
		}
		options = append(options, "ENDPOINT "+text(u.Host+strings.TrimSuffix(u.Path, "/")), fmt.Sprintf("USE_SSL %t", u.Scheme == "https"))
	}
	if l.Bucket.PathStyle {
		options = append(options, "URL_STYLE 'path'")
	}
	return "INSTALL httpfs;\nLOAD httpfs;\nINSTALL aws;\nLOAD aws;\nCREATE OR REPLACE SECRET k8s_monitor (\n  " +
		strings.Join(options, ",\n  ") + "\n);\n", nil
}

// literalGlob is the pattern that matches only s itself.
func literalGlob(s string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(s)
}
