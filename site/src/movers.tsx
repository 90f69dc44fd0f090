// What moved: the newest three whole hours beside the day before them.
import { compact, cores, number, percent, type Figure } from './format';
import { statistics } from './lake';
import { modelHref } from './links';
import { Empty, Section, Spark } from './marks';
import { href } from './query';
import type { Series, StatisticsData } from './report';
import { t } from './words';

const RECENT = 3;

export interface Mover {
  name: string;
  to: string;
  measure: string;
  values: Figure[];
  format: (v: Figure) => string;
  before: number;
  now: number;
}

const mean = (values: Figure[]): Figure => {
  const known = values.filter((v): v is number => v != null);
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
};

/** Before and now of a series whose last value is the open hour's; null: not enough is known. */
export function moved(values: Figure[]): { before: number; now: number } | null {
  const whole = values.slice(0, -1);
  const before = mean(whole.slice(0, -RECENT));
  const now = mean(whole.slice(-RECENT));
  return before == null || now == null ? null : { before, now };
}

/** The largest moves of each measure, by how far. No move: a tenth or less of itself, or a fiftieth of the largest. */
export function topMovers(data: StatisticsData, perMeasure = 2): Mover[] {
  const models = data.models.map((m) => ({
    name: m.model || t('unnamed'),
    to: modelHref(m.namespace, m.modelType, m.model),
    series: m.series,
  }));
  const spaces = data.namespaces.map((n) => ({
    name: n.namespace,
    to: href({ view: 'pods', ns: n.namespace }),
    series: n.series,
  }));
  const perHour = (format: (v: Figure) => string) => (v: Figure) => `${format(v)} / h`;
  const measures: [string, typeof models, (s: Series) => Figure[], (v: Figure) => string][] = [
    [
      t('tokens'),
      models,
      (s) => s.generationTokens.map((v, i) => (v == null ? null : v + (s.promptTokens[i] ?? 0))),
      perHour(compact),
    ],
    [t('idle_held'), models, (s) => s.gpuHoursIdleHeld, (v) => number(v, 1) + ' GPU'],
    [t('waitingRequests'), models, (s) => s.requestsWaitingMax, number],
    [t('cpu'), spaces, (s) => s.cpuUsageMillicoresAvg, cores],
  ];
  return measures.flatMap(([measure, of, values, format]) =>
    of
      .map(({ name, to, series }) => ({
        name,
        to,
        measure,
        format,
        values: values(series),
        ...(moved(values(series)) ?? { before: 0, now: 0 }),
      }))
      .filter(
        (m, _, all) =>
          Math.abs(m.now - m.before) >
          Math.max(0.1 * Math.max(m.now, m.before), 0.02 * Math.max(...all.map((x) => x.before))),
      )
      .sort((a, b) => Math.abs(b.now - b.before) - Math.abs(a.now - a.before))
      .slice(0, perMeasure),
  );
}

export function TopMovers() {
  const data = statistics.value;
  if (!data)
    return (
      <Section id="movers" title={t('movers')}>
        <Empty>{t('loading')}</Empty>
      </Section>
    );
  const rows = topMovers(data);
  return (
    <Section id="movers" title={t('movers')} note={t('moversNote')}>
      {rows.length === 0 ? (
        <Empty>{t('noMovers')}</Empty>
      ) : (
        <ul class="movers">
          {rows.map((m) => (
            <li key={m.measure + m.to}>
              <span class="two">
                <a class="strong" data-top href={m.to} title={m.name}>
                  {m.name}
                </a>
                <span class="basis">{m.measure}</span>
              </span>
              <Spark values={m.values.slice(0, -1)} format={m.format} />
              <span class="two right">
                <span>{m.format(m.now)}</span>
                <span class="basis">
                  {m.now > m.before ? '▲' : '▼'}{' '}
                  {m.before > 0 ? percent((100 * Math.abs(m.now - m.before)) / m.before) : t('new')} ·{' '}
                  {t('before', m.format(m.before))}
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
