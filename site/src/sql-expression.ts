// Expressions of SQL as closures over columns: the number of a row in, its
// value out. Types are told before a row is read, so that nonsense is an error
// and never an answer. Values are as DuckDB has them, but that a figure with a
// point is a double here and a decimal there.
import type { ExprNode } from 'squirreling';

export type Value = string | number | boolean | null;
export type Type = 'text' | 'int' | 'double' | 'boolean' | 'time' | 'null';

/** A time's value is its milliseconds since 1970. */
export interface Expr {
  type: Type;
  at: (row: number) => Value;
  constant?: boolean;
}

/** What an expression is where it stands: a column, a key, an aggregate. */
export type Scope = (node: ExprNode) => Expr | undefined;

export class SqlError extends Error {
  constructor(
    message: string,
    readonly position?: number,
  ) {
    super(message);
  }
}

export function fail(node: { positionStart: number }, message: string): never {
  throw new SqlError(message, node.positionStart);
}

/** DuckDB's order: text by its bytes, NaN above all numbers. */
export function order(a: Value, b: Value): number {
  if (a === b) return 0;
  if (typeof a === 'string' && typeof b === 'string') {
    for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return unit(a, i) - unit(b, i);
    return a.length - b.length;
  }
  if (a !== a || b !== b) return Number(a !== a) - Number(b !== b);
  return a! < b! ? -1 : 1;
}

/** A surrogate stands for what is above all other units. */
const unit = (s: string, i: number) =>
  (s.charCodeAt(i) >= 0xd800 && s.charCodeAt(i) < 0xe000 ? 0x10000 : 0) + s.charCodeAt(i);

export const constant = (type: Type, value: Value): Expr => ({ type, at: () => value, constant: true });

/** A function of values; NULL of NULL. Of constants it is a constant. */
function lift(type: Type, args: Expr[], f: (...values: any[]) => Value): Expr {
  const [a, b] = args as [Expr, Expr];
  const at =
    args.length === 1
      ? (i: number) => {
          const x = a.at(i);
          return x === null ? null : f(x);
        }
      : args.length === 2
        ? (i: number) => {
            const x = a.at(i),
              y = b.at(i);
            return x === null || y === null ? null : f(x, y);
          }
        : (i: number) => {
            const values = args.map((e) => e.at(i));
            return values.includes(null) ? null : f(...values);
          };
  return args.every((e) => e.constant) ? constant(type, at(0)) : { type, at };
}

function want(type: Type, node: ExprNode, e: Expr): Expr {
  if (e.type === type || e.type === 'null' || (type === 'double' && e.type === 'int')) return e;
  fail(
    node,
    `${type === 'boolean' ? 'a condition' : type === 'double' ? 'a number' : type} is wanted here, not ${e.type}`,
  );
}

export const condition = (node: ExprNode, scope: Scope) => want('boolean', node, compile(node, scope));
export const number = (node: ExprNode, scope: Scope) => want('double', node, compile(node, scope));

/** Expressions as one type: int and double are double; text that is written out beside a time is one. */
export function alike(nodes: ExprNode[], scope: Scope): { type: Type; args: Expr[] } {
  const args = nodes.map((n) => compile(n, scope));
  const types = new Set(args.map((e) => e.type));
  types.delete('null');
  if (types.has('time') && types.delete('text'))
    args.forEach(
      (e, i) =>
        e.type === 'text' &&
        (args[i] = e.constant
          ? constant('time', e.at(0) === null ? null : time(nodes[i]!, e.at(0) as string))
          : fail(nodes[i]!, 'time is wanted here, not text')),
    );
  if (types.has('double')) types.delete('int');
  if (types.size > 1) fail(nodes[0]!, `${[...types].join(' and ')} do not go together`);
  return { type: [...types][0] ?? 'null', args };
}

