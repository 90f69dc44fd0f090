// The page's budgets: bytes for the overview of the demo, and times on 150,000
// pods, which a server of this test puts in the place of the demo's.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from '@playwright/test';
import { open, test } from './page';

const PODS = 150_000;
const CHUNK = 10_000;

/** Copies of the demo's pods under other names, as columns. */
function manyPods(demo: any, chunk: number) {
  const column = (values: any) =>
    Array.isArray(values) ? Array.from({ length: CHUNK }, (_, i) => values[i % demo.count])
    : values?.indexes ? { dictionary: values.dictionary, indexes: Array.from({ length: CHUNK }, (_, i) => values.indexes[i % demo.count]) }
    : values;
  const doc = Object.fromEntries(Object.entries(demo).map(([key, values]) => [key, column(values)])) as any;
  doc.count = CHUNK;
  doc.pod = { dictionary: Array.from({ length: CHUNK }, (_, i) => `${demo.pod.dictionary[demo.pod.indexes[i % demo.count]]}-${chunk}-${i}`), indexes: Array.from({ length: CHUNK }, (_, i) => i) };
  doc.namespace = { dictionary: [`team-${String(chunk).padStart(2, '0')}`], indexes: new Array(CHUNK).fill(0) };
  return gzipSync(JSON.stringify(doc), { level: 1 });
}

async function serveMany(baseURL: string): Promise<{ url: string; server: Server }> {
  const read = async (path: string) => (await fetch(new URL(path, baseURL))).json();
  const latest = await read('demo/latest.json');
  const demo = await read('demo/' + latest.objects.pods[0].path);
  const chunks = Array.from({ length: PODS / CHUNK }, (_, i) => manyPods(demo, i));
  latest.objects.pods = chunks.map((body, i) => ({ path: `data/many-${i}.json`, bytes: body.length, count: CHUNK, firstNamespace: `team-${i}`, lastNamespace: `team-${i}` }));
  const server = createServer(async (request, response) => {
    const many = /many-(\d+)\.json$/.exec(request.url!);
    if (many || /latest\.json$/.test(request.url!)) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      return response.end(many ? chunks[Number(many[1])] : gzipSync(JSON.stringify(latest)));
    }
    const answer = await fetch(new URL(request.url!, baseURL));
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${new URL(baseURL).pathname}`, server };
}

test('the overview loads at most 80 KB of script and 200 KB of data', async ({ page }) => {
  const sizes: Record<string, number> = { js: 0, json: 0 };
  const bodies: Promise<void>[] = [];
  page.on('response', (r) => {
    const kind = /\.(js|json)$/.exec(r.url())?.[1];
    if (kind) bodies.push(r.body().then((b) => void (sizes[kind]! += gzipSync(b, { level: 9 }).length)));
  });
  await page.goto('./');
  await expect(page.locator('.card')).toHaveCount(8);
  await page.locator('.chart').first().scrollIntoViewIfNeeded(); // charts are drawn when they come near
  await expect(page.locator('.chart canvas').first()).toBeVisible();
  await page.waitForLoadState('networkidle');
  await Promise.all(bodies);
  console.log(`the overview: ${sizes.js} bytes of script, ${sizes.json} of data, gzip`);
  expect(sizes.js).toBeLessThan(80_000);
  expect(sizes.json).toBeLessThan(200_000);
});

// A shared machine is slow at times: three times the budget is a fault, and
// what was measured is told.
test('150,000 pods: a first view within a second, a keystroke within 50 ms', async ({ page, baseURL }) => {
  test.setTimeout(120_000);
  const { url, server } = await serveMany(baseURL!);
  try {
    await page.goto(url);
    await expect(page.locator('.card')).toHaveCount(8);
    const first = await page.evaluate(() => performance.getEntriesByName('first-view')[0]?.startTime ?? NaN);
    await page.goto(url + '?view=pods');
    await expect(page.locator('.table.pods')).toHaveAttribute('aria-rowcount', String(PODS + 1), { timeout: 60_000 });
    const table = await page.evaluate(() => performance.now());
    const keystrokes: number[] = [];
    for (const key of ['l', 'l', 'a', 'm', 'a']) {
      keystrokes.push(
        await page.evaluate(async (k) => {
          const input = document.querySelector<HTMLInputElement>('#search')!;
          const start = performance.now();
          input.value += k;
          input.dispatchEvent(new Event('input', { bubbles: true }));
          await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
          return performance.now() - start;
        }, key),
      );
    }
    expect(Number(await page.locator('.table.pods').getAttribute('aria-rowcount'))).toBeLessThan(PODS / 2);
    keystrokes.sort((a, b) => a - b);
    console.log(`150,000 pods: cards after ${first.toFixed(0)} ms, the table after ${table.toFixed(0)} ms, a keystroke ${keystrokes[2]!.toFixed(0)} ms (at most ${keystrokes.at(-1)!.toFixed(0)})`);
    expect(first).toBeLessThan(3 * 1000);
    expect(keystrokes[2]).toBeLessThan(3 * 50);
    await page.evaluate(() => scrollTo(0, 5_000_000));
    await expect(page.locator('.table.pods .body [role=row]').first()).toBeVisible();
    await open(page, ''); // and back to the demo
  } finally {
    server.close();
  }
});
