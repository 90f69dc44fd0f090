// The hourly statistics: of the cluster, and one chart a model.
import { bytes, compact, cores, energy, gpuHours, money, number, percent, seconds, watts, type Figure } from './format';
import { Chart, topOf, type Line } from './chart';
import { passes } from './filters';
import { latest, statistics } from './lake';
import { modelHref } from './links';
import { Empty, GPU_STATES, Section, stateWord, type GpuState } from './marks';
import { hrefHere, one } from './query';
import type { ModelStatistics, Series } from './report';
import { engineName, t } from './words';

interface Measure {
  title: string;
  lines: Line[];
  format: (v: Figure) => string;
  axis?: (v: number) => string;
  stacked?: boolean;
}

const GPU_SERIES: Record<GpuState, keyof Series> = {
  active: 'gpuHoursActive',
  idle_held: 'gpuHoursIdleHeld',
  loading: 'gpuHoursLoading',
  unknown: 'gpuHoursUnknown',
  unallocated: 'gpuHoursUnallocated',
};

const wholePercent = (v: number) => percent(v, v % 1 ? 1 : 0);

/** What can be drawn of a series. Lines that hold nothing are left out. */
export function measures(s: Series): Record<string, Measure> {
  const currency = latest.value?.currency ?? '';
  const all: Record<string, Measure> = {
    hours: {
      title: t('gpuHours'),
      stacked: true,
      format: gpuHours,
      axis: (v) => number(v, v % 1 ? 1 : 0),
      lines: GPU_STATES.map((state) => ({
        label: stateWord(state),
        values: s[GPU_SERIES[state]],
        paint: state === 'idle_held' ? 'idle' : 'gpu-' + state,
        hatched: state === 'idle_held',
      })),
    },
    tokens: {
      title: t('tokens'),
      stacked: true,
      format: compact,
      lines: [
        { label: t('generation'), values: s.generationTokens, paint: 'accent' },
        { label: t('prompt'), values: s.promptTokens, paint: 'accent-soft' },
      ],
    },
    efficiency: {
      title: t('tokensPerGpuHour'),
      format: compact,
      lines: [{ label: t('tokensPerGpuHour'), values: s.tokensPerGpuHour, paint: 'accent' }],
    },
    perKwh: {
      title: t('tokensPerKwh'),
      format: compact,
      lines: [{ label: t('tokensPerKwh'), values: s.tokensPerKilowattHour, paint: 'accent' }],
    },
    cpu: {
      title: t('cpu'),
      format: cores,
      axis: (v) => number(v / 1000, v % 1000 ? 1 : 0),
      lines: [
        { label: t('average'), values: s.cpuUsageMillicoresAvg, paint: 'accent' },
        { label: t('p95'), values: s.cpuUsageMillicoresP95, paint: 'muted', dashed: true },
      ],
    },
    memory: {
      title: t('memory'),
      format: bytes,
      lines: [
        { label: t('average'), values: s.memoryUsageBytesAvg, paint: 'accent' },
        { label: t('maximum'), values: s.memoryUsageBytesMax, paint: 'muted', dashed: true },
      ],
    },
    gpu: {
      title: t('gpuUtil'),
      format: percent,
      axis: wholePercent,
      lines: [
        { label: t('average'), values: s.gpuUtilPercentAvg, paint: 'accent' },
        { label: t('p95'), values: s.gpuUtilPercentP95, paint: 'muted', dashed: true },
      ],
    },
    queue: {
      title: t('queue'),
      format: (v) => number(v, 1),
      axis: (v) => number(v, v % 1 ? 1 : 0),
      lines: [
        { label: t('runningRequests'), values: s.requestsRunningAvg, paint: 'accent' },
        { label: t('waitingRequests'), values: s.requestsWaitingMax, paint: 'warn', dashed: true },
      ],
    },
    kv: {
      title: t('kvCache'),
      format: percent,
      axis: wholePercent,
      lines: [
        {
          label: t('kvCache'),
          values: (s.kvCacheUsageRatioP95 ?? []).map((v) => (v === null ? null : v * 100)),
          paint: 'accent',
        },
      ],
    },
    ttft: {
      title: t('ttft'),
      format: seconds,
      lines: [{ label: t('ttft'), values: s.ttftSecondsAvg, paint: 'accent' }],
    },
    itl: {
      title: t('interToken'),
      format: seconds,
      lines: [{ label: t('interToken'), values: s.interTokenSecondsAvg, paint: 'accent' }],
    },
    energy: {
      title: t('energy'),
      stacked: true,
      format: energy,
      lines: [{ label: t('energy'), values: s.energyKilowattHours, paint: 'accent' }],
    },
    power: {
      title: t('power'),
      format: watts,
      axis: (v) => watts(v),
      lines: [{ label: t('average'), values: s.gpuPowerWattsAvg, paint: 'accent' }],
    },
    cost: {
      title: t('cost'),
      stacked: true,
      format: (v) => money(v, currency),
      lines: [{ label: t('cost'), values: s.cost, paint: 'accent' }],
    },
  };
  for (const [key, m] of Object.entries(all)) {
    m.lines = m.lines.filter((l) => l.values?.some((v) => v !== null && (v !== 0 || l.paint === 'accent')));
    if (!m.lines.length) delete all[key];
  }
  return all;
}

