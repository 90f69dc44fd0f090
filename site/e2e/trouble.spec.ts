// What the page does when the data are old, gone, newer than itself or hostile.
import { expect, type Page } from '@playwright/test';
import { accessible, open, overlaps, test } from './page';

/** Answers a JSON object changed. */
const change = (page: Page, pattern: RegExp, edit: (doc: any) => void) =>
  page.route(pattern, async (route) => {
    const response = await route.fetch();
    const doc = await response.json();
    edit(doc);
    await route.fulfill({ json: doc });
  });

test('an old sample says so', async ({ page }) => {
  await change(page, /latest\.json$/, (d) => (d.sampledAt = new Date(Date.now() - 3_600_000).toISOString()));
  await page.goto('./');
  await expect(page.locator('.badge.stopped')).toBeVisible();
  await expect(page.locator('[data-notice=stopped]')).toContainText('kubectl');
  await accessible(page);
  await page.screenshot({ path: 'e2e/artifacts/stale.png' });
});

test('no report yet', async ({ page }) => {
  await page.route(/latest\.json$/, (route) => route.fulfill({ status: 404, body: 'no' }));
  await page.goto('./');
  await expect(page.locator('[data-notice=failed]')).toContainText('404');
  await page.screenshot({ path: 'e2e/artifacts/empty.png' });
});

test('a document of a version that the page does not know', async ({ page }) => {
  await change(page, /latest\.json$/, (d) => (d.version = 99));
  await page.goto('./');
  await expect(page.locator('[data-notice=failed]')).toContainText('version 99');
});

test('missing parts are named and the rest is shown', async ({ page }) => {
  await page.route(/alerts\.json$/, (route) => route.fulfill({ status: 403, body: '' }));
  await page.goto('./');
  await expect(page.locator('[data-notice=missing]')).toContainText('alerts.json');
  await expect(page.locator('.card')).toHaveCount(8);
  await page.screenshot({ path: 'e2e/artifacts/partial.png' });
});

test('a refresh that fails keeps what was read', async ({ page }) => {
  await page.clock.install();
  await open(page);
  await page.route(/latest\.json$/, (route) => route.abort());
  await page.clock.runFor(31_000);
  await expect(page.locator('[data-notice=failed]')).toBeVisible();
  await expect(page.locator('.card')).toHaveCount(8);
});

test('an unchanged report costs a 304 and no data', async ({ page }) => {
  await page.clock.install();
  await open(page);
  await page.waitForLoadState('networkidle'); // charts are loaded when they come near
  const latest = await page.request.get('./demo/latest.json');
  const same = await page.request.get('./demo/latest.json', {
    headers: { 'If-None-Match': latest.headers()['etag']! },
  });
  expect(same.status()).toBe(304);
  await page.route(/latest\.json$/, async (route) =>
    route.fulfill({ body: await latest.text(), contentType: 'application/json' }),
  );
  await page.clock.runFor(31_000); // the report may have moved on meanwhile: hold it
  await page.waitForLoadState('networkidle');
  const asked: string[] = [];
  page.on('request', (r) => asked.push(r.url()));
  const answer = page.waitForResponse(/latest\.json$/);
  await page.clock.runFor(31_000);
  await answer;
  expect(asked.filter((u) => !/latest\.json$|alerts\.json$/.test(u))).toEqual([]);
});

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(2)</script>',
  '"><svg onload=alert(3)>',
  'x'.repeat(253),
  '‮evil',
  "'; DROP TABLE pods; --",
];

test('names from the cluster are text', async ({ page }) => {
  const poison = (doc: any) => {
    for (const [name, column] of Object.entries<any>(doc))
      if (Array.isArray(column?.dictionary) && name !== 'modelType' && name !== 'phase')
        column.dictionary = column.dictionary.map((_: string, i: number) => HOSTILE[i % HOSTILE.length]);
    for (const list of ['models', 'namespaces', 'nodes'])
      for (const [i, row] of (Array.isArray(doc[list]) ? doc[list] : []).entries())
        for (const key of ['model', 'namespace', 'name', 'node', 'gpuProduct', 'zone'])
          if (typeof row[key] === 'string') row[key] = HOSTILE[i % HOSTILE.length];
  };
  await change(page, /\/data\/.*\.json$/, poison);
  await change(page, /alerts\.json$/, (d) =>
    d.alerts.forEach((a: any, i: number) => {
      a.name = a.summary = a.namespace = HOSTILE[i % HOSTILE.length];
      for (const v of a.values) if (v.text !== null) v.text = a.name;
    }),
  );
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 900 });
    const [name, long] = [encodeURIComponent(HOSTILE[0]!), encodeURIComponent(HOSTILE[3]!)];
    for (const view of [
      'overview',
      'pods',
      'nodes',
      'models',
      'alerts',
      'node&node=' + name,
      'node&node=' + long,
      `model&ns=${name}&model=${name}`,
      `model&ns=${long}&model=${long}`,
      `pod&ns=${name}&pod=${name}`,
      'query&ask=free-gpus',
    ]) {
      await open(page, 'view=' + view);
      expect(await overlaps(page)).toEqual([]);
      expect(await page.locator('main img, main script, main [onerror], main [onload]').count()).toBe(0);
    }
  }
  await expect(page.locator('main')).toContainText('onerror');
  await page.screenshot({ path: 'e2e/artifacts/hostile.png' });
});
