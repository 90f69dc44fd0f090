// The head of the page: where you are, how fresh it is, language and theme; and
// below it what the reader must know before trusting a figure.
import { span, utcTime } from './format';
import {
  cluster,
  clusters,
  expectedSeconds,
  failure,
  freshness,
  latest,
  missing,
  reason,
  REFRESH_SECONDS,
  sampleAgeSeconds,
} from './lake';
import { switchLanguage, switchTheme, theme } from './preferences';
import { go, href, one } from './query';
import { t, type Word } from './words';

/** The views; those that are about one thing name the view that lists all of its kind. */
export const VIEWS: Record<string, string> = {
  fleet: '',
  overview: '',
  pods: '',
  pod: 'pods',
  nodes: '',
  node: 'nodes',
  models: '',
  model: 'models',
  alerts: '',
  query: '',
};
const listed = () =>
  Object.keys(VIEWS).filter(
    (v) => VIEWS[v] === '' && (v === 'fleet' ? (clusters.value?.length ?? 0) > 1 : !clusters.value || cluster.value),
  );

export const view = () => one('view') || (clusters.value && !cluster.value ? 'fleet' : 'overview');

function Badge() {
  const data = latest.value;
  if (!data) return null;
  const age = span(sampleAgeSeconds.value);
  const interval = span(expectedSeconds.value);
  const meaning: Record<typeof freshness.value, string> = {
    fresh: t('freshTitle', utcTime(data.sampledAt), interval),
    late: t('lateNotice', age, interval),
    stopped: t('stoppedNotice', age, interval),
  };
  return (
    <span class={'badge ' + freshness.value} title={meaning[freshness.value]}>
      {freshness.value !== 'fresh' && <span aria-hidden="true">▲ </span>}
      {t('sampledAgo', age)}
    </span>
  );
}

export function Header({ help }: { help: () => void }) {
  const names = clusters.value?.map((c) => c.name) ?? [];
  return (
    <header>
      <a class="skip" href="#main">
        {t('skip')}
      </a>
      <div class="masthead">
        <a class="product" href={href({})}>
          {t('title')}
        </a>
        {names.length > 1 ? (
          <select
            class="cluster"
            aria-label={t('cluster')}
            value={cluster.value}
            onChange={(e) => go(href({ cluster: e.currentTarget.value, view: one('view') || null }))}
          >
            {!cluster.value && <option value="">{t('chooseCluster')}</option>}
            {names.map((n) => (
              <option value={n}>{n}</option>
            ))}
          </select>
        ) : (
          <span class="cluster">{cluster.value}</span>
        )}
        <Badge />
        <span class="switches">
          <button type="button" onClick={switchLanguage} lang={t('toKorean') === 'English' ? 'en' : 'ko'}>
            {t('toKorean')}
          </button>
          <button type="button" onClick={switchTheme}>
            {t(theme.value === 'dark' ? 'toLight' : 'toDark')}
          </button>
          <button
            type="button"
            onClick={help}
            aria-label={t('help')}
            title={t('help') + ' ( ? )'}
            aria-keyshortcuts="?"
          >
            ?
          </button>
        </span>
      </div>
      <nav aria-label={t('views')}>
        {listed().map((v) => (
          <a
            href={href({ view: v === 'overview' ? null : v }, VIEWS[view()] ? [] : ['ns', 'type', 'q'])}
            aria-current={(VIEWS[view()] || view()) === v ? 'page' : undefined}
          >
            {t(v as Word)}
          </a>
        ))}
      </nav>
    </header>
  );
}

export function Notices() {
  const data = latest.value;
  const failed = failure.value;
  const gaps = data?.gaps ?? [];
  const age = span(sampleAgeSeconds.value);
  const interval = span(expectedSeconds.value);
  return (
    <div class="notices" aria-live="polite">
      {failed && (
        <div class="notice bad" data-notice="failed">
          <p>
            {failed.version !== undefined
              ? reason(failed)
              : data
                ? t('failedNotice', reason(failed), span(REFRESH_SECONDS))
                : t('failedFirst', reason(failed))}
          </p>
          {!data && failed.version === undefined && <p>{t('failedRemedy')}</p>}
        </div>
      )}
      {data && freshness.value === 'late' && (
        <p class="notice warn" data-notice="late">
          {t('lateNotice', age, interval)}
        </p>
      )}
      {data && freshness.value === 'stopped' && (
        <p class="notice bad" data-notice="stopped">
          {t('stoppedNotice', age, interval)}
        </p>
      )}
      {missing.value.length > 0 && (
        <div class="notice warn" data-notice="missing">
          <p>{t('missingNotice')}</p>
          <ul>
            {missing.value.map((e) => (
              <li>{reason(e)}</li>
            ))}
          </ul>
        </div>
      )}
      {gaps.length > 0 && (
        <details class="notice quiet" data-notice="gaps">
          <summary>{t(gaps.length === 1 ? 'gapsNotice1' : 'gapsNotice', gaps.length)}</summary>
          <ul>
            {gaps.slice(0, 50).map((g) => (
              <li>
                <b>{g.source}</b> {g.target}: {g.reason}
              </li>
            ))}
            {gaps.length > 50 && <li>{t('more', gaps.length - 50)}</li>}
          </ul>
        </details>
      )}
    </div>
  );
}
