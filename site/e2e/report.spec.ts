import { readFileSync } from 'node:fs';
import { expect } from '@playwright/test';
import { accessible, open, overlaps, test, VIEWS } from './page';

for (const width of [1440, 360]) {
  for (const [lang, theme] of [
    ['en', 'light'],
    ['ko', 'dark'],
    ['en', 'dark'],
    ['ko', 'light'],
  ] as const) {
    test.describe(`${width} px ${lang} ${theme}`, () => {
      test.use({ viewport: { width, height: 900 } });
      for (const [view, more] of Object.entries(VIEWS)) {
        test(view, async ({ page }) => {
          await open(
            page,
            `view=${more.includes('view=') ? '' : view}&lang=${lang}&theme=${theme}${more}`.replace('view=&', ''),
          );
          await expect(page.locator('html')).toHaveAttribute('lang', lang);
          await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
          expect(await overlaps(page)).toEqual([]);
          await accessible(page);
          await page.screenshot({ path: `e2e/artifacts/${view}-${width}-${lang}-${theme}.png`, fullPage: true });
        });
      }
    });
  }
}

for (const width of [600, 950, 1150, 1300, 2560])
  test(`nothing sticks out at ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 });
    for (const [view, more] of Object.entries(VIEWS)) {
      await open(page, more.includes('view=') ? more.slice(1) : `view=${view}${more}`);
      expect(await overlaps(page), view).toEqual([]);
    }
  });

test('the overview answers without a click', async ({ page }) => {
  await open(page);
  await expect(page.locator('.card')).toHaveCount(8);
  for (const heading of ['Alerts', 'GPUs by node', 'Models', 'Hourly statistics', 'Model-serving pods', 'Nodes'])
    await expect(page.getByRole('heading', { name: heading }).first()).toBeVisible();
  await expect(page.locator('.badge')).toContainText(/sampled .* ago/);
});

test('filters stand in the address, show as chips and can be taken back', async ({ page }) => {
  await open(page, 'view=pods');
  const rows = page.locator('.table.pods');
  const all = Number(await rows.getAttribute('aria-rowcount'));
  await page.getByRole('link', { name: 'SGLang', exact: true }).first().click();
  await expect(page).toHaveURL(/type=sglang/);
  await expect(page.locator('.chip')).toHaveCount(1);
  expect(Number(await rows.getAttribute('aria-rowcount'))).toBeLessThan(all);
  await page.locator('.filters select').selectOption('model-serving');
  await expect(page.locator('.chip')).toHaveCount(2);
  await page.reload();
  await expect(page.locator('.chip')).toHaveCount(2);
  for (const left of [1, 0]) {
    await page.locator('.chip').first().click();
    await expect(page.locator('.chip')).toHaveCount(left);
  }
  await expect(rows).toHaveAttribute('aria-rowcount', String(all));
});

test('the keyboard reaches search and help', async ({ page }) => {
  await open(page, 'view=pods');
  await page.keyboard.press('/');
  await expect(page.locator('#search')).toBeFocused();
  await page.keyboard.type('llama');
  await expect(page).toHaveURL(/q=llama/);
  await page.keyboard.press('Escape');
  await expect(page).not.toHaveURL(/q=/);
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
});

test('a table is one stop: arrows move in it and Enter opens', async ({ page }) => {
  await open(page, 'view=pods');
  await page.locator('.table.pods').focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowUp', 'End', 'Home', 'ArrowDown']) await page.keyboard.press(key);
  await expect(page.locator('.table.pods')).toHaveAttribute('aria-activedescendant', 'pods-1');
  const name = await page.locator('#pods-1 a.strong').textContent();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/view=pod&/);
  await expect(page.locator('#pod')).toHaveText(name!);
});

test('pictures for the README', async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 1180 });
  for (const [name, query] of Object.entries({
    overview: '',
    model: 'view=model' + VIEWS.model + '&range=168',
    query: 'view=query&ask=tokens',
  })) {
    await open(page, query);
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: `e2e/artifacts/readme-${name}.png` });
  }
});

test('the language and the theme can be switched', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: '한국어' }).click();
  await expect(page.getByRole('link', { name: '개요' })).toBeVisible();
  await page.getByRole('button', { name: '어둡게' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

for (const [width, lang] of [
  [1440, 'ko'],
  [360, 'en'],
] as const)
  test(`a pod leads to its page with the evidence of what it serves, ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 });
    await open(page, `view=pods&type=vllm&ns=model-serving&state=active&lang=${lang}`); // not of a node that the exporter is away from
    await page.locator('.table.pods a.strong').first().click();
    await expect(page).toHaveURL(/view=pod&/);
    await expect(page.locator('#pod')).toBeVisible();
    await expect(page.locator('main')).toContainText(/vllm serve|vllm/i);
    await expect(page.locator('.gpus tbody tr').first()).toBeVisible();
    await expect(page.locator('.chart').first()).toBeVisible();
    expect(await overlaps(page)).toEqual([]);
    await accessible(page);
    await page.screenshot({ path: `e2e/artifacts/pod-${width}-${lang}.png`, fullPage: true });
  });

