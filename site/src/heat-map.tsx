// The hours of a week as a table of cells: a row a weekday, a column an hour of
// the reader's day. Each cell is the mean of its hours; its class is a fifth of
// the largest, and its figure stands in it where there is room.
import { compact, gpuHours, number, percent, type Figure } from './format';
import { Empty, Section } from './marks';
import { hrefHere, one } from './query';
import type { Series } from './report';
import { language } from './preferences';
import { t, type Word } from './words';

interface Heat {
  title: Word;
  values: (s: Series) => Figure[];
  format: (v: Figure) => string;
}

const added = (a: Figure[], b: Figure[]): Figure[] =>
  a.map((v, i) => (v == null && b[i] == null ? null : (v ?? 0) + (b[i] ?? 0)));

const HEATS: Record<string, Heat> = {
  tokens: { title: 'tokens', values: (s) => added(s.promptTokens, s.generationTokens), format: compact },
  running: { title: 'queue', values: (s) => s.requestsRunningAvg, format: (v) => number(v, 1) },
  gpu: { title: 'gpuUtil', values: (s) => s.gpuUtilPercentAvg, format: percent },
  idle: { title: 'idle_held', values: (s) => s.gpuHoursIdleHeld, format: gpuHours },
  kv: {
    title: 'kvCache',
    values: (s) => s.kvCacheUsageRatioP95.map((v) => (v === null ? null : v * 100)),
    format: percent,
  },
};

export interface Cell {
  value: number;
  hours: number; // how many hours of the data it is the mean of
  coverage: number; // the least of theirs
}

/** Hours laid out by weekday (0: Monday) and hour of the reader's day. */
export function byWeekday(
  hours: string[],
  values: Figure[],
  coverage: Figure[],
  open = hours.length - 1,
): (Cell | null)[][] {
  const cells: (Cell | null)[][] = Array.from({ length: 7 }, () => Array<Cell | null>(24).fill(null));
  hours.forEach((h, i) => {
    const v = values[i];
    if (v == null || i === open) return; // the open hour is not a whole one
    const at = new Date(h);
    const row = cells[(at.getDay() + 6) % 7]!;
    const cell = (row[at.getHours()] ??= { value: 0, hours: 0, coverage: 1 });
    cell.value = (cell.value * cell.hours + v) / ++cell.hours;
    cell.coverage = Math.min(cell.coverage, coverage[i] ?? 1);
  });
  return cells;
}

const monday = Date.UTC(2024, 0, 1);
const dayName = (row: number) =>
  new Intl.DateTimeFormat(language.value, { weekday: 'short', timeZone: 'UTC' }).format(monday + row * 86_400_000);

export function HeatMap({ series, hours }: { series: Series; hours: string[] }) {
  const offered = Object.keys(HEATS).filter((k) => HEATS[k]!.values(series).some((v) => v != null));
  const key = offered.includes(one('heat')) ? one('heat') : (offered[0] ?? '');
  const heat = HEATS[key];
  if (!heat)
    return (
      <Section id="heat" title={t('heat')}>
        <Empty>{t('noStatistics')}</Empty>
      </Section>
    );
  const cells = byWeekday(hours, heat.values(series), series.coverage);
  const top = Math.max(0, ...cells.flat().map((c) => c?.value ?? 0));
  const fifth = (v: number) => (top > 0 ? Math.min(4, Math.floor((5 * v) / top)) : 0);
  return (
    <Section
      id="heat"
      title={t('heat')}
      note={t('heatNote')}
      aside={
        <div class="choice" role="group" aria-label={t('measure')}>
          {offered.map((k) => (
            <a href={hrefHere({ heat: k === offered[0] ? null : k })} aria-current={k === key ? 'true' : undefined}>
              {t(HEATS[k]!.title)}
            </a>
          ))}
        </div>
      }
    >
      <table class="heat">
        <caption class="unseen">
          {t('heat')}: {t(heat.title)}
        </caption>
        <thead>
          <tr>
            <td />
            {Array.from({ length: 24 }, (_, h) => (
              <th scope="col" class={h % 6 ? 'between' : ''}>
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cells.map((row, day) => (
            <tr>
              <th scope="row">{dayName(day)}</th>
              {row.map((c, h) => {
                if (!c) return <td class="nothing" title={`${dayName(day)} ${h}:00 · ${t('notMeasured')}`} />;
                const partial = c.coverage < 0.995;
                return (
                  <td
                    class={'heat' + fifth(c.value) + (partial ? ' partial' : '')}
                    title={`${dayName(day)} ${h}:00 · ${heat.format(c.value)}${c.hours > 1 ? ' · ' + t('meanOf', c.hours) : ''}${partial ? ' · ' + t('coverage', percent(c.coverage * 100)) : ''}`}
                  >
                    <span>{heat.format(c.value).replace(/ .*/, '')}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <ul class="legend">
        <li>
          <span class="scale" aria-hidden="true">
            {[0, 1, 2, 3, 4].map((k) => (
              <i class={'heat' + k} />
            ))}
          </span>{' '}
          0 – {heat.format(top)}
        </li>
        <li>
          <i class="nothing" aria-hidden="true" /> {t('notMeasured')}
        </li>
        <li>
          <i class="heat1 partial" aria-hidden="true" /> {t('partialHour')}
        </li>
      </ul>
    </Section>
  );
}
