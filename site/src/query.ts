// The page's state is its address: view, filters, sorts and selections are the
// query and nothing else, so that every view can be linked and no filter hides.
import { signal } from '@preact/signals';

export type Changes = Record<string, string | string[] | null>;

/** The filters that show as chips, in this order. */
export const FILTERS = ['ns', 'type', 'model', 'node', 'state', 'phase', 'q'] as const;
export type Filter = (typeof FILTERS)[number];

/** What every link of the page keeps. */
const LASTING = ['cluster', 'lang', 'theme'];

export const query = signal(new URLSearchParams(location.search));

export const one = (key: string) => query.value.get(key) ?? '';
export const all = (key: string) => query.value.getAll(key);

function apply(base: URLSearchParams, changes: Changes): URLSearchParams {
  const next = new URLSearchParams(base);
  for (const [key, value] of Object.entries(changes)) {
    next.delete(key);
    for (const v of value === null ? [] : [value].flat()) if (v !== '') next.append(key, v);
  }
  return next;
}

/** The address of another view: what lasts, the kept keys, and the changes. */
export function href(changes: Changes, keep: readonly string[] = []): string {
  const base = new URLSearchParams();
  for (const key of [...LASTING, ...keep]) for (const v of all(key)) base.append(key, v);
  return '?' + apply(base, changes);
}

/** The address of this view with the changes. */
export const hrefHere = (changes: Changes) => '?' + apply(query.value, changes);

/** Goes to an address. Typing replaces the entry in the history, links add one. */
export function go(address: string, how: 'push' | 'replace' = 'push') {
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', address);
  query.value = new URLSearchParams(location.search);
}

/** Without one value of a filter: what the cross on a chip does. */
export const without = (key: string, value: string) => hrefHere({ [key]: all(key).filter((v) => v !== value) });

/** "-cpu" sorts by cpu, largest first. */
export function readSort(key: string, fallback: string): { column: string; descending: boolean } {
  const value = one(key) || fallback;
  return value.startsWith('-') ? { column: value.slice(1), descending: true } : { column: value, descending: false };
}

/** Links within the page change the address without loading it anew. */
export function followLinks(root: EventTarget = document) {
  root.addEventListener('click', (event) => {
    const e = event as MouseEvent;
    const link = (e.target as Element).closest?.('a');
    if (!link || e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    if (!link.getAttribute('href')?.startsWith('?')) return;
    e.preventDefault();
    const before = one('view');
    go(link.getAttribute('href')!);
    if (one('view') !== before || link.dataset.top !== undefined) {
      scrollTo(0, 0);
      document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
    }
  });
  addEventListener('popstate', () => (query.value = new URLSearchParams(location.search)));
}
