// Runs SQL over hourly Parquet objects beside the page: by range requests, so
// that of a large object only the columns asked for are fetched. Objects are
// taken newest first whatever order they come in, so that answers repeat.
import { decompress } from 'fzstd';
import { parquetMetadataAsync, parquetRead } from 'hyparquet';
import { objectName } from './questions';
import { read, SqlError, type Answer, type Batch, type Value } from './sql';

export interface Ask {
  sql: string;
  now: number; // the newest sample's time
  cluster: string;
  base: string; // the bucket's prefix, as a URL
}

export interface Told {
  hours: number; // that are to be read
  bounded: boolean; // by the SQL, not by default
  done: number;
  answer?: Answer;
  read: number; // objects
  rows: number;
  requests: number;
  bytes: number;
  refused: number[]; // how it was said that there is no object, or none to be had; each status once
  error?: { message: string; position?: number }; // of the SQL
  failure?: string; // of anything else
}

const NONE = [401, 403, 404]; // a store that may not be listed says 403 of what is not there
const TAIL = 64 * 1024; // holds the footer, and of a small object everything
const SIDE_BY_SIDE = 6;
const compressors = { ZSTD: (input: Uint8Array, length: number) => decompress(input, new Uint8Array(length)) };

onmessage = async (e: MessageEvent<Ask>) => {
  const { sql, now, cluster, base } = e.data;
  const told: Told = { hours: 0, bounded: true, done: 0, read: 0, rows: 0, requests: 0, bytes: 0, refused: [] };
  const fetchRange = async (url: string, range: string) => {
    told.requests++;
    const response = await fetch(url, { headers: { Range: range }, cache: 'no-cache' });
    const body = response.ok ? await response.arrayBuffer() : new ArrayBuffer(0);
    told.bytes += body.byteLength;
    return { response, body };
  };
  const load = async (table: string, hour: number, wanted: string[]): Promise<Batch | null> => {
    const name = objectName(table, cluster, hour);
    const url = new URL(name, base).href;
    const { response, body: tail } = await fetchRange(url, `bytes=-${TAIL}`);
    if (NONE.includes(response.status)) {
      if (!told.refused.includes(response.status)) told.refused.push(response.status);
      return null;
    }
    if (!response.ok) throw new Error(`${name}: ${response.status}`); // an answer without it would be wrong
    const byteLength =
      response.status === 206 ? Number(response.headers.get('Content-Range')?.split('/')[1]) : tail.byteLength;
    const start = byteLength - tail.byteLength;
    const file = {
      byteLength,
      slice: async (from: number, to = byteLength) =>
        from >= start ? tail.slice(from - start, to - start) : (await fetchRange(url, `bytes=${from}-${to - 1}`)).body,
    };
    const metadata = await parquetMetadataAsync(file);
    const known = new Set(metadata.schema.slice(1).map((s) => s.name));
    const length = Number(metadata.num_rows);
    const columns: Record<string, Value[]> = {
      cluster: Array(length).fill(cluster),
      dt: Array(length).fill(new Date(hour).toISOString().slice(0, 10)),
    };
    const stored = wanted.filter((c) => known.has(c)); // a column that an older object lacks is null, as in the views
    for (const c of stored) columns[c] = Array(length).fill(null);
    await parquetRead({
      file,
      metadata,
      compressors,
      columns: stored,
      parsers: { timestampFromMilliseconds: Number },
      onChunk: ({ columnName, columnData, rowStart }) => {
        const column = columns[columnName]!;
        for (let i = 0; i < columnData.length; i++)
          column[rowStart + i] = typeof columnData[i] === 'bigint' ? Number(columnData[i]) : (columnData[i] ?? null);
      },
    });
    return { length, columns };
  };
  try {
    const query = read(sql, now);
    const { hours } = query;
    Object.assign(told, { hours: hours.length, bounded: query.bounded });
    const ahead: Promise<Batch | null>[] = [];
    for (let next = 0; told.done < hours.length && !query.full(); told.done++) {
      for (; next < hours.length && ahead.length < SIDE_BY_SIDE; next++) {
        ahead.push(load(query.table, hours[next]!, query.columns));
        ahead.at(-1)!.catch(() => {}); // told when it is its turn
      }
      const batch = await ahead.shift();
      if (batch) {
        told.read++;
        told.rows += batch.length;
        query.add(batch);
      }
      if (told.done % 12 === 0) postMessage(told);
    }
    if (told.read > 0 || hours.length === 0 || query.full()) told.answer = query.answer();
  } catch (error) {
    if (error instanceof SqlError) told.error = { message: error.message, position: error.position };
    else if (error instanceof RangeError)
      told.error = { message: error.message }; // a time beyond all times, a text too deep
    else told.failure = String(error);
  }
  postMessage({ ...told, done: told.hours });
  close();
};
