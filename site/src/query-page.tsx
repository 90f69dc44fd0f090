// What people ask the bucket: SQL over its hourly objects, run here, of which
// the five questions are the first; two are answered from the newest sample.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Chart } from './chart';
import { bytes, compact, exact, localDay, localHour, number, utcTime } from './format';
import { cluster, latest, nodes, pods, want } from './lake';
import { Empty, Section } from './marks';
import type { Ask, Told } from './parquet-worker';
import { go, hrefHere, one } from './query';
import { csv, QUESTIONS, TABLES } from './questions';
import type { Answer, Value } from './sql';
import { t, type Word } from './words';

/** Runs SQL in a worker, anew with every run; what was asked before is dropped, and its answer with it. */
function useSql(sql: string | null, run: number): Told | null {
  const [last, setLast] = useState<{ asked: string; told: Told } | null>(null);
  const newest = latest.value?.sampledAt.slice(0, 13); // to the hour: a refresh asks nothing anew
  const asked = sql && newest ? JSON.stringify([sql, run, newest, cluster.value]) : '';
  useEffect(() => {
    if (!sql || !asked) return;
    const worker = new Worker(new URL('./parquet-worker.ts', import.meta.url), { type: 'module' });
    const tell = (told: Told) => setLast({ asked, told });
    worker.onmessage = (e: MessageEvent<Told>) => tell(e.data);
    worker.onerror = (e) =>
      tell({
        hours: 0,
        bounded: true,
        done: 0,
        read: 0,
        rows: 0,
        requests: 0,
        bytes: 0,
        refused: [],
        failure: e.message || t('noAnswer'),
      });
    const message: Ask = {
      sql,
      now: Date.parse(latest.peek()!.sampledAt),
      cluster: cluster.peek(),
      base: new URL('../', document.baseURI).href,
    };
    worker.postMessage(message);
    return () => worker.terminate();
  }, [asked]);
  return last?.asked === asked ? last.told : null;
}

/** The two questions about now, from what the page has read. */
function answerNow(name: string): Answer | null {
  if (name === 'free-gpus') {
    if (!nodes.value) return null;
    const rows = nodes.value.nodes
      .filter((n) => n.ready && !n.unschedulable && n.gpuAllocatable > n.gpuRequested)
      .map((n): Value[] => [
        n.name,
        n.gpuProduct,
        n.gpuAllocatable - n.gpuRequested,
        n.gpuAllocatable,
        Math.round((n.cpuAllocatableMillicores - n.cpuRequestedMillicores) / 100) / 10,
        Math.round((n.memoryAllocatableBytes - n.memoryRequestedBytes) / 2 ** 30),
      ])
      .sort((a, b) => (b[2] as number) - (a[2] as number));
    return { columns: ['node', 'gpu_product', 'free_gpus', 'gpus', 'free_cores', 'free_gib'], rows };
  }
  const index = pods.value;
  if (!index) return null;
  const rows: Value[][] = [];
  for (let row = 0; row < index.count; row++)
    if (index.text('gpuState', row) === 'idle_held')
      rows.push([
        index.text('namespace', row),
        index.text('replicaGroup', row) ?? index.text('pod', row),
        index.text('model', row),
        index.number('gpuRequest', row),
        index.number('gpuUsagePercent', row),
      ]);
  rows.sort((a, b) => (b[3] as number) - (a[3] as number));
  return { columns: ['namespace', 'replica', 'model', 'gpus', 'util_percent'], rows };
}

