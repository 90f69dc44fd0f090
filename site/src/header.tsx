// The head of the page: where you are, how fresh it is, language and theme; and
// below it what the reader must know before trusting a figure.
import { span, utcTime } from './format';
import { cluster, clusters, expectedSeconds, failure, freshness, latest, missing, ReadError, REFRESH_SECONDS, sampleAgeSeconds } from './lake';
import { switchLanguage, switchTheme, theme } from './preferences';
import { go, href, one } from './query';
import { VERSION } from './report';
import { t, type Word } from './words';

export const VIEWS = ['overview', 'pods', 'nodes', 'models', 'alerts'] as const;

export const view = () => one('view') || 'overview';

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
      <a class="skip" href="#main">{t('skip')}</a>
      <div class="masthead">
        <a class="product" href={href({})}>{t('title')}</a>
        {names.length > 1 ? (
          <select class="cluster" aria-label={t('cluster')} value={cluster.value} onChange={(e) => go(href({ cluster: e.currentTarget.value, view: one('view') || null }))}>
            {!cluster.value && <option value="">{t('chooseCluster')}</option>}
            {names.map((n) => <option value={n}>{n}</option>)}
          </select>
        ) : (
          <span class="cluster">{cluster.value}</span>
        )}
        <Badge />
        <span class="switches">
          <button type="button" onClick={switchLanguage} lang={t('toKorean') === 'English' ? 'en' : 'ko'}>{t('toKorean')}</button>
          <button type="button" onClick={switchTheme}>{t(theme.value === 'dark' ? 'toLight' : 'toDark')}</button>
          <button type="button" onClick={help} aria-label={t('help')} title={t('help') + ' ( ? )'} aria-keyshortcuts="?">?</button>
        </span>
      </div>
      <nav aria-label={t('views')}>
        {VIEWS.map((v) => (
          <a href={href({ view: v === 'overview' ? null : v }, view() === 'pod' ? [] : ['ns', 'type', 'q'])} aria-current={view() === v ? 'page' : undefined}>{t(v as Word)}</a>
        ))}
      </nav>
    </header>
  );
}

/** Why something could not be read, in words. */
export function reason(e: ReadError): string {
  if (e.version !== undefined) return t('unknownVersion', e.path, e.version, VERSION);
  const why =
    e.status === 0 ? t('noAnswer') : e.status === -1 ? t('unreadable') : e.status === 404 ? t('notFound')
    : e.status === 401 || e.status === 403 ? t('refused', e.status) : t('answered', e.status);
  return `${e.path}: ${why}`;
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
          <p>{failed.version !== undefined ? reason(failed) : data ? t('failedNotice', reason(failed), span(REFRESH_SECONDS)) : t('failedFirst', reason(failed))}</p>
          {!data && failed.version === undefined && <p>{t('failedRemedy')}</p>}
        </div>
      )}
      {data && freshness.value === 'late' && <p class="notice warn" data-notice="late">{t('lateNotice', age, interval)}</p>}
      {data && freshness.value === 'stopped' && <p class="notice bad" data-notice="stopped">{t('stoppedNotice', age, interval)}</p>}
      {missing.value.length > 0 && (
        <div class="notice warn" data-notice="missing">
          <p>{t('missingNotice')}</p>
          <ul>{missing.value.map((e) => <li>{reason(e)}</li>)}</ul>
        </div>
      )}
      {gaps.length > 0 && (
        <details class="notice quiet" data-notice="gaps">
          <summary>{t(gaps.length === 1 ? 'gapsNotice1' : 'gapsNotice', gaps.length)}</summary>
          <ul>
            {gaps.slice(0, 50).map((g) => <li><b>{g.source}</b> {g.target}: {g.reason}</li>)}
            {gaps.length > 50 && <li>{t('more', gaps.length - 50)}</li>}
          </ul>
        </details>
      )}
    </div>
  );
}
