// What people ask the bucket: five questions, answered here from its hourly
// objects or the newest sample, the same in SQL, and the tables as they are.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Chart } from './chart';
import { bytes, compact, localDay, localHour, number, utcTime } from './format';
import { cluster, latest, nodes, pods, want } from './lake';
import { Empty, Section } from './marks';
import type { Ask, Told } from './parquet-worker';
import { go, hrefHere, one } from './query';
import { csv, MOST_ROWS, objectNames, QUESTIONS, TABLES, type Answer, type Reading, type Value } from './questions';
import { t, type Word } from './words';

/** Reads objects in a worker; what was asked before is dropped. */
function useParquet(ask: string, reading: Reading | undefined, words: string): Told | null {
  const [told, setTold] = useState<Told | null>(null);
  const newest = latest.value?.sampledAt.slice(0, 13); // to the hour: a refresh asks nothing anew
  useEffect(() => {
    setTold(null);
    if (!reading || !newest) return;
    const worker = new Worker(new URL('./parquet-worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = (e: MessageEvent<Told>) => setTold(e.data);
    worker.onerror = (e) => setTold({ done: 1, read: 0, rows: 0, requests: 0, bytes: 0, refused: [], failure: e.message || t('noAnswer') });
    const names = objectNames(reading.table, cluster.peek(), newest + ':00Z', reading.hours);
    const message: Ask = { urls: names.map((n) => new URL('../' + n, document.baseURI).href), question: ask, words, columns: reading.columns };
    worker.postMessage(message);
    return () => worker.terminate();
  }, [ask, reading?.table, reading?.hours, words, newest, cluster.value]);
  return told;
}

/** The two questions about now, from what the page has read. */
function answerNow(name: string): Answer | null {
  if (name === 'free-gpus') {
    if (!nodes.value) return null;
    const rows = nodes.value.nodes
      .filter((n) => n.ready && !n.unschedulable && n.gpuAllocatable > n.gpuRequested)
      .map((n): Value[] => [n.name, n.gpuProduct, n.gpuAllocatable - n.gpuRequested, n.gpuAllocatable, Math.round((n.cpuAllocatableMillicores - n.cpuRequestedMillicores) / 100) / 10, Math.round((n.memoryAllocatableBytes - n.memoryRequestedBytes) / 2 ** 30)])
      .sort((a, b) => (b[2] as number) - (a[2] as number));
    return { columns: ['node', 'gpu_product', 'free_gpus', 'gpus', 'free_cores', 'free_gib'], rows, bar: 'free_gpus' };
  }
  const index = pods.value;
  if (!index) return null;
  const rows: Value[][] = [];
  for (let row = 0; row < index.count; row++)
    if (index.text('gpuState', row) === 'idle_held')
      rows.push([index.text('namespace', row), index.text('replicaGroup', row) ?? index.text('pod', row), index.text('model', row), index.number('gpuRequest', row), index.number('gpuUsagePercent', row)]);
  rows.sort((a, b) => (b[3] as number) - (a[3] as number));
  return { columns: ['namespace', 'replica', 'model', 'gpus', 'util_percent'], rows, bar: 'gpus' };
}

export function QueryPage() {
  const ask = one('ask') || QUESTIONS[0]!.name;
  const question = QUESTIONS.find((q) => q.name === ask);
  const table = TABLES.find((name) => name === one('table')) ?? TABLES[0];
  const hours = [1, 24, 168].includes(Number(one('hours'))) ? Number(one('hours')) : 24;
  const words = one('q');
  const reading = question ? question.reading : { table, hours };
  const told = useParquet(ask, reading, question ? '' : words);
  useEffect(() => void (ask === 'idle-gpus' ? want('pods') : ask === 'free-gpus' && want('nodes')), [ask]);
  const answer = reading ? (told?.answer ?? null) : answerNow(ask);
  const choices: [string, string][] = [...QUESTIONS.map((q): [string, string] => [q.name, t(('ask-' + q.name) as Word)]), ['table', t('ask-table')]];
  return (
    <>
      <Section id="query" title={t('queryTitle')}>
        <div class="choice questions" role="group" aria-label={t('queryTitle')}>
          {choices.map(([name, title]) => <a href={hrefHere({ ask: name, q: null })} aria-current={name === ask ? 'true' : undefined}>{title}</a>)}
        </div>
        {!question && <Browsing table={table} hours={hours} words={words} />}
      </Section>
      <Section id="answer" title={choices.find(([name]) => name === ask)?.[1] ?? ask} note={source(reading, told)} aside={answer && answer.rows.length > 0 && <Download answer={answer} name={question ? ask : `hourly-${table}`} />}>
        {answer ? <AnswerTable answer={answer} chart={ask === 'tokens'} /> : <Waiting reading={reading} told={told} />}
        {answer && answer.rows.length >= MOST_ROWS && <p class="note">{t('firstRows', number(MOST_ROWS))}</p>}
      </Section>
      {question && (
        <Section id="sql" title={t('inSql')} note={t(ask === 'idle-gpus' ? 'inSqlNoteIdle' : 'inSqlNote')}>
          <Code text={question.sql} />
        </Section>
      )}
      <Section id="setup" title={t('setup')} note={t('setupNote')}>
        <Code text={setup()} />
      </Section>
    </>
  );
}

function source(reading: Reading | undefined, told: Told | null): string {
  if (!reading) return t('fromSample', latest.value ? utcTime(latest.value.sampledAt) : '');
  return told?.answer ? t('fromObjects', number(told.rows), number(told.read), bytes(told.bytes), number(told.requests)) : '';
}

function Waiting({ reading, told }: { reading?: Reading; told: Told | null }) {
  if (!reading || !told || (told.done < reading.hours && !told.failure)) return <Empty>{reading && told ? t('readingObjects', told.done, reading.hours) : t('loading')}</Empty>;
  if (told.failure) return <Empty>{t('explorerFailed', told.failure)}</Empty>;
  return (
    <div data-explorer="closed">
      <p>{t('explorerClosed', told.refused.map((s) => (s ? String(s) : t('noAnswer'))).join(', '))}</p>
      <p>{t('explorerOpen')}</p>
      <Code text={JSON.stringify({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucketName().replace('s3://', '')}/hourly/*` }, null, 2)} />
    </div>
  );
}

function Browsing({ table, hours, words }: { table: string; hours: number; words: string }) {
  return (
    <div class="filters">
      <select aria-label={t('tableWord')} value={table} onChange={(e) => go(hrefHere({ table: e.currentTarget.value }))}>
        {TABLES.map((name) => <option value={name}>hourly_{name}</option>)}
      </select>
      <div class="choice" role="group" aria-label={t('range')}>
        {[1, 24, 168].map((n) => <a href={hrefHere({ hours: n === 24 ? null : String(n) })} aria-current={n === hours ? 'true' : undefined}>{t(n === 1 ? 'hours1' : n === 24 ? 'hours24' : 'days7')}</a>)}
      </div>
      <input id="search" type="search" aria-label={t('search')} placeholder={t('searchHint')} autocomplete="off" spellcheck={false} value={words} onChange={(e) => go(hrefHere({ q: e.currentTarget.value }), 'replace')} />
    </div>
  );
}

const SERIES = ['series1', 'series2', 'series3', 'series4', 'series5'];

function AnswerTable({ answer, chart }: { answer: Answer; chart: boolean }) {
  const by = one('answersort');
  const at = answer.columns.indexOf(by.replace(/^-/, ''));
  const rows = useMemo(() => {
    if (at < 0) return answer.rows;
    const sign = by.startsWith('-') ? -1 : 1;
    return [...answer.rows].sort((a, b) => (a[at] === b[at] ? 0 : a[at] === null ? 1 : b[at] === null ? -1 : sign * (a[at]! < b[at]! ? -1 : 1)));
  }, [answer, by]);
  if (rows.length === 0) return <Empty>{t('noRows')}</Empty>;
  const figures = answer.columns.map((_, c) => answer.rows.some((r) => typeof r[c] === 'number'));
  const bar = answer.bar ? answer.columns.indexOf(answer.bar) : -1;
  const top = bar < 0 ? 0 : Math.max(0, ...answer.rows.map((r) => (r[bar] as number) ?? 0));
  return (
    <>
      {chart && <HoursChart answer={answer} />}
      <div class="wide-table" tabIndex={0} role="region" aria-label={t('answer')}>
        <table class="answer">
          <thead>
            <tr>
              {answer.columns.map((c, i) => {
                const sorted = at === i;
                const descending = sorted ? !by.startsWith('-') : figures[i];
                return (
                  <th scope="col" class={figures[i] ? 'right' : ''} aria-sort={sorted ? (by.startsWith('-') ? 'descending' : 'ascending') : undefined}>
                    <a href={hrefHere({ answersort: (descending ? '-' : '') + c })}>{c}<span class="arrow" aria-hidden="true">{sorted ? (by.startsWith('-') ? '▾' : '▴') : ''}</span></a>
                  </th>
                );
              })}
              {bar >= 0 && <td />}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, 500).map((r) => (
              <tr>
                {r.map((v, i) => <td class={figures[i] ? 'right' : ''}>{shown(v)}</td>)}
                {bar >= 0 && <td class="drawn"><span class="bar" aria-hidden="true"><span style={{ width: top > 0 ? (100 * Math.max(0, Number(r[bar]))) / top + '%' : '0' }} /></span></td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > 500 && <p class="note">{t('more', number(rows.length - 500))}: CSV</p>}
    </>
  );
}

function shown(v: Value) {
  if (v === null) return <span class="none">NULL</span>;
  if (typeof v === 'number') return number(v, Number.isInteger(v) ? 0 : 2);
  return /^\d{4}-\d\d-\d\dT/.test(v) ? <time dateTime={v} title={utcTime(v)}>{localDay(v)} {localHour(v)}</time> : v;
}

/** Tokens a GPU-hour of the five models that make most, hour by hour. */
function HoursChart({ answer }: { answer: Answer }) {
  const hours = [...new Set(answer.rows.map((r) => String(r[2])))].sort();
  const models = new Map<string, (number | null)[]>();
  const sums = new Map<string, number>();
  for (const [, model, hour, made, , rate] of answer.rows) {
    const name = String(model ?? t('unnamed'));
    if (!models.has(name)) models.set(name, hours.map(() => null));
    models.get(name)![hours.indexOf(String(hour))] = rate as number | null;
    sums.set(name, (sums.get(name) ?? 0) + ((made as number) ?? 0));
  }
  const names = [...models.keys()].sort((a, b) => sums.get(b)! - sums.get(a)!).slice(0, SERIES.length);
  return <Chart title={t('tokensPerGpuHour')} note={t('mostTokens')} hours={hours} coverage={[]} format={compact} lines={names.map((n, i) => ({ label: n, values: models.get(n)!, paint: SERIES[i]! }))} />;
}

function Download({ answer, name }: { answer: Answer; name: string }) {
  const download = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(['\ufeff' + csv(answer)], { type: 'text/csv;charset=utf-8' }));
    link.download = `${cluster.peek()}-${name}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  return <button type="button" class="more" onClick={download}>{t('csv')}</button>;
}

/** Text to take along. A page over plain http has no clipboard: there it is selected. */
function Code({ text }: { text: string }) {
  const code = useRef<HTMLPreElement>(null);
  const [copied, setCopied] = useState(false);
  const take = () => {
    getSelection()!.selectAllChildren(code.current!);
    navigator.clipboard?.writeText(text).then(() => setCopied(true), () => {});
  };
  return (
    <div class="code">
      <pre ref={code} tabIndex={0}><code>{text}</code></pre>
      <button type="button" onClick={take}>{t(copied ? 'copied' : navigator.clipboard ? 'copy' : 'selectAll')}</button>
    </div>
  );
}

/** The bucket, where the page's address tells it. */
export function bucketName(address: { hostname: string; pathname: string } = location): string {
  const folder = address.pathname.replace(/\/?site\/[^/]*$/, '').replace(/^\//, '');
  const inHost = /^(.+)\.s3[.-][a-z0-9.-]*amazonaws\.com$/.exec(address.hostname);
  if (inHost) return ['s3://' + inHost[1], folder].filter(Boolean).join('/');
  if (/^s3[.-][a-z0-9.-]*amazonaws\.com$/.test(address.hostname)) return 's3://' + folder;
  return 's3://BUCKET/PREFIX';
}

const setup = () => `# DuckDB
k8s-monitor sql duckdb --bucket ${bucketName()} > lake.sql
k8s-monitor sql duckdb --question ${QUESTIONS.some((q) => q.name === one('ask')) ? one('ask') : 'gpu-hours'} | duckdb -init lake.sql

# Athena, Trino
k8s-monitor sql athena --bucket ${bucketName()}
k8s-monitor sql trino --bucket ${bucketName()} | trino --catalog hive --file /dev/stdin
`;
