// What SQL keeps of the rows that it is given, by number: the first in order,
// groups by their keys, and aggregates over the rows of a group.
import type { ExprNode } from 'squirreling';
import {
  compile,
  condition,
  constant,
  fail,
  number,
  order,
  SqlError,
  type Expr,
  type Scope,
  type Type,
  type Value,
} from './sql-expression';

/** Rows of an answer at most; of groups more, as HAVING and LIMIT come after. */
export const MOST_ROWS = 200_000;
const MOST_GROUPS = 500_000;

export interface Sort {
  e: Expr;
  descending: boolean;
  nullsFirst: boolean;
}

/** Keeps the rows from offset up to most, in order. */
export function keeper(made: Expr[], sorts: Sort[], offset: number, most: number) {
  const compare = (a: Value[], b: Value[]) => {
    for (let k = 0; k < sorts.length; k++) {
      const { descending, nullsFirst } = sorts[k]!;
      const [x, y] = [a[k]!, b[k]!];
      const o =
        x === null || y === null
          ? (Number(x === null) - Number(y === null)) * (nullsFirst ? -1 : 1)
          : order(x, y) * (descending ? -1 : 1);
      if (o !== 0) return o;
    }
    return 0;
  };
  let kept: { by: Value[]; values: Value[] }[] = [];
  let last: Value[] | undefined; // beyond it no row counts
  const sort = () => void (sorts.length && kept.sort((a, b) => compare(a.by, b.by)));
  return {
    enough: () => kept.length >= most,
    keep(row: number) {
      if (!sorts.length && kept.length >= most) return;
      const by = sorts.map((s) => s.e.at(row));
      if (last && compare(by, last) >= 0) return;
      kept.push({ by, values: made.map((e) => e.at(row)) });
      if (sorts.length && kept.length > 2 * most + 1000) {
        sort();
        kept.length = most;
        last = kept.at(-1)?.by;
      }
      if (most === Infinity && kept.length > MOST_ROWS)
        throw new SqlError(`the answer has more than ${MOST_ROWS} rows: add LIMIT, or keep fewer with WHERE`);
    },
    rows() {
      sort();
      kept = kept.slice(offset, most);
      return kept.map((r) => r.values);
    },
  };
}

/** Numbers groups by their keys; without keys all rows are one. */
export function grouper(keys: Expr[]) {
  const root = new Map<Value, any>();
  const values: Value[][] = keys.map(() => []);
  const deepest = keys.length - 1;
  let count = keys.length ? 0 : 1;
  return {
    values,
    count: () => count,
    of(row: number): number {
      let at: any = keys.length ? root : 0;
      for (let k = 0; k <= deepest; k++) {
        const v = keys[k]!.at(row);
        let next = at.get(v);
        if (next === undefined) {
          if (k === deepest && count >= MOST_GROUPS)
            throw new SqlError(`there are more than ${MOST_GROUPS} groups: keep fewer rows with WHERE, or use DuckDB`);
          at.set(v, (next = k < deepest ? new Map() : count++));
          if (k === deepest) keys.forEach((e, n) => values[n]!.push(e.at(row)));
        }
        at = next;
      }
      return at;
    },
  };
}

const AGGREGATES = ['count', 'sum', 'avg', 'min', 'max', 'min_by', 'max_by', 'bool_and', 'bool_or'];

/** Those that the parser has to be told of. */
export const functions = Object.fromEntries(
  AGGREGATES.slice(5).map((name) => [
    name,
    { apply: () => null, arguments: name.endsWith('_by') ? { min: 2, max: 2 } : { min: 1, max: 1 } },
  ]),
);

export const isAggregate = (node: ExprNode) =>
  node.type === 'function' && AGGREGATES.includes(node.funcName.toLowerCase());

export interface Aggregate {
  type: Type;
  step(group: number, row: number): void;
  value(group: number): Value;
}

/** An aggregate, of expressions over the rows. */
export function aggregate(node: Extract<ExprNode, { type: 'function' }>, scope: Scope): Aggregate {
  const name = node.funcName.toLowerCase();
  const sums = name === 'sum' || name === 'avg';
  const [first, second] = node.args as [ExprNode, ExprNode?];
  const x =
    first.type === 'star'
      ? constant('int', 1)
      : sums
        ? number(first, scope)
        : name.startsWith('bool')
          ? condition(first, scope)
          : compile(first, scope);
  const by = second && compile(second, scope);
  if (by && node.distinct) fail(node, `${name} takes no DISTINCT`);
  const only = node.filter && condition(node.filter, scope);
  const seen: Set<Value>[] | undefined = node.distinct ? [] : undefined;
  const sign = name.startsWith('min') ? 1 : -1;
  const counts: number[] = [];
  const values: Value[] = [];
  const best: Value[] = [];
  const take: (g: number, v: any, row: number) => void =
    name === 'count'
      ? () => {}
      : sums
        ? (g, v) => (values[g] = ((values[g] as number) ?? 0) + v)
        : name === 'bool_and'
          ? (g, v) => (values[g] = (values[g] ?? true) && v)
          : name === 'bool_or'
            ? (g, v) => (values[g] = (values[g] ?? false) || v)
            : (g, v, row) => {
                const w = by ? by.at(row) : v;
                if (w === null || (best[g] !== undefined && sign * order(w, best[g]!) >= 0)) return;
                best[g] = w;
                values[g] = v;
              };
  return {
    type: name === 'count' ? 'int' : name === 'avg' ? 'double' : x.type,
    step(g, row) {
      if (only && only.at(row) !== true) return;
      const v = x.at(row);
      if (v === null || (seen && (seen[g] ??= new Set()).size === seen[g].add(v).size)) return;
      counts[g] = (counts[g] ?? 0) + 1;
      take(g, v, row);
    },
    value: (g) =>
      name === 'count'
        ? (counts[g] ?? 0)
        : name === 'avg' && counts[g]
          ? (values[g] as number) / counts[g]
          : (values[g] ?? null),
  };
}
