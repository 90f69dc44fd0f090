// The map: a cell a GPU (or MIG instance), grouped by node. One path a colour
// class, so that 40,000 cells are still a few elements.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { bytes, number, percent, watts } from './format';
import { gpuMap, gpus, want } from './lake';
import { Empty, Section } from './marks';
import { podHref } from './links';
import { go, href } from './query';
import type { GPUMap, Strings } from './report';
import { t } from './words';

const CELL = 13;
const GAP = 3;
const ACROSS = 8; // cells in a row of a node
const STEP = CELL + GAP;

export const text = (column: Strings, row: number): string | null => column.dictionary[column.indexes[row]!] ?? null;

export const gpuStateWord = (state: string | null) =>
  state === null
    ? t('free')
    : state === 'loading'
      ? t('loadingGpu')
      : state === 'idle_held'
        ? t('idle_held')
        : state === 'active'
          ? t('active')
          : t('unknown');

/** The colour class of a GPU: its state, and while it works its use in fifths. */
export function cellClass(state: string | null, utilPercent: number | null): string {
  if (state === null) return 'free';
  if (state !== 'active') return state;
  return utilPercent === null ? 'unknown' : 'use' + Math.max(0, Math.min(4, Math.floor(utilPercent / 20)));
}

interface Place {
  x: number;
  y: number;
  row: number;
}

/** Where each GPU stands, and where each node's name. */
export function placeCells(data: GPUMap, width: number) {
  const groups = new Map<number, number[]>();
  for (let row = 0; row < data.count; row++) {
    const node = data.node.indexes[row]!;
    if (!groups.has(node)) groups.set(node, []);
    groups.get(node)!.push(row);
  }
  const named = groups.size <= 400;
  const block = ACROSS * STEP + 12;
  const perLine = Math.max(1, Math.floor((width + 12) / block));
  const cells: Place[] = [];
  const names: { x: number; y: number; name: string }[] = [];
  let top = 0;
  let tallest = 0;
  [...groups].forEach(([node, rows], i) => {
    if (i % perLine === 0) {
      top += tallest;
      tallest = 0;
    }
    const left = (i % perLine) * block;
    const head = named ? 16 : 0;
    if (named) names.push({ x: left, y: top + 11, name: data.node.dictionary[node]! });
    rows.forEach((row, k) =>
      cells.push({ row, x: left + (k % ACROSS) * STEP, y: top + head + Math.floor(k / ACROSS) * STEP }),
    );
    tallest = Math.max(tallest, head + Math.ceil(rows.length / ACROSS) * STEP + 8);
  });
  return { cells, names, height: top + tallest };
}

