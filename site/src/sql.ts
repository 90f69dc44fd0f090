// SQL over one hourly table, for the explorer: a plan takes the rows of the
// table in batches of columns and answers at the end. Millions of rows take
// about a second. What cannot be run here is an error that says so.
import { derivedAlias, parseSql, type ExprNode, type SelectStatement, type Statement } from 'squirreling';
import schema from '../../docs/schema.md?raw';
import {
  alike,
  compile,
  condition,
  constant,
  fail,
  MS,
  SqlError,
  type Expr,
  type Scope,
  type Type,
  type Value,
} from './sql-expression';
import { aggregate, functions, grouper, isAggregate, keeper, MOST_ROWS, type Aggregate } from './sql-rows';

export { SqlError, type Value };

/** An answer: rows in order. `bar` names the column that is also drawn. */
export interface Answer {
  columns: string[];
  rows: Value[][];
  bar?: string;
}

/** Rows of a table, by column. A column that an object lacks is NULL. */
export interface Batch {
  length: number;
  columns: Record<string, ArrayLike<Value | undefined>>;
}

export interface Query {
  table: string;
  columns: string[];
  /** The hours to read, newest first, and whether WHERE bounds them. */
  hours: number[];
  bounded: boolean;
  add(batch: Batch): void;
  /** Whether older hours cannot change the answer. */
  full(): boolean;
  answer(): Answer;
}

interface Column {
  name: string;
  type: Type;
}

const TYPES: Record<string, Type> = {
  string: 'text',
  int: 'int',
  bigint: 'int',
  double: 'double',
  boolean: 'boolean',
  timestamp: 'time',
};
const PARTITION: Column[] = [
  { name: 'cluster', type: 'text' },
  { name: 'dt', type: 'text' },
];

/** The hourly tables as the documentation has them, and as the views of DuckDB and Athena. */
export const TABLES: Record<string, Column[]> = Object.fromEntries(
  [...schema.matchAll(/^## hourly\/v1\/(\w+)\n([^#]*)/gm)].map(([, table, body]) => [
    'hourly_' + table,
    [...body!.matchAll(/^\| (\w+) \| (\w+) \|/gm)]
      .filter(([, , type]) => TYPES[type!])
      .map(([, name, type]) => ({ name: name!, type: TYPES[type!]! }))
      .concat(PARTITION),
  ]),
);

const MOST_HOURS = 31 * 24;

/** Reads SQL. The time of the newest sample is its current_timestamp. */
export function read(text: string, now: number): Query {
  const plan = planOf(parse(text, now), new Map(), now);
  const { leaf, out } = plan;
  const newest = Math.floor(Math.min(now, leaf.to - 1) / MS.HOUR!);
  const oldest = leaf.from === -Infinity ? newest - 23 : Math.ceil(leaf.from / MS.HOUR!);
  if (newest - oldest >= MOST_HOURS)
    throw new SqlError(
      `${newest - oldest + 1} hours are too many here, at most ${MOST_HOURS} are read: bound hour in WHERE, or use DuckDB`,
    );
  const shown = (v: Value, k: number) =>
    typeof v !== 'number' ? v : out[k]!.type === 'time' ? new Date(v).toISOString() : v + 0; // and no -0
  return {
    table: leaf.table,
    columns: [...leaf.used],
    hours: Array.from({ length: Math.max(0, newest - oldest + 1) }, (_, i) => (newest - i) * MS.HOUR!),
    bounded: leaf.from !== -Infinity,
    add: plan.add,
    full: plan.full,
    answer: () => ({ columns: out.map((c) => c.name), rows: plan.rows().map((r) => r.map(shown)) }),
  };
}

function parse(text: string, now: number): Statement {
  // The parser knows no dates. The day that the questions make of one is put in its place; positions stay.
  const query = text.replace(/CAST\(CAST\(current_date - INTERVAL '(\d+)' DAY AS date\) AS varchar\)/gi, (all, days) =>
    `'${new Date(now - days * MS.DAY!).toISOString().slice(0, 10)}'`.padEnd(all.length),
  );
  try {
    return parseSql({ query, functions });
  } catch (e) {
    const { message, positionStart } = e as Error & { positionStart?: number };
    throw new SqlError(
      message.replace(/ at position \d+/, '') +
        (/after "\."/.test(message) ? ': a keyword is a name in double quotes' : ''),
      positionStart,
    );
  }
}

/** The table that a query comes down to, what is used of it, and the hours from and before which it is read. */
interface Leaf {
  table: string;
  used: Set<string>;
  from: number;
  to: number;
}

interface Plan {
  leaf: Leaf;
  out: Column[];
  add(batch: Batch): void;
  full(): boolean;
  rows(): Value[][];
}

