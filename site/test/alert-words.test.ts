import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { alertWords, SENTENCES } from '../src/alert-words';
import { language, switchLanguage } from '../src/preferences';
import type { Alerts } from '../src/report';

const speak = (wanted: string) => language.value !== wanted && switchLanguage();
afterEach(() => void speak('en'));

it('every rule that ships has its sentence in both languages, with the same values', () => {
  const rules = readFileSync('../jobs/alert/rules.yaml', 'utf8');
  const shipped = [...rules.matchAll(/^- name: (.+)$[^]*?^ {2}summary: (.+)$/gm)].map((m) => [m[1]!, m[2]!]);
  expect(shipped.length).toBeGreaterThan(5);
  expect(Object.entries(SENTENCES).map(([rule, [en]]) => [rule, en])).toEqual(shipped);
  for (const [en, ko] of Object.values(SENTENCES)) {
    expect(ko).not.toBe(en);
    expect(ko.match(/\{.+?\}/g)?.sort()).toEqual(en.match(/\{.+?\}/g)?.sort());
  }
});

it('an alert as the job writes it', () => {
  const doc: Alerts = JSON.parse(readFileSync('../internal/report/testdata/alerts.json', 'utf8'));
  const [cpu, own] = [doc.resolved[0]!, doc.alerts[0]!];
  expect(alertWords(cpu)).toBe('CPU 84 % of limit 8 cores, threshold 80 %');
  expect(alertWords(own)).toBe('1 GPU held without work for 60 min');
  speak('ko');
  expect(alertWords(cpu)).toBe('CPU 84 % (제한 8 코어 기준), 임계값 80 %');
  expect(alertWords(own)).toBe('1 GPU held without work for 60 min');
});

const alert = (sentence: string, values: Record<string, number | string | null>) => ({
  sentence,
  summary: 'in the words of the program',
  values: Object.entries(values).map(([name, v]) => ({
    name,
    number: typeof v === 'number' ? v : null,
    text: typeof v === 'string' ? v : null,
  })),
});

it('values have their units, and what was not measured is not zero', () => {
  const memory = { memory_percent: 150.04, memory_basis: 'node', memory_whole_bytes: 2 ** 31, 'thresholds.memory': 80 };
  expect(alertWords(alert('memory', memory))).toBe('memory 150 % of node’s allocatable 2 GiB, threshold 80 %');
  expect(alertWords(alert('memory', { ...memory, memory_percent: null }))).toContain('memory – of');
  expect(alertWords(alert('pod-phase', { phase: 'Pending', reason: '' }))).toBe('the pod is Pending');
  expect(alertWords(alert('snapshot-stale', { age_seconds: 12000, interval_seconds: 60 }))).toBe(
    'the newest snapshot is 3 h old, samples are due every 60 s',
  );
  expect(alertWords(alert('a-rule-of-a-newer-program', {}))).toBe('in the words of the program');
  speak('ko');
  expect(alertWords(alert('memory', memory))).toBe('메모리 150 % (노드 할당 가능량 2 GiB 기준), 임계값 80 %');
});
