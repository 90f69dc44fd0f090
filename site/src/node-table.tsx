// The table of nodes: usage of allocatable, with a tick where requests stand.
import { useEffect, useRef } from 'preact/hooks';
import { bytes, cores, number, percent } from './format';
import { passes } from './filters';
import { latest, nodes, want } from './lake';
import { nodeHref } from './links';
import { Bar, Empty, Missing, Section, whenNear } from './marks';
import { all, href, readSort } from './query';
import type { Node } from './report';
import { Rows, sortKey, type Column } from './rows';
import { t } from './words';

const SORTS: Record<string, (n: Node) => string | number | null> = {
  name: (n) => n.name,
  status: (n) => (n.ready ? 1 : 0) + (n.pressure || n.unschedulable ? 0 : 1),
  machine: (n) => n.gpuProduct ?? n.instanceType ?? '',
  cpu: (n) => n.cpuUsagePercent,
  memory: (n) => n.memoryUsagePercent,
  pods: (n) => n.podsRunning,
  held: (n) => n.gpuRequested,
  gpu: (n) => n.gpuUsagePercent,
};

const share = (part: number, whole: number) => (whole > 0 ? (100 * part) / whole : null);

function nodeCells(n: Node) {
  const limits = latest.value?.thresholds;
  const troubles = [n.pressure, n.unschedulable ? t('cordoned') : ''].filter(Boolean).join(', ');
  return [
    <span class="two">
      <a tabIndex={-1} class="strong" data-top href={nodeHref(n.name)} title={n.name}>
        {n.name}
      </a>
      <span class="basis">{[n.zone, n.roles].filter(Boolean).join(' · ')}</span>
    </span>,
    <span class="two">
      <span class={n.ready ? 'phase' : 'phase unwell'}>
        {!n.ready && <span aria-hidden="true">▲ </span>}
        {t(n.ready ? 'Ready' : 'NotReady')}
      </span>
      <span class={troubles ? 'basis unwell' : 'basis'} title={troubles}>
        {troubles || n.kubeletVersion}
      </span>
    </span>,
    <span class="two">
      <span title={n.gpuProduct ?? ''}>{n.gpuProduct ?? ''}</span>
      <span class="basis">{n.instanceType ?? ''}</span>
    </span>,
    <Bar
      value={n.cpuUsagePercent}
      threshold={limits?.cpuPercent}
      mark={share(n.cpuRequestedMillicores, n.cpuAllocatableMillicores)}
      note={t('ofWhole', cores(n.cpuUsageMillicores), cores(n.cpuAllocatableMillicores))}
    >
      {percent(n.cpuUsagePercent)}{' '}
      <small>{t('requested', percent(share(n.cpuRequestedMillicores, n.cpuAllocatableMillicores)))}</small>
    </Bar>,
    <Bar
      value={n.memoryUsagePercent}
      threshold={limits?.memoryPercent}
      mark={share(n.memoryRequestedBytes, n.memoryAllocatableBytes)}
      note={t('ofWhole', bytes(n.memoryUsageBytes), bytes(n.memoryAllocatableBytes))}
    >
      {percent(n.memoryUsagePercent)}{' '}
      <small>{t('requested', percent(share(n.memoryRequestedBytes, n.memoryAllocatableBytes)))}</small>
    </Bar>,
    <span class="two">
      <span>{number(n.podsRunning)}</span>
      <span class="basis">/ {number(n.podsAllocatable)}</span>
    </span>,
    n.gpuAllocatable > 0 ? (
      <Bar value={share(n.gpuRequested, n.gpuAllocatable)}>
        {t('slash', number(n.gpuRequested), number(n.gpuAllocatable))}
      </Bar>
    ) : (
      <span class="none">{t('none0')}</span>
    ),
    n.gpuAllocatable > 0 ? (
      n.gpuUsagePercent === null ? (
        <Missing />
      ) : (
        <Bar value={n.gpuUsagePercent} threshold={limits?.gpuPercent}>
          {percent(n.gpuUsagePercent)}
        </Bar>
      )
    ) : null,
  ];
}

export function NodeTable({ atMost = Infinity }: { atMost?: number }) {
  const data = nodes.value;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => whenNear(place.current!, () => want('nodes')), []);
  if (!data)
    return (
      <div ref={place}>
        <Section id="nodes" title={t('nodes')}>
          <Empty>{t('loading')}</Empty>
        </Section>
      </div>
    );
  const by = readSort(sortKey('nodes'), 'name');
  const value = SORTS[by.column] ?? SORTS.name!;
  const wanted = all('node');
  const rows = data.nodes
    .filter(
      (n) =>
        (!wanted.length || wanted.includes(n.name)) &&
        passes({ text: [n.name, n.gpuProduct, n.instanceType, n.zone, n.pressure].join(' ') }),
    )
    .sort((a, b) => {
      const x = value(a),
        y = value(b);
      if (x === y) return 0;
      if (x === null || y === null) return x === null ? 1 : -1;
      return (x < y ? -1 : 1) * (by.descending ? -1 : 1);
    });
  const count = Math.min(rows.length, atMost);
  const columns: Column[] = [
    { key: 'name', title: t('node') },
    { key: 'status', title: t('status') },
    { key: 'machine', title: t('machine') },
    { key: 'cpu', title: t('cpu'), descends: true },
    { key: 'memory', title: t('memory'), descends: true },
    { key: 'pods', title: t('pods'), descends: true, right: true },
    { key: 'held', title: t('gpu'), descends: true },
    { key: 'gpu', title: t('gpuUtil'), descends: true },
  ];
  return (
    <div ref={place}>
      <Section
        id="nodes"
        title={t('nodes')}
        note={
          <>
            {t('count', number(rows.length), number(data.nodes.length))} · {t('nodesNote')}
          </>
        }
        aside={
          rows.length > count && (
            <a class="more" data-top href={href({ view: 'nodes' }, ['q', sortKey('nodes')])}>
              {t('allOf', number(rows.length))} →
            </a>
          )
        }
      >
        {count === 0 ? (
          <Empty>{t('noNodes')}</Empty>
        ) : (
          <Rows
            kind="nodes"
            label={t('nodes')}
            columns={columns}
            sort="name"
            count={count}
            keyOf={(i) => rows[i]!.name}
            cells={(i) => nodeCells(rows[i]!)}
            open={(i) => nodeHref(rows[i]!.name)}
          />
        )}
      </Section>
    </div>
  );
}