function planOf(statement: Statement, named: Map<string, () => Plan>, now: number): Plan {
  if (statement.type === 'select') return planSelect(statement, named, now);
  if (statement.type === 'compound') fail(statement, `${statement.operator} cannot be run here: use DuckDB`);
  for (const { name, query } of statement.ctes) {
    const before = named;
    named = new Map(before).set(name.toLowerCase(), () => planOf(query, before, now));
  }
  return planOf(statement.query, named, now);
}

/** The same whatever the place in the text and the case of names. */
const idOf = (node: ExprNode) =>
  JSON.stringify(node, (k, v) =>
    k.startsWith('position') || k === 'prefix'
      ? undefined
      : k === 'name' || k === 'funcName'
        ? v.toLowerCase()
        : typeof v === 'bigint'
          ? String(v)
          : v,
  );

const contains = (node: unknown, test: (node: ExprNode) => boolean): boolean =>
  typeof node === 'object' &&
  node !== null &&
  (test(node as ExprNode) || Object.values(node).some((v) => contains(v, test)));

function planSelect(select: SelectStatement, named: Map<string, () => Plan>, now: number): Plan {
  const { from, limit = Infinity, offset = 0 } = select;
  if (select.joins.length) fail(select.joins[0]!, 'joins cannot be run here: use DuckDB');
  if (from.type === 'function') fail(from, `${from.funcName} cannot be run here: use DuckDB`);
  if (limit < Infinity && limit + offset > MOST_ROWS)
    fail(select, `at most ${MOST_ROWS} rows are kept here: lower LIMIT`);
  const table = from.type === 'table' ? from.table.toLowerCase() : '';
  const inner = from.type === 'subquery' ? planOf(from.query, named, now) : named.get(table)?.();
  const columns =
    inner?.out ??
    (Object.hasOwn(TABLES, table)
      ? TABLES[table]!
      : fail(from, `there is no table ${table} here; there are ${Object.keys(TABLES).join(', ')}`));
  const leaf = inner?.leaf ?? { table, used: new Set<string>(), from: -Infinity, to: Infinity };

  // Where a row is read: a name is a column, else what SELECT calls so.
  let data: Batch['columns'] = {};
  const isOwn = (node: { prefix?: string; positionStart: number }) =>
    !node.prefix ||
    node.prefix.toLowerCase() === (from.alias ?? table).toLowerCase() ||
    fail(node, `there is no table ${node.prefix} here`);
  const column = (node: ExprNode): Expr | undefined => {
    if (node.type !== 'identifier' || !isOwn(node)) return;
    const [c, twice] = columns.filter((c) => c.name.toLowerCase() === node.name.toLowerCase());
    if (!c) return;
    if (twice) fail(node, `two columns are called ${node.name}`);
    if (!inner) leaf.used.add(c.name);
    return { type: c.type, at: (i) => data[c.name]?.[i] ?? null };
  };
  const outputs = select.columns.flatMap((c): { name: string; node: ExprNode }[] =>
    c.type === 'derived'
      ? [{ name: c.alias ?? derivedAlias(c.expr), node: c.expr }]
      : isOwn({ ...c, prefix: c.table }) &&
        columns.map(({ name }) => ({
          name,
          node: { type: 'identifier', name, positionStart: c.positionStart, positionEnd: c.positionEnd },
        })),
  );
  const called = (node: ExprNode): ExprNode | undefined => {
    if (node.type !== 'identifier' || node.prefix) return;
    const all = outputs.filter((o) => o.name.toLowerCase() === node.name.toLowerCase()).map((o) => o.node);
    return new Set(all.map(idOf)).size > 1
      ? fail(node, `two columns are called ${node.name}: name them apart with AS`)
      : all[0];
  };
  const within = new Set<ExprNode>(); // aliases that are being looked up: none is made of itself
  const byAlias = (node: ExprNode, scope: Scope): Expr => {
    const meant = called(node);
    if (!meant || within.has(meant))
      fail(node, `there is no column ${(node as { name: string }).name} in ${table || 'the subquery'}`);
    within.add(meant);
    const e = compile(meant, scope);
    within.delete(meant);
    return e;
  };
  const atRow: Scope = (node) => {
    if (node.type === 'function' && node.funcName.toLowerCase() === 'current_timestamp') return constant('time', now);
    if (isAggregate(node)) fail(node, 'an aggregate cannot stand here: use HAVING');
    return column(node) ?? (node.type === 'identifier' ? byAlias(node, atRow) : undefined);
  };

  // Where a group is: its keys, aggregates over its rows, and nothing else.
  const aggregated =
    select.groupBy.length > 0 || select.having !== undefined || contains([outputs, select.orderBy], isAggregate);
  if (select.distinct && aggregated)
    fail(select, 'DISTINCT cannot stand beside aggregates here: SELECT DISTINCT … FROM (SELECT …)');
  const keys = select.distinct
    ? outputs.map((o) => o.node)
    : select.groupBy.map((node) => (node.type === 'identifier' && !column(node) && called(node)) || node);
  const keyed = keys.map((node) => ({ id: idOf(node), e: compile(node, atRow) }));
  const groups = grouper(keyed.map((k) => k.e));
  const aggregates = new Map<string, Aggregate>();
  const atGroup: Scope = (node) => {
    const id = idOf(node);
    const k = keyed.findIndex((k) => k.id === id);
    if (k >= 0 && (node.type !== 'identifier' || isOwn(node)))
      return { type: keyed[k]!.e.type, at: (g) => groups.values[k]![g]! };
    if (node.type === 'function' && isAggregate(node)) {
      const a = aggregates.get(id) ?? aggregate(node, atRow);
      aggregates.set(id, a);
      return { type: a.type, at: a.value };
    }
    if (node.type === 'identifier')
      return column(node)
        ? fail(node, `${node.name} must stand in GROUP BY or in an aggregate`)
        : byAlias(node, atGroup);
    return node.type === 'function' && !node.args.length ? atRow(node) : undefined;
  };
  const grouped = aggregated || select.distinct;
  const scope = grouped ? atGroup : atRow;

  const where = select.where && condition(select.where, atRow);
  if (!inner && select.where) bound(leaf, select.where, atRow);
  const having = select.having && condition(select.having, scope);
  const made = outputs.map((o) => compile(o.node, scope));
  const sorted = select.orderBy.map((o) => ({ ...o, expr: called(o.expr) ?? o.expr }));
  const { keep, enough, rows } = keeper(
    made,
    sorted.map(({ expr, direction, nulls }) => ({
      e: compile(expr, scope),
      descending: direction === 'DESC',
      nullsFirst: nulls === 'FIRST',
    })),
    offset,
    limit + offset,
  );
  const newestFirst =
    !sorted.length ||
    (sorted[0]!.direction === 'DESC' &&
      sorted[0]!.expr.type === 'identifier' &&
      sorted[0]!.expr.name.toLowerCase() === 'hour');
  const take = (batch: Batch) => {
    data = batch.columns;
    const steps = [...aggregates.values()];
    for (let i = 0; i < batch.length; i++) {
      if (where && where.at(i) !== true) continue;
      if (!grouped) keep(i);
      else {
        const g = groups.of(i);
        for (let k = 0; k < steps.length; k++) steps[k]!.step(g, i);
      }
    }
  };
  return {
    leaf,
    out: made.map((e, k) => ({ name: outputs[k]!.name, type: e.type })),
    add: inner ? inner.add : take,
    full: inner ? inner.full : () => !grouped && newestFirst && enough(),
    rows() {
      if (inner) {
        const given = inner.rows();
        take({
          length: given.length,
          columns: Object.fromEntries(inner.out.map((c, k) => [c.name, given.map((r) => r[k])])),
        });
      }
      if (grouped) for (let g = 0; g < groups.count(); g++) if (!having || having.at(g) === true) keep(g);
      return rows();
    },
  };
}

const MIRRORED: Record<string, string> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** Narrows the hours to what AND in WHERE says of hour, or of its day dt, beside a constant. */
function bound(leaf: Leaf, where: ExprNode, scope: Scope): void {
  if (where.type !== 'binary') return;
  if (where.op === 'AND') return [where.left, where.right].forEach((part) => bound(leaf, part, scope));
  for (const [name, value, op] of [
    [where.left, where.right, where.op],
    [where.right, where.left, MIRRORED[where.op] ?? where.op],
  ] as const) {
    const span = name.type === 'identifier' ? { hour: 1, dt: MS.DAY! }[name.name.toLowerCase()] : undefined;
    if (!span || value.type === 'interval') continue;
    const e = alike([name, value], scope).args[1]!;
    const v = e.constant ? e.at(0) : null;
    const at = typeof v === 'string' && /^\d{4}-\d\d-\d\d$/.test(v) ? Date.parse(v) : v;
    if (typeof at !== 'number' || Number.isNaN(at)) continue;
    if (op === '=' || op === '>=' || op === '>') leaf.from = Math.max(leaf.from, op === '>' ? at + span : at);
    if (op === '=' || op === '<=' || op === '<') leaf.to = Math.min(leaf.to, op === '<' ? at : at + span);
  }
}
