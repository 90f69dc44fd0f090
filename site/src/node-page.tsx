// One node: its conditions, how much of it is used, requested and to be had, its
// GPUs, its last 24 hours and the pods on it.
import { useEffect } from 'preact/hooks';
import { bytes, cores, number, percent, span, type Figure } from './format';
import { ActiveAlerts } from './alert-list';
import { GpuTable } from './gpu-table';
import { SeriesCharts } from './hourly-charts';
import { latest, nodes, now, useNodeHours, want } from './lake';
import { Empty, Facts, Section, Time } from './marks';
import { PodTable } from './pod-table';
import { one } from './query';
import type { Node } from './report';
import { t } from './words';

export function NodePage() {
  const name = one('node');
  const hours = useNodeHours();
  useEffect(() => void want('nodes', 'gpus'), []);
  if (!nodes.value) return <Empty>{t('loading')}</Empty>;
  const node = nodes.value.nodes.find((n) => n.name === name);
  const history = hours?.nodes.find((n) => n.node === name);
  return (
    <>
      <Section id="node" title={name}>
        {!node ? (
          <Empty>{t('noSuchNode', name)}</Empty>
        ) : (
          <div class="facts-columns">
            <Facts
              rows={[
                [t('status'), <Conditions node={node} />],
                [t('machine'), [node.instanceType, node.zone].filter(Boolean).join(' · ')],
                [t('roles'), node.roles],
                ['kubelet', node.kubeletVersion],
                [
                  t('created'),
                  <>
                    <Time at={node.creationTime} /> · {span((now.peek() - Date.parse(node.creationTime)) / 1000)}
                  </>,
                ],
              ]}
            />
            <Shares node={node} />
          </div>
        )}
      </Section>
      <ActiveAlerts on={name} />
      {(node?.gpuAllocatable ?? 0) > 0 && <GpuTable node={name} />}
      <Section id="history" title={t('history')}>
        {!hours ? (
          <Empty>{t('loading')}</Empty>
        ) : !history ? (
          <Empty>{t('noStatistics')}</Empty>
        ) : (
          <SeriesCharts series={history.series} hours={hours.hourStarts} />
        )}
      </Section>
      <PodTable title={t('podsOnNode')} />
    </>
  );
}

function Conditions({ node }: { node: Node }) {
  const troubles = [
    !node.ready && t('NotReady'),
    ...node.pressure.split(',').map((p) => p.trim()),
    node.unschedulable && t('cordoned'),
  ].filter(Boolean);
  return troubles.length ? (
    <b class="unwell">▲ {troubles.join(' · ')}</b>
  ) : (
    <>
      {t('Ready')} · {t('noPressure')}
    </>
  );
}

/** In use, requested, to be had: three bars to one scale, the machine's capacity. */
function Shares({ node: n }: { node: Node }) {
  const limits = latest.value?.thresholds;
  const groups: [
    title: string,
    whole: number,
    words: (v: Figure) => string,
    rows: [string, Figure][],
    threshold?: number,
  ][] = [
    [
      t('cpu'),
      n.cpuCapacityMillicores,
      cores,
      [
        [t('inUse'), n.cpuUsageMillicores],
        [t('requestedWord'), n.cpuRequestedMillicores],
        [t('allocatable'), n.cpuAllocatableMillicores],
      ],
      limits?.cpuPercent,
    ],
    [
      t('memory'),
      n.memoryCapacityBytes,
      bytes,
      [
        [t('inUse'), n.memoryUsageBytes],
        [t('requestedWord'), n.memoryRequestedBytes],
        [t('allocatable'), n.memoryAllocatableBytes],
      ],
      limits?.memoryPercent,
    ],
    [
      t('gpu'),
      n.gpuAllocatable,
      number,
      [
        [t('requestedWord'), n.gpuRequested],
        [t('allocatable'), n.gpuAllocatable],
      ],
    ],
    [
      t('pods'),
      n.podsAllocatable,
      number,
      [
        [t('runningWord'), n.podsRunning],
        [t('allocatable'), n.podsAllocatable],
      ],
    ],
  ];
  return (
    <div class="shares">
      {groups
        .filter(([, whole]) => whole > 0)
        .map(([title, whole, words, rows, threshold = Infinity]) => {
          const allocatable = rows.at(-1)![1] ?? whole;
          return (
            <div class="share-group" role="group" aria-label={title}>
              <b>{title}</b>
              {rows.map(([word, value], i) => {
                const high = rows.length === 3 && i === 0 && value != null && (100 * value) / allocatable > threshold;
                return (
                  <div class={high ? 'share high' : 'share'}>
                    <span class="share-word">{word}</span>
                    <span class="bar" aria-hidden="true">
                      <span
                        class={i === rows.length - 1 ? 'soft' : ''}
                        style={{ width: value == null ? '0' : Math.min(100, (100 * value) / whole) + '%' }}
                      />
                    </span>
                    <span class="figure">
                      {words(value)}
                      {i < rows.length - 1 && value != null && <small> {percent((100 * value) / allocatable)}</small>}
                    </span>
                  </div>
                );
              })}
            </div>
          );
        })}
    </div>
  );
}
