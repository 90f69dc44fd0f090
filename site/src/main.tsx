// The page: its head, the view that the address names, its foot.
import { effect, untracked } from '@preact/signals';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ActiveAlerts, ResolvedAlerts } from './alert-list';
import { Filters } from './filters';
import { GpuMap } from './gpu-map';
import { Header, Notices, view } from './header';
import { Help } from './help';
import { ClusterCharts, ModelCharts } from './hourly-charts';
import { cluster, clusters, failure, forget, keepFresh, latest, refresh } from './lake';
import { Empty, Section, Time } from './marks';
import { ModelTable } from './model-table';
import { NodeTable } from './node-table';
import { PodPage } from './pod-page';
import { PodTable } from './pod-table';
import { followLinks, go, href, hrefHere, one } from './query';
import { SummaryCards } from './summary-cards';
import { t } from './words';

function Overview() {
  return (
    <>
      <SummaryCards />
      <Filters />
      <div class="pair">
        <ActiveAlerts atMost={6} />
        <GpuMap />
      </div>
      <ModelTable atMost={8} />
      <ClusterCharts />
      <ModelCharts atMost={6} />
      <PodTable serving atMost={20} />
      <NodeTable atMost={20} />
    </>
  );
}

function View() {
  switch (view()) {
    case 'pods': return <><Filters /><PodTable /></>;
    case 'pod': return <PodPage />;
    case 'nodes': return <><Filters /><NodeTable /></>;
    case 'models': return <><Filters /><ModelTable /><ModelCharts atMost={24} /></>;
    case 'alerts': return <><Filters /><ActiveAlerts /><ResolvedAlerts /></>;
    default: return <Overview />;
  }
}

function ChooseCluster() {
  return (
    <Section id="clusters" title={t('chooseCluster')}>
      <ul class="clusters">{clusters.value!.map((c) => <li><a href={href({ cluster: c.name })}>{c.name}</a></li>)}</ul>
    </Section>
  );
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
        <h1>{[cluster.value, t(view() as 'overview')].filter(Boolean).join(' · ')}</h1>
        <Notices />
        {choosing ? <ChooseCluster /> : data ? <View /> : !failure.value && <Empty>{t('loading')}</Empty>}
      </main>
      {data && <footer><FootLine /></footer>}
      <Help open={help} close={() => setHelp(false)} />
    </>
  );
}

function FootLine() {
  const data = latest.value!;
  const [before, after] = t('foot', data.cluster, '\u0000', 'k8s-monitor ' + data.programVersion).split('\u0000');
  return <p>{before}<Time at={data.generatedAt} />{after}</p>;
}

effect(() => {
  document.title = [cluster.value, t('title')].filter(Boolean).join(' · ');
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
