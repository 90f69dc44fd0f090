// The table of pods: a row number in, cells out.
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { bytes, cores, number, percent, span } from './format';
import { selection } from './filters';
import { latest, now, podHours, podProgress, pods, want } from './lake';
import { modelHref, nodeHref, podHref } from './links';
import { Bar, Empty, Missing, Section, Spark, whenNear } from './marks';
import { href, readSort } from './query';
import type { PodIndex, TextColumn, NumberColumn } from './pod-index';
import { Rows, sortKey, type Column } from './rows';
import { engineName, t, tValue } from './words';

const SORTS: Record<string, TextColumn | NumberColumn> = {
  name: 'pod',
  ns: 'namespace',
  model: 'model',
  phase: 'phase',
  cpu: 'cpuUsagePercent',
  memory: 'memoryUsagePercent',
  gpu: 'gpuUsagePercent',
  queue: 'requestsWaiting',
  age: 'createdAtMillis',
};

/** "91 % of limit 4 cores", in two parts. */
function Share({ index, row, kind }: { index: PodIndex; row: number; kind: 'cpu' | 'memory' }) {
  const value = index.number(kind === 'cpu' ? 'cpuUsagePercent' : 'memoryUsagePercent', row);
  const used = index.number(kind === 'cpu' ? 'cpuUsageMillicores' : 'memoryUsageBytes', row);
  const words = kind === 'cpu' ? cores : bytes;
  if (value === null)
    return used === null ? (
      <Missing />
    ) : (
      <span class="measure">
        <span class="figure">{words(used)}</span>
      </span>
    );
  const basis = index.text(kind === 'cpu' ? 'cpuBasis' : 'memoryBasis', row);
  const whole =
    basis === 'limit'
      ? index.number(kind === 'cpu' ? 'cpuLimitMillicores' : 'memoryLimitBytes', row)
      : basis === 'request'
        ? index.number(kind === 'cpu' ? 'cpuRequestMillicores' : 'memoryRequestBytes', row)
        : null;
  const limits = latest.value?.thresholds;
  return (
    <Bar
      value={value}
      threshold={kind === 'cpu' ? limits?.cpuPercent : limits?.memoryPercent}
      note={
        basis === 'node' || whole === null
          ? t('ofNodeWords', words(used))
          : t('ofBasis', '', t(basis === 'limit' ? 'limit' : 'request'), words(whole)).trim()
      }
    >
      {percent(value)}
    </Bar>
  );
}

function Gpu({ index, row }: { index: PodIndex; row: number }) {
  const devices = index.number('gpuRequest', row) ?? 0;
  if (devices === 0) return <span class="none">{t('none0')}</span>;
  const state = index.text('gpuState', row);
  const value = index.number('gpuUsagePercent', row);
  const note = (
    <>
      {number(devices)} × GPU
      {state && state !== 'active' && (
        <>
          {' '}
          · <b class={'state ' + state}>{state === 'loading' ? t('loadingGpu') : tValue(state)}</b>
        </>
      )}
    </>
  );
  if (value === null)
    return (
      <span class="measure">
        <span class="figure">
          <Missing />
        </span>
        <span class="basis">{note}</span>
      </span>
    );
  return (
    <Bar value={value} threshold={latest.value?.thresholds.gpuPercent} note={note}>
      {percent(value)}
    </Bar>
  );
}

function Phase({ index, row }: { index: PodIndex; row: number }) {
  const phase = index.text('phase', row) ?? '';
  const reason = index.text('reason', row);
  const restarts = index.number('restarts', row) ?? 0;
  const well = phase === 'Succeeded' || (phase === 'Running' && index.ready(row) && !reason);
  const notes = [
    reason ?? (phase === 'Running' && !index.ready(row) ? t('podNotReady') : ''),
    restarts > 0 ? t(restarts === 1 ? 'restarts1' : 'restarts', number(restarts)) : '',
  ];
  return (
    <span class="two">
      <span class={well ? 'phase' : 'phase unwell'}>
        {!well && <span aria-hidden="true">▲ </span>}
        {phase}
      </span>
      <span class="basis">{notes.filter(Boolean).join(' · ')}</span>
    </span>
  );
}

function Queue({ index, row }: { index: PodIndex; row: number }) {
  const running = index.number('requestsRunning', row);
  if (running === null) return index.text('modelType', row) ? <Missing /> : null;
  const kv = index.number('kvCacheUsageRatio', row);
  return (
    <span class="two">
      <span>{t('runWait', number(running), number(index.number('requestsWaiting', row)))}</span>
      <span class="basis">{kv !== null && t('kv', percent(kv * 100))}</span>
    </span>
  );
}