export function QueryPage() {
  const typed = one('sql').trim();
  const question = typed ? undefined : (QUESTIONS.find((q) => q.name === one('ask')) ?? QUESTIONS[0]!);
  const { sql, ofNow = false } = question ?? { sql: typed };
  const [runs, setRuns] = useState(0);
  const told = useSql(ofNow ? null : sql, runs);
  useEffect(() => void (question?.name === 'idle-gpus' ? want('pods') : ofNow && want('nodes')), [question]);
  const found = question && ofNow ? answerNow(question.name) : told?.answer;
  const answer = found && { ...found, bar: question?.bar };
  const run = (text: string) => {
    const known = QUESTIONS.find((q) => !q.ofNow && q.sql.trim() === text);
    if (!text) return;
    if (text !== sql.trim()) go(hrefHere({ ask: known?.name ?? null, sql: known ? null : text, answersort: null }));
    setRuns(runs + 1);
  };
  const named = (name: string) => t(('ask-' + name) as Word);
  const table = TABLES.find((table) => table.sql === sql);
  return (
    <>
      <Section id="query" title={t('queryTitle')}>
        <div class="choice" role="group" aria-label={t('queryTitle')}>
          {QUESTIONS.map(({ name }) => (
            <a
              href={hrefHere({ ask: name, sql: null, answersort: null })}
              aria-current={name === question?.name ? 'true' : undefined}
            >
              {named(name)}
            </a>
          ))}
        </div>
        <div class="choice" role="group" aria-label={t('tables')}>
          {TABLES.map((each) => (
            <a
              href={hrefHere({ ask: null, sql: each.sql, answersort: null })}
              aria-current={each === table ? 'true' : undefined}
            >
              {each.name}
            </a>
          ))}
        </div>
        {ofNow ? (
          <p class="note">{t(question?.name === 'idle-gpus' ? 'ofNowIdle' : 'ofNow')}</p>
        ) : (
          <Editor sql={sql.trim()} error={told?.error} run={run} />
        )}
        {ofNow && <Code text={sql} />}
      </Section>
      {!told?.error && (
        <Section
          id="answer"
          title={question ? named(question.name) : (table?.name ?? 'SQL')}
          note={source(ofNow, told)}
          aside={
            answer &&
            answer.rows.length > 0 && <Download answer={answer} name={question?.name ?? table?.name ?? 'sql'} />
          }
        >
          {answer ? <AnswerTable answer={answer} chart={question?.name === 'tokens'} /> : <Waiting told={told} />}
        </Section>
      )}
      <Section id="setup" title={t('setup')} note={t('setupNote')}>
        <Code text={setup()} />
      </Section>
    </>
  );
}

function Editor({ sql, error, run }: { sql: string; error: Told['error']; run: (text: string) => void }) {
  const [draft, setDraft] = useState(sql);
  useEffect(() => setDraft(sql), [sql]);
  const before = error?.position === undefined ? null : sql.slice(0, error.position).split('\n');
  return (
    <form class="editor" onSubmit={(e) => (e.preventDefault(), run(draft.trim()))}>
      <textarea
        aria-label="SQL"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        wrap="off"
        rows={Math.min(20, draft.split('\n').length + 1)}
        value={draft}
        aria-invalid={error ? 'true' : undefined}
        aria-describedby={error ? 'sql-error' : undefined}
        onInput={(e) => setDraft(e.currentTarget.value)}
        onKeyDown={(e) => e.key === 'Enter' && (e.ctrlKey || e.metaKey) && e.currentTarget.form!.requestSubmit()}
      />
      {error && (
        <p id="sql-error" role="alert">
          {before && t('sqlPlace', before.length, before.at(-1)!.length + 1)} <span lang="en">{error.message}</span>
        </p>
      )}
      <button type="submit">{t('run')}</button>
      <p class="note">{t('sqlNote', latest.value ? utcTime(latest.value.sampledAt) : '', cluster.value)}</p>
    </form>
  );
}

function source(ofNow: boolean, told: Told | null): string {
  if (ofNow) return t('fromSample', latest.value ? utcTime(latest.value.sampledAt) : '');
  return told?.answer
    ? t('fromObjects', number(told.rows), number(told.read), bytes(told.bytes), number(told.requests)) +
        (told.bounded ? '' : ' · ' + t('unbounded'))
    : '';
}

