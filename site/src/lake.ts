// What the page reads from the bucket: clusters.json, a cluster's latest.json
// and alerts.json (revalidated at every refresh, a 304 when unchanged), and the
// immutable data objects that latest.json names (read once each). Whatever
// fails, what was read before stays.
import { batch, computed, signal } from '@preact/signals';
import { PodIndex } from './pod-index';
import { one } from './query';
import { FRESHNESS, VERSION } from './report';
import { useEffect } from 'preact/hooks';
import type {
  Alert,
  Alerts,
  ClusterEntry,
  Clusters,
  GPUMap,
  GPUsData,
  Latest,
  NodeHours,
  Nodes,
  PodHistory,
  PodHours,
  PodsData,
  StatisticsData,
} from './report';
import { t } from './words';

export const REFRESH_SECONDS = 30;

/** Why something could not be read. `status` 0: no answer at all. */
export class ReadError extends Error {
  constructor(
    readonly path: string,
    readonly status: number,
    readonly version?: number,
  ) {
    super(`${path}: ${version ? `version ${version}` : status || 'no answer'}`);
  }
}

export const clusters = signal<ClusterEntry[] | null>(null);
export const latest = signal<Latest | null>(null);
export const alerts = signal<Alerts | null>(null);
export const nodes = signal<Nodes | null>(null);
export const gpuMap = signal<GPUMap | null>(null);
export const gpus = signal<GPUsData | null>(null);
export const statistics = signal<StatisticsData | null>(null);
export const pods = signal<PodIndex | null>(null);
/** The week of the models and the hours of the nodes, which only some pages need. */
export const week = signal<StatisticsData | null>(null);
export const failedWeek = signal<ReadError | null>(null);
export const nodeHours = signal<NodeHours | null>(null);
/** The last hours of the model servers' GPUs, by "namespace/pod". */
export const podHours = signal<Map<string, (number | null)[]>>(new Map());
/** Why the last refresh failed; null: it did not. */
export const failure = signal<ReadError | null>(null);
/** What latest.json names and the bucket does not give. */
export const missing = signal<ReadError[]>([]);
/** Chunks of pods read so far, of those that there are. */
export const podProgress = signal({ read: 0, of: 0 });
/** Pods, nodes and what is known of each GPU are most of the data: they are read from when they are near to be shown, or at once for their own views. */
type Late = 'pods' | 'nodes' | 'gpus';
const LATE: Record<string, Late[]> = {
  pods: ['pods'],
  pod: ['pods', 'gpus'],
  model: ['pods'],
  node: ['pods', 'nodes', 'gpus'],
  nodes: ['nodes'],
  query: ['nodes'],
};
const wanted = new Set(LATE[one('view')]);
/** The clock, to the second. */
export const now = signal(Date.now());

export const cluster = computed(() => one('cluster') || (clusters.value?.length === 1 ? clusters.value[0]!.name : ''));
export const sampleAgeSeconds = computed(() =>
  latest.value ? (now.value - Date.parse(latest.value.sampledAt)) / 1000 : 0,
);
/** Seconds until the next sample can be here: the interval, but runs come once a minute at most. */
export const expectedSeconds = computed(() => Math.max(60, latest.value?.intervalSeconds ?? 0));
/** How fresh a sample is, by how often one can come. */
export function freshnessOf(ageSeconds: number, intervalSeconds: number): 'fresh' | 'late' | 'stopped' {
  const missed = ageSeconds / Math.max(60, intervalSeconds);
  return missed > FRESHNESS.stopped ? 'stopped' : missed > FRESHNESS.late ? 'late' : 'fresh';
}
export const freshness = computed(() => freshnessOf(sampleAgeSeconds.value, expectedSeconds.value));

async function read<T extends { version: number }>(path: string, cache: RequestCache): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { cache, credentials: 'same-origin' });
  } catch {
    throw new ReadError(path, 0);
  }
  if (!response.ok) throw new ReadError(path, response.status);
  let document: T;
  try {
    document = await response.json();
  } catch {
    throw new ReadError(path, -1);
  }
  if (document.version !== VERSION) throw new ReadError(path, response.status, document.version ?? -1);
  return document;
}

const folder = (name = cluster.value) => encodeURIComponent(name) + '/';

// Immutable objects by path; those that latest.json no longer names are forgotten.
let objects = new Map<string, Promise<unknown>>();
let shown = '';
let running: Promise<void> | null = null;

/** Reads what changed. Two at once are one. */
export function refresh(): Promise<void> {
  running ??= readAll().finally(() => (running = null));
  return running;
}

/** Has something read from now on, and waits until it was. */
export async function want(...late: Late[]): Promise<void> {
  const fresh = late.filter((l) => !wanted.has(l));
  fresh.forEach((l) => wanted.add(l));
  while (running) await running; // the first may not know of it
  if (fresh.length) await refresh();
}

async function readAll(): Promise<void> {
  try {
    if (!clusters.value) clusters.value = (await read<Clusters>('clusters.json', 'no-cache')).clusters ?? [];
    if (!cluster.value) return;
    const name = cluster.value;
    const alertsRead = read<Alerts>(folder() + 'api/v1/resources/alerts.json', 'no-cache').then(
      (a) => (name === cluster.value ? (alerts.value = a) : a),
      (e: ReadError) => e,
    );
    const next = await read<Latest>(folder() + 'latest.json', 'no-cache');
    if (name !== cluster.value) return readAll(); // another one was chosen meanwhile
    latest.value = next;
    failure.value = null;
    const errors = await readObjects(next);
    const alertError = await alertsRead;
    if (name !== cluster.value) return readAll();
    if (alertError instanceof ReadError) errors.push(alertError);
    if (errors.map(String).join() !== missing.value.map(String).join()) missing.value = errors;
  } catch (e) {
    failure.value = e instanceof ReadError ? e : new ReadError(String(e), -1);
  }
}

