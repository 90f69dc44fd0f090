// The explorer's SQL beside DuckDB's: the golden file holds what DuckDB
// answers, by test/lake, and this what no database tells.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { read, SqlError, type Batch, type Value } from '../src/sql';

const golden: {
  now: string;
  columns: string[];
  rows: Value[][];
  queries: { sql: string; rows: Value[][] }[];
  errors: string[];
} = JSON.parse(readFileSync('test/testdata/explorer.json', 'utf8'));
const now = Date.parse(golden.now);

/** Rows as an object holds them. */
function batch(rows: Value[][]): Batch {
  const columns = Object.fromEntries(
    golden.columns.map((c, k) => [c, rows.map((r) => (c === 'hour' ? Date.parse(r[k] as string) : r[k]!))]),
  );
  return {
    length: rows.length,
    columns: { ...columns, cluster: rows.map(() => 'demo'), dt: rows.map((r) => String(r[0]).slice(0, 10)) },
  };
}

function ask(sql: string, ...parts: Value[][][]) {
  const query = read(sql, now);
  for (const part of parts) query.add(batch(part));
  return query.answer();
}

/** As the golden file has them: JSON knows no infinity, and doubles agree to 12 digits. */
const comparable = (rows: Value[][]) =>
  rows.map((r) =>
    r.map((v) =>
      typeof v !== 'number'
        ? v
        : Number.isFinite(v)
          ? Number(v.toPrecision(12))
          : ({ Infinity: '+Inf', '-Infinity': '-Inf' }[String(v)] ?? 'NaN'),
    ),
  );

const failure = (sql: string): SqlError => {
  try {
    ask(sql, golden.rows);
  } catch (e) {
    return e as SqlError;
  }
  throw new Error(`no error: ${sql}`);
};

describe('the explorer beside DuckDB', () => {
  it.each(golden.queries.map((q) => [q.sql, q.rows] as const))('%s', (sql, rows) =>
    expect(comparable(ask(sql, golden.rows).rows)).toEqual(comparable(rows)),
  );
  it.each(golden.errors)('fails as DuckDB does: %s', (sql) => expect(failure(sql)).toBeInstanceOf(SqlError));
  it('answers the same however objects are cut', () => {
    let seed = 7;
    const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
    for (const { sql } of golden.queries)
      for (let trial = 0; trial < 5; trial++) {
        const cuts = [0, random(17), random(17), random(17), 16].sort((a, b) => a - b);
        expect(ask(sql, ...cuts.slice(1).map((to, i) => golden.rows.slice(cuts[i], to)))).toEqual(
          ask(sql, golden.rows),
        );
      }
  });
});

describe('what the explorer reads', () => {
  const hours = (where: string) => {
    const query = read(`SELECT count(*) FROM hourly_models ${where && 'WHERE ' + where}`, now);
    return [query.hours.length, query.hours[0] && new Date(query.hours[0]).toISOString().slice(0, 13), query.bounded];
  };
  it.each([
    ['', 24, '2026-03-02T05', false],
    ["hour >= current_timestamp - INTERVAL '7' DAY", 168, '2026-03-02T05', true],
    ["hour >= '2026-03-02' AND cost > 0", 6, '2026-03-02T05', true],
    ["'2026-03-02 03:00' <= hour", 3, '2026-03-02T05', true],
    ["hour BETWEEN '2026-03-01 01:00' AND '2026-03-01 03:00'", 3, '2026-03-01T03', true],
    ["hour > '2026-03-01 01:00' AND hour < '2026-03-01 03:00'", 1, '2026-03-01T02', true],
    ["hour = '2026-02-20 07:00'", 1, '2026-02-20T07', true],
    ["hour < '2026-02-20 07:00'", 24, '2026-02-20T06', false],
    ["dt = '2026-02-20'", 24, '2026-02-20T23', true],
    ["dt > '2026-03-01'", 6, '2026-03-02T05', true],
    ["dt >= '2026-02-27' AND dt <= '2026-02-28'", 48, '2026-02-28T23', true],
    ["hour >= '2026-03-02' OR cost > 0", 24, '2026-03-02T05', false], // OR bounds nothing
    ["NOT hour >= '2026-03-02'", 24, '2026-03-02T05', false],
    ["hour >= '2026-03-03'", 0, undefined, true],
    ["hour >= current_timestamp - INTERVAL '31' DAY", 744, '2026-03-02T05', true],
  ] as const)('%s', (where, count, newest, bounded) => expect(hours(where)).toEqual([count, newest, bounded]));
  it('is a month at most', () =>
    expect(() => hours("hour >= current_timestamp - INTERVAL '32' DAY")).toThrow('768 hours are too many'));
  it('takes the columns that are named, those of the inmost query', () =>
    expect(
      read(
        'WITH w AS (SELECT lower(Model) AS m, m AS n FROM hourly_models WHERE cost > 0) SELECT n FROM w ORDER BY m',
        now,
      ).columns.sort(),
    ).toEqual(['cost', 'model']));
  it('ends when older hours cannot change the answer', () => {
    const full = (sql: string) => {
      const query = read(sql, now);
      query.add(batch(golden.rows));
      return query.full();
    };
    expect(full('SELECT model FROM hourly_models LIMIT 3')).toBe(true);
    expect(full('SELECT * FROM hourly_models ORDER BY hour DESC, model LIMIT 3')).toBe(true);
    expect(full('SELECT * FROM hourly_models ORDER BY hour DESC, model LIMIT 30')).toBe(false);
    expect(full('SELECT * FROM hourly_models ORDER BY hour LIMIT 3')).toBe(false);
    expect(full('SELECT model FROM hourly_models ORDER BY model LIMIT 3')).toBe(false);
    expect(full('SELECT -cost AS hour FROM hourly_models ORDER BY hour DESC LIMIT 3')).toBe(false);
    expect(full('SELECT max(cost) FROM hourly_models LIMIT 1')).toBe(false);
    expect(full('SELECT n FROM (SELECT count(*) AS n FROM hourly_models GROUP BY model) AS s LIMIT 1')).toBe(false);
  });
  it('keeps what is first of many', () => {
    const rows = Array.from({ length: 20_000 }, (_, i): Value[] =>
      golden.columns.map((c) =>
        c === 'hour' ? golden.now : c === 'cost' ? (i * 7919) % 20_011 : c === 'samples' ? i : null,
      ),
    );
    const best = [...rows]
      .sort((a, b) => (b[9] as number) - (a[9] as number))
      .slice(2, 302)
      .map((r) => [r[4]]);
    expect(
      ask(
        'SELECT samples FROM hourly_models ORDER BY cost DESC LIMIT 300 OFFSET 2',
        ...rows.map((_, i) => (i % 100 ? [] : rows.slice(i, i + 100))),
      ).rows,
    ).toEqual(best);
  });
  it('takes a column that an object lacks for NULL', () =>
    expect(ask('SELECT count(*) AS n, count(energy_millijoules) AS e FROM hourly_models', golden.rows).rows).toEqual([
      [16, 0],
    ]));
});