test('a model leads to its page: figures, charts, the hours of the week, its pods', async ({ page }) => {
  await open(page, 'view=models');
  await page.getByRole('link', { name: 'llama-3.3-70b-instruct' }).first().click();
  await expect(page).toHaveURL(/view=model&/);
  await expect(page.locator('.figures')).toContainText('Tokens / GPU-h');
  await expect(page.locator('.heat tbody td[title]')).toHaveCount(7 * 24);
  await page.locator('#pods').scrollIntoViewIfNeeded(); // what is far below is read when it comes near
  await expect(page.locator('.table.pods [role=row]').nth(1)).toContainText('llama-33-70b');
  await page.getByRole('link', { name: '7 d' }).click();
  await expect(page).toHaveURL(/range=168/);
  await page.locator('.heat').scrollIntoViewIfNeeded();
  await page.getByRole('link', { name: 'GPU use', exact: true }).click();
  await expect(page).toHaveURL(/heat=gpu/);
});

test('a GPU of a node leads to its pod', async ({ page }) => {
  await open(page, 'view=nodes');
  await page.getByRole('link', { name: 'h100-01' }).first().click();
  await expect(page.locator('.gpus tbody tr')).toHaveCount(8);
  await page.locator('.gpus tbody a').first().click();
  await expect(page).toHaveURL(/view=pod&/);
});

test('a cell of the GPU map tells of its GPU, and leads to the pod that holds it', async ({ page }) => {
  await open(page, '');
  const corner = (await page.locator('.gpu-map path[class^="cell-use"]').first().getAttribute('d'))!.match(
    /^M([\d.]+) ([\d.]+)/,
  )!;
  const position = { x: Number(corner[1]) + 4, y: Number(corner[2]) + 4 };
  await page.locator('.gpu-map svg').hover({ position });
  await expect(page.locator('.pointed')).toContainText(/GPU \d.*GiB.* W · .+\/.+/);
  await page.locator('.gpu-map svg').click({ position });
  await expect(page).toHaveURL(/view=pod&/);
  await expect(page.locator('.gpus tbody tr').first()).toBeVisible();
});

test('the foot leads to a description of the same as JSON', async ({ page, request }) => {
  await open(page, '');
  const address = await page.locator('footer a').getAttribute('href');
  const description = await (await request.get(address!)).json();
  expect(description.openapi).toMatch(/^3\.1/);
  expect((await request.get('./demo/api/v1/resources/usage.json')).status()).toBe(200);
  expect(Object.keys(description.paths)).toContain('/{cluster}/api/v1/resources/usage.json');
});

test('several clusters are a fleet', async ({ page }) => {
  await page.route(/clusters\.json$/, (route) =>
    route.fulfill({ json: { version: 1, clusters: [{ name: 'demo' }, { name: 'gone' }] } }),
  );
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto('./');
    await expect(page.locator('.fleet tbody tr')).toHaveCount(2);
    await expect(page.locator('.fleet')).toContainText('404');
    await expect(page.locator('.fleet .badge')).toContainText('ago');
    expect(await overlaps(page)).toEqual([]);
    await accessible(page);
    await page.screenshot({ path: `e2e/artifacts/fleet-${width}.png`, fullPage: true });
  }
  await page.getByRole('link', { name: 'demo', exact: true }).click();
  await expect(page).toHaveURL(/cluster=demo/);
  await expect(page.locator('.card')).toHaveCount(8);
});

test('questions are answered from the Parquet objects, as a table and a file', async ({ page }) => {
  const ranges: string[] = [];
  page.on('request', (r) => /\.parquet$/.test(r.url()) && ranges.push(r.headers()['range'] ?? 'whole'));
  await open(page, 'view=query&ask=tokens');
  await expect(page.locator('.chart')).toBeVisible();
  await expect(page.locator('.section-answer .note').first()).toContainText('Parquet objects');
  expect(ranges.length).toBeGreaterThanOrEqual(24);
  expect(ranges).not.toContain('whole');
  await page.getByRole('link', { name: 'gpu_hours', exact: true }).click();
  await expect(page).toHaveURL(/answersort=-gpu_hours/);
  await page.getByRole('link', { name: 'Nodes with free GPUs' }).click();
  await expect(page.locator('.answer tbody tr').first()).toContainText('NVIDIA');
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download CSV' }).click();
  const file = await waiting;
  expect(file.suggestedFilename()).toBe('demo-free-gpus.csv');
  expect(readFileSync(await file.path(), 'utf8')).toMatch(/^\ufeffnode,gpu_product,free_gpus/);
  await expect(page.locator('pre').first()).toContainText('gpu_allocatable > gpu_requested');
});

