// What an alert says, in the reader's language. The rules that ship with the
// program (jobs/alert/rules.yaml) have their sentences here, filled with the
// values that alerts.json gives; what the author of another rule wrote is shown
// as it is.
import { bytes, cores, exact, NONE, span } from './format';
import { language } from './preferences';
import type { Alert, AlertValue } from './report';

/** By rule. {name} stands for the value of that name. */
export const SENTENCES: Record<string, [en: string, ko: string]> = {
  cpu: [
    'CPU {cpu_percent} of {cpu_basis} {cpu_whole_millicores}, threshold {thresholds.cpu}',
    'CPU {cpu_percent} ({cpu_basis} {cpu_whole_millicores} 기준), 임계값 {thresholds.cpu}',
  ],
  memory: [
    'memory {memory_percent} of {memory_basis} {memory_whole_bytes}, threshold {thresholds.memory}',
    '메모리 {memory_percent} ({memory_basis} {memory_whole_bytes} 기준), 임계값 {thresholds.memory}',
  ],
  'gpu-busy': [
    'GPU use {gpu_util_percent}, the mean of its {gpu_request} GPU, threshold 90 %',
    'GPU 사용률 {gpu_util_percent} (GPU {gpu_request}개 평균), 임계값 90 %',
  ],
  'pod-phase': ['the pod is {phase} {reason}', '파드 상태: {phase} {reason}'],
  'gpu-pod-pending': [
    'waits for {gpu_request} GPU and no node is found',
    'GPU {gpu_request}개를 기다리지만 맞는 노드가 없음',
  ],
  'node-not-ready': ['the node is not ready', '노드가 준비되지 않음'],
  'snapshot-stale': [
    'the newest snapshot is {age_seconds} old, samples are due every {interval_seconds}',
    '최근 수집이 {age_seconds} 전, 수집 주기 {interval_seconds}',
  ],
};

const BASES: Record<string, [en: string, ko: string]> = {
  limit: ['limit', '제한'],
  request: ['request', '요청'],
  node: ['node’s allocatable', '노드 할당 가능량'],
};

const pick = ([en, ko]: [string, string]) => (language.value === 'ko' ? ko : en);

/** A value with the unit that its name ends in. */
function words({ name, number, text }: AlertValue): string {
  if (number === null) return name.endsWith('_basis') && text! in BASES ? pick(BASES[text!]!) : (text ?? NONE);
  if (name.endsWith('_percent') || name.startsWith('thresholds.')) return exact(Math.round(number * 10) / 10) + ' %';
  if (name.endsWith('_millicores')) return cores(number);
  if (name.endsWith('_bytes')) return bytes(number);
  if (name.endsWith('_seconds')) return span(number);
  return exact(number);
}

/** What an alert says. */
export function alertWords({ sentence, summary, values }: Pick<Alert, 'sentence' | 'summary' | 'values'>): string {
  const known = SENTENCES[sentence];
  if (!known) return summary;
  const byName = new Map(values.map((v) => [v.name, v]));
  return pick(known)
    .replace(/\{(.+?)\}/g, (_, name) => words(byName.get(name) ?? { name, number: null, text: null }))
    .trim();
}
