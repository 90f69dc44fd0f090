// The alerts of the last 24 hours, week or month as lanes, a lane a rule: when
// each fired, for how long, and how many at once.
import { alertWords } from './alert-words';
import { localDay, localHour, localTime, span } from './format';
import { passesFilters } from './alert-list';
import { alerts, now } from './lake';
import { Empty, Section } from './marks';
import { hrefHere, one } from './query';
import type { Alert } from './report';
import { t, tValue } from './words';

const RANGES = { '24h': 24, '7d': 7 * 24, '30d': 30 * 24 } as const;
const HOUR = 3_600_000;

interface Lane {
  rule: string;
  severity: string;
  alerts: Alert[];
}

/** A lane a rule, the gravest first, of the alerts that fired since `from`. */
export function lanes(all: Alert[], from: number, until: number): Lane[] {
  const rules = new Map<string, Lane>();
  for (const a of all) {
    if (Date.parse(a.since) > until || (a.resolvedAt && Date.parse(a.resolvedAt) < from)) continue;
    if (!rules.has(a.rule)) rules.set(a.rule, { rule: a.rule, severity: a.severity, alerts: [] });
    rules.get(a.rule)!.alerts.push(a);
  }
  const grave = (s: string) => ['CRITICAL', 'WARNING', 'INFO'].indexOf(s);
  return [...rules.values()].sort((a, b) => grave(a.severity) - grave(b.severity) || b.alerts.length - a.alerts.length);
}

export function AlertLanes() {
  const data = alerts.value;
  if (!data) return null;
  const range = (one('over') in RANGES ? one('over') : '30d') as keyof typeof RANGES;
  const until = Math.ceil(now.value / (HOUR / 4)) * (HOUR / 4); // moves every quarter of an hour
  const from = until - RANGES[range] * HOUR;
  const rows = lanes([...data.alerts, ...(data.resolved ?? [])].filter(passesFilters), from, until);
  const x = (at: number) => Math.max(0, Math.min(1000, (1000 * (at - from)) / (until - from)));
  const ticks = Array.from(
    { length: range === '24h' ? 5 : range === '7d' ? 8 : 7 },
    (_, i, all = range === '24h' ? 4 : range === '7d' ? 7 : 6) => from + (i * (until - from)) / all,
  );
  return (
    <Section
      id="lanes"
      title={t('alertLanes')}
      note={t('alertLanesNote')}
      aside={
        <div class="choice" role="group" aria-label={t('range')}>
          {Object.keys(RANGES).map((r) => (
            <a href={hrefHere({ over: r === '30d' ? null : r })} aria-current={r === range ? 'true' : undefined}>
              {t(r === '24h' ? 'hours24' : r === '7d' ? 'days7' : 'days30')}
            </a>
          ))}
        </div>
      }
    >
      {rows.length === 0 ? (
        <Empty>{t('noAlertsHere')}</Empty>
      ) : (
        <div class="lanes">
          {rows.map((lane) => {
            const label = t('laneLabel', lane.rule, lane.alerts.length);
            return (
              <div class={'lane ' + lane.severity.toLowerCase()}>
                <span class="lane-name">
                  <b>{lane.rule}</b>{' '}
                  <span class="basis">
                    {tValue(lane.severity)} · {lane.alerts.length}
                  </span>
                </span>
                <svg viewBox="0 0 1000 16" preserveAspectRatio="none" role="img" aria-label={label}>
                  <title>{label}</title>
                  {lane.alerts.map((a) => {
                    const start = x(Date.parse(a.since));
                    const end = a.resolvedAt ? Date.parse(a.resolvedAt) : now.peek();
                    return (
                      <rect x={start} y="2" width={Math.max(3, x(end) - start)} height="12">
                        <title>
                          {[a.namespace, a.name].filter(Boolean).join('/')}: {alertWords(a)} · {localTime(a.since)} ·{' '}
                          {span((end - Date.parse(a.since)) / 1000)}
                        </title>
                      </rect>
                    );
                  })}
                </svg>
              </div>
            );
          })}
          <div class="lane axis" aria-hidden="true">
            <span />
            <span class="ticks">
              {ticks.map((at) => (
                <span>{range === '24h' ? localHour(at) : localDay(at)}</span>
              ))}
            </span>
          </div>
        </div>
      )}
    </Section>
  );
}
