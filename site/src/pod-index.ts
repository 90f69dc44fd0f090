// Pods in columns: an index of row numbers over typed arrays, so that 150,000
// rows are filtered and sorted without an object a row.
import type { PodsData, Strings } from './report';

type ColumnsOf<T> = { [K in keyof PodsData]: PodsData[K] extends T ? K : never }[keyof PodsData];
export type TextColumn = ColumnsOf<Strings>;
export type NumberColumn = ColumnsOf<(number | null)[]>;

interface Texts {
  dictionary: string[];
  indexes: Int32Array; // -1: null
  lower?: string[];
}

/** What a selection asks for: equality on columns, and words to find. */
export interface Selection {
  ns?: string[];
  type?: string; // "serving", an engine, "none"; "": all
  model?: string[];
  node?: string[];
  state?: string[];
  phase?: string[];
  q?: string;
}

const SEARCHED: TextColumn[] = ['pod', 'namespace', 'model', 'node', 'owner', 'image'];
const EQUAL: [keyof Selection, TextColumn][] = [
  ['ns', 'namespace'],
  ['model', 'model'],
  ['node', 'node'],
  ['state', 'gpuState'],
  ['phase', 'phase'],
];

export class PodIndex {
  readonly count: number;
  #chunks: PodsData[];
  #texts = new Map<TextColumn, Texts>();
  #numbers = new Map<NumberColumn, Float64Array>();
  #orders = new Map<string, Uint32Array>();

  constructor(chunks: PodsData[]) {
    this.#chunks = chunks;
    this.count = chunks.reduce((n, c) => n + c.count, 0);
  }

  /** A column of strings; the chunks' dictionaries become one. */
  texts(column: TextColumn): Texts {
    let texts = this.#texts.get(column);
    if (texts) return texts;
    const only = this.#chunks.length === 1 ? this.#chunks[0]![column] : null;
    if (only) {
      texts = { dictionary: only.dictionary, indexes: Int32Array.from(only.indexes) };
    } else {
      const ids = new Map<string, number>();
      const indexes = new Int32Array(this.count);
      let row = 0;
      for (const chunk of this.#chunks) {
        const map = chunk[column].dictionary.map((s) => {
          if (!ids.has(s)) ids.set(s, ids.size);
          return ids.get(s)!;
        });
        for (const i of chunk[column].indexes) indexes[row++] = i < 0 ? -1 : map[i]!;
      }
      texts = { dictionary: [...ids.keys()], indexes };
    }
    this.#texts.set(column, texts);
    return texts;
  }

