// A row a model: who held the GPUs, how much of that was work, what came of it.
import { compact, gpuHours, money, number, percent, seconds, type Figure } from './format';
import { modelPasses } from './hourly-charts';
import { latest, statistics } from './lake';
import { modelHref } from './links';
import {
  Covered,
  Gaps,
  Empty,
  GPU_STATES,
  Missing,
  Section,
  Spark,
  StackedBar,
  stateWord,
  type GpuState,
} from './marks';
import { href, hrefHere, readSort } from './query';
import type { ModelStatistics, StatisticsData } from './report';
import { engineName, t } from './words';

export const last = (values: Figure[] | undefined) => values?.findLast((v) => v != null) ?? null;
const max = (values: Figure[] | undefined): Figure =>
  (values ?? []).reduce<Figure>((m, v) => (v != null && (m == null || v > m) ? v : m), null);
const sum = (values: Figure[] | undefined): Figure =>
  (values ?? []).reduce<Figure>((s, v) => (v == null ? s : (s ?? 0) + v), null);

export const tokensOf = (m: ModelStatistics): Figure =>
  m.total.promptTokens == null && m.total.generationTokens == null
    ? null
    : (m.total.promptTokens ?? 0) + (m.total.generationTokens ?? 0);

export const partsOf = (m: ModelStatistics): Partial<Record<GpuState, Figure>> => ({
  active: m.total.gpuHoursActive,
  idle_held: m.total.gpuHoursIdleHeld,
  loading: m.total.gpuHoursLoading,
  unknown: m.total.gpuHoursUnknown,
});

const SORTS: Record<string, (m: ModelStatistics) => string | Figure> = {
  name: (m) => m.model,
  hours: (m) => m.total.gpuHoursAllocated,
  idle: (m) => m.total.gpuHoursIdleHeld,
  tokens: tokensOf,
  efficiency: (m) => m.total.tokensPerGpuHour,
  gpu: (m) => max(m.series.gpuUtilPercentP95),
  kv: (m) => max(m.series.kvCacheUsageRatioP95),
  ttft: (m) => last(m.series.ttftSecondsAvg),
  cost: (m) => m.total.cost,
};

/** Where all GPU-hours of the cluster went: the models', others', and free. */
function ClusterHours({ data }: { data: StatisticsData }) {
  const c = data.clusterTotal;
  const split: Record<GpuState, Figure> = {
    active: sum(c.gpuHoursActive),
    idle_held: sum(c.gpuHoursIdleHeld),
    loading: sum(c.gpuHoursLoading),
    unknown: sum(c.gpuHoursUnknown),
    unallocated: sum(c.gpuHoursUnallocated),
  };
  const whole = Object.values(split).reduce<number>((s, v) => s + (v ?? 0), 0);
  if (whole === 0) return null;
  const ofModels = data.models.reduce((s, m) => s + (m.total.gpuHoursAllocated ?? 0), 0);
  const others = whole - (split.unallocated ?? 0) - ofModels;
  return (
    <div class="hours">
      <StackedBar parts={split} whole={whole} />
      <ul class="legend">
        {GPU_STATES.map((s) =>
          split[s] ? (
            <li>
              <i class={'fill-' + s} aria-hidden="true" /> {stateWord(s)} <b>{gpuHours(split[s])}</b>{' '}
              {percent((100 * split[s]!) / whole)}
            </li>
          ) : null,
        )}
        {others > whole / 1000 && (
          <li>
            {t('otherPods')} <b>{gpuHours(others)}</b>
          </li>
        )}
        <li class="whole">
          = {gpuHours(whole)}
          <Gaps coverage={c.coverage} />
        </li>
      </ul>
    </div>
  );
}