export function GpuMap() {
  const data = gpuMap.value;
  const host = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(
    Math.round(innerWidth > 1000 ? Math.min(innerWidth, 1760) * 0.55 : innerWidth - 50),
  ); // about, until it is measured
  const [pointed, setPointed] = useState(-1);
  useLayoutEffect(() => {
    if (!host.current) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(host.current);
    return () => observer.disconnect();
  }, [!data || data.count === 0]);
  if (!data)
    return (
      <Section id="gpus" title={t('gpuMap')}>
        <Empty>{t('loading')}</Empty>
      </Section>
    );
  if (data.count === 0)
    return (
      <Section id="gpus" title={t('gpuMap')}>
        <Empty>{t('noGpus')}</Empty>
      </Section>
    );

  const { cells, names, height } = placeCells(data, width);
  const counts: Record<string, number> = {};
  const paths = new Map<string, string>();
  for (const { x, y, row } of cells) {
    const state = text(data.state, row);
    const key = cellClass(state, data.utilPercent[row]!);
    counts[state ?? 'free'] = (counts[state ?? 'free'] ?? 0) + 1;
    paths.set(key, (paths.get(key) ?? '') + `M${x + 0.5} ${y + 0.5}h${CELL - 1}v${CELL - 1}h-${CELL - 1}z`);
  }
  const n = (state: string) => number(counts[state] ?? 0);
  const at = (e: MouseEvent) => {
    const box = (e.currentTarget as Element).getBoundingClientRect();
    const x = e.clientX - box.left;
    const y = e.clientY - box.top;
    return cells.find((c) => x >= c.x && x < c.x + STEP && y >= c.y && y < c.y + STEP)?.row ?? -1;
  };
  const open = async (e: MouseEvent) => {
    const row = at(e);
    if (row < 0 || data.state.indexes[row]! < 0) return;
    const here = location.href;
    if (!gpus.peek()) await want('gpus');
    const same = rowOf(data, row);
    const all = gpus.peek();
    const pod = all && same >= 0 && text(all.pod, same);
    if (pod && location.href === here) go(podHref(text(all.namespace, same)!, pod));
  };
  const label = t(
    'gpuMapLabel',
    number(data.count),
    number(data.node.dictionary.length),
    n('active'),
    n('idle_held'),
    n('loading'),
    n('free'),
    n('unknown'),
  );
  return (
    <Section id="gpus" title={t('gpuMap')} note={t('count', n('active') + ' ' + t('active'), number(data.count))}>
      <div ref={host} class="gpu-map">
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={label}
          onMouseEnter={() => void want('gpus')}
          onMouseMove={(e) => setPointed(at(e))}
          onMouseLeave={() => setPointed(-1)}
          onClick={open}
        >
          <defs>
            <pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect class="hatch-ground" width="4" height="4" />
              <rect class="hatch-line" width="1.6" height="4" />
            </pattern>
          </defs>
          {[...paths].map(([key, d]) => (
            <path class={'cell-' + key} d={d} fill={key === 'idle_held' ? 'url(#hatch)' : undefined} />
          ))}
          {names.map((v) => (
            <text x={v.x} y={v.y}>
              {v.name.length > 20 ? v.name.slice(0, 8) + '…' + v.name.slice(-11) : v.name}
            </text>
          ))}
        </svg>
      </div>
      <p class="pointed">{pointed < 0 ? t('gpuMapHint') : describe(data, pointed)}</p>
      <ul class="legend">
        <li>
          <span class="scale" aria-hidden="true">
            <i class="cell-use0" />
            <i class="cell-use1" />
            <i class="cell-use2" />
            <i class="cell-use3" />
            <i class="cell-use4" />
          </span>{' '}
          {t('active')} {n('active')}, {t('use')} 0–100 %
        </li>
        <li>
          <i class="fill-idle_held" aria-hidden="true" />{' '}
          <a data-top href={href({ view: 'pods', state: 'idle_held' })}>
            {t('idle_held')} {n('idle_held')}
          </a>
        </li>
        {counts.loading ? (
          <li>
            <i class="fill-loading" aria-hidden="true" />{' '}
            <a data-top href={href({ view: 'pods', state: 'loading' })}>
              {t('loadingGpu')} {n('loading')}
            </a>
          </li>
        ) : null}
        {counts.unknown ? (
          <li>
            <i class="fill-unknown" aria-hidden="true" /> {t('unknown')} {n('unknown')}
          </li>
        ) : null}
        <li>
          <i class="fill-unallocated" aria-hidden="true" /> {t('free')} {n('free')}
        </li>
      </ul>
    </Section>
  );
}

/** The row of a cell's GPU among all that is known of the GPUs, which may be of another sample; -1: none. */
function rowOf(map: GPUMap, cell: number): number {
  const all = gpus.value;
  if (!all) return -1;
  const node = all.node.dictionary.indexOf(text(map.node, cell)!);
  const row = all.node.indexes.indexOf(node) + cell - map.node.indexes.indexOf(map.node.indexes[cell]!); // rows of a node stand together
  return node >= 0 && all.node.indexes[row] === node ? row : -1;
}

function describe(map: GPUMap, cell: number): string {
  const all = gpus.value;
  const row = rowOf(map, cell);
  const state = gpuStateWord(text(map.state, cell));
  if (!all || row < 0) return [text(map.node, cell), percent(map.utilPercent[cell]), state].join(' · ');
  const mig = text(all.migProfile, row);
  const pod = text(all.pod, row);
  return [
    `${text(all.node, row)} GPU ${number(all.gpuIndex[row])}${mig ? ' ' + mig : ''}`,
    percent(map.utilPercent[cell]),
    `${bytes(all.memoryUsedBytes[row])} / ${bytes(all.memoryTotalBytes[row])}`,
    watts(all.powerWatts[row]),
    pod ? `${text(all.namespace, row)}/${pod}` : '',
    state,
  ]
    .filter(Boolean)
    .join(' · ');
}
