import { describe, expect, it } from 'vitest';
import { NONE, compact, number, percent, watts } from '../src/format';

describe('figures in words', () => {
  it('tells what was not measured from a measured zero', () => {
    expect(percent(null)).toBe(NONE);
    expect(percent(undefined)).toBe(NONE);
    expect(percent(0)).toBe('0 %');
    expect(number(NaN)).toBe(NONE);
    expect(watts(null)).toBe(NONE);
  });
  it('shortens large counts', () => {
    expect(compact(1_234_567)).toMatch(/^1\.2\d?M$|^123만$/);
    expect(compact(null)).toBe(NONE);
  });
});
