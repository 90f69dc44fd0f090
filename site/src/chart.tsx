// One chart of hours: uPlot (loaded when first needed) on a canvas, direct labels
// with the figures of the hour that is pointed at in all charts at once, and the
// same figures as a table behind it.
import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type UPlot from 'uplot';
import { localDay, localHour, percent, utcTime, type Figure } from './format';
import { whenNear } from './marks';
import { language, theme } from './preferences';
import { t } from './words';

export interface Line {
  label: string;
  values: Figure[];
  paint: string; // a custom property of the style sheet, without "--"
  hatched?: boolean;
  dashed?: boolean;
}

interface ChartProps {
  title: string;
  to?: string; // where the title leads
  note?: string;
  hours: string[];
  coverage: Figure[];
  lines: Line[];
  format: (v: Figure) => string;
  axis?: (v: number) => string; // shorter than format
  stacked?: boolean; // sums of the hour, as stacked bars; else a line
  top?: number; // of the scale, to share it
}

/** The hour that the reader points at, in every chart; -1: none. */
const pointedHour = signal(-1);

let library: Promise<typeof UPlot> | null = null;
const load = () =>
  (library ??= Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([m]) => m.default));

/** A colour of the style sheet as the canvas wants it, for the theme of now. */
function colour(host: Element, name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(--${name})`;
  host.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function hatch(ground: string, line: string): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 8;
  const g = tile.getContext('2d')!;
  g.fillStyle = ground;
  g.fillRect(0, 0, 8, 8);
  g.strokeStyle = line;
  g.lineWidth = 2.4;
  for (const d of [-8, 0, 8]) {
    g.beginPath();
    g.moveTo(d, 8);
    g.lineTo(d + 8, 0);
    g.stroke();
  }
  return g.createPattern(tile, 'repeat') ?? line;
}

/** Running sums over the lines: what a stacked chart draws, last line first. */
export function stack(lines: Figure[][]): (number | null)[][] {
  const sums: (number | null)[][] = [];
  lines.forEach((values, i) => {
    sums.push(
      values.map((v, h) =>
        v == null && (i === 0 || sums[i - 1]![h] == null) ? null : (v ?? 0) + (sums[i - 1]?.[h] ?? 0),
      ),
    );
  });
  return sums;
}

export const topOf = (lines: Line[], stacked?: boolean): number =>
  Math.max(0, ...(stacked ? stack(lines.map((l) => l.values)) : lines.map((l) => l.values)).flat().map((v) => v ?? 0));

export function Chart(props: ChartProps) {
  const { title, to, note, hours, coverage, lines, format, axis = format, stacked, top } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const newest = useRef<UPlot.AlignedData>([[]]);
  const [asTable, setAsTable] = useState(false);
  const drawn = (stacked ? stack(lines.map((l) => l.values)) : lines.map((l) => l.values.map((v) => v ?? null))) as (
    number | null
  )[][];
  const starts = hours.map((h) => Date.parse(h) / 1000);
  // Stacked bars are drawn from the highest sum down, each over the one before.
  const data = [starts, ...(stacked ? [...drawn].reverse() : drawn)] as UPlot.AlignedData;
  const shape = lines.map((l) => l.label).join() + hours.length + language.value + theme.value + stacked + top;

  useEffect(() => {
    let dead = false;
    const el = host.current!;
    const draw = () =>
      void load().then((U) => {
        if (dead || plot.current) return;
        const ink = colour(el, 'muted');
        const rule = colour(el, 'rule');
        const order = stacked ? [...lines].reverse() : lines;
        const options: UPlot.Options = {
          width: el.clientWidth || 300,
          height: 132,
          padding: [8, 18, 0, 0],
          legend: { show: false },
          cursor: {
            sync: { key: 'hours' },
            y: false,
            drag: { x: false, y: false },
            points: { show: !stacked, size: 6 },
          },
          scales: {
            x: { time: true, range: (_u, min, max) => (stacked ? [min, max + 3600] : [min, max]) },
            y: { range: (_u, _min, max) => [0, Math.max(top ?? 0, max || 0) * 1.06 || 1] },
          },
          axes: [
            {
              stroke: ink,
              grid: { show: false },
              ticks: { stroke: rule, size: 4 },
              size: 24,
              space: hours.length > 48 ? 84 : 56,
              font: '11px system-ui',
              values: (_u, at) =>
                at.map((s) => (new Date(s * 1000).getHours() ? localHour(s * 1000) : localDay(s * 1000))),
            },
            {
              stroke: ink,
              grid: { stroke: rule, width: 1 },
              ticks: { show: false },
              size: 58,
              space: 34,
              font: '11px system-ui',
              values: (_u, at) => at.map(axis),
            },
          ],
          series: [
            {},
            ...order.map((line): UPlot.Series => {
              const paint = colour(el, line.paint);
              if (!stacked)
                return {
                  stroke: paint,
                  width: line.dashed ? 1 : 2,
                  dash: line.dashed ? [4, 3] : undefined,
                  points: { show: false },
                  spanGaps: false,
                };
              const fill = line.hatched ? hatch(colour(el, 'hatch-ground'), paint) : paint;
              return {
                stroke: line.hatched ? paint : undefined,
                width: 0,
                fill: () => fill,
                points: { show: false },
                paths: U.paths.bars!({ size: [0.86, 60], align: 1, gap: 1 }),
              };
            }),
          ],
          hooks: { setCursor: [(u) => (pointedHour.value = u.cursor.left! >= 0 ? (u.cursor.idx ?? -1) : -1)] },
        };
        plot.current = new U(options, newest.current, el);
      });
    const forget = whenNear(el, draw);
    return () => {
      dead = true;
      forget();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);
  newest.current = data;
  const content = JSON.stringify(data);
  useEffect(() => plot.current?.setData(data), [content]);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) =>
      plot.current?.setSize({ width: Math.floor(entry!.contentRect.width), height: 132 }),
    );
    observer.observe(host.current!);
    return () => observer.disconnect();
  }, []);

  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">
          {to ? (
            <a data-top href={to}>
              {title}
            </a>
          ) : (
            title
          )}
          {note && <small> {note}</small>}
        </span>
        <Labels {...props} />
      </figcaption>
      <div
        ref={host}
        class="plot"
        role="img"
        aria-label={`${title}: ${lines.map((l) => `${l.label} ${format(lastKnown(l.values))}`).join(', ')}`}
      />
      <details onToggle={(e) => setAsTable(e.currentTarget.open)}>
        <summary aria-label={`${title}, ${t('asTable')}`}>{t('asTable')}</summary>
        {asTable && (
          <table>
            <thead>
              <tr>
                <th scope="col">{t('hour')}</th>
                {lines.map((l) => (
                  <th scope="col">{l.label}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {hours.map((h, i) => (
                <tr>
                  <th scope="row" title={utcTime(h)}>
                    {localDay(h)} {localHour(h)}
                    {coverage[i] != null && coverage[i]! < 0.995 && (
                      <small> {t('coverage', percent(coverage[i]! * 100))}</small>
                    )}
                  </th>
                  {lines.map((l) => (
                    <td>{format(l.values[i])}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </details>
    </figure>
  );
}

const lastKnown = (values: Figure[]) => values.findLast((v) => v != null);

/** The lines' names with the figures of the hour pointed at, else of the newest. */
function Labels({ hours, coverage, lines, format, stacked }: ChartProps) {
  const at = pointedHour.value >= 0 && pointedHour.value < hours.length ? pointedHour.value : hours.length - 1;
  const covered = coverage[at];
  return (
    <span class="labels">
      {lines.map((l) => (
        <span class="label">
          <i
            class={
              (l.hatched ? 'fill-idle_held' : 'paint-' + l.paint) + (stacked ? '' : l.dashed ? ' dash' : ' stroke')
            }
            aria-hidden="true"
          />
          {l.label} <b>{format(l.values[at])}</b>
        </span>
      ))}
      <span class="label at" title={hours[at] && utcTime(hours[at]!)}>
        {hours[at] && localHour(hours[at]!)}
        {covered != null && covered < 0.995 && <> · {t('coverage', percent(covered * 100))}</>}
      </span>
    </span>
  );
}
