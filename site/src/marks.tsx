// The small marks of the report: bars, stacked bars, sparklines, time stamps,
// notes. Vectors and real text, so that they print; styles are set through the
// object model, never as attributes, which the page's policy forbids.
import type { ComponentChildren } from 'preact';
import { localTime, NONE, percent, utcTime, type Figure } from './format';
import { GPU_STATES as HELD_STATES } from './report';
import { t } from './words';

export const Time = ({ at }: { at: string | number }) => (
  <time dateTime={new Date(at).toISOString()} title={utcTime(at)}>
    {localTime(at)}
  </time>
);

export const Missing = () => (
  <span class="none" title={t('notMeasured')}>
    {NONE}
  </span>
);

interface BarProps {
  value: Figure; // percent
  threshold?: number; // above it the bar is marked
  mark?: Figure; // percent at which a tick stands
  children: ComponentChildren; // the figure in words
  note?: ComponentChildren;
}

/** A bar with its figure in words. The words carry all that the bar shows. */
export function Bar({ value, threshold = Infinity, mark, children, note }: BarProps) {
  if (value === null || value === undefined) return <Missing />;
  const high = value > threshold;
  return (
    <span class={high ? 'measure high' : 'measure'}>
      <span class="figure">
        {high && <span aria-hidden="true">▲ </span>}
        {children}
      </span>
      {note && <span class="basis">{note}</span>}
      <span class="bar" aria-hidden="true">
        <span style={{ width: Math.min(100, value) + '%' }} />
        {mark !== null && mark !== undefined && <i style={{ left: Math.min(100, mark) + '%' }} />}
      </span>
    </span>
  );
}

/** The classes of a GPU's time, without overlap, in the order of stacking. */
export const GPU_STATES = [...HELD_STATES, 'unallocated'] as const;
export type GpuState = (typeof GPU_STATES)[number];
export const stateWord = (s: GpuState) => t(s === 'loading' ? 'loadingGpu' : s);

/** Parts of a whole as one bar. */
export function StackedBar({ parts, whole }: { parts: Partial<Record<GpuState, Figure>>; whole: number }) {
  return (
    <span class="stacked" aria-hidden="true">
      {GPU_STATES.map((s) => {
        const v = parts[s];
        return v && whole > 0 ? <span class={'fill-' + s} style={{ width: (100 * v) / whole + '%' }} /> : null;
      })}
    </span>
  );
}

/** A line of the last hours; gaps stay gaps. */
export function Spark({ values, format }: { values: Figure[]; format: (v: Figure) => string }) {
  const known = values.filter((v): v is number => v !== null && v !== undefined);
  if (known.length < 2) return <span class="spark" />;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const x = (i: number) => (values.length > 1 ? 1 + (98 * i) / (values.length - 1) : 50);
  const y = (v: number) => (high > low ? 22 - (20 * (v - low)) / (high - low) : 12);
  let path = '';
  let pen = false;
  values.forEach((v, i) => {
    if (v === null || v === undefined) pen = false;
    else {
      path += `${pen ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
      pen = true;
    }
  });
  const label = t('spark', format(low), format(high));
  return (
    <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      <title>{label}</title>
      <path d={path} />
    </svg>
  );
}

/** A mark beside a sum whose hours were not wholly measured; nothing where they were. */
export function Covered({ total }: { total: { samples: number; expectedSamples: number } }) {
  const share = total.expectedSamples > 0 ? total.samples / total.expectedSamples : 1;
  return share < 0.995 ? (
    <b class="gap" title={t('coverageTitle')}>
      {' '}
      {t('coverage', percent(share * 100))}
    </b>
  ) : null;
}

/** The same of a series: hours that nobody measured count. */
export function Gaps({ coverage }: { coverage: Figure[] }) {
  const share = coverage.length ? coverage.reduce<number>((sum, v) => sum + (v ?? 0), 0) / coverage.length : 1;
  return share < 0.995 ? (
    <b class="gap" title={t('coverageTitle')}>
      {' '}
      {t('coverage', percent(share * 100))}
    </b>
  ) : null;
}

/** What is known of one thing, name by name; what is not there has no row. */
export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows
        .filter(([, value]) => value !== null && value !== '' && value !== false)
        .map(([name, value]) => (
          <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** Figures side by side, each with its name and a word on it. */
export function Figures({ rows }: { rows: [name: string, value: ComponentChildren, note: string][] }) {
  return (
    <dl class="figures">
      {rows.map(([name, value, note]) => (
        <div>
          <dt>{name}</dt>
          <dd>
            <b>{value}</b>
            {note && (
              <span class="basis" title={note}>
                {note}
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Does something once a place is less than a screen away, or the page is printed. */
export function whenNear(place: Element, act: () => void) {
  const observer = new IntersectionObserver(([e]) => e!.isIntersecting && act(), { rootMargin: '600px' });
  observer.observe(place);
  addEventListener('beforeprint', act);
  return () => {
    observer.disconnect();
    removeEventListener('beforeprint', act);
  };
}

/** What a section says instead of rows. While they are read it keeps room for them, so that nothing jumps. */
export const Empty = ({ children, room }: { children: ComponentChildren; room?: boolean }) => (
  <p class={room ? 'empty room' : 'empty'}>{children}</p>
);

export function Section(props: {
  id: string;
  title: ComponentChildren;
  note?: ComponentChildren;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section aria-labelledby={props.id} class={'section-' + props.id}>
      <div class="heading">
        <h2 id={props.id}>{props.title}</h2>
        {props.note && <p class="note">{props.note}</p>}
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}
