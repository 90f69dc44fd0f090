// One pod: who it is and why we think so, what it uses, its last 24 hours.
import { useEffect, useState } from 'preact/hooks';
import { bytes, cores, number, percent, watts } from './format';
import { GpuTable } from './gpu-table';
import { SeriesCharts } from './hourly-charts';
import { latest, pods, readPod, want } from './lake';
import { modelHref, nodeHref } from './links';
import { Empty, Facts, Missing, Section, Time } from './marks';
import { one } from './query';
import type { PodHistory } from './report';
import { engineName, t, tValue } from './words';

export function PodPage() {
  const ns = one('ns');
  const name = one('pod');
  const index = pods.value;
  const row = index ? index.find(ns, name) : -1;
  const [history, setHistory] = useState<PodHistory | null>(null);
  const serves = row >= 0 && !!index!.text('modelType', row);
  const sampledAt = latest.value?.sampledAt;
  useEffect(() => void want('pods', 'gpus'), []);
  useEffect(() => {
    let left = false;
    if (!serves) setHistory(null);
    else
      readPod(ns, name).then(
        (h) => left || setHistory(h),
        () => left || setHistory((h) => (h?.pod.name === name ? h : null)),
      );
    return () => {
      left = true;
    };
  }, [ns, name, serves, sampledAt]);

  if (!index) return <Empty>{t('loading')}</Empty>;
  if (row < 0)
    return (
      <Section id="pod" title={name}>
        <Empty>{t('noSuchPod', ns + '/' + name)}</Empty>
      </Section>
    );
  const text = (c: Parameters<typeof index.text>[0]) => index.text(c, row);
  const value = (c: Parameters<typeof index.number>[0]) => index.number(c, row);
  const node = text('node');
  const model = text('model');
  const state = text('gpuState');
  const created = value('createdAtMillis');
  const use = (used: string, share: number | null, basis: string | null) =>
    share === null
      ? used
      : `${used}, ${t('ofBasis', percent(share), basis === 'limit' ? t('limit') : basis === 'request' ? t('request') : t('nodeBasis'), '').trim()}`;
  return (
    <>
      <Section id="pod" title={name} note={ns}>
        <div class="facts-columns">
          <Facts
            rows={[
              [
                t('phase'),
                [
                  text('phase'),
                  text('reason'),
                  text('phase') === 'Running' && !index.ready(row) ? t('podNotReady') : '',
                ]
                  .filter(Boolean)
                  .join(' · '),
              ],
              [
                t('node'),
                node && (
                  <a data-top href={nodeHref(node)}>
                    {node}
                  </a>
                ),
              ],
              [t('owner'), text('owner') && `${text('ownerKind')} ${text('owner')}`],
              [t('created'), created !== null && <Time at={created} />],
              [t('restartsWord'), number(value('restarts'))],
              [t('image'), <code>{text('image')}</code>],
            ]}
          />
          <Facts
            rows={[
              [
                t('model'),
                model ? (
                  <a data-top href={modelHref(ns, text('modelType') ?? '', model)}>
                    {model}
                  </a>
                ) : (
                  serves && t('unnamed')
                ),
              ],
              [
                t('path'),
                history?.pod.modelPath && history.pod.modelPath !== model && <code>{history.pod.modelPath}</code>,
              ],
              [t('type'), serves ? engineName(text('modelType')!) : t('none')],
              [t('role'), text('role')],
              [t('replica'), text('replicaGroup')],
              [t('identifiedBy'), serves && (text('identifiedBy') ?? <Missing />)],
              [
                t('queueShort'),
                value('requestsRunning') !== null &&
                  t('runWait', number(value('requestsRunning')), number(value('requestsWaiting'))),
              ],
              [t('kvNow'), value('kvCacheUsageRatio') !== null && percent(value('kvCacheUsageRatio')! * 100)],
            ]}
          />
          <Facts
            rows={[
              [t('cpu'), use(cores(value('cpuUsageMillicores')), value('cpuUsagePercent'), text('cpuBasis'))],
              [t('memory'), use(bytes(value('memoryUsageBytes')), value('memoryUsagePercent'), text('memoryBasis'))],
              [
                t('gpu'),
                value('gpuRequest')
                  ? `${number(value('gpuRequest'))} × GPU, ${percent(value('gpuUsagePercent'))}${state ? ' · ' + (state === 'loading' ? t('loadingGpu') : tValue(state)) : ''}`
                  : t('none0'),
              ],
              [
                t('gpuMemory'),
                value('gpuMemoryUsedBytes') !== null &&
                  `${bytes(value('gpuMemoryUsedBytes'))} / ${bytes(value('gpuMemoryTotalBytes'))}`,
              ],
              [t('power'), value('gpuPowerWatts') !== null && watts(value('gpuPowerWatts'))],
              [t('attribution'), text('gpuAttribution')],
            ]}
          />
        </div>
      </Section>
      {(value('gpuRequest') ?? 0) > 0 && <GpuTable pod={{ ns, pod: name }} />}
      <Section id="history" title={t('history')}>
        {history ? (
          <SeriesCharts series={history.history} hours={history.hours} />
        ) : (
          <Empty>{serves ? t('loading') : t('noHistory')}</Empty>
        )}
      </Section>
    </>
  );
}