function time(node: ExprNode, text: string): number {
  const [, day, clock = '00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d(?::\d\d)?)?)?$/.exec(text.trim()) ?? [];
  const at = Date.parse(`${day}T${clock}${zone.length === 3 ? zone + ':00' : zone}`);
  if (!day || Number.isNaN(at) || new Date(day).toISOString().slice(0, 10) !== day)
    fail(node, `'${text}' is no time: write '2026-03-01 09:00'`);
  return at;
}

export const MS: Record<string, number> = {
  SECOND: 1000,
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY: 86_400_000,
  WEEK: 604_800_000,
};

/** A time and so many units; a month's end stays within its month. */
function later(at: number, count: number, unit: string): number {
  if (MS[unit]) return at + count * MS[unit];
  const date = new Date(at);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + count * (unit === 'YEAR' ? 12 : 1));
  date.setUTCDate(Math.min(day, new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()));
  return Number(date);
}

function truncated(unit: string, at: number): number {
  const date = new Date(at);
  const monday = unit === 'WEEK' ? 4 * MS.DAY! : 0;
  if (unit === 'YEAR' || unit === 'MONTH')
    return Date.UTC(date.getUTCFullYear(), unit === 'YEAR' ? 0 : date.getUTCMonth());
  return Math.floor((at - monday) / MS[unit]!) * MS[unit]! + monday;
}

const PARTS: Record<string, (d: Date) => number> = {
  YEAR: (d) => d.getUTCFullYear(),
  MONTH: (d) => d.getUTCMonth() + 1,
  DAY: (d) => d.getUTCDate(),
  DOW: (d) => d.getUTCDay(),
  HOUR: (d) => d.getUTCHours(),
  MINUTE: (d) => d.getUTCMinutes(),
  SECOND: (d) => d.getUTCSeconds(),
};

/** Half away from zero; also to tens and hundreds. */
function rounded(v: number, digits = 0): number {
  const scale = 10 ** Math.abs(digits);
  const whole = (x: number) => Math.sign(x) * Math.round(Math.abs(x));
  const r = digits < 0 ? whole(v / scale) * scale : whole(v * scale) / scale;
  return Number.isFinite(r) ? r : v;
}

/** By the letter; one stays one. */
const eachLetter = (s: string, f: (c: string) => string) =>
  Array.from(s, (c) => ([...f(c)].length === 1 ? f(c) : ({ ß: 'ẞ', İ: 'i' }[c] ?? c))).join('');

const FUNCTIONS: Record<string, { takes: Type[]; gives: Type; f: (...values: any[]) => Value }> = {
  abs: { takes: ['double'], gives: 'double', f: Math.abs },
  floor: { takes: ['double'], gives: 'double', f: Math.floor },
  ceil: { takes: ['double'], gives: 'double', f: Math.ceil },
  round: { takes: ['double', 'int'], gives: 'double', f: rounded },
  lower: { takes: ['text'], gives: 'text', f: (s: string) => eachLetter(s, (c) => c.toLowerCase()) },
  upper: { takes: ['text'], gives: 'text', f: (s: string) => eachLetter(s, (c) => c.toUpperCase()) },
  length: { takes: ['text'], gives: 'int', f: (s: string) => [...s].length },
};

const COMPARISONS: Record<string, (o: number) => boolean> = {
  '=': (o) => o === 0,
  '==': (o) => o === 0,
  '!=': (o) => o !== 0,
  '<>': (o) => o !== 0,
  '<': (o) => o < 0,
  '<=': (o) => o <= 0,
  '>': (o) => o > 0,
  '>=': (o) => o >= 0,
};

const ARITHMETIC: Record<string, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

const pattern = (like: string) =>
  new RegExp(
    '^' +
      like
        .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
        .replaceAll('%', '.*')
        .replaceAll('_', '.') +
      '$',
    'su',
  );

type Of<T> = Extract<ExprNode, { type: T }>;

