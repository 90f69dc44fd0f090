// Alerts: what fires now, and what was resolved within 30 days.
import { span } from './format';
import { passes } from './filters';
import { alerts, now } from './lake';
import { Empty, Section, Time } from './marks';
import { podHref } from './pod-table';
import { all, href } from './query';
import type { Alert } from './report';
import { t, tValue } from './words';

function subjectHref(a: Alert): string | null {
  switch (a.kind) {
    case 'pod': return podHref(a.namespace, a.name);
    case 'node': return href({ view: 'pods', node: a.name });
    case 'gpu': return href({ view: 'pods', node: a.node || a.name });
    case 'model': return href({ view: 'models', model: a.model || a.name, ns: a.namespace });
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
        <span class="alert-summary">{alert.summary}</span>
        <span class="basis">
          {tValue(alert.kind)} {to ? <a data-top href={to}>{name}</a> : name}
          {alert.model && alert.kind !== 'model' && <> · {alert.model}</>} · {alert.rule}
        </span>
      </span>
      <span class="alert-when">
        <b>{span((ended - Date.parse(alert.since)) / 1000)}</b>
        <span class="basis"><Time at={alert.resolvedAt ?? alert.since} /></span>
      </span>
    </li>
  );
}

const passesFilters = (a: Alert) => {
  const wanted = all('node');
  return (
    passes({ ns: a.namespace || undefined, model: a.model || undefined, text: [a.name, a.namespace, a.summary, a.rule, a.model, a.node].join(' ') }) &&
    (!wanted.length || wanted.includes(a.node))
  );
};

export function ActiveAlerts({ atMost = Infinity }: { atMost?: number }) {
  const data = alerts.value;
  const firing = data?.alerts ?? [];
  const rows = firing.filter(passesFilters);
  return (
    <Section id="alerts" title={<>{t('alerts')} <span class="quiet">{t('firing').toLowerCase()}</span></>} note={data && <>{rows.length}</>}
      aside={<a class="more" data-top href={href({ view: 'alerts' }, ['ns', 'q'])}>{rows.length > atMost ? t('allOf', rows.length) : t('resolved')} →</a>}>
      {!data ? <Empty>{t('loading')}</Empty>
        : rows.length === 0 ? <Empty>{firing.length ? t('noAlertsHere') : t('noAlerts')}</Empty>
        : <ul class="alerts">{rows.slice(0, atMost).map((a) => <AlertRow key={a.rule + a.kind + a.namespace + a.name} alert={a} />)}</ul>}
    </Section>
  );
}

export function ResolvedAlerts() {
  const data = alerts.value;
  if (!data) return null;
  const rows = (data.resolved ?? []).filter(passesFilters);
  return (
    <Section id="resolved" title={t('resolved')} note={<>{rows.length}</>}>
      {rows.length === 0 ? <Empty>{t('noResolved')}</Empty>
        : <ul class="alerts resolved">{rows.map((a) => <AlertRow key={a.rule + a.kind + a.namespace + a.name + a.since} alert={a} />)}</ul>}
    </Section>
  );
}