async function readObjects(next: Latest): Promise<ReadError[]> {
  const errors: ReadError[] = [];
  const base = folder();
  const kept = new Map<string, Promise<unknown>>();
  const object = <T extends { version: number }>(path: string): Promise<T | null> => {
    const promise = objects.get(path) ?? read<T>(base + path, 'default');
    kept.set(path, promise);
    return (promise as Promise<T>).catch((e: ReadError) => {
      kept.delete(path);
      errors.push(e);
      return null;
    });
  };
  const show = async <T extends { version: number }>(path: string, put: (doc: T) => void) => {
    const document = await object<T>(path);
    if (document && base === folder()) put(document); // else another cluster was chosen meanwhile
  };
  const paths = next.objects.pods.map((p) => p.path);
  podProgress.value = { read: 0, of: paths.length };
  const readPods = async () => {
    const chunks = await Promise.all(
      paths.map(async (path) => {
        const chunk = await object<PodsData>(path);
        podProgress.value = { ...podProgress.value, read: podProgress.value.read + 1 };
        return chunk;
      }),
    );
    if (base !== folder()) return;
    const whole = chunks.filter((c) => c !== null);
    if (shown === base + paths.join() && whole.length === chunks.length && pods.value) return;
    if (whole.length === chunks.length || !pods.value) {
      pods.value = new PodIndex(whole);
      shown = whole.length === chunks.length ? base + paths.join() : '';
    }
  };
  await Promise.all([
    show<StatisticsData>(next.objects.statistics.path, (d) => (statistics.value = d)),
    wanted.has('nodes') && show<Nodes>(next.objects.nodes.path, (d) => (nodes.value = d)),
    next.objects.gpuMap && show<GPUMap>(next.objects.gpuMap.path, (d) => (gpuMap.value = d)),
    wanted.has('gpus') && show<GPUsData>(next.objects.gpus.path, (d) => (gpus.value = d)),
    wanted.has('pods') && readPods(),
    wanted.has('pods') &&
      next.objects.podStatistics &&
      show<PodHours>(next.objects.podStatistics.path, (d) => (podHours.value = byPod(d))),
  ]);
  objects = kept;
  return errors;
}

const byPod = (d: PodHours) =>
  new Map(
    d.gpuUtilPercentAvg.map((values, i) => [
      `${d.namespace.dictionary[d.namespace.indexes[i]!]}/${d.pod.dictionary[d.pod.indexes[i]!]}`,
      values,
    ]),
  );

/** One pod with its last 24 hours; only model servers have them. */
export const readPod = (namespace: string, pod: string) =>
  read<PodHistory>(
    `${folder()}api/v1/resources/pods/${encodeURIComponent(namespace)}/${encodeURIComponent(pod)}.json`,
    'no-cache',
  );

/** The week, read when a page that shows it is opened and every ten minutes while it is. */
export function useWeek(): StatisticsData | null {
  const at = latest.value?.sampledAt.slice(0, 15);
  useEffect(() => {
    if (!at) return;
    const of = cluster.peek();
    read<StatisticsData>(folder() + 'api/v1/resources/statistics-168.json', 'no-cache').then(
      (d) => of === cluster.peek() && batch(() => ((week.value = d), (failedWeek.value = null))),
      (e: ReadError) => (failedWeek.value = e),
    );
  }, [cluster.value, at]);
  return week.value;
}

/** The hours of the nodes, read when a page that shows them is opened. */
export function useNodeHours(): NodeHours | null {
  const path = latest.value?.objects.nodeStatistics?.path;
  useEffect(() => {
    const of = cluster.peek();
    if (path)
      read<NodeHours>(folder() + path, 'default').then(
        (d) => of === cluster.peek() && (nodeHours.value = d),
        () => {},
      );
  }, [cluster.value, path]);
  return nodeHours.value;
}

export interface ClusterState {
  latest: Latest;
  firing: Alert[] | null; // null: not known
}

/** What the fleet shows of one cluster. */
export async function readCluster(name: string): Promise<ClusterState> {
  const firing = read<Alerts>(folder(name) + 'api/v1/resources/alerts.json', 'no-cache').then(
    (a) => a.alerts,
    () => null,
  );
  return { latest: await read<Latest>(folder(name) + 'latest.json', 'no-cache'), firing: await firing };
}

/** Why something could not be read, in words. */
export function reason(e: ReadError): string {
  if (e.version !== undefined) return t('unknownVersion', e.path, e.version, VERSION);
  const why =
    e.status === 0
      ? t('noAnswer')
      : e.status === -1
        ? t('unreadable')
        : e.status === 404
          ? t('notFound')
          : e.status === 401 || e.status === 403
            ? t('refused', e.status)
            : t('answered', e.status);
  return `${e.path}: ${why}`;
}

/** Forgets one cluster's data when another is chosen. */
export function forget() {
  objects = new Map();
  shown = '';
  batch(() => {
    latest.value =
      alerts.value =
      nodes.value =
      gpuMap.value =
      gpus.value =
      statistics.value =
      pods.value =
      week.value =
      nodeHours.value =
        null;
    podHours.value = new Map();
    failure.value = failedWeek.value = null;
    missing.value = [];
  });
}

/** Refreshes while the page is seen, and at once when it is seen again. */
export function keepFresh() {
  let last = 0;
  const tick = () => {
    now.value = Date.now();
    if (document.hidden || now.value - last < REFRESH_SECONDS * 1000) return;
    last = now.value;
    void refresh();
  };
  tick();
  setInterval(tick, 1000);
  document.addEventListener('visibilitychange', tick);
}
