// The sentences of the rules that ship switched on (jobs/alert/rules.yaml), in
// Korean. What a rule of the configuration says stays as it was written.
import { language } from './preferences';

const KOREAN: [sentence: RegExp, korean: string][] = [
  [/^CPU (.+) of (limit|request|node) (.+), threshold (.+)$/, 'CPU {0} ({1} {2} 기준), 임계값 {3}'],
  [/^memory (.+) of (limit|request|node) (.+), threshold (.+)$/, '메모리 {0} ({1} {2} 기준), 임계값 {3}'],
  [/^GPU use (.+), the mean of its (.+) GPU, threshold (.+)$/, 'GPU 사용률 {0} (GPU {1}개 평균), 임계값 {2}'],
  [/^the pod is (.+)$/, '파드 상태: {0}'],
  [/^waits for (.+) GPU and no node is found$/, 'GPU {0}개를 기다리지만 맞는 노드가 없음'],
  [/^the node is not ready$/, '노드가 준비되지 않음'],
  [/^the newest snapshot is (.+) old, samples are due every (.+)$/, '최근 수집이 {0} 전, 수집 주기 {1}'],
];
const BASIS: Record<string, string> = { limit: '제한', request: '요청', node: '노드' };

/** A summary in the reader's language, where it is one of these. */
export function inWords(summary: string): string {
  if (language.value !== 'ko') return summary;
  for (const [sentence, korean] of KOREAN) {
    const values = sentence.exec(summary)?.slice(1);
    if (values) return korean.replace(/\{(\d)\}/g, (_, i) => BASIS[values[i]!] ?? values[i]!);
  }
  return summary;
}
