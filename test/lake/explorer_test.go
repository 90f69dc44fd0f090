package lake

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/company/k8s-resource-monitor/internal/golden"
)

// explorerGolden holds queries over rows of hourly_models, and their answers.
// The site's tests hold the explorer of the Query page to the same file.
const explorerGolden = "../../site/test/testdata/explorer.json"

type explorerCases struct {
	Now     string          `json:"now"` // current_timestamp
	Columns []string        `json:"columns"`
	Rows    [][]any         `json:"rows"`
	Queries []explorerQuery `json:"queries"`
	Errors  []string        `json:"errors"` // queries that fail
}

type explorerQuery struct {
	SQL  string  `json:"sql"`
	Rows [][]any `json:"rows"`
}

func TestExplorerAnswers(t *testing.T) {
	body, err := os.ReadFile(explorerGolden)
	if err != nil {
		t.Fatal(err)
	}
	var cases explorerCases
	if err := json.Unmarshal(body, &cases); err != nil {
		t.Fatal(err)
	}
	db := duck(t)
	run(
		t,
		db,
		`CREATE TABLE given (hour TIMESTAMPTZ, namespace VARCHAR, engine VARCHAR, model VARCHAR, samples INTEGER, gpu_hours_allocated DOUBLE,
		gpu_hours_idle_held DOUBLE, prompt_tokens BIGINT, generation_tokens BIGINT, cost DOUBLE)`,
	)
	insert := "INSERT INTO given (" + strings.Join(cases.Columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(cases.Columns)-1) + ")"
	for _, row := range cases.Rows {
		if _, err := db.Exec(insert, row...); err != nil {
			t.Fatal(err)
		}
	}
	run(
		t,
		db,
		"CREATE VIEW hourly_models AS SELECT *, 'demo' AS cluster, strftime(hour AT TIME ZONE 'UTC', '%%Y-%%m-%%d') AS dt FROM given",
	)
	now := strings.NewReplacer("current_timestamp", "TIMESTAMPTZ '"+cases.Now+"'")
	for i, q := range cases.Queries {
		answer, err := plainRows(db, now.Replace(q.SQL))
		if err != nil {
			t.Errorf("%s: %v", q.SQL, err)
			continue
		}
		if got, want := lines(t, answer), lines(t, q.Rows); got != want && !golden.Updating() {
			t.Errorf("%s\nDuckDB answers %s\nthe golden file has %s", q.SQL, got, want)
		}
		cases.Queries[i].Rows = answer
	}
	for _, query := range cases.Errors {
		if answer, err := plainRows(db, now.Replace(query)); err == nil {
			t.Errorf("%s: DuckDB answers %v, and the explorer is to fail", query, answer)
		}
	}
	if golden.Updating() && !t.Failed() {
		golden.Write(t, explorerGolden, cases.encode(t))
	}
}

// plainRows asks and gives values as the explorer does.
func plainRows(db *sql.DB, query string) ([][]any, error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	all := [][]any{}
	for rows.Next() {
		row, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			targets[i] = &row[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		for i, v := range row {
			switch v := v.(type) {
			case time.Time:
				row[i] = v.UTC().Format("2006-01-02T15:04:05.000Z")
			case *big.Int:
				row[i] = json.Number(v.String())
			case duckdb.Decimal:
				row[i] = v.Float64()
			case float64:
				if math.IsNaN(v) || math.IsInf(v, 0) { // JSON has none
					row[i] = fmt.Sprint(v)
				}
			}
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

func lines(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// encode writes a line a row and a query.
func (c explorerCases) encode(t *testing.T) []byte {
	var b strings.Builder
	list := func(name string, each int, item func(i int) string, end string) {
		fmt.Fprintf(&b, "  %q: [\n", name)
		for i := range each {
			b.WriteString("    " + item(i) + strings.Repeat(",", min(1, each-1-i)) + "\n")
		}
		b.WriteString("  ]" + end + "\n")
	}
	fmt.Fprintf(&b, "{\n  \"now\": %q,\n  \"columns\": %s,\n", c.Now, lines(t, c.Columns))
	list("rows", len(c.Rows), func(i int) string { return lines(t, c.Rows[i]) }, ",")
	list("queries", len(c.Queries), func(i int) string { return lines(t, c.Queries[i]) }, ",")
	list("errors", len(c.Errors), func(i int) string { return lines(t, c.Errors[i]) }, "")
	b.WriteString("}\n")
	return []byte(b.String())
}