function Waiting({ told }: { told: Told | null }) {
  if (told?.failure) return <Empty>{t('explorerFailed', told.failure)}</Empty>;
  if (!told || told.done < told.hours)
    return <Empty>{told ? t('readingObjects', told.done, told.hours) : t('loading')}</Empty>;
  return (
    <div data-explorer="closed">
      <p>{t('explorerClosed', told.refused.join(', '))}</p>
      <p>{t('explorerOpen')}</p>
      <Code
        text={JSON.stringify(
          {
            Effect: 'Allow',
            Principal: '*',
            Action: 's3:GetObject',
            Resource: `arn:aws:s3:::${bucketName().replace('s3://', '')}/hourly/*`,
          },
          null,
          2,
        )}
      />
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
    return [...answer.rows].sort((a, b) =>
      a[at] === b[at] ? 0 : a[at] === null ? 1 : b[at] === null ? -1 : sign * (a[at]! < b[at]! ? -1 : 1),
    );
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
                  <th
                    scope="col"
                    class={figures[i] ? 'right' : ''}
                    aria-sort={sorted ? (by.startsWith('-') ? 'descending' : 'ascending') : undefined}
                  >
                    <a href={hrefHere({ answersort: (descending ? '-' : '') + c })}>
                      {c}
                      <span class="arrow" aria-hidden="true">
                        {sorted ? (by.startsWith('-') ? '▾' : '▴') : ''}
                      </span>
                    </a>
                  </th>
                );
              })}
              {bar >= 0 && <td />}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, 500).map((r) => (
              <tr>
                {r.map((v, i) => (
                  <td class={figures[i] ? 'right' : ''}>{shown(v)}</td>
                ))}
                {bar >= 0 && (
                  <td class="drawn">
                    <span class="bar" aria-hidden="true">
                      <span style={{ width: top > 0 ? (100 * Math.max(0, Number(r[bar]))) / top + '%' : '0' }} />
                    </span>
                  </td>
                )}
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
  if (typeof v === 'number') return exact(v);
  if (typeof v === 'boolean') return String(v);
  return /^\d{4}-\d\d-\d\dT/.test(v) ? (
    <time dateTime={v} title={utcTime(v)}>
      {localDay(v)} {localHour(v)}
    </time>
  ) : (
    v
  );
}

/** Tokens a GPU-hour of the five models that make most, hour by hour. */
function HoursChart({ answer }: { answer: Answer }) {
  const hours = [...new Set(answer.rows.map((r) => String(r[3])))].sort();
  const models = new Map<string, (number | null)[]>();
  const sums = new Map<string, number>();
  for (const [, , model, hour, made, , rate] of answer.rows) {
    const name = String(model ?? t('unnamed'));
    if (!models.has(name))
      models.set(
        name,
        hours.map(() => null),
      );
    models.get(name)![hours.indexOf(String(hour))] = rate as number | null;
    sums.set(name, (sums.get(name) ?? 0) + ((made as number) ?? 0));
  }
  const names = [...models.keys()].sort((a, b) => sums.get(b)! - sums.get(a)!).slice(0, SERIES.length);
  return (
    <Chart
      title={t('tokensPerGpuHour')}
      note={t('mostTokens')}
      hours={hours}
      coverage={[]}
      format={compact}
      lines={names.map((n, i) => ({ label: n, values: models.get(n)!, paint: SERIES[i]! }))}
    />
  );
}

function Download({ answer, name }: { answer: Answer; name: string }) {
  const download = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(['\ufeff' + csv(answer)], { type: 'text/csv;charset=utf-8' }));
    link.download = `${cluster.peek()}-${name}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  return (
    <button type="button" class="more" onClick={download}>
      {t('csv')}
    </button>
  );
}

/** Text to take along. A page over plain http has no clipboard: there it is selected. */
function Code({ text }: { text: string }) {
  const code = useRef<HTMLPreElement>(null);
  const [copied, setCopied] = useState(false);
  const take = () => {
    getSelection()!.selectAllChildren(code.current!);
    navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => {},
    );
  };
  return (
    <div class="code">
      <pre ref={code} tabIndex={0}>
        <code>{text}</code>
      </pre>
      <button type="button" onClick={take}>
        {t(copied ? 'copied' : navigator.clipboard ? 'copy' : 'selectAll')}
      </button>
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
