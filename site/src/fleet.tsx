// All clusters of the bucket, a row each, from each one's own latest.json.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { number, percent, span, utcTime, type Figure } from './format';
import { clusters, freshnessOf, now, ReadError, readCluster, reason, REFRESH_SECONDS, type ClusterState } from './lake';
import { Bar, Empty, Missing, Section } from './marks';
import { href } from './query';
import { ENGINES } from './report';
import { t } from './words';

const states = signal(new Map<string, ClusterState | ReadError>());

function useFleet() {
  const names = clusters.value?.map((c) => c.name) ?? [];
  const due = Math.floor(now.value / (REFRESH_SECONDS * 1000));
  useEffect(() => {
    for (const name of names)
      readCluster(name).then(
        (s) => (states.value = new Map(states.value).set(name, s)),
        (e: ReadError) =>
          (states.value.get(name) instanceof Object && !(states.value.get(name) instanceof ReadError)) ||
          (states.value = new Map(states.value).set(name, e)),
      );
  }, [names.join(), due]);
  return names;
}

const sum = (all: ClusterState[], of: (s: ClusterState) => Figure) => all.reduce((n, s) => n + (of(s) ?? 0), 0);

export function Fleet() {
  const names = useFleet();
  const read = names.map((n) => states.value.get(n)).filter((s): s is ClusterState => !!s && !(s instanceof ReadError));
  const s = (of: (c: ClusterState['latest']['clusterSummary']) => Figure) =>
    number(sum(read, (r) => of(r.latest.clusterSummary)));
  return (
    <Section
      id="fleet"
      title={t('fleet')}
      note={t(
        'fleetNote',
        number(names.length),
        s((c) => c.totalNodes),
        s((c) => c.totalGpus),
        s((c) => c.idleHeldGpus),
      )}
    >
      {names.length === 0 ? (
        <Empty>{t('loading')}</Empty>
      ) : (
        <table class="plain fleet" aria-label={t('fleet')}>
          <thead>
            <tr>
              <th scope="col">{t('cluster')}</th>
              <th scope="col">{t('fresh')}</th>
              <th scope="col" class="right">
                {t('nodes')}
              </th>
              <th scope="col" class="right">
                {t('pods')}
              </th>
              {Object.values(ENGINES).map((label) => (
                <th key={label} scope="col" class="right">
                  {label}
                </th>
              ))}
              <th scope="col">{t('cpu')}</th>
              <th scope="col">{t('memory')}</th>
              <th scope="col">{t('gpuUtil')}</th>
              <th scope="col">{t('gpus')}</th>
              <th scope="col" class="right">
                {t('idleHeldNow')}
              </th>
              <th scope="col">{t('alerts')}</th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <ClusterRow key={name} name={name} state={states.value.get(name)} />
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function ClusterRow({ name, state }: { name: string; state?: ClusterState | ReadError }) {
  const head = (
    <th scope="row">
      <a class="strong" data-top href={href({ cluster: name, view: null })}>
        {name}
      </a>
    </th>
  );
  if (!state || state instanceof ReadError)
    return (
      <tr>
        {head}
        <td colSpan={11} class="wide">
          {state ? <span class="unwell">▲ {reason(state)}</span> : t('loading')}
        </td>
      </tr>
    );
  const { latest, firing } = state;
  const s = latest.clusterSummary;
  const age = (now.value - Date.parse(latest.sampledAt)) / 1000;
  const fresh = freshnessOf(age, latest.intervalSeconds);
  const at = (view: string) => href({ cluster: name, view });
  const share = (v: Figure, threshold: number) =>
    v == null ? (
      <Missing />
    ) : (
      <Bar value={v} threshold={threshold}>
        {percent(v)}
      </Bar>
    );
  const critical = firing?.filter((a) => a.severity === 'CRITICAL').length ?? 0;
  return (
    <tr>
      {head}
      <td data-title={t('fresh')}>
        <span class={'badge ' + fresh} title={utcTime(latest.sampledAt)}>
          {fresh !== 'fresh' && '▲ '}
          {t('ago', span(age))}
        </span>
      </td>
      <td class="right" data-title={t('nodes')}>
        <a href={at('nodes')} data-top>
          {number(s.totalNodes)}
        </a>
        {s.readyNodes < s.totalNodes && <b class="unwell"> ▲ {t('notReady', s.totalNodes - s.readyNodes)}</b>}
      </td>
      <td class="right" data-title={t('pods')}>
        <a href={at('pods')} data-top>
          {number(s.totalPods)}
        </a>
      </td>
      {Object.entries(ENGINES).map(([engine, label]) => (
        <td key={engine} class="right" data-title={label}>
          {number(s.podsByEngine?.[engine] ?? null)}
        </td>
      ))}
      <td data-title={t('cpu')}>{share(s.avgCpuUsage, latest.thresholds.cpuPercent)}</td>
      <td data-title={t('memory')}>{share(s.avgMemoryUsage, latest.thresholds.memoryPercent)}</td>
      <td data-title={t('gpuUtil')}>{share(s.avgGpuUsage, latest.thresholds.gpuPercent)}</td>
      <td data-title={t('gpus')}>
        {s.totalGpus > 0 ? (
          <Bar value={(100 * s.heldGpus) / s.totalGpus}>{t('slash', number(s.heldGpus), number(s.totalGpus))}</Bar>
        ) : (
          <span class="none">{t('none0')}</span>
        )}
      </td>
      <td class="right" data-title={t('idleHeldNow')}>
        {number(s.idleHeldGpus)}
      </td>
      <td data-title={t('alerts')}>
        {firing === null ? (
          <Missing />
        ) : (
          <a href={at('alerts')} data-top class={critical ? 'unwell' : ''}>
            {critical ? `▲ ${t('criticalOf', critical, firing.length)}` : number(firing.length)}
          </a>
        )}
      </td>
    </tr>
  );
}
