// @vitest-environment node
// The SQL for Athena and Trino, which no test runs, read by the grammars of
// Trino and of Hive, in which Athena's tables are made.
import { readdirSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import { beforeAll, describe, expect, it, vi } from 'vitest';

type Parser = { validate(sql: string): { message: string }[] };
let trino: Parser, hive: Parser;

vi.setConfig({ testTimeout: 60_000 });

beforeAll(async () => {
  // The parser was published for bundlers: its imports lack their endings.
  register(
    'data:text/javascript,' +
      encodeURIComponent(`export async function resolve(name, context, next) {
        for (const end of ['', '.js', '/index.js'])
          try { return await next(name + end, context) } catch (e) { if (end === '/index.js') throw e }
      }`),
  );
  const { HiveSQL } = await import('dt-sql-parser/dist/parser/hive'); // each its own: there are many more
  const { TrinoSQL } = await import('dt-sql-parser/dist/parser/trino');
  [trino, hive] = [new TrinoSQL(), new HiveSQL()];
}, 60_000);

const folder = '../internal/views/';
const read = (file: string) => readFileSync(folder + file, 'utf8');

/** Each ends in a semicolon at the end of a line. */
const statements = (file: string) =>
  read('testdata/' + file)
    .split(/(?<=;\n)/)
    .filter((s) => s.trim());

const problems = (parser: Parser, sql: string) => parser.validate(sql).map((e) => `${e.message}\n${sql}`);

describe('the SQL of k8s-monitor sql', () => {
  it('is what Trino takes', () => {
    expect(statements('trino.sql').length).toBeGreaterThan(10);
    for (const sql of statements('trino.sql')) expect(problems(trino, sql)).toEqual([]);
  });

  it('is what Athena takes', () => {
    const views = statements('athena.sql').filter((s) => s.includes('CREATE OR REPLACE VIEW'));
    expect(views).toHaveLength(3);
    for (const sql of statements('athena.sql')) expect(problems(views.includes(sql) ? trino : hive, sql)).toEqual([]);
  });

  it('asks questions that both take', () => {
    const files = readdirSync(folder + 'questions');
    expect(files).toHaveLength(5);
    for (const file of files) expect(problems(trino, read('questions/' + file))).toEqual([]);
  });

  it('would be refused if it were wrong', () => {
    expect(problems(trino, 'SELECT a FROM WHERE b;')).not.toEqual([]);
    expect(problems(hive, 'CREATE EXTERNAL TABLE t (a string,, b string);')).not.toEqual([]);
  });
});
