// A page that fails its test when the browser complains: a breach of the
// content security policy, an error on the console, a script that throws.
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';

/** The views and the query that opens each; those of one thing are of what the demo always has. */
export const VIEWS = {
  overview: '',
  pods: '',
  nodes: '',
  models: '',
  alerts: '',
  model: '&ns=model-serving&model=llama-3.3-70b-instruct&type=vllm',
  week: '&view=model&ns=model-serving&model=openai%2Fgpt-oss-120b&range=168',
  node: '&node=a100-mig-01',
  query: '',
  sql:
    '&view=query&sql=' +
    encodeURIComponent("SELECT * FROM hourly_cluster WHERE hour >= current_timestamp - INTERVAL '2' HOUR"),
  wrong: '&view=query&sql=' + encodeURIComponent('SELECT hour,\n  gpus FROM hourly_cluster'),
};

export const test = base.extend<{ complaints: string[] }>({
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on(
        'console',
        (m) => m.type() === 'error' && !/Failed to load resource/.test(m.text()) && complaints.push(m.text()),
      );
      page.on('pageerror', (e) => complaints.push(e.message));
      page.on('dialog', (d) => (complaints.push('dialog: ' + d.message()), void d.dismiss()));
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

/** Opens a view and waits until its data are there. */
export async function open(page: Page, query = '') {
  await page.goto('./' + (query && '?' + query));
  await expect(page.locator('.badge').first()).toBeVisible();
  for (const late of ['#pods', '#nodes'])
    await page.locator(late).evaluateAll((all) => all.forEach((e) => e.scrollIntoView())); // what is read when it comes near
  await expect(page.locator('main')).not.toContainText(/Loading…|불러오는 중/);
  await page.evaluate(() => scrollTo(0, 0));
}

export async function accessible(page: Page) {
  const found = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  expect(
    found.violations.map(
      (v) =>
        `${v.id}: ${v.help} (${v.nodes
          .map((n) => n.target)
          .slice(0, 3)
          .join(', ')})`,
    ),
  ).toEqual([]);
}

/** Cells of one row that lie over each other or have no room, and what sticks out of the page. */
export const overlaps = (page: Page) =>
  page.evaluate(() => {
    const found: string[] = [];
    if (document.documentElement.scrollWidth > innerWidth + 1)
      found.push(`page is ${document.documentElement.scrollWidth} px wide`);
    for (const row of document.querySelectorAll('[role=row], tr')) {
      const cells = [...row.querySelectorAll('[role=gridcell], [role=columnheader], td, th')]
        .filter((c) => getComputedStyle(c).display !== 'none')
        .map((c) => ({ c, box: c.getBoundingClientRect() }));
      for (const { c, box } of cells)
        if (c.textContent && row.getBoundingClientRect().width > 0 && box.width < 8)
          found.push(`"${c.textContent}" has no room`);
      cells.forEach((a, i) =>
        cells.slice(i + 1).forEach((b) => {
          const x = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
          const y = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
          if (x > 1 && y > 1) found.push(`"${a.c.textContent}" over "${b.c.textContent}"`);
        }),
      );
    }
    return found;
  });
