// Alerts: what fires now, and what was resolved within 30 days.
import { span } from './format';
import { alertWords } from './alert-words';
import { passes } from './filters';
import { alerts, now } from './lake';
import { Empty, Section, Time } from './marks';
import { modelHref, nodeHref, podHref } from './links';
import { all, href, hrefHere, one } from './query';
import type { Alert } from './report';
import { t, tValue } from './words';

function subjectHref(a: Alert): string | null {
  switch (a.kind) {
    case 'pod':
      return podHref(a.namespace, a.name);
    case 'node':
      return nodeHref(a.name);
    case 'gpu':
      return nodeHref(a.node || a.name);
    case 'model':
      return modelHref(a.namespace, '', a.model || a.name);
  }
  return null;
}

function AlertRow({ alert }: { alert: Alert }) {
  const to = subjectHref(alert);
  const name = [alert.namespace, alert.name].filter(Boolean).join('/');
  const ended = alert.resolvedAt ? Date.parse(alert.resolvedAt) : now.value;
  return (
    <li class={'alert ' + alert.severity.toLowerCase()}>
      <span class="severity">{tValue(alert.severity)}</span>
      <span class="alert-what">
        <span class="alert-summary">{alertWords(alert)}</span>
        <span class="basis">
          {tValue(alert.kind)}{' '}
          {to ? (
            <a data-top href={to}>
              {name}
            </a>
          ) : (
            name
          )}
          {alert.model && alert.kind !== 'model' && <> · {alert.model}</>} · {alert.rule}
        </span>
      </span>
      <span class="alert-when">
        <b>{span((ended - Date.parse(alert.since)) / 1000)}</b>
        <span class="basis">
          <Time at={alert.resolvedAt ?? alert.since} />
        </span>
      </span>
    </li>
  );
}

export const passesFilters = (a: Alert) => {
  const wanted = all('node');
  return (
    passes({
      ns: a.namespace || undefined,
      model: a.model || undefined,
      text: [a.name, a.namespace, a.summary, alertWords(a), a.rule, a.model, a.node].join(' '),
    }) &&
    (!wanted.length || wanted.includes(a.node))
  );
};

/** What fires: all that the filters leave, or of one model or on one node, and then nothing where nothing does. */
export function ActiveAlerts({ atMost = Infinity, of, on }: { atMost?: number; of?: string; on?: string }) {
  const data = alerts.value;
  const firing = data?.alerts ?? [];
  const rows = firing.filter(
    (a) =>
      (of === undefined || a.model === of) && (on === undefined || a.node === on || a.name === on) && passesFilters(a),
  );
  if ((of !== undefined || on !== undefined) && rows.length === 0) return null;
  return (
    <Section
      id="alerts"
      title={
        <>
          {t('alerts')} <span class="quiet">{t('firing').toLowerCase()}</span>
        </>
      }
      note={data && <>{rows.length}</>}
      aside={
        <a class="more" data-top href={href({ view: 'alerts' }, ['ns', 'q'])}>
          {rows.length > atMost ? t('allOf', rows.length) : t('resolved')} →
        </a>
      }
    >
      {!data ? (
        <Empty>{t('loading')}</Empty>
      ) : rows.length === 0 ? (
        <Empty>{firing.length ? t('noAlertsHere') : t('noAlerts')}</Empty>
      ) : (
        <ul class="alerts">
          {rows.slice(0, atMost).map((a) => (
            <AlertRow key={a.rule + a.kind + a.namespace + a.name} alert={a} />
          ))}
        </ul>
      )}
    </Section>
  );
}

export function ResolvedAlerts() {
  const data = alerts.value;
  if (!data) return null;
  const rows = (data.resolved ?? []).filter(passesFilters);
  const shown = one('resolved') === 'all' ? rows : rows.slice(0, 30);
  return (
    <Section
      id="resolved"
      title={t('resolved')}
      note={<>{rows.length}</>}
      aside={
        rows.length > shown.length && (
          <a class="more" href={hrefHere({ resolved: 'all' })}>
            {t('allOf', rows.length)}
          </a>
        )
      }
    >
      {rows.length === 0 ? (
        <Empty>{t('noResolved')}</Empty>
      ) : (
        <ul class="alerts resolved">
          {shown.map((a) => (
            <AlertRow key={a.rule + a.kind + a.namespace + a.name + a.since} alert={a} />
          ))}
        </ul>
      )}
    </Section>
  );
}