export function ModelTable({ atMost = Infinity }: { atMost?: number }) {
  const data = statistics.value;
  if (!data)
    return (
      <Section id="models" title={t('models')}>
        <Empty room>{t('loading')}</Empty>
      </Section>
    );
  const by = readSort('modelssort', '-hours');
  const value = SORTS[by.column] ?? SORTS.hours!;
  const rows = data.models.filter(modelPasses).sort((a, b) => {
    const x = value(a) ?? null,
      y = value(b) ?? null;
    if (x === y) return 0;
    if (x === null || y === null) return x === null ? 1 : -1;
    return (x < y ? -1 : 1) * (by.descending ? -1 : 1);
  });
  const largest = Math.max(0, ...rows.map((m) => m.total.gpuHoursAllocated ?? 0));
  const currency = data.models.some((m) => m.total.cost != null) ? (latest.value?.currency ?? '') : ''; // no prices, no column
  const heads: [key: string, title: string, sortable: boolean][] = [
    ['name', t('model'), true],
    ['replicas', t('replicas'), false],
    ['hours', t('gpuHours'), true],
    ['idle', t('idle_held'), true],
    ['tokens', t('tokens'), true],
    ['efficiency', t('tokensPerGpuHour'), true],
    ['gpu', t('gpuP95'), true],
    ['kv', t('kvP95'), true],
    ['ttft', t('ttft'), true],
  ];
  if (currency) heads.push(['cost', t('cost'), true]);
  return (
    <Section
      id="models"
      title={t('models')}
      note={t('modelsNote')}
      aside={
        rows.length > atMost && (
          <a class="more" data-top href={href({ view: 'models' }, ['ns', 'type', 'q', 'modelssort'])}>
            {t('allOf', number(rows.length))} →
          </a>
        )
      }
    >
      <ClusterHours data={data} />
      {rows.length === 0 ? (
        <Empty>{data.models.length ? t('noModelsHere') : t('noModels')}</Empty>
      ) : (
        <table class={currency ? 'models-table priced' : 'models-table'} aria-label={t('models')}>
          <thead>
            <tr>
              {heads.map(([key, title, sortable]) => {
                const sorted = by.column === key;
                const descending = sorted ? !by.descending : key !== 'name';
                return (
                  <th
                    scope="col"
                    class={key}
                    aria-sort={sorted ? (by.descending ? 'descending' : 'ascending') : undefined}
                  >
                    {sortable ? (
                      <a href={hrefHere({ modelssort: (descending ? '-' : '') + key })} title={t('sortBy', title)}>
                        {title}
                        <span class="arrow" aria-hidden="true">
                          {sorted ? (by.descending ? '▾' : '▴') : ''}
                        </span>
                      </a>
                    ) : (
                      title
                    )}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, atMost).map((m) => (
              <ModelRow
                key={m.namespace + m.modelType + m.model}
                m={m}
                largest={largest}
                heads={heads}
                currency={currency}
              />
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function ModelRow({
  m,
  largest,
  heads,
  currency,
}: {
  m: ModelStatistics;
  largest: number;
  heads: [string, string, boolean][];
  currency: string;
}) {
  const allocated = m.total.gpuHoursAllocated;
  const idle = m.total.gpuHoursIdleHeld;
  const kv = max(m.series.kvCacheUsageRatioP95);
  const title = (key: string) => heads.find(([k]) => k === key)?.[1];
  return (
    <tr>
      <th scope="row" class="name">
        <a class="strong" data-top href={modelHref(m.namespace, m.modelType, m.model)} title={m.model}>
          {m.model || t('unnamed')}
        </a>
        <span class="basis">
          {engineName(m.modelType)} ·{' '}
          <a data-top href={href({ view: 'pods', ns: m.namespace, model: m.model })}>
            {m.namespace}
          </a>
        </span>
      </th>
      <td class="replicas" data-title={title('replicas')}>
        {number(last(m.series.replicasAvg), 1)}
      </td>
      <td class="hours" data-title={title('hours')}>
        <span class="figure">
          {gpuHours(allocated)}
          <Covered total={m.total} />
        </span>
        <StackedBar parts={partsOf(m)} whole={largest} />
      </td>
      <td class="idle" data-title={title('idle')}>
        {idle == null ? (
          <Missing />
        ) : (
          <>
            {gpuHours(idle)} <span class="basis">{allocated ? percent((100 * idle) / allocated) : ''}</span>
          </>
        )}
      </td>
      <td class="tokens" data-title={title('tokens')}>
        <span>{compact(tokensOf(m))}</span>
        <Spark values={m.series.generationTokens ?? []} format={compact} />
      </td>
      <td class="efficiency" data-title={title('efficiency')}>
        {compact(m.total.tokensPerGpuHour)}
      </td>
      <td class="gpu" data-title={title('gpu')}>
        {percent(max(m.series.gpuUtilPercentP95))}
      </td>
      <td class="kv" data-title={title('kv')}>
        {kv == null ? <Missing /> : percent(kv * 100)}
      </td>
      <td class="ttft" data-title={title('ttft')}>
        {seconds(last(m.series.ttftSecondsAvg))}
      </td>
      {currency && (
        <td class="cost" data-title={title('cost')}>
          {money(m.total.cost, currency)}
        </td>
      )}
    </tr>
  );
}
