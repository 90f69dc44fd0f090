// Reads hourly Parquet objects beside the page and folds their rows: by range
// requests, so that of a large object only the columns asked for are fetched.
import { decompress } from 'fzstd';
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { browse, QUESTIONS, type Answer, type Row } from './questions';

export interface Ask {
  urls: string[];
  question: string; // "": browse
  words: string;
  columns?: string[];
}

export interface Told {
  done: number;
  answer?: Answer;
  read: number; // objects
  rows: number;
  requests: number;
  bytes: number;
  refused: number[]; // what was answered instead of an object, each status once; 0: no answer
  failure?: string;
}

const TAIL = 64 * 1024; // holds the footer, and of a small object everything
const SIDE_BY_SIDE = 6;
const compressors = { ZSTD: (input: Uint8Array, length: number) => decompress(input, new Uint8Array(length)) };

onmessage = async (e: MessageEvent<Ask>) => {
  const { urls, question, words, columns } = e.data;
  const told: Told = { done: 0, read: 0, rows: 0, requests: 0, bytes: 0, refused: [] };
  const fold = QUESTIONS.find((q) => q.name === question)?.fold?.() ?? browse(words);
  const fetchRange = async (url: string, range: string) => {
    told.requests++;
    const response = await fetch(url, { headers: { Range: range }, cache: 'no-cache' });
    const body = response.ok ? await response.arrayBuffer() : new ArrayBuffer(0);
    told.bytes += body.byteLength;
    return { response, body };
  };
  const read = async (url: string) => {
    const { response, body: tail } = await fetchRange(url, `bytes=-${TAIL}`).catch(() => ({ response: null, body: null }));
    if (!response?.ok) {
      if (!told.refused.includes(response?.status ?? 0)) told.refused.push(response?.status ?? 0);
      return;
    }
    const byteLength = response.status === 206 ? Number(response.headers.get('Content-Range')?.split('/')[1]) : tail!.byteLength;
    const start = byteLength - tail!.byteLength;
    const file = {
      byteLength,
      slice: async (from: number, to = byteLength) =>
        from >= start ? tail!.slice(from - start, to - start) : (await fetchRange(url, `bytes=${from}-${to - 1}`)).body,
    };
    const metadata = await parquetMetadataAsync(file);
    const known = new Set(metadata.schema.slice(1).map((s) => s.name));
    // A column that an older object lacks is null, as in the views.
    const rows = await parquetReadObjects({ file, metadata, compressors, columns: columns?.filter((c) => known.has(c)) });
    told.read++;
    told.rows += rows.length;
    for (const row of rows) {
      const plain: Row = {};
      for (const [key, v] of Object.entries(row)) plain[key] = typeof v === 'bigint' ? Number(v) : v instanceof Date ? v.toISOString() : (v ?? null);
      fold.add(plain);
    }
  };
  try {
    const queue = [...urls];
    const next = async () => {
      for (let url = queue.shift(); url; url = queue.shift()) {
        await read(url);
        told.done++;
        if (told.done % 12 === 0) postMessage(told);
        if (told.done === SIDE_BY_SIDE * 2 && told.read === 0 && urls.length > 24) queue.length = 0; // nothing is to be had here
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, next));
    if (told.read > 0) told.answer = fold.answer();
  } catch (error) {
    told.failure = String(error);
  }
  postMessage({ ...told, done: urls.length });
};