function podCells(index: PodIndex, row: number) {
  const ns = index.text('namespace', row) ?? '';
  const pod = index.text('pod', row) ?? '';
  const type = index.text('modelType', row);
  const model = index.text('model', row);
  const node = index.text('node', row);
  const created = index.number('createdAtMillis', row);
  return [
    <span class="two">
      <a tabIndex={-1} data-top class="strong" href={podHref(ns, pod)} title={pod}>
        {pod}
      </a>
      <span class="basis" title={ns}>
        <a tabIndex={-1} href={href({ view: 'pods', ns })}>
          {ns}
        </a>
        {node && (
          <>
            {' '}
            ·{' '}
            <a tabIndex={-1} href={nodeHref(node)} title={node}>
              {node}
            </a>
          </>
        )}
      </span>
    </span>,
    type ? (
      <span class="two">
        <span class="engine">{engineName(type)}</span>
        {model ? (
          <a tabIndex={-1} class="basis" data-top href={modelHref(ns, type, model)} title={model}>
            {model}
          </a>
        ) : (
          <span class="basis">{t('unnamed')}</span>
        )}
      </span>
    ) : null,
    <Phase index={index} row={row} />,
    <Share index={index} row={row} kind="cpu" />,
    <Share index={index} row={row} kind="memory" />,
    <Gpu index={index} row={row} />,
    <Queue index={index} row={row} />,
    podHours.value.has(ns + '/' + pod) ? <Spark values={podHours.value.get(ns + '/' + pod)!} format={percent} /> : null,
    created === null ? null : <span>{span((now.peek() - created) / 1000)}</span>,
  ];
}

/** All pods that the filters ask for, or the first few of the model servers. */
export function PodTable({
  serving,
  atMost = Infinity,
  title = t(serving ? 'servingPods' : 'allPods'),
}: {
  serving?: boolean;
  atMost?: number;
  title?: string;
}) {
  const index = pods.value;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => whenNear(place.current!, () => want('pods')), []);
  const chosen = selection();
  if (serving && !chosen.type) chosen.type = 'serving';
  const by = readSort(sortKey('pods'), '');
  const rows = useMemo(() => {
    if (!index) return new Uint32Array();
    const column = SORTS[by.column];
    return index.select(column ? index.order(column, by.descending) : index.servingFirst(), chosen);
  }, [index, by.column, by.descending, JSON.stringify(chosen)]);
  if (!index) {
    const { read, of } = podProgress.value;
    return (
      <div ref={place}>
        <Section id="pods" title={title}>
          <Empty>{of > 1 ? t('loadingPods', read, of) : t('loading')}</Empty>
        </Section>
      </div>
    );
  }
  const count = Math.min(rows.length, atMost);
  const columns: Column[] = [
    { key: 'name', title: t('pod') },
    { key: 'model', title: t('model') },
    { key: 'phase', title: t('phase') },
    { key: 'cpu', title: t('cpu'), descends: true },
    { key: 'memory', title: t('memory'), descends: true },
    { key: 'gpu', title: t('gpu'), descends: true },
    { key: 'queue', title: t('queueShort'), descends: true },
    { key: 'day', title: t('gpuDay'), plain: true },
    { key: 'age', title: t('age'), descends: true, right: true },
  ];
  const filtered = chosen.q || chosen.ns.length || chosen.node.length || chosen.model.length || chosen.state.length;
  return (
    <div ref={place}>
      <Section
        id="pods"
        title={title}
        note={t('count', number(rows.length), number(index.count))}
        aside={
          rows.length > count && (
            <a class="more" data-top href={href({ view: 'pods', type: chosen.type }, ['ns', 'q', sortKey('pods')])}>
              {t('allOf', number(rows.length))} →
            </a>
          )
        }
      >
        {count === 0 ? (
          <Empty>{serving && !filtered ? t('noServing') : t('noPods')}</Empty>
        ) : (
          <Rows
            kind="pods"
            label={title}
            columns={columns}
            sort=""
            count={count}
            keyOf={(i) => index.text('namespace', rows[i]!) + '/' + index.text('pod', rows[i]!)}
            cells={(i) => podCells(index, rows[i]!)}
            open={(i) => podHref(index.text('namespace', rows[i]!) ?? '', index.text('pod', rows[i]!) ?? '')}
          />
        )}
      </Section>
    </div>
  );
}
