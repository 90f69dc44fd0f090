// Figures in words: always with their unit, and "–" for what was not measured.
import { language } from './preferences';

/** Stands for "not measured". */
export const NONE = '–';
export type Figure = number | null | undefined;

const known = (v: Figure): v is number => v !== null && v !== undefined && !Number.isNaN(v);

const formats = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = language.value + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language.value, options));
  return formats.get(key) as Intl.NumberFormat;
}

function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language.value + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(language.value, options));
  return formats.get(key) as Intl.DateTimeFormat;
}

/** A number with at most that many decimals: fewer for larger ones. */
export function number(v: Figure, decimals = 0): string {
  if (!known(v)) return NONE;
  const digits = Math.abs(v) >= 100 ? 0 : Math.abs(v) >= 10 ? Math.min(decimals, 1) : decimals;
  return numbers({ minimumFractionDigits: v === 0 ? 0 : digits, maximumFractionDigits: digits }).format(v);
}

/** A number as it was asked for: all digits that a double holds. */
export const exact = (v: number) => numbers({ maximumSignificantDigits: 15 }).format(v);

/** 91 → "91 %" */
export const percent = (v: Figure, decimals = 0) => (known(v) ? number(v, decimals) + ' %' : NONE);

/** 1,234,567 → "1.2M", in Korean "123만" */
export const compact = (v: Figure) =>
  known(v) ? numbers({ notation: 'compact', maximumSignificantDigits: 3 }).format(v) : NONE;

/** Millicores as cores. */
export function cores(millicores: Figure): string {
  if (!known(millicores)) return NONE;
  const n = number(millicores / 1000, millicores % 1000 === 0 ? 0 : 2);
  return n + (language.value === 'ko' ? ' 코어' : n === '1' ? ' core' : ' cores');
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes in powers of 1024. */
export function bytes(v: Figure): string {
  if (!known(v)) return NONE;
  let unit = 0;
  while (Math.abs(v) >= 1024 && unit < BYTE_UNITS.length - 1) {
    v /= 1024;
    unit++;
  }
  return `${number(v, Number.isInteger(v) ? 0 : 1)} ${BYTE_UNITS[unit]}`;
}

export const gpuHours = (v: Figure) => (known(v) ? number(v, 1) + ' GPU-h' : NONE);
export const watts = (v: Figure) => (known(v) ? number(v) + ' W' : NONE);
export const energy = (v: Figure) => (known(v) ? number(v, 1) + ' kWh' : NONE);
export const seconds = (v: Figure) => (known(v) ? (v < 1 ? number(v * 1000) + ' ms' : number(v, 2) + ' s') : NONE);

export function money(v: Figure, currency: string): string {
  if (!known(v)) return NONE;
  try {
    return numbers({ style: 'currency', currency, maximumFractionDigits: v >= 100 ? 0 : 2 }).format(v);
  } catch {
    return `${number(v, 2)} ${currency}`; // not an ISO 4217 code
  }
}

const SPANS: [limit: number, seconds: number, en: string, ko: string][] = [
  [100, 1, 's', '초'],
  [100 * 60, 60, 'min', '분'],
  [48 * 3600, 3600, 'h', '시간'],
  [Infinity, 86400, 'd', '일'],
];

/** A span of time in one unit: "42 s", "7 min", "3 h", "12 d". */
export function span(totalSeconds: number): string {
  const s = Math.max(0, totalSeconds);
  const [, size, en, ko] = SPANS.find(([limit]) => s < limit)!;
  const n = number(Math.floor(s / size));
  return language.value === 'ko' ? n + ko : `${n} ${en}`;
}

/** The reader's own time: "Mar 2, 19:15". */
export const localTime = (t: string | number) =>
  dates({ month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(t));
/** The hour in the reader's own time, "19:00", or the day where it begins. */
export const localHour = (t: string | number) =>
  dates({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(t));
export const localDay = (t: string | number) => dates({ month: 'short', day: 'numeric' }).format(new Date(t));
/** The same instant in UTC, to hover over. */
export const utcTime = (t: string | number) => new Date(t).toISOString().replace('T', ' ').slice(0, 19) + ' UTC';
