// One model: what it held and what came of that, hour by hour and by the hours
// of the week, and the pods that serve it.
import { compact, energy, gpuHours, money, number, NONE, percent, type Figure } from './format';
import { ActiveAlerts } from './alert-list';
import { HeatMap } from './heat-map';
import { SeriesCharts } from './hourly-charts';
import { failedWeek, latest, reason, statistics, useWeek } from './lake';
import { Covered, Empty, Figures, GPU_STATES, Section, StackedBar, stateWord } from './marks';
import { last, partsOf, tokensOf } from './model-table';
import { PodTable } from './pod-table';
import { hrefHere, one } from './query';
import type { ModelStatistics } from './report';
import { engineName, t } from './words';

const find = (models: ModelStatistics[] | undefined) =>
  models?.find(
    (m) => m.namespace === one('ns') && m.model === one('model') && (!one('type') || m.modelType === one('type')),
  );

/** 24 hours or 168, as the address says. */
function RangeChoice() {
  const wide = one('range') === '168';
  return (
    <div class="choice" role="group" aria-label={t('range')}>
      <a href={hrefHere({ range: null })} aria-current={wide ? undefined : 'true'}>
        {t('hours24')}
      </a>
      <a href={hrefHere({ range: '168' })} aria-current={wide ? 'true' : undefined}>
        {t('days7')}
      </a>
    </div>
  );
}

export function ModelPage() {
  const week = useWeek();
  const day = statistics.value;
  const wide = one('range') === '168';
  const data = wide ? week : day;
  const title = one('model') || t('unnamed');
  const ofWeek = find(week?.models);
  const model = find(data?.models);
  if (!data) {
    const failed = wide && failedWeek.value;
    return (
      <Section id="model" title={title} aside={<RangeChoice />}>
        <Empty>{failed ? reason(failed) : t('loading')}</Empty>
      </Section>
    );
  }
  if (!model) {
    return (
      <>
        <Section id="model" title={title} aside={<RangeChoice />}>
          <Empty>{t('noSuchModel', `${one('ns')} / ${title}`)}</Empty>
        </Section>
        <PodTable title={t('replicasNow')} />
      </>
    );
  }
  return (
    <>
      <Section
        id="model"
        title={title}
        note={`${engineName(model.modelType)} · ${model.namespace}`}
        aside={<RangeChoice />}
      >
        <Split model={model} />
        <ModelFigures model={model} hours={data.hours} />
      </Section>
      <ActiveAlerts of={model.model} />
      <Section id="hourly" title={t('hourly')} note={t(wide ? 'hourlyNote168' : 'hourlyNote24')}>
        <SeriesCharts series={model.series} hours={data.hourStarts} />
      </Section>
      {ofWeek ? (
        <HeatMap series={ofWeek.series} hours={week!.hourStarts} />
      ) : (
        <Section id="heat" title={t('heat')}>
          <Empty>{week ? t('noStatistics') : failedWeek.value ? reason(failedWeek.value) : t('loading')}</Empty>
        </Section>
      )}
      <PodTable title={t('replicasNow')} />
    </>
  );
}

/** Where its GPU-hours went. */
function Split({ model }: { model: ModelStatistics }) {
  const whole = model.total.gpuHoursAllocated;
  const parts = partsOf(model);
  if (!whole) return null;
  return (
    <div class="hours">
      <StackedBar parts={parts} whole={whole} />
      <ul class="legend">
        {GPU_STATES.map((s) =>
          parts[s] ? (
            <li>
              <i class={'fill-' + s} aria-hidden="true" /> {stateWord(s)} <b>{gpuHours(parts[s])}</b>{' '}
              {percent((100 * parts[s]!) / whole)}
            </li>
          ) : null,
        )}
        <li class="whole">
          = {gpuHours(whole)}
          <Covered total={model.total} />
        </li>
      </ul>
    </div>
  );
}

const ratio = (part: Figure, whole: Figure): Figure => (part == null || !whole ? null : part / whole);

function ModelFigures({ model, hours }: { model: ModelStatistics; hours: number }) {
  const { total, series } = model;
  const currency = latest.value?.currency ?? '';
  const tokens = tokensOf(model);
  const seen = series.coverage.filter((v) => v !== null).length;
  const idle = ratio(total.gpuHoursIdleHeld, total.gpuHoursAllocated);
  return (
    <Figures
      rows={[
        [t('replicas'), number(last(series.replicasAvg), 1), t('ofNewestHour')],
        [t('gpuHours'), gpuHours(total.gpuHoursAllocated), idle === null ? '' : t('idleShare', percent(idle! * 100))],
        [
          t('tokens'),
          compact(tokens),
          tokens === null
            ? t('notMeasured')
            : t('promptGeneration', compact(total.promptTokens), compact(total.generationTokens)),
        ],
        [
          t('requests'),
          compact(total.requests),
          total.requests ? t('tokensEach', compact(ratio(tokens, total.requests))) : '',
        ],
        [t('tokensPerGpuHour'), compact(total.tokensPerGpuHour), ''],
        [
          t('tokensPerKwh'),
          compact(total.tokensPerKilowattHour),
          total.energyKilowattHours == null ? t('noEnergy') : energy(total.energyKilowattHours),
        ],
        [
          t('cost'),
          total.cost == null ? NONE : money(total.cost, currency),
          total.cost == null
            ? t('noPrice')
            : tokens
              ? t('perMillion', money((1e6 * total.cost) / tokens, currency))
              : '',
        ],
        [t('restartsWord'), number(total.restarts), ''],
        [
          t('coverageWord'),
          percent(ratio(total.samples, total.expectedSamples)! * 100, 1),
          t('seenHours', number(seen), number(hours)),
        ],
      ]}
    />
  );
}
