// Package lake runs the program as a user would and asks DuckDB about what it
// wrote. Its tests hold the hourly statistics and the report to SQL over the
// raw rows.
package lake

import (
	"database/sql"
	"fmt"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // the database/sql driver "duckdb"
)

// Open opens DuckDB with one view a table of the bucket in dir: raw_pods,
// hourly_models and so on.
func Open(tb testing.TB, dir string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1) // SET holds for its connection
	exec := func(query string) {
		if _, err := db.Exec(query); err != nil {
			tb.Fatalf("%s: %v", query, err)
		}
	}
	exec("SET TimeZone = 'UTC'")
	for tier, tables := range map[string][]string{
		"raw":    {"pods", "nodes", "gpus", "engines", "gaps"},
		"hourly": {"models", "workloads", "namespaces", "nodes", "pods", "cluster"},
	} {
		for _, table := range tables {
			exec(fmt.Sprintf("CREATE VIEW %s_%s AS SELECT * FROM read_parquet('%s/%s/v1/%s/**/*.parquet', hive_partitioning = true, union_by_name = true)",
				tier, table, dir, tier, table))
		}
	}
	return db
}