  /** A column of numbers, NaN where not measured. */
  numbers(column: NumberColumn): Float64Array {
    let values = this.#numbers.get(column);
    if (!values) {
      values = new Float64Array(this.count);
      let row = 0;
      for (const chunk of this.#chunks) for (const v of chunk[column]) values[row++] = v ?? NaN;
      this.#numbers.set(column, values);
    }
    return values;
  }

  text(column: TextColumn, row: number): string | null {
    const { dictionary, indexes } = this.texts(column);
    return dictionary[indexes[row]!] ?? null;
  }

  number(column: NumberColumn, row: number): number | null {
    const v = this.numbers(column)[row]!;
    return Number.isNaN(v) ? null : v;
  }

  ready(row: number): boolean {
    for (const chunk of this.#chunks) {
      if (row < chunk.count) return chunk.ready[row]!;
      row -= chunk.count;
    }
    return false;
  }

  find(namespace: string, pod: string): number {
    const spaces = this.texts('namespace');
    const pods = this.texts('pod');
    const n = spaces.dictionary.indexOf(namespace);
    const p = pods.dictionary.indexOf(pod);
    if (n < 0 || p < 0) return -1;
    for (let row = 0; row < this.count; row++) if (pods.indexes[row] === p && spaces.indexes[row] === n) return row;
    return -1;
  }

  /** All rows in order of a column; what was not measured comes last. */
  order(column: TextColumn | NumberColumn, descending: boolean): Uint32Array {
    const key = column + descending;
    let order = this.#orders.get(key);
    if (order) return order;
    const rank = this.#isText(column) ? this.#ranks(column) : this.numbers(column as NumberColumn);
    const sign = descending ? -1 : 1;
    order = Uint32Array.from({ length: this.count }, (_, i) => i).sort((a, b) => {
      const x = rank[a]!;
      const y = rank[b]!;
      if (x === y) return a - b;
      if (x !== x) return y !== y ? a - b : 1;
      if (y !== y) return -1;
      return sign * (x - y);
    });
    this.#orders.set(key, order);
    return order;
  }

  /** Model servers first, each part by namespace and name. */
  servingFirst(): Uint32Array {
    let order = this.#orders.get('');
    if (!order) {
      const { dictionary, indexes } = this.texts('modelType');
      const serves = (row: number) => (dictionary[indexes[row]!] ? 1 : 0);
      order = new Uint32Array(this.count);
      let at = 0;
      for (const wanted of [1, 0])
        for (let row = 0; row < this.count; row++) if (serves(row) === wanted) order[at++] = row;
      this.#orders.set('', order);
    }
    return order;
  }

  /** The rows of the order that the selection asks for. */
  select(order: Uint32Array, selection: Selection): Uint32Array {
    const tests: { indexes: Int32Array; passes: Uint8Array }[][] = [];
    const equal = (column: TextColumn, want: (s: string) => boolean, none = false) => {
      const { dictionary, indexes } = this.texts(column);
      tests.push([{ indexes, passes: this.#passes(dictionary, want, none) }]);
    };
    for (const [key, column] of EQUAL) {
      const wanted = selection[key] as string[] | undefined;
      if (wanted?.length) equal(column, (s) => wanted.includes(s));
    }
    const type = selection.type;
    if (type === 'serving') equal('modelType', (s) => s !== '');
    else if (type === 'none') equal('modelType', (s) => s === '', true);
    else if (type) equal('modelType', (s) => s === type);
    for (const word of (selection.q ?? '').toLowerCase().split(/\s+/).filter(Boolean)) {
      tests.push(
        SEARCHED.map((column) => {
          const texts = this.texts(column);
          texts.lower ??= texts.dictionary.map((s) => s.toLowerCase());
          return { indexes: texts.indexes, passes: this.#passes(texts.lower, (s) => s.includes(word), false) };
        }),
      );
    }
    if (tests.length === 0) return order;
    const rows = new Uint32Array(order.length);
    let n = 0;
    next: for (const row of order) {
      for (const anyOf of tests) {
        let passes = false;
        for (const t of anyOf) {
          if (t.passes[t.indexes[row]! + 1]) {
            passes = true;
            break;
          }
        }
        if (!passes) continue next;
      }
      rows[n++] = row;
    }
    return rows.subarray(0, n);
  }

  #isText(column: TextColumn | NumberColumn): column is TextColumn {
    return this.#chunks.length > 0 && 'dictionary' in this.#chunks[0]![column];
  }

  /** Whether each entry of a dictionary passes, shifted by one: null is first. */
  #passes(dictionary: string[], want: (s: string) => boolean, none: boolean): Uint8Array {
    const passes = new Uint8Array(dictionary.length + 1);
    passes[0] = none ? 1 : 0;
    for (let i = 0; i < dictionary.length; i++) passes[i + 1] = want(dictionary[i]!) ? 1 : 0;
    return passes;
  }

  #ranks(column: TextColumn): Float64Array {
    const { dictionary, indexes } = this.texts(column);
    const sorted = dictionary.map((_, i) => i).sort((a, b) => (dictionary[a]! < dictionary[b]! ? -1 : 1));
    const rank = new Float64Array(dictionary.length);
    sorted.forEach((id, i) => (rank[id] = i));
    return Float64Array.from(indexes, (id) => (id < 0 ? NaN : rank[id]!));
  }
}
