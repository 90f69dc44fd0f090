import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { inWords } from '../src/alert-words';
import { language, switchLanguage } from '../src/preferences';

const summaries = [...readFileSync('../jobs/alert/rules.yaml', 'utf8').matchAll(/^  summary: (.+)$/gm)].map(
  (m) => m[1]!,
);

it('every rule that ships has its sentence in Korean', () => {
  if (language.value !== 'ko') switchLanguage();
  expect(summaries.length).toBeGreaterThan(5);
  for (const summary of summaries) {
    const filled = summary.replace(/\{(\w+_basis)\}/, 'request').replace(/\{.+?\}/g, '7 s');
    expect(inWords(filled)).not.toBe(filled);
    expect(inWords(filled).split('7 s').length).toBe(filled.split('7 s').length); // no value is lost
  }
  expect(inWords('CPU 98.5 % of limit 2 cores, threshold 80 %')).toBe('CPU 98.5 % (제한 2 cores 기준), 임계값 80 %');
  expect(inWords('a sentence of one’s own')).toBe('a sentence of one’s own');
  switchLanguage();
  expect(inWords('the node is not ready')).toBe('the node is not ready');
});
