// The GPUs of one node or of one pod: what each does, for whom, and how it fares.
import { bytes, number, percent, watts } from './format';
import { gpuStateWord, text } from './gpu-map';
import { gpus, latest } from './lake';
import { nodeHref, podHref } from './links';
import { Bar, Empty, Missing, Section } from './marks';
import type { GPUsData } from './report';
import { t } from './words';

export function GpuTable({ node, pod }: { node?: string; pod?: { ns: string; pod: string } }) {
  const data = gpus.value;
  if (!data)
    return (
      <Section id="gpus" title={t('gpus')}>
        <Empty>{t('loading')}</Empty>
      </Section>
    );
  const rows: number[] = [];
  for (let row = 0; row < data.count; row++)
    if (
      node !== undefined
        ? text(data.node, row) === node
        : text(data.pod, row) === pod!.pod && text(data.namespace, row) === pod!.ns
    )
      rows.push(row);
  return (
    <Section id="gpus" title={t('gpus')} note={rows.length > 0 && number(rows.length)}>
      {rows.length === 0 ? (
        <Empty>{t(node === undefined ? 'noGpusOfPod' : 'noGpusOfNode')}</Empty>
      ) : (
        <table class="plain gpus" aria-label={t('gpus')}>
          <thead>
            <tr>
              <th scope="col">{t('gpu')}</th>
              <th scope="col">{t('state')}</th>
              <th scope="col">{t('gpuUtil')}</th>
              <th scope="col">{t('memory')}</th>
              <th scope="col" class="right">
                {t('power')}
              </th>
              <th scope="col" class="right">
                {t('temperature')}
              </th>
              <th scope="col" class="right">
                {t('xid')}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <GpuRow key={row} data={data} row={row} onNode={node !== undefined} />
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function GpuRow({ data, row, onNode }: { data: GPUsData; row: number; onNode: boolean }) {
  const state = text(data.state, row);
  const pod = text(data.pod, row);
  const ns = text(data.namespace, row);
  const node = text(data.node, row) ?? '';
  const mig = text(data.migProfile, row);
  const used = data.memoryUsedBytes[row] ?? null;
  const whole = data.memoryTotalBytes[row] ?? null;
  const util = data.utilPercent[row] ?? null;
  const xid = data.xidLast[row] ?? null;
  return (
    <tr>
      <th scope="row">
        <span class="two">
          <span>
            {onNode ? (
              ''
            ) : (
              <>
                <a href={nodeHref(node)} data-top>
                  {node}
                </a>{' '}
              </>
            )}
            {number(data.gpuIndex[row])}
            {mig && <small> {mig}</small>}
          </span>
          <span class="basis">{text(data.gpuProduct, row)}</span>
        </span>
      </th>
      <td data-title={t('state')}>
        <span class="two">
          <span class={state === 'idle_held' ? 'state idle_held' : ''}>{gpuStateWord(state)}</span>
          {onNode && pod && ns && (
            <a class="basis" data-top href={podHref(ns, pod)} title={`${ns}/${pod}`}>
              {ns}/{pod}
            </a>
          )}
        </span>
      </td>
      <td data-title={t('gpuUtil')}>
        {util === null ? (
          <Missing />
        ) : (
          <Bar value={util} threshold={latest.value?.thresholds.gpuPercent}>
            {percent(util)}
          </Bar>
        )}
      </td>
      <td data-title={t('memory')}>
        {used === null || !whole ? (
          <Missing />
        ) : (
          <Bar value={(100 * used) / whole} note={t('ofWhole', bytes(used), bytes(whole))}>
            {percent((100 * used) / whole)}
          </Bar>
        )}
      </td>
      <td class="right" data-title={t('power')}>
        {watts(data.powerWatts[row])}
      </td>
      <td class="right" data-title={t('temperature')}>
        {data.temperatureCelsius[row] == null ? <Missing /> : number(data.temperatureCelsius[row]) + ' °C'}
      </td>
      <td class="right" data-title={t('xid')}>
        {xid === null ? <Missing /> : xid === 0 ? t('none0') : <b class="unwell">▲ {number(xid)}</b>}
      </td>
    </tr>
  );
}
