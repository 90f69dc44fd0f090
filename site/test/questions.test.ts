import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bucketName } from '../src/query-page';
import { csv, objectName, QUESTIONS, TABLES } from '../src/questions';
import { read, TABLES as SCHEMA, type Value } from '../src/sql';

const folder = '../internal/views/questions';
const now = Date.parse('2026-03-01T12:34:00Z');
const HOUR = 3_600_000;
const answer = (name: string, rows: Record<string, Value>[]) => {
  const query = read(QUESTIONS.find((q) => q.name === name)!.sql, now);
  const columns = [...new Set(rows.flatMap((r) => Object.keys(r)))];
  const all = { cluster: 'c', dt: '2026-03-01', hour: now - HOUR };
  query.add({
    length: rows.length,
    columns: Object.fromEntries(
      [...columns, 'cluster', 'dt', 'hour'].map((c) => [c, rows.map((r) => ({ ...all, ...r })[c] ?? null)]),
    ),
  });
  return query.answer();
};

describe('the five questions', () => {
  it('are those of the program, from its own files', () => {
    expect(QUESTIONS.map((q) => q.name + '.sql').sort()).toEqual(readdirSync(folder).sort());
    for (const q of QUESTIONS) expect(q.sql).toBe(readFileSync(`${folder}/${q.name}.sql`, 'utf8'));
  });

  it('read of their table what they name, of their hours', () => {
    const reads = QUESTIONS.filter((q) => !q.ofNow).map((q) => read(q.sql, now));
    expect(reads.map((q) => [q.table, q.hours.length, q.bounded])).toEqual([
      ['hourly_models', 168, true],
      ['hourly_models', 24, true],
      ['hourly_pods', 24, true],
    ]);
    expect(reads[2]!.columns.sort()).toEqual([
      'cluster',
      'dt',
      'hour',
      'memory_usage_bytes_avg',
      'namespace',
      'pod',
      'pod_uid',
    ]);
    for (const q of QUESTIONS.filter((q) => !q.ofNow)) expect(answer(q.name, []).columns).toContain(q.bar);
  });

  it('sums GPU-hours by model, and an unknown sum is no zero', () => {
    const row = {
      namespace: 'a',
      engine: 'vllm',
      model: 'm',
      gpu_hours_allocated: 2,
      gpu_hours_idle_held: 0.5,
      cost: null,
    };
    expect(
      answer('gpu-hours', [
        row,
        row,
        { ...row, gpu_hours_allocated: 0 },
        { ...row, model: 'n', gpu_hours_idle_held: null },
      ]).rows,
    ).toEqual([
      ['c', 'a', 'm', 'vllm', 4, 1, 25, null],
      ['c', 'a', 'n', 'vllm', 2, null, null, null],
    ]);
  });

  it('tells growth from the first and last hour, whatever order they come in', () => {
    const at = (hour: number, mib: number, pod = 'p') => ({
      namespace: 'a',
      pod,
      pod_uid: 'u',
      hour: now - (4 - hour) * HOUR,
      memory_usage_bytes_avg: mib * 2 ** 20,
    });
    expect(answer('memory-growth', [at(2, 30), at(1, 10), at(3, 25), at(1, 9, 'q'), at(2, 8, 'q')]).rows).toEqual([
      ['c', 'a', 'p', 3, 10, 25, 15],
    ]);
  });

  it('tokens are unknown where a part is', () => {
    const row = {
      namespace: 'a',
      model: 'm',
      gpu_hours_allocated: 1,
      prompt_tokens: 1,
      generation_tokens: null,
      tokens_per_gpu_hour: null,
    };
    expect(answer('tokens', [row]).rows).toEqual([['c', 'a', 'm', '2026-03-01T11:34:00.000Z', null, 1, null]]);
  });
});

describe('the tables', () => {
  it('are those of the documentation, and are shown by their newest rows', () => {
    expect(TABLES.map((table) => table.name)).toEqual(Object.keys(SCHEMA));
    for (const { name, sql } of TABLES)
      expect(read(sql, now)).toMatchObject({
        table: name,
        columns: SCHEMA[name]!.map((c) => c.name),
        hours: { length: 24 },
      });
  });
  it('have an object an hour', () =>
    expect(objectName('hourly_models', 'c', Date.parse('2026-02-28T23:00Z'))).toBe(
      'hourly/v1/models/cluster=c/dt=2026-02-28/23.parquet',
    ));
});

describe('what is taken along', () => {
  it('quotes what a spreadsheet would run', () => {
    expect(
      csv({
        columns: ['a', 'b'],
        rows: [
          ['=1+1', 'x,"y"'],
          [null, -2],
        ],
      }),
    ).toBe('a,b\r\n\'=1+1,"x,""y"""\r\n,-2\r\n');
  });
  it('knows the bucket by an address of S3, and no other', () => {
    expect(bucketName({ hostname: 'gpu.s3.eu-west-1.amazonaws.com', pathname: '/mon/site/index.html' })).toBe(
      's3://gpu/mon',
    );
    expect(bucketName({ hostname: 's3.eu-west-1.amazonaws.com', pathname: '/gpu/mon/site/' })).toBe('s3://gpu/mon');
    expect(bucketName({ hostname: 'report.example.com', pathname: '/k8s-monitor/' })).toBe('s3://BUCKET/PREFIX');
  });
});
