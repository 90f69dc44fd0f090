import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bucketName } from '../src/query-page';
import { browse, csv, objectNames, QUESTIONS, type Row } from '../src/questions';

const folder = '../internal/views/questions';
const answer = (name: string, rows: Row[]) => {
  const fold = QUESTIONS.find((q) => q.name === name)!.fold!();
  rows.forEach((r) => fold.add(r));
  return fold.answer();
};

describe('the five questions', () => {
  it('are those of the program, from its own files', () => {
    expect(QUESTIONS.map((q) => q.name + '.sql').sort()).toEqual(readdirSync(folder).sort());
    for (const q of QUESTIONS) expect(q.sql).toBe(readFileSync(`${folder}/${q.name}.sql`, 'utf8'));
  });

  it('answer with the columns of their SQL', () => {
    for (const q of QUESTIONS.filter((q) => q.fold)) {
      const names = q.fold!().answer().columns;
      for (const c of names) expect(q.sql).toMatch(new RegExp(`\\b${c}\\b`));
    }
  });

  it('sums GPU-hours by model, and an unknown sum is no zero', () => {
    const row = { namespace: 'a', engine: 'vllm', model: 'm', gpu_hours_allocated: 2, gpu_hours_idle_held: 0.5, cost: null };
    expect(answer('gpu-hours', [row, row, { ...row, gpu_hours_allocated: 0 }, { ...row, model: 'n', gpu_hours_idle_held: null }]).rows).toEqual([
      ['a', 'm', 'vllm', 4, 1, 25, null],
      ['a', 'n', 'vllm', 2, null, null, null],
    ]);
  });

  it('tells growth from the first and last hour, whatever order they come in', () => {
    const at = (hour: string, mib: number, pod = 'p'): Row => ({ namespace: 'a', pod, pod_uid: 'u', hour, memory_usage_bytes_avg: mib * 2 ** 20 });
    expect(answer('memory-growth', [at('02', 30), at('01', 10), at('03', 25), at('01', 9, 'q'), at('02', 8, 'q')]).rows).toEqual([['a', 'p', 3, 10, 25, 15]]);
  });

  it('tokens are unknown where a part is', () => {
    const row = { namespace: 'a', model: 'm', hour: 'h', gpu_hours_allocated: 1, prompt_tokens: 1, generation_tokens: null, tokens_per_gpu_hour: null };
    expect(answer('tokens', [row]).rows).toEqual([['a', 'm', 'h', null, 1, null]]);
  });
});

describe('the explorer', () => {
  it('names the objects of the hours before and with one', () => {
    expect(objectNames('models', 'c', '2026-03-01T00:59:30Z', 2)).toEqual([
      'hourly/v1/models/cluster=c/dt=2026-03-01/00.parquet',
      'hourly/v1/models/cluster=c/dt=2026-02-28/23.parquet',
    ]);
  });
  it('finds all words in any text', () => {
    const fold = browse('chat LLAMA');
    for (const r of [{ hour: '1', namespace: 'chat', model: 'llama', n: 1 }, { hour: '2', namespace: 'chat', model: 'llama', n: 2 }, { hour: '3', namespace: 'web', model: 'llama', n: 3 }]) fold.add(r);
    expect(fold.answer().rows.map((r) => r[0])).toEqual(['2', '1']);
  });
  it('quotes what a spreadsheet would run', () => {
    expect(csv({ columns: ['a', 'b'], rows: [['=1+1', 'x,"y"'], [null, -2]] })).toBe('a,b\r\n\'=1+1,"x,""y"""\r\n,-2\r\n');
  });
  it('knows the bucket by an address of S3, and no other', () => {
    expect(bucketName({ hostname: 'gpu.s3.eu-west-1.amazonaws.com', pathname: '/mon/site/index.html' })).toBe('s3://gpu/mon');
    expect(bucketName({ hostname: 's3.eu-west-1.amazonaws.com', pathname: '/gpu/mon/site/' })).toBe('s3://gpu/mon');
    expect(bucketName({ hostname: 'report.example.com', pathname: '/k8s-monitor/' })).toBe('s3://BUCKET/PREFIX');
  });
});
