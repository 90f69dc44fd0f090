// The five questions that k8s-monitor sql prints, from the same files, and how
// this page answers each without a database: three fold the hourly objects of
// the bucket, two read what the newest sample says.
import freeGpus from '../../internal/views/questions/free-gpus.sql?raw';
import gpuHours from '../../internal/views/questions/gpu-hours.sql?raw';
import idleGpus from '../../internal/views/questions/idle-gpus.sql?raw';
import memoryGrowth from '../../internal/views/questions/memory-growth.sql?raw';
import tokens from '../../internal/views/questions/tokens.sql?raw';

export type Value = string | number | null;
export type Row = Record<string, Value>;

/** An answer: rows in order. `bar` names the column that is also drawn. */
export interface Answer {
  columns: string[];
  rows: Value[][];
  bar?: string;
}

/** Takes rows of an hourly table one by one, and answers at the end. */
export interface Fold {
  add(row: Row): void;
  answer(): Answer;
}

/** What is read for a question: a table, its columns and hours; none: the newest sample. */
export interface Reading {
  table: string;
  columns?: string[];
  hours: number;
}

export interface Question {
  name: string;
  sql: string;
  reading?: Reading;
  fold?: () => Fold;
}

const num = (v: Value | undefined) => (typeof v === 'number' ? v : null);
const plus = (a: number | null, b: Value | undefined) => (num(b) === null ? a : (a ?? 0) + num(b)!);
const round = (v: number | null, digits: number) => (v === null ? null : Number(v.toFixed(digits)));

export const QUESTIONS: Question[] = [
  {
    name: 'gpu-hours', sql: gpuHours,
    reading: { table: 'models', hours: 168, columns: ['namespace', 'engine', 'model', 'gpu_hours_allocated', 'gpu_hours_idle_held', 'cost'] },
    fold: () => {
      const sums = new Map<string, { key: Value[]; hours: number; idle: number | null; cost: number | null }>();
      return {
        add(r) {
          if (!((num(r.gpu_hours_allocated) ?? 0) > 0)) return;
          const key = [r.namespace!, r.model!, r.engine!];
          const id = JSON.stringify(key);
          if (!sums.has(id)) sums.set(id, { key, hours: 0, idle: null, cost: null });
          const s = sums.get(id)!;
          s.hours += num(r.gpu_hours_allocated)!;
          s.idle = plus(s.idle, r.gpu_hours_idle_held);
          s.cost = plus(s.cost, r.cost);
        },
        answer: () => ({
          columns: ['namespace', 'model', 'engine', 'gpu_hours', 'idle_held', 'idle_percent', 'cost'], bar: 'gpu_hours',
          rows: [...sums.values()].sort((a, b) => b.hours - a.hours)
            .map((s) => [...s.key, round(s.hours, 1), round(s.idle, 1), round(s.idle === null ? null : (100 * s.idle) / s.hours, 1), round(s.cost, 2)]),
        }),
      };
    },
  },
  { name: 'idle-gpus', sql: idleGpus },
  {
    name: 'tokens', sql: tokens,
    reading: { table: 'models', hours: 24, columns: ['hour', 'namespace', 'model', 'prompt_tokens', 'generation_tokens', 'gpu_hours_allocated', 'tokens_per_gpu_hour'] },
    fold: () => {
      const rows: Value[][] = [];
      return {
        add(r) {
          if (!((num(r.gpu_hours_allocated) ?? 0) > 0)) return;
          const made = num(r.prompt_tokens) === null || num(r.generation_tokens) === null ? null : num(r.prompt_tokens)! + num(r.generation_tokens)!;
          rows.push([r.namespace!, r.model!, r.hour!, made, round(num(r.gpu_hours_allocated), 2), round(num(r.tokens_per_gpu_hour), 0)]);
        },
        answer: () => ({
          columns: ['namespace', 'model', 'hour', 'tokens', 'gpu_hours', 'tokens_per_gpu_hour'], bar: 'tokens_per_gpu_hour',
          rows: rows.sort((a, b) => compare(a[0]!, b[0]!) || compare(a[1]!, b[1]!) || compare(a[2]!, b[2]!)),
        }),
      };
    },
  },
  {
    name: 'memory-growth', sql: memoryGrowth,
    reading: { table: 'pods', hours: 24, columns: ['hour', 'namespace', 'pod', 'pod_uid', 'memory_usage_bytes_avg'] },
    fold: () => {
      const pods = new Map<string, { key: Value[]; hours: number; first: [string, number]; last: [string, number] }>();
      return {
        add(r) {
          const used = num(r.memory_usage_bytes_avg);
          if (used === null) return;
          const at = String(r.hour);
          const id = `${r.namespace}/${r.pod}/${r.pod_uid}`;
          const p = pods.get(id) ?? { key: [r.namespace!, r.pod!], hours: 0, first: [at, used], last: [at, used] };
          pods.set(id, p);
          p.hours++;
          if (at < p.first[0]) p.first = [at, used];
          if (at > p.last[0]) p.last = [at, used];
        },
        answer: () => ({
          columns: ['namespace', 'pod', 'hours', 'first_mib', 'last_mib', 'grown_mib'], bar: 'grown_mib',
          rows: [...pods.values()].filter((p) => p.last[1] > p.first[1]).sort((a, b) => b.last[1] - b.first[1] - (a.last[1] - a.first[1])).slice(0, 20)
            .map((p) => [...p.key, p.hours, ...[p.first[1], p.last[1], p.last[1] - p.first[1]].map((v) => round(v / 2 ** 20, 0))]),
        }),
      };
    },
  },
  { name: 'free-gpus', sql: freeGpus },
];

export const compare = (a: Value, b: Value) => (a === b ? 0 : a === null ? 1 : b === null ? -1 : a < b ? -1 : 1);

/** The hourly tables, which can also be looked at as they are. */
export const TABLES = ['models', 'workloads', 'namespaces', 'nodes', 'pods', 'cluster'] as const;

/** The first rows of a table that hold all words, newest hour first. */
export const MOST_ROWS = 2000;
export function browse(words: string): Fold {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const rows: Row[] = [];
  return {
    add(r) {
      const text = wanted.length ? Object.values(r).filter((v) => typeof v === 'string').join(' ').toLowerCase() : '';
      if (wanted.every((w) => text.includes(w))) rows.push(r);
    },
    answer() {
      const columns = Object.keys(rows[0] ?? {});
      rows.sort((a, b) => -compare(a.hour ?? null, b.hour ?? null));
      return { columns, rows: rows.slice(0, MOST_ROWS).map((r) => columns.map((c) => r[c] ?? null)) };
    },
  };
}

/** The names of a table's objects, newest hour first, below the bucket's prefix. */
export function objectNames(table: string, cluster: string, newest: string, hours: number): string[] {
  const last = Math.floor(Date.parse(newest) / 3_600_000) * 3_600_000;
  return Array.from({ length: hours }, (_, i) => {
    const at = new Date(last - i * 3_600_000).toISOString();
    return `hourly/v1/${table}/cluster=${cluster}/dt=${at.slice(0, 10)}/${at.slice(11, 13)}.parquet`;
  });
}

/** As a spreadsheet takes it: a name that begins like a formula is quoted as text. */
export function csv({ columns, rows }: Answer): string {
  const cell = (v: Value) => {
    if (v === null) return '';
    const s = typeof v === 'string' && /^[=+\-@\t\r]/.test(v) ? "'" + v : String(v);
    return /[",\r\n]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s;
  };
  return [columns, ...rows].map((r) => r.map(cell).join(',')).join('\r\n') + '\r\n';
}