/** The named measures of one series, side by side. */
export function SeriesCharts({ series, hours, only }: { series: Series; hours: string[]; only?: string[] }) {
  const found = measures(series);
  return (
    <div class="charts">
      {(only ?? Object.keys(found)).map(
        (key) => found[key] && <Chart key={key} {...found[key]!} hours={hours} coverage={series.coverage ?? []} />,
      )}
    </div>
  );
}

export function ClusterCharts() {
  const data = statistics.value;
  return (
    <Section id="hourly" title={t('hourly')} note={t('hourlyNote')}>
      {!data ? (
        <Empty room>{t('loading')}</Empty>
      ) : data.hourStarts.length === 0 ? (
        <Empty>{t('noStatistics')}</Empty>
      ) : (
        <SeriesCharts
          series={data.clusterTotal}
          hours={data.hourStarts}
          only={['hours', 'tokens', 'gpu', 'cpu', 'memory', 'queue']}
        />
      )}
    </Section>
  );
}

export const modelPasses = (m: ModelStatistics) =>
  passes({ ns: m.namespace, type: m.modelType, model: m.model, text: m.model + ' ' + m.namespace });

const PER_MODEL = ['hours', 'tokens', 'efficiency', 'perKwh', 'gpu', 'queue', 'kv', 'ttft', 'cost'];

/** One measure of every model that the filters leave; of a single one, all measures. */
export function ModelCharts({ atMost }: { atMost: number }) {
  const data = statistics.value;
  if (!data || data.models.length === 0) return null;
  const models = data.models.filter(modelPasses);
  const found = models.slice(0, atMost).map((m) => ({ model: m, measures: measures(m.series) }));
  const offered = PER_MODEL.filter((key) => found.some((f) => f.measures[key]));
  const key = offered.includes(one('measure')) ? one('measure') : (offered[0] ?? '');
  const top = Math.max(
    0,
    ...found.map((f) => (f.measures[key] ? topOf(f.measures[key]!.lines, f.measures[key]!.stacked) : 0)),
  );
  const titles = measures(fullSeries(found.map((f) => f.model.series)));
  return (
    <Section
      id="per-model"
      title={t('perModel')}
      note={t('perModelNote')}
      aside={
        <div class="choice" role="group" aria-label={t('measure')}>
          {offered.map((k) => (
            <a href={hrefHere({ measure: k === offered[0] ? null : k })} aria-current={k === key ? 'true' : undefined}>
              {titles[k]?.title ?? k}
            </a>
          ))}
        </div>
      }
    >
      {found.length === 0 ? (
        <Empty>{t('noModelsHere')}</Empty>
      ) : (
        <div class="charts">
          {found.map(
            ({ model, measures }) =>
              measures[key] && (
                <Chart
                  key={model.namespace + model.modelType + model.model}
                  {...measures[key]!}
                  top={top}
                  title={model.model || t('unnamed')}
                  to={modelHref(model.namespace, model.modelType, model.model)}
                  note={`${engineName(model.modelType)} · ${model.namespace}`}
                  hours={data.hourStarts}
                  coverage={model.series.coverage ?? []}
                />
              ),
          )}
        </div>
      )}
      {models.length > atMost && <p class="note">{t('more', number(models.length - atMost))}</p>}
    </Section>
  );
}

/** A series that holds whatever any of the series holds, for the titles alone. */
function fullSeries(all: Series[]): Series {
  const full = { ...all[0]! };
  for (const s of all)
    for (const key of Object.keys(s) as (keyof Series)[]) if (!full[key]?.some((v) => v !== null)) full[key] = s[key];
  return full;
}
