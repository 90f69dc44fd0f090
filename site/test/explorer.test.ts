// The explorer's SQL beside DuckDB's: the golden file holds what DuckDB
// answers, by test/lake, and this what no database tells.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { QUESTIONS } from '../src/questions';
import { read, SqlError, TABLES, type Batch, type Value } from '../src/sql';

const golden: { now: string; columns: string[]; rows: Value[][]; queries: { sql: string; rows: Value[][] }[]; errors: string[] } = JSON.parse(readFileSync('test/testdata/explorer.json', 'utf8'));
const now = Date.parse(golden.now);

/** Rows as an object holds them. */
function batch(rows: Value[][]): Batch {
  const columns = Object.fromEntries(golden.columns.map((c, k) => [c, rows.map((r) => (c === 'hour' ? Date.parse(r[k] as string) : r[k]!))]));
  return { length: rows.length, columns: { ...columns, cluster: rows.map(() => 'demo'), dt: rows.map((r) => String(r[0]).slice(0, 10)) } };
}

function ask(sql: string, ...parts: Value[][][]) {
  const query = read(sql, now);
  for (const part of parts) query.add(batch(part));
  return query.answer();
}

/** As the golden file has them: JSON knows no infinity, and doubles agree to 12 digits. */
const comparable = (rows: Value[][]) => rows.map((r) => r.map((v) => (typeof v !== 'number' ? v : Number.isFinite(v) ? Number(v.toPrecision(12)) : { Infinity: '+Inf', '-Infinity': '-Inf' }[String(v)] ?? 'NaN')));

const failure = (sql: string): SqlError => {
  try {
    ask(sql, golden.rows);
  } catch (e) {
    return e as SqlError;
  }
  throw new Error(`no error: ${sql}`);
};

describe('the explorer beside DuckDB', () => {
  it.each(golden.queries.map((q) => [q.sql, q.rows] as const))('%s', (sql, rows) => expect(comparable(ask(sql, golden.rows).rows)).toEqual(comparable(rows)));
  it.each(golden.errors)('fails as DuckDB does: %s', (sql) => expect(failure(sql)).toBeInstanceOf(SqlError));
  it('answers the same however objects are cut', () => {
    let seed = 7;
    const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
    for (const { sql } of golden.queries)
      for (let trial = 0; trial < 5; trial++) {
        const cuts = [0, random(17), random(17), random(17), 16].sort((a, b) => a - b);
        expect(ask(sql, ...cuts.slice(1).map((to, i) => golden.rows.slice(cuts[i], to)))).toEqual(ask(sql, golden.rows));
      }
  });
});