test('the questions over hourly tables are answered by their SQL', async ({ page }) => {
  for (const [ask, columns] of Object.entries({
    'gpu-hours': 'cluster,namespace,model,engine,gpu_hours,idle_held,idle_percent,cost',
    tokens: 'cluster,namespace,model,hour,tokens,gpu_hours,tokens_per_gpu_hour',
    'memory-growth': 'cluster,namespace,pod,hours,first_mib,last_mib,grown_mib',
  })) {
    await open(page, 'view=query&ask=' + ask);
    expect((await page.locator('.answer thead th').allTextContents()).map((c) => c.replace(/[▾▴]/, '')).join()).toBe(
      columns,
    );
    expect(await page.locator('.answer tbody tr').count()).toBeGreaterThan(5);
    await expect(page.locator('textarea')).toHaveValue(new RegExp('FROM hourly_'));
    await expect(page.locator('.answer tbody .bar').first()).toBeAttached();
  }
});

test('an answer goes with the question that it was of', async ({ page }) => {
  await open(page, 'view=query');
  await expect(page.locator('.answer tbody tr').first()).toBeVisible();
  await page.getByRole('link', { name: 'Tokens per GPU-hour' }).click();
  await expect(page.locator('.answer thead')).toContainText('tokens_per_gpu_hour');
  await expect(page.locator('.section-answer figure')).toBeVisible();
});

test('an object that cannot be read is no answer', async ({ page }) => {
  let asked = 0;
  await page.route(/\.parquet$/, (route) =>
    ++asked === 3 ? route.fulfill({ status: 503, body: '' }) : route.continue(),
  );
  await open(page, 'view=query');
  await expect(page.locator('.section-answer')).toContainText(/hourly\/v1\/models\/.*\.parquet: 503/);
  await expect(page.locator('.answer')).toHaveCount(0);
});

test('SQL is edited, run by the keyboard, and stands in the address', async ({ page }) => {
  await open(page, 'view=query');
  const editor = page.getByRole('textbox', { name: 'SQL' });
  await editor.fill(
    "SELECT namespace AS \"<img src=x onerror=alert(1)>\", count(*) AS n, 'a''b' AS s, 1384.25 AS x, 0.0004 AS y\nFROM hourly_pods GROUP BY namespace ORDER BY n DESC",
  );
  await expect(page).not.toHaveURL(/sql=/); // not before it is run
  await editor.press('Control+Enter');
  await expect(page).toHaveURL(/sql=SELECT/);
  await expect(page.locator('.answer thead th').first()).toContainText('<img src=x');
  await expect(page.locator('.answer tbody tr').first()).toContainText("a'b1,384.250.0004"); // no digit less than asked for
  await expect(page.locator('.section-answer .note').first()).toContainText('24 hours, as WHERE');
  expect(await page.locator('main img').count()).toBe(0);
  const rows = await page.locator('.answer tbody').textContent();
  const other = await page.context().newPage();
  await open(other, new URL(page.url()).search.slice(1)); // a link repeats it
  await expect(other.locator('.answer tbody')).toHaveText(rows!);
  await other.close();
  await editor.fill('SELECT namespace,\n  nothing FROM hourly_pods');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter'); // on Run
  await expect(page.getByRole('alert')).toHaveText('Line 2, column 3: there is no column nothing in hourly_pods');
  await expect(editor).toHaveAttribute('aria-invalid', 'true');
  await expect(page.locator('.answer')).toHaveCount(0);
  await page.goBack();
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(page.locator('.answer tbody')).toHaveText(rows!);
  await page.getByRole('link', { name: 'hourly_nodes' }).click();
  await expect(page.locator('.answer tbody tr').first()).toContainText('NVIDIA');
  await page.getByRole('link', { name: 'Growth in memory' }).click();
  await expect(editor).toHaveValue(/grown_mib/);
  await expect(page).not.toHaveURL(/sql=/);
});

test('a bucket that shows only its site says so where Parquet is asked for', async ({ page }) => {
  await page.route(/\.parquet$/, (route) => route.fulfill({ status: 403, body: '' }));
  await open(page, 'view=query');
  await expect(page.locator('[data-explorer=closed]')).toContainText('403');
  await expect(page.locator('[data-explorer=closed]')).toContainText('s3:GetObject');
  await accessible(page);
  await page.screenshot({ path: 'e2e/artifacts/closed.png', fullPage: true });
});

test('the history of alerts as lanes', async ({ page }) => {
  await open(page, 'view=alerts');
  await expect(page.locator('.lane rect').first()).toBeVisible();
  await page.getByRole('link', { name: '24 h' }).click();
  await expect(page).toHaveURL(/over=24h/);
  await accessible(page);
});
