// The filters and their chips. All live in the address; none is hidden.
import { useMemo } from 'preact/hooks';
import { pods, statistics } from './lake';
import { ENGINES } from './report';
import { all, FILTERS, go, hrefHere, one, without, type Filter } from './query';
import { engineName, t, tValue } from './words';

const TYPES = ['', 'serving', ...Object.keys(ENGINES), 'none'];
const typeWord = (type: string) =>
  type === '' ? t('any') : type === 'serving' ? t('serving') : type === 'none' ? t('none') : engineName(type);

const valueWord = (filter: Filter, value: string) =>
  filter === 'type' ? typeWord(value) : filter === 'state' || filter === 'phase' ? tValue(value) : value;

/** The filters as they stand in the address. */
export function selection() {
  const q = one('q');
  return {
    ns: all('ns'),
    type: one('type'),
    model: all('model'),
    node: all('node'),
    state: all('state'),
    phase: all('phase'),
    q,
  };
}

/** Whether a row of another table passes: what it does not have, it does not fail by. */
export function passes(row: { ns?: string; type?: string; model?: string; node?: string; text: string }): boolean {
  const s = selection();
  const among = (wanted: string[], value?: string) => value === undefined || !wanted.length || wanted.includes(value);
  const type =
    row.type === undefined ||
    !s.type ||
    (s.type === 'serving' ? row.type !== '' : s.type === 'none' ? row.type === '' : row.type === s.type);
  const text = row.text.toLowerCase();
  return (
    type &&
    among(s.ns, row.ns) &&
    among(s.model, row.model) &&
    among(s.node, row.node) &&
    s.q
      .toLowerCase()
      .split(/\s+/)
      .every((word) => text.includes(word))
  );
}

export function Filters() {
  const index = pods.value;
  const hours = statistics.value;
  const namespaces = useMemo(
    () => (index ? [...index.texts('namespace').dictionary] : (hours?.namespaces ?? []).map((n) => n.namespace)).sort(),
    [index, hours],
  );
  const chosen = all('ns');
  const type = one('type');
  const chips = FILTERS.flatMap((filter) => all(filter).map((value) => ({ filter, value })));
  return (
    <div class="filters" role="search" aria-label={t('filters')}>
      <input
        id="search"
        type="search"
        aria-label={t('search')}
        placeholder={t('searchHint')}
        aria-keyshortcuts="/"
        autocomplete="off"
        spellcheck={false}
        value={one('q')}
        onInput={(e) => go(hrefHere({ q: e.currentTarget.value }), 'replace')}
      />
      <select
        aria-label={t('ns')}
        value=""
        onChange={(e) => {
          go(hrefHere({ ns: [...chosen, e.currentTarget.value] }));
          e.currentTarget.value = '';
        }}
      >
        <option value="">{t('addNamespace')}</option>
        {namespaces
          .filter((n) => !chosen.includes(n))
          .map((n) => (
            <option value={n}>{n}</option>
          ))}
      </select>
      <div class="choice" role="group" aria-label={t('type')}>
        {TYPES.map((value) => (
          <a href={hrefHere({ type: value })} aria-current={type === value ? 'true' : undefined}>
            {typeWord(value)}
          </a>
        ))}
      </div>
      {chips.length > 0 && (
        <ul class="chips" aria-label={t('filters')}>
          {chips.map(({ filter, value }) => (
            <li key={filter + value}>
              <a
                class="chip"
                href={without(filter, value)}
                aria-label={t('remove', t(filter), valueWord(filter, value))}
              >
                <span class="chip-name">{t(filter)}</span> <b>{valueWord(filter, value)}</b>{' '}
                <span aria-hidden="true">×</span>
              </a>
            </li>
          ))}
          {chips.length > 1 && (
            <li>
              <a class="clear" href={hrefHere(Object.fromEntries(FILTERS.map((f) => [f, null])))}>
                {t('clearFilters')}
              </a>
            </li>
          )}
        </ul>
      )}
    </div>
  );
}