function binary(node: Of<'binary'>, scope: Scope): Expr {
  const { op, left, right } = node;
  if (op === 'AND' || op === 'OR') {
    const [a, b, decides] = [condition(left, scope), condition(right, scope), op === 'OR'];
    const at = (i: number) => {
      const x = a.at(i);
      if (x === decides) return x;
      const y = b.at(i);
      return y === decides ? y : x === null ? x : y;
    };
    return { type: 'boolean', at };
  }
  if (op === 'LIKE') {
    const [text, like] = [want('text', left, compile(left, scope)), want('text', right, compile(right, scope))];
    const known = like.constant && like.at(0) !== null ? pattern(like.at(0) as string) : undefined;
    return lift('boolean', [text, like], (s: string, l: string) => (known ?? pattern(l)).test(s));
  }
  const compares = COMPARISONS[op];
  if (compares) return lift('boolean', alike([left, right], scope).args, (a, b) => compares(order(a, b)));
  const [span, other] = right.type === 'interval' ? [right, left] : [left, right];
  if (span.type === 'interval') {
    if ((op !== '-' && op !== '+') || (op === '-' && span === left) || !Number.isInteger(span.value))
      fail(node, 'this cannot be done with an interval here');
    const count = op === '-' ? -span.value : span.value;
    return lift('time', [want('time', other, compile(other, scope))], (at: number) => later(at, count, span.unit));
  }
  const args = [number(left, scope), number(right, scope)];
  const type = op === '/' || args.some((e) => e.type === 'double') ? 'double' : 'int';
  const f = ARITHMETIC[op]!;
  return lift(type, args, type === 'double' ? f : (a, b) => (op === '%' && b === 0 ? null : f(a, b) + 0)); // no int is -0
}

function call(node: Of<'function'>, scope: Scope): Expr {
  const name = node.funcName.toLowerCase();
  if (node.distinct) fail(node, `${name} takes no DISTINCT`);
  if (['coalesce', 'greatest', 'least', 'nullif'].includes(name)) {
    const { type, args } = alike(node.args, scope);
    if (name === 'nullif')
      return {
        type: args[0]!.type,
        at: (i) => {
          const v = args[0]!.at(i),
            w = args[1]!.at(i);
          return v !== null && w !== null && order(v, w) === 0 ? null : v;
        },
      };
    const sign = name === 'greatest' ? -1 : 1;
    const at = (i: number) => {
      let best: Value = null;
      for (const e of args) {
        const v = e.at(i);
        if (v !== null && (best === null || sign * order(v, best) < 0)) best = v;
        if (name === 'coalesce' && v !== null) return v;
      }
      return best;
    };
    return { type, at };
  }
  if (name === 'date_trunc' || name === 'extract' || name === 'date_part') {
    const unit = node.args[0]!.type === 'literal' ? String(node.args[0]!.value).toUpperCase() : '';
    const at = want('time', node.args[1]!, compile(node.args[1]!, scope));
    if (name === 'date_trunc')
      return MS[unit] || unit === 'MONTH' || unit === 'YEAR'
        ? lift('time', [at], (v: number) => truncated(unit, v))
        : fail(node.args[0]!, `a time is not cut to '${unit}' here`);
    const part = PARTS[unit] ?? fail(node.args[0]!, `'${unit}' of a time cannot be had here`);
    return lift('int', [at], (v: number) => part(new Date(v)));
  }
  const known = FUNCTIONS[name] ?? fail(node, `${name}() cannot be run here: use DuckDB`);
  const args = node.args.map((n, k) => want(known.takes[k]!, n, compile(n, scope)));
  const stays = args[0]!.type === 'int' && (name === 'abs' || name === 'round');
  return lift(stays ? 'int' : known.gives, args, known.f);
}

const NUMERAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
const TRUTH = /^(?:(true|t|1)|false|f|0)$/i;

/** To the nearest whole number, of two the even one. */
function whole(v: number): number {
  const below = Math.floor(v);
  return v - below === 0.5 ? below + Math.abs(below % 2) : Math.round(v);
}

