// The five questions that k8s-monitor sql prints, from the same files. The page
// runs those over hourly tables as they are; it answers those over raw rows
// from what the newest sample says.
import freeGpus from '../../internal/views/questions/free-gpus.sql?raw';
import gpuHours from '../../internal/views/questions/gpu-hours.sql?raw';
import idleGpus from '../../internal/views/questions/idle-gpus.sql?raw';
import memoryGrowth from '../../internal/views/questions/memory-growth.sql?raw';
import tokens from '../../internal/views/questions/tokens.sql?raw';
import type { Answer, Value } from './sql';

export interface Question {
  name: string;
  sql: string;
  bar: string; // the column that is also drawn
  ofNow?: boolean; // answered from the newest sample
}

export const QUESTIONS: Question[] = [
  { name: 'gpu-hours', sql: gpuHours, bar: 'gpu_hours' },
  { name: 'idle-gpus', sql: idleGpus, bar: 'gpus', ofNow: true },
  { name: 'tokens', sql: tokens, bar: 'tokens_per_gpu_hour' },
  { name: 'memory-growth', sql: memoryGrowth, bar: 'grown_mib' },
  { name: 'free-gpus', sql: freeGpus, bar: 'free_gpus', ofNow: true },
];

/** The hourly tables, and what shows one as it is. */
export const TABLES = ['models', 'workloads', 'namespaces', 'nodes', 'pods', 'cluster'].map((name) => ({
  name: 'hourly_' + name,
  sql: `SELECT *\nFROM hourly_${name}\nWHERE hour >= current_timestamp - INTERVAL '1' DAY\nORDER BY hour DESC\nLIMIT 2000;`,
}));

/** The name of the object of an hour of a table, below the bucket's prefix. */
export function objectName(table: string, cluster: string, hour: number): string {
  const at = new Date(hour).toISOString();
  return `hourly/v1/${table.replace('hourly_', '')}/cluster=${cluster}/dt=${at.slice(0, 10)}/${at.slice(11, 13)}.parquet`;
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
