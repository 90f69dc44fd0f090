// The cards: the cluster in eight figures, each with its last 24 hours.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { compact, cores, bytes, gpuHours, number, NONE, percent, type Figure } from './format';
import { latest, statistics } from './lake';
import { Spark } from './marks';
import { href } from './query';
import { ENGINES } from './report';
import { engineName, t } from './words';

interface CardProps {
  title: ComponentChildren;
  value: ComponentChildren;
  note: ComponentChildren;
  to: string;
  values: Figure[];
  format?: (v: Figure) => string;
}

function Card({ title, value, note, to, values, format = (v) => number(v, 1) }: CardProps) {
  return (
    <li class="card">
      <a href={to} data-top>
        <span class="card-title">{title}</span>
        <span class="card-value">{value}</span>
        <span class="card-note">{note}</span>
        <Spark values={values} format={format} />
      </a>
    </li>
  );
}

const sumByHour = (series: Figure[][], hours: number): Figure[] =>
  Array.from({ length: hours }, (_, h) =>
    series.reduce<Figure>((sum, s) => (s[h] == null ? sum : (sum ?? 0) + s[h]!), null),
  );

export function SummaryCards() {
  const data = latest.value;
  useEffect(() => void (data && performance.mark('first-view')), [!data]); // what the budget of the first view counts to
  if (!data) return null;
  const s = data.clusterSummary;
  const stats = statistics.value;
  const hours = stats?.hourStarts.length ?? 0;
  const total = stats?.clusterTotal;
  const podsOf = (type: string) =>
    sumByHour(
      (stats?.models ?? []).filter((m) => m.modelType === type).map((m) => m.series.podsAvg),
      hours,
    );
  const figure = (v: Figure) =>
    v == null ? (
      NONE
    ) : (
      <>
        {number(v, 1)}
        <small> %</small>
      </>
    );
  const gapped = Math.min(
    ...(total?.coverage ?? [])
      .filter((_, i) => stats!.hourStarts[i]!.slice(0, 10) === data.sampledAt.slice(0, 10))
      .map((v) => v ?? 0),
    1,
  );
  const notReady = s.totalNodes - s.readyNodes;
  return (
    <ul class="cards" aria-label={t('summary')}>
      <Card
        title={t('nodes')}
        value={number(s.totalNodes)}
        to={href({ view: 'nodes', nodessort: notReady ? 'status' : null })}
        values={stats?.nodesByHour ?? []}
        note={notReady ? <b class="unwell">▲ {t('notReady', number(notReady))}</b> : t('allReady')}
      />
      <Card
        title={t('pods')}
        value={number(s.totalPods)}
        note={t('running')}
        to={href({ view: 'pods' })}
        values={total?.podsAvg ?? []}
        format={compact}
      />
      {Object.keys(ENGINES).map((engine) => (
        <Card
          key={engine}
          title={t('enginePods', engineName(engine))}
          value={number(s.podsByEngine?.[engine] ?? null)}
          note={percentOf(s.podsByEngine?.[engine] ?? 0, s.totalPods)}
          to={href({ view: 'pods', type: engine })}
          values={podsOf(engine)}
        />
      ))}
      <Card
        title={t('avgCpu')}
        value={figure(s.avgCpuUsage)}
        note={t('ofNodes')}
        to={href({ view: 'nodes', nodessort: '-cpu' })}
        values={total?.cpuUsageMillicoresAvg ?? []}
        format={cores}
      />
      <Card
        title={t('avgMemory')}
        value={figure(s.avgMemoryUsage)}
        note={t('ofNodes')}
        to={href({ view: 'nodes', nodessort: '-memory' })}
        values={total?.memoryUsageBytesAvg ?? []}
        format={bytes}
      />
      <Card
        title={t('avgGpu')}
        value={figure(s.avgGpuUsage)}
        to={href({ view: 'nodes', nodessort: '-gpu' })}
        values={total?.gpuUtilPercentAvg ?? []}
        format={percent}
        note={
          t('ofGpus', number(s.heldGpus), number(s.totalGpus)) +
          (s.pendingGpus ? ' · ' + t('pending', number(s.pendingGpus)) : '')
        }
      />
      <Card
        title={
          <>
            {t('idleToday')}
            {gapped < 0.995 && (
              <>
                {' '}
                <b class="gap">{t('coverage', percent(gapped * 100))}</b>
              </>
            )}
          </>
        }
        value={
          s.gpuHoursIdleHeldToday == null ? (
            NONE
          ) : (
            <>
              {number(s.gpuHoursIdleHeldToday, 1)}
              <small> GPU-h</small>
            </>
          )
        }
        note={t('idleNow', number(s.idleHeldGpus))}
        to={href({ view: 'pods', state: 'idle_held' })}
        values={(total?.gpuHoursIdleHeld ?? []).slice(0, -1)}
        format={gpuHours}
      />
    </ul>
  );
}

const percentOf = (part: number, whole: number) => (whole > 0 ? t('ofPods', percent((100 * part) / whole, 1)) : NONE);