describe('what cannot be run here', () => {
  it.each([
    [
      'SELECT a.model FROM hourly_models a JOIN hourly_pods b ON a.model = b.model',
      'joins cannot be run here: use DuckDB',
      36,
    ],
    ['SELECT model FROM hourly_models UNION SELECT pod FROM hourly_pods', 'UNION cannot be run here: use DuckDB', 0],
    [
      'SELECT row_number() OVER (ORDER BY cost) FROM hourly_models',
      'window functions cannot be run here: use DuckDB',
      7,
    ],
    ['SELECT max(cost) OVER (PARTITION BY model) FROM hourly_models', 'Window functions are not supported', 7],
    [
      'SELECT model FROM hourly_models WHERE cost > (SELECT avg(cost) FROM hourly_models)',
      'a subquery can only stand in FROM here',
      45,
    ],
    [
      'SELECT model FROM hourly_models WHERE model IN (SELECT model FROM hourly_pods)',
      'a subquery can only stand in FROM here',
      38,
    ],
    ['SELECT median(cost) FROM hourly_models', 'median() cannot be run here: use DuckDB', 7],
    ['SELECT nonsense(cost) FROM hourly_models', 'Unknown function "nonsense"', 7],
    ['SELECT cost\nFROM hourly_models\nWHERE costs > 1', 'there is no column costs in hourly_models', 37],
    ['SELECT cost FROM pods', 'there is no table pods here; there are hourly_models', 17],
    ['SELECT cost FROM hourly_models WHERE model', 'a condition is wanted here, not text', 37],
    ["SELECT cost FROM hourly_models WHERE samples = '5'", 'int and text do not go together', 37],
    ['SELECT hour - hour FROM hourly_models', 'a number is wanted here, not time', 7],
    ['SELECT CAST(cost AS VARCHAR) FROM hourly_models', 'a double is not cast to VARCHAR here', 7],
    ['SELECT DISTINCT namespace FROM hourly_models ORDER BY cost', 'cost must stand in GROUP BY', 54],
    ['SELECT cost AS a, samples AS a FROM hourly_models ORDER BY a', 'two columns are called a', 59],
    ['SELECT lower(DISTINCT model) FROM hourly_models', 'lower takes no DISTINCT', 7],
    ['SELECT model FROM hourly_models LIMIT 300000', 'at most 200000 rows are kept here', 0],
    ['SELECT * FROM hourly_models; DROP TABLE pods', 'Expected end of query', 29],
    ['SELECT 1 FROM constructor', 'there is no table constructor here', 14],
    ["SELECT CAST('constructor' AS BOOLEAN) FROM hourly_models", "'constructor' cannot be cast to BOOLEAN", 7],
    [
      'SELECT h.hour FROM hourly_models h',
      'Expected identifier after "." but found "HOUR": a keyword is a name in double quotes',
      9,
    ],
    ['', 'Expected SELECT', 0],
  ] as const)('%s', (sql, message, position) => {
    const error = failure(sql);
    expect(error).toBeInstanceOf(SqlError);
    expect([error.message.slice(0, message.length), error.position]).toEqual([message, position]);
  });
});
