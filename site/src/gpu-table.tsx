// The GPUs of one node or of one pod: what each does, for whom, and how it fares.
import { bytes, number, percent, watts } from './format';
import { text } from './gpu-map';
import { gpuDetails, gpus, latest } from './lake';
import { nodeHref, podHref } from './links';
import { Bar, Empty, Missing, Section } from './marks';
import type { GPUDetails, GPUsData } from './report';
import { t } from './words';

export const gpuStateWord = (state: string | null) =>
  state === null ? t('free') : state === 'loading' ? t('loadingGpu') : state === 'idle_held' ? t('idle_held') : state === 'active' ? t('active') : t('unknown');

export function GpuTable({ node, pod }: { node?: string; pod?: { ns: string; pod: string } }) {
  const data = gpus.value;
  const details = gpuDetails.value;
  if (!data || !details) return null;
  const rows: number[] = [];
  for (let row = 0; row < data.count; row++)
    if (node !== undefined ? text(data.node, row) === node : text(details.pod, row) === pod!.pod && text(details.namespace, row) === pod!.ns) rows.push(row);
  return (
    <Section id="gpus" title={t('gpus')} note={rows.length > 0 && number(rows.length)}>
      {rows.length === 0 ? <Empty>{t(node === undefined ? 'noGpusOfPod' : 'noGpusOfNode')}</Empty> : (
        <table class="plain gpus" aria-label={t('gpus')}>
          <thead>
            <tr>
              <th scope="col">{t('gpu')}</th><th scope="col">{t('state')}</th><th scope="col">{t('gpuUtil')}</th><th scope="col">{t('memory')}</th>
              <th scope="col" class="right">{t('power')}</th><th scope="col" class="right">{t('temperature')}</th><th scope="col" class="right">{t('xid')}</th>
            </tr>
          </thead>
          <tbody>{rows.map((row) => <GpuRow key={row} data={data} details={details} row={row} onNode={node !== undefined} />)}</tbody>
        </table>
      )}
    </Section>
  );
}

function GpuRow({ data, details, row, onNode }: { data: GPUsData; details: GPUDetails; row: number; onNode: boolean }) {
  const state = text(data.state, row);
  const pod = text(details.pod, row);
  const ns = text(details.namespace, row);
  const node = text(data.node, row) ?? '';
  const mig = text(data.migProfile, row);
  const used = details.memoryUsedBytes[row] ?? null;
  const whole = details.memoryTotalBytes[row] ?? null;
  const util = data.utilPercent[row] ?? null;
  const xid = details.xidLast[row] ?? null;
  return (
    <tr>
      <th scope="row">
        <span class="two">
          <span>{onNode ? '' : <><a href={nodeHref(node)} data-top>{node}</a> </>}{number(data.gpuIndex[row])}{mig && <small> {mig}</small>}</span>
          <span class="basis">{text(details.gpuProduct, row)}</span>
        </span>
      </th>
      <td data-title={t('state')}>
        <span class="two">
          <span class={state === 'idle_held' ? 'state idle_held' : ''}>{gpuStateWord(state)}</span>
          {onNode && pod && ns && <a class="basis" data-top href={podHref(ns, pod)} title={`${ns}/${pod}`}>{ns}/{pod}</a>}
        </span>
      </td>
      <td data-title={t('gpuUtil')}>{util === null ? <Missing /> : <Bar value={util} threshold={latest.value?.thresholds.gpuPercent}>{percent(util)}</Bar>}</td>
      <td data-title={t('memory')}>{used === null || !whole ? <Missing /> : <Bar value={(100 * used) / whole} note={t('ofWhole', bytes(used), bytes(whole))}>{percent((100 * used) / whole)}</Bar>}</td>
      <td class="right" data-title={t('power')}>{watts(details.powerWatts[row])}</td>
      <td class="right" data-title={t('temperature')}>{details.temperatureCelsius[row] == null ? <Missing /> : number(details.temperatureCelsius[row]) + ' °C'}</td>
      <td class="right" data-title={t('xid')}>{xid === null ? <Missing /> : xid === 0 ? t('none0') : <b class="unwell">▲ {number(xid)}</b>}</td>
    </tr>
  );
}
