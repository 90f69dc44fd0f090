// The page: its head, the view that the address names, its foot.
import { effect, untracked } from '@preact/signals';
import { render, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { AlertLanes } from './alert-lanes';
import { ActiveAlerts, ResolvedAlerts } from './alert-list';
import { Filters } from './filters';
import { Fleet } from './fleet';
import { GpuMap } from './gpu-map';
import { Header, Notices, view, VIEWS } from './header';
import { Help } from './help';
import { ClusterCharts, ModelCharts } from './hourly-charts';
import { cluster, clusters, failure, forget, keepFresh, latest, refresh } from './lake';
import { Empty, Time } from './marks';
import { ModelPage } from './model-page';
import { ModelTable } from './model-table';
import { TopMovers } from './movers';
import { NodePage } from './node-page';
import { NodeTable } from './node-table';
import { PodPage } from './pod-page';
import { PodTable } from './pod-table';
import { followLinks, go, hrefHere, one } from './query';
import { SummaryCards } from './summary-cards';
import { t, type Word } from './words';

function Overview() {
  return (
    <>
      <SummaryCards />
      <Filters />
      <div class="pair">
        <ActiveAlerts atMost={6} />
        <div class="stack">
          <GpuMap />
          <TopMovers />
        </div>
      </div>
      <ModelTable atMost={8} />
      <ClusterCharts />
      <ModelCharts atMost={6} />
      <PodTable serving atMost={20} />
      <NodeTable atMost={20} />
    </>
  );
}

const queryPage = () => import('./query-page').then((m) => m.QueryPage);

/** A view of its own script, which nobody else has to load. */
function Later({ load }: { load: () => Promise<() => JSX.Element> }) {
  const [View, setView] = useState<(() => JSX.Element) | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(
    () =>
      void load().then(
        (v) => setView(() => v),
        () => setFailed(true),
      ),
    [],
  );
  return View ? <View /> : <Empty>{t(failed ? 'reload' : 'loading')}</Empty>;
}

function View() {
  switch (view()) {
    case 'pods':
      return (
        <>
          <Filters />
          <PodTable />
        </>
      );
    case 'pod':
      return <PodPage />;
    case 'nodes':
      return (
        <>
          <Filters />
          <NodeTable />
        </>
      );
    case 'node':
      return <NodePage />;
    case 'model':
      return <ModelPage />;
    case 'models':
      return (
        <>
          <Filters />
          <ModelTable />
          <ModelCharts atMost={24} />
        </>
      );
    case 'query':
      return <Later load={queryPage} />;
    case 'alerts':
      return (
        <>
          <Filters />
          <ActiveAlerts />
          <AlertLanes />
          <ResolvedAlerts />
        </>
      );
    default:
      return <Overview />;
  }
}

function Page() {
  const [help, setHelp] = useState(false);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const typing = (e.target as Element).matches('input, select, textarea');
      if (e.metaKey || e.ctrlKey || e.altKey) return;
      if (e.key === 'Escape' && typing) {
        if (one('q')) go(hrefHere({ q: null }), 'replace');
        (e.target as HTMLElement).blur();
      } else if (e.key === '/' && !typing) {
        e.preventDefault();
        document.querySelector<HTMLElement>('#search')?.focus();
      } else if (e.key === '?' && !typing) setHelp(true);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const data = latest.value;
  const choosing = clusters.value && !cluster.value;
  return (
    <>
      <Header help={() => setHelp(true)} />
      <main id="main" tabIndex={-1}>
        <h1>{title()}</h1>
        <Notices />
        {choosing || view() === 'fleet' ? <Fleet /> : data ? <View /> : !failure.value && <Empty>{t('loading')}</Empty>}
      </main>
      {data && (
        <footer>
          <FootLine />
        </footer>
      )}
      <Help open={help} close={() => setHelp(false)} />
    </>
  );
}

/** What the page is of, most particular last. */
function title(): string {
  const of =
    view() === 'pod'
      ? one('ns') + '/' + one('pod')
      : view() === 'node'
        ? one('node')
        : view() === 'model'
          ? one('model')
          : '';
  return [cluster.value, t((view() in VIEWS ? view() : 'overview') as Word), of].filter(Boolean).join(' · ');
}

function FootLine() {
  const data = latest.value!;
  const [before, after] = t('foot', data.cluster, '\u0000', 'k8s-monitor ' + data.programVersion).split('\u0000');
  return (
    <p>
      {before}
      <Time at={data.generatedAt} />
      {after} · <a href="openapi.json">{t('api')}</a>
    </p>
  );
}

effect(() => {
  document.title = `${title()} · ${t('title')}`;
});
let shown = '';
effect(() => {
  if (cluster.value === shown) return;
  const changed = shown !== '';
  shown = cluster.value;
  untracked(() => {
    if (changed) forget();
    void refresh();
  });
});
followLinks();
render(<Page />, document.querySelector('#page')!);
keepFresh();
