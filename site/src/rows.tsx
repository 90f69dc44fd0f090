// A table of any number of rows at a fixed height: only those in the window are
// in the document, and the page itself scrolls. One tab stop; arrows move the
// current row, Enter opens it. In print: the first 200 rows and the count.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { number } from './format';
import { go, hrefHere, readSort } from './query';
import { t } from './words';

const PRINTED_ROWS = 200;
const WHOLE = 60; // rows up to which all are in the document
const printing = signal(false);
addEventListener('beforeprint', () => (printing.value = true));
addEventListener('afterprint', () => (printing.value = false));

export interface Column {
  key: string;
  title: string;
  descends?: boolean; // largest first at the first click
  plain?: boolean; // cannot be sorted by
  right?: boolean; // figures, aligned right
}

interface RowsProps {
  kind: string; // names the table in style and, with "sort", in the address
  label: string;
  columns: Column[];
  sort: string; // when the address names none
  count: number;
  cells: (row: number) => ComponentChildren[];
  keyOf: (row: number) => string;
  open?: (row: number) => string; // address
}

export const sortKey = (kind: string) => kind + 'sort';

export function Rows({ kind, label, columns, sort, count, cells, keyOf, open }: RowsProps) {
  const body = useRef<HTMLDivElement>(null);
  const [[first, last], setWindow] = useState<[number, number]>([0, 40]);
  const [height, setHeight] = useState(44);
  const [current, setCurrent] = useState(-1);
  const by = readSort(sortKey(kind), sort);

  useLayoutEffect(() => {
    const measure = () => {
      const el = body.current;
      if (!el) return;
      const h = parseFloat(getComputedStyle(el).getPropertyValue('--row')) || 44;
      const above = -el.getBoundingClientRect().top;
      const from = Math.max(0, Math.floor(above / h) - 12);
      const to = Math.min(count, Math.ceil((above + innerHeight) / h) + 12);
      setHeight(h);
      // Windows move in steps, so that most scroll events change nothing.
      const step = (n: number) => Math.floor(n / 6) * 6;
      setWindow((w) => {
        const next: [number, number] = [step(from), Math.max(step(from), Math.min(count, step(to) + 6))];
        return w[0] === next[0] && w[1] === next[1] ? w : next;
      });
    };
    measure();
    addEventListener('scroll', measure, { passive: true });
    addEventListener('resize', measure);
    const observer = new ResizeObserver(measure); // content above may grow
    observer.observe(document.body);
    return () => {
      removeEventListener('scroll', measure);
      removeEventListener('resize', measure);
      observer.disconnect();
    };
  }, [count, kind]);

  // A short table is whole, so that the browser's own search finds its rows.
  const [from, to] = printing.value
    ? [0, Math.min(count, PRINTED_ROWS)]
    : count <= WHOLE
      ? [0, count]
      : [Math.min(first, count), Math.min(last, count)];
  const shown = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

  const onKeyDown = (e: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: 15,
      PageUp: -15,
      Home: -count,
      End: count,
    };
    const move = moves[e.key];
    if (e.target !== e.currentTarget || e.metaKey || e.ctrlKey || e.altKey) return;
    if (e.key === 'Enter' && current >= 0 && open) go(open(current));
    if (move === undefined) return;
    e.preventDefault();
    const next = Math.max(0, Math.min(count - 1, current + move));
    setCurrent(next);
    const top = body.current!.getBoundingClientRect().top + next * height;
    if (top < 120 || top + height > innerHeight) scrollBy({ top: top - innerHeight / 2 });
  };

  return (
    <div
      class={'table ' + kind}
      role="grid"
      aria-label={label}
      aria-rowcount={count + 1}
      tabIndex={0}
      onKeyDown={onKeyDown}
      aria-activedescendant={current >= from && current < to ? `${kind}-${current}` : undefined}
    >
      <div role="rowgroup" class="head">
        <div role="row" aria-rowindex={1} class="row">
          {columns.map((c) => {
            const sorted = by.column === c.key;
            const descending = sorted ? !by.descending : !!c.descends;
            return (
              <div
                role="columnheader"
                class={`cell ${c.key}${c.right ? ' right' : ''}`}
                aria-sort={sorted ? (by.descending ? 'descending' : 'ascending') : undefined}
              >
                {c.plain ? (
                  c.title
                ) : (
                  <a href={hrefHere({ [sortKey(kind)]: (descending ? '-' : '') + c.key })} title={t('sortBy', c.title)}>
                    {c.title}
                    <span class="arrow" aria-hidden="true">
                      {sorted ? (by.descending ? '▾' : '▴') : ''}
                    </span>
                  </a>
                )}
              </div>
            );
          })}
        </div>
      </div>
      <div
        role="rowgroup"
        class="body"
        ref={body}
        style={{ paddingTop: from * height + 'px', paddingBottom: (count - to) * height + 'px' }}
      >
        {shown.map((i) => (
          <div
            role="row"
            id={`${kind}-${i}`}
            key={keyOf(i)}
            aria-rowindex={i + 2}
            class={i === current ? 'row current' : 'row'}
          >
            {cells(i).map((cell, c) => (
              <div role="gridcell" class={`cell ${columns[c]!.key}${columns[c]!.right ? ' right' : ''}`}>
                {cell}
              </div>
            ))}
          </div>
        ))}
      </div>
      {printing.value && count > PRINTED_ROWS && <p class="note">{t('printed', PRINTED_ROWS, number(count))}</p>}
    </div>
  );
}
