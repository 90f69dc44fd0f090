package views

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
)

// schema is the database of the tables and views in Athena and Trino.
const schema = "k8s_monitor"

// trinoTypes are Trino's names of the column types. Hive's are the names that store uses.
var trinoTypes = map[string]string{"string": "varchar", "int": "integer", "bigint": "bigint", "double": "double",
	"boolean": "boolean", "timestamp": "timestamp(3)"}

// athena uses partition projection, so that no crawler has to find new hours. The clusters are an enumeration, because
// with injected values every query would have to name one. Dates reach back as far as objects are kept, and a week more
// for the time in which a stopped collector leaves them in place.
func (l Lake) athena(tables []table) (string, error) {
	clusters := l.Clusters
	if l.Cluster != "" {
		clusters = []string{l.Cluster}
	}
	if err := l.wantS3(Athena); err != nil {
		return "", err
	}
	if len(clusters) == 0 {
		return "", errors.New("athena needs the names of the clusters, and the bucket has none yet: " +
			"set --cluster NAME, or run k8s-monitor rollup first")
	}
	keep := map[layout.Tier]time.Duration{layout.Raw: l.Keep.Raw, layout.Samples: l.Keep.Samples, layout.Hourly: l.Keep.Hourly}
	before := fmt.Sprintf("-- The bucket %q for Athena, by k8s-monitor sql athena. Athena takes one statement at a time.\n"+
		"CREATE DATABASE IF NOT EXISTS %s;\n", l.Bucket.String(), schema)
	return l.hive(tables, before, schema+".", func(t table, tier layout.Tier) string {
		column := func(c store.ColumnInfo) string { return "  `" + c.Name + "` " + c.Type }
		days := int(keep[tier]/(24*time.Hour)) + 1 + 7
		properties := []string{
			"'projection.enabled' = 'true'",
			"'projection.cluster.type' = 'enum'", "'projection.cluster.values' = " + hiveText(strings.Join(clusters, ",")),
			"'projection.dt.type' = 'date'", "'projection.dt.format' = 'yyyy-MM-dd'",
			fmt.Sprintf("'projection.dt.range' = 'NOW-%dDAYS,NOW'", days),
			"'projection.dt.interval' = '1'", "'projection.dt.interval.unit' = 'DAYS'",
		}
		if tier == layout.Raw {
			properties = append(properties,
				"'projection.hh.type' = 'integer'", "'projection.hh.range' = '0,23'", "'projection.hh.digits' = '2'")
		}
		partition := func(key string) string { return "`" + key + "` string" }
		return fmt.Sprintf("DROP TABLE IF EXISTS `%[1]s`.`%[2]s`;\nCREATE EXTERNAL TABLE `%[1]s`.`%[2]s` (\n%[3]s\n)\nPARTITIONED BY (%[4]s)\n"+
			"STORED AS PARQUET\nLOCATION %[5]s\nTBLPROPERTIES (\n  %[6]s\n);\n",
			schema, t.objects(tier), each(t.columns, ",\n", column), each(partitions(tier), ", ", partition),
			hiveText(l.location(t, tier)), strings.Join(properties, ",\n  "))
	}), nil
}

// trino uses metadata of partitions, which Trino reads when sync_partition_metadata is called.
func (l Lake) trino(tables []table) (string, error) {
	if err := l.wantS3(Trino); err != nil {
		return "", err
	}
	before := fmt.Sprintf("-- The bucket %q for Trino's Hive connector, by k8s-monitor sql trino.\n"+
		"-- Trino sees the objects of a new hour or day when the CALLs have run again.\n"+
		"SET TIME ZONE 'UTC';\nCREATE SCHEMA IF NOT EXISTS %s;\nUSE %[2]s;\n", l.Bucket.String(), schema)
	return l.hive(tables, before, "", func(t table, tier layout.Tier) string {
		columns := each(t.columns, ",\n", func(c store.ColumnInfo) string { return "  " + name(c.Name) + " " + trinoTypes[c.Type] }) +
			each(partitions(tier), "", func(key string) string { return ",\n  " + name(key) + " varchar" })
		return fmt.Sprintf("DROP TABLE IF EXISTS %[1]s;\nCREATE TABLE %[1]s (\n%[2]s\n) WITH (\n  external_location = %[3]s,\n"+
			"  format = 'PARQUET',\n  partitioned_by = ARRAY[%[4]s]\n);\n"+
			"CALL system.sync_partition_metadata(schema_name => %[5]s, table_name => %[6]s, mode => 'FULL');\n",
			t.objects(tier), columns, text(l.location(t, tier)), each(partitions(tier), ", ", text), text(schema), text(t.objects(tier)))
	}), nil
}

// hive is the statements that make a table for each folder of objects, and the views over them.
func (l Lake) hive(tables []table, before, qualifier string, create func(table, layout.Tier) string) string {
	var b strings.Builder
	b.WriteString(before)
	for _, t := range tables {
		for _, tier := range t.tiers {
			b.WriteString("\n" + create(t, tier))
		}
	}
	view := func(name, body string) {
		b.WriteString("\nCREATE OR REPLACE VIEW " + qualifier + name + " AS\n" + body + ";\n")
	}
	for _, t := range tables {
		view(t.view, t.body(l.hiveStored(t, qualifier), qualifier))
	}
	view(gpuStates, gpuStatesBody(qualifier))
	return b.String()
}

// hiveStored is the query for the table's rows, each once. Partition keys are the last columns of a table. The hour of an
// object in samples/ is not a key; it is taken from the object's name.
func (l Lake) hiveStored(t table, qualifier string) string {
	const hour = `regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh`
	from := func(tier layout.Tier) string { return "\nFROM " + qualifier + t.objects(tier) }
	where, and := "", "\nWHERE "
	if l.Cluster != "" {
		where, and = "\nWHERE cluster = "+text(l.Cluster), "\n  AND "
	}
	if t.isHourly() {
		return "SELECT *" + from(layout.Hourly) + where
	}
	return "WITH sampled AS (\n" + indent("SELECT DISTINCT cluster, dt, "+hour+from(layout.Samples)) + "\n)\n" +
		"SELECT *, " + hour + from(layout.Samples) + where + "\nUNION ALL\nSELECT *" + from(layout.Raw) + " AS raw" + where + and +
		"NOT EXISTS (SELECT 1 FROM sampled WHERE sampled.cluster = raw.cluster AND sampled.dt = raw.dt AND sampled.hh = raw.hh)"
}

// partitions are the partition keys in the names of a tier's objects.
func partitions(tier layout.Tier) []string {
	if tier == layout.Raw {
		return []string{"cluster", "dt", "hh"}
	}
	return []string{"cluster", "dt"}
}

// objects is the name of the table of a tier's objects.
func (t table) objects(tier layout.Tier) string { return "objects_" + string(tier) + "_" + t.name }

// location is where a table's objects of a tier are.
func (l Lake) location(t table, tier layout.Tier) string {
	prefix := l.Bucket.Prefix
	if prefix != "" {
		prefix += "/"
	}
	return "s3://" + l.Bucket.Name + "/" + prefix + t.folder(tier)
}

func (l Lake) wantS3(d Dialect) error {
	if l.Bucket.Scheme == "s3" {
		return nil
	}
	return fmt.Errorf("%s reads only S3, and the bucket is %s: set --bucket s3://NAME/PREFIX, or use duckdb", d, l.Bucket)
}

// hiveText quotes a string of Hive's SQL, in which Athena's tables are made.
func hiveText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