function cast(node: Of<'cast'>, scope: Scope): Expr {
  const e = compile(node.expr, scope);
  const no = (v: Value) => fail(node, `'${v}' cannot be cast to ${node.toType}`);
  const text = ['TEXT', 'STRING', 'VARCHAR'].includes(node.toType);
  if (text ? e.type === 'double' : e.type === 'time')
    fail(node, `a ${e.type} is not cast to ${node.toType} here${text ? ': round it and cast it to BIGINT first' : ''}`);
  switch (node.toType) {
    case 'TEXT':
    case 'STRING':
    case 'VARCHAR':
      return lift('text', [e], (v: Value) =>
        e.type === 'time'
          ? new Date(v as number)
              .toISOString()
              .replace('T', ' ')
              .replace(/(\.000|0*)Z/, '+00')
          : String(v),
      );
    case 'INTEGER':
    case 'INT':
    case 'BIGINT': {
      const most = node.toType === 'BIGINT' ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1;
      return lift('int', [e], (v: Value) => {
        const n = typeof v === 'string' && !/^\s*[+-]?\d+\s*$/.test(v) ? NaN : whole(Number(v));
        return Math.abs(n) <= most ? n + 0 : no(v);
      });
    }
    case 'DOUBLE':
      return lift('double', [e], (v: Value) => (typeof v === 'string' && !NUMERAL.test(v) ? no(v) : Number(v)));
    case 'BOOLEAN':
    case 'BOOL':
      return lift('boolean', [e], (v: Value) =>
        typeof v === 'string' ? Boolean((TRUTH.exec(v) ?? no(v))[1]) : Boolean(v),
      );
    default:
      fail(node, `${node.toType} cannot be had here: use DOUBLE`);
  }
}

export function compile(node: ExprNode, scope: Scope): Expr {
  const found = scope(node);
  if (found) return found;
  switch (node.type) {
    case 'literal': {
      const v = node.value;
      if (typeof v === 'number')
        return constant(
          String(v).length === node.positionEnd - node.positionStart && Number.isInteger(v) ? 'int' : 'double',
          v,
        );
      return v === null
        ? constant('null', v)
        : typeof v === 'string'
          ? constant('text', v)
          : typeof v === 'boolean'
            ? constant('boolean', v)
            : fail(node, 'this cannot be a value here');
    }
    case 'unary': {
      if (node.op === 'NOT') return lift('boolean', [condition(node.argument, scope)], (v: boolean) => !v);
      if (node.op === '-') {
        const e = number(node.argument, scope);
        return lift(e.type, [e], e.type === 'double' ? (v: number) => -v : (v: number) => 0 - v);
      }
      const [e, isNull] = [compile(node.argument, scope), node.op === 'IS NULL'];
      return { type: 'boolean', at: (i) => (e.at(i) === null) === isNull };
    }
    case 'binary':
      return binary(node, scope);
    case 'function':
      return call(node, scope);
    case 'cast':
      return cast(node, scope);
    case 'in valuelist': {
      const [one, ...list] = alike([node.expr, ...node.values], scope).args as [Expr, ...Expr[]];
      const at = (i: number) => {
        const v = one.at(i);
        if (v === null) return null;
        let known = true;
        for (const e of list) {
          const w = e.at(i);
          if (w === null) known = false;
          else if (order(v, w) === 0) return true;
        }
        return known ? false : null;
      };
      return { type: 'boolean', at };
    }
    case 'case': {
      const on = node.caseExpr;
      const tests = node.whenClauses.map((w) =>
        on
          ? compile({ ...w.condition, type: 'binary', op: '=', left: on, right: w.condition }, scope)
          : condition(w.condition, scope),
      );
      const { type, args } = alike(
        [...node.whenClauses.map((w) => w.result), node.elseResult ?? { ...node, type: 'literal', value: null }],
        scope,
      );
      const at = (i: number) => {
        for (let k = 0; k < tests.length; k++) if (tests[k]!.at(i) === true) return args[k]!.at(i);
        return args.at(-1)!.at(i);
      };
      return { type, at };
    }
    case 'interval':
      fail(node, 'an interval can only be added to a time or taken from it');
    case 'window':
      fail(node, 'window functions cannot be run here: use DuckDB');
    case 'star':
      fail(node, '* cannot stand here');
    case 'in':
    case 'exists':
    case 'not exists':
    case 'subquery':
      fail(node, 'a subquery can only stand in FROM here: use DuckDB');
    default:
      fail(node, 'this cannot be run here');
  }
}
