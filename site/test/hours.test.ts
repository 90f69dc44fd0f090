import { describe, expect, it } from 'vitest';
import { lanes } from '../src/alert-lanes';
import { byWeekday } from '../src/heat-map';
import { moved } from '../src/movers';
import type { Alert } from '../src/report';

const hours = (from: string, n: number) =>
  Array.from({ length: n }, (_, i) => new Date(Date.parse(from) + i * 3_600_000).toISOString());

describe('the hours of a week', () => {
  it('lays hours out in the reader’s own time, and leaves the open one out', () => {
    const at = hours('2026-03-02T00:00:00Z', 169); // a Monday
    const cells = byWeekday(
      at,
      at.map((_, i) => i),
      at.map(() => 1),
    );
    const first = new Date(at[0]!);
    expect(cells[(first.getDay() + 6) % 7]![first.getHours()]).toEqual({ value: 0, hours: 1, coverage: 1 });
    expect(cells.flat().filter((c) => c !== null)).toHaveLength(168);
  });
  it('takes the mean of what falls together, and the least coverage', () => {
    const at = [...hours('2026-03-02T00:00:00Z', 1), ...hours('2026-03-09T00:00:00Z', 2)];
    const cell = byWeekday(at, [10, 20, 5], [1, 0.5, 1])
      .flat()
      .find((c) => c !== null);
    expect(cell).toEqual({ value: 15, hours: 2, coverage: 0.5 });
  });
  it('keeps what was not measured apart from zero', () => {
    const cells = byWeekday(hours('2026-03-02T00:00:00Z', 3), [null, 0, 1], [null, 1, 1])
      .flat()
      .filter((c) => c !== null);
    expect(cells).toEqual([{ value: 0, hours: 1, coverage: 1 }]);
  });
});

describe('what moved', () => {
  it('sets the last three whole hours beside those before', () => {
    expect(moved([1, 1, 1, 4, 4, 4, 99])).toEqual({ before: 1, now: 4 });
    expect(moved([null, null, 2, 2, 2, 2, 0])).toEqual({ before: 2, now: 2 });
    expect(moved([null, null, null, 2, 2, 2, 0])).toBeNull();
  });
});

describe('lanes of alerts', () => {
  const alert = (rule: string, severity: string, since: number, resolvedAt: number | null): Alert => ({
    rule,
    severity,
    kind: 'pod',
    namespace: 'a',
    name: 'b',
    node: '',
    model: '',
    summary: '',
    sentence: '',
    values: [],
    value: null,
    since: new Date(since).toISOString(),
    resolvedAt: resolvedAt === null ? null : new Date(resolvedAt).toISOString(),
  });
  it('holds what fired within the range, the gravest rule first', () => {
    const found = lanes(
      [
        alert('cpu', 'WARNING', 500, null),
        alert('gpu', 'CRITICAL', 100, 600),
        alert('old', 'CRITICAL', 1, 300),
        alert('later', 'INFO', 5000, null),
      ],
      400,
      1000,
    );
    expect(found.map((l) => l.rule)).toEqual(['gpu', 'cpu']);
  });
});
