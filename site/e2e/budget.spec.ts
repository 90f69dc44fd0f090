// The page's budgets: bytes for the overview of the demo, and times on 150,000
// pods, which a server of this test puts in the place of the demo's.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, type Page } from '@playwright/test';
import { open, test } from './page';

const PODS = 150_000;
const CHUNK = 10_000;

/** Copies of the demo's pods under other names, as columns. */
function manyPods(demo: any, chunk: number) {
  const column = (values: any) =>
    Array.isArray(values)
      ? Array.from({ length: CHUNK }, (_, i) => values[i % demo.count])
      : values?.indexes
        ? {
            dictionary: values.dictionary,
            indexes: Array.from({ length: CHUNK }, (_, i) => values.indexes[i % demo.count]),
          }
        : values;
  const doc = Object.fromEntries(Object.entries(demo).map(([key, values]) => [key, column(values)])) as any;
  doc.count = CHUNK;
  doc.pod = {
    dictionary: Array.from(
      { length: CHUNK },
      (_, i) => `${demo.pod.dictionary[demo.pod.indexes[i % demo.count]]}-${chunk}-${i}`,
    ),
    indexes: Array.from({ length: CHUNK }, (_, i) => i),
  };
  doc.namespace = { dictionary: [`team-${String(chunk).padStart(2, '0')}`], indexes: new Array(CHUNK).fill(0) };
  return gzipSync(JSON.stringify(doc), { level: 1 });
}

/** The GPUs of 5,000 nodes with eight each, at work in earnest. */
function manyGpus(demo: any) {
  const count = 40_000;
  const each = <T>(value: (i: number) => T) => Array.from({ length: count }, (_, i) => value(i));
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const name = () =>
    'gke-h100-pool-' +
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0') +
    '-' +
    Math.floor(random() * 36 ** 4)
      .toString(36)
      .padStart(4, '0');
  return {
    ...demo,
    count,
    node: { dictionary: Array.from({ length: count / 8 }, name), indexes: each((i) => i >> 3) },
    state: {
      dictionary: ['active', 'idle_held'],
      indexes: each(() => Math.floor(random() * 2.5) - (random() < 0.1 ? 1 : 0)).map((v: number) => Math.min(v, 1)),
    },
    utilPercent: each(() => Math.floor(random() * 101)),
  };
}

async function serveMany(baseURL: string): Promise<{ url: string; server: Server }> {
  const read = async (path: string) => (await fetch(new URL(path, baseURL))).json();
  const latest = await read('demo/latest.json');
  const demo = await read('demo/' + latest.objects.pods[0].path);
  const chunks = Array.from({ length: PODS / CHUNK }, (_, i) => manyPods(demo, i));
  const gpus = gzipSync(JSON.stringify(manyGpus(await read('demo/' + latest.objects.gpuMap.path))));
  latest.objects.gpuMap = { path: 'data/gpu-map.json', bytes: gpus.length };
  latest.objects.pods = chunks.map((body, i) => ({
    path: `data/many-${i}.json`,
    bytes: body.length,
    count: CHUNK,
    firstNamespace: `team-${i}`,
    lastNamespace: `team-${i}`,
  }));
  const server = createServer(async (request, response) => {
    const many = /many-(\d+)\.json$/.exec(request.url!);
    const made = many
      ? chunks[Number(many[1])]
      : request.url!.endsWith('/gpu-map.json')
        ? gpus
        : request.url!.endsWith('/latest.json')
          ? gzipSync(JSON.stringify(latest))
          : null;
    if (made) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      return response.end(made);
    }
    const answer = await fetch(new URL(request.url!, baseURL));
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${new URL(baseURL).pathname}`, server };
}

/** Adds up what the page loads, in bytes as gzip. */
function loads(page: Page) {
  const sizes: Record<string, number> = { js: 0, json: 0 };
  const bodies: Promise<void>[] = [];
  page.on('response', (r) => {
    const kind = /\.(js|json)$/.exec(r.url())?.[1];
    if (kind) bodies.push(r.body().then((b) => void (sizes[kind]! += gzipSync(b).length)));
  });
  return async () => (await Promise.all(bodies), sizes);
}

test('the overview loads at most 80 KB of script and 200 KB of data', async ({ page }) => {
  const loaded = loads(page);
  await page.goto('./');
  await expect(page.locator('.card')).toHaveCount(8);
  await page.locator('.chart').first().scrollIntoViewIfNeeded(); // charts are drawn when they come near
  await expect(page.locator('.chart canvas').first()).toBeVisible();
  await page.waitForLoadState('networkidle');
  const sizes = await loaded();
  console.log(`the overview: ${sizes.js} bytes of script, ${sizes.json} of data, gzip`);
  expect(sizes.js).toBeLessThan(80_000);
  expect(sizes.json).toBeLessThan(200_000);
});

// What was measured is told. Times are held to where SITE_BUDGET is set, as make
// bench does: a machine that does something else beside is slow at times.
test('150,000 pods, 40,000 GPUs: a first view within a second of at most 200 KB, a keystroke within 50 ms', async ({
  page,
  baseURL,
}) => {
  const { url, server } = await serveMany(baseURL!);
  try {
    const loaded = loads(page);
    await page.goto(url);
    await expect(page.locator('.card')).toHaveCount(8);
    await expect(page.locator('.gpu-map path').first()).toBeVisible();
    await page.waitForLoadState('networkidle');
    const { json } = await loaded();
    console.log(`the overview of 40,000 GPUs: ${json} bytes of data, gzip`);
    expect(json).toBeLessThan(200_000);
    const first = await page.evaluate(() => performance.getEntriesByName('first-view')[0]?.startTime ?? NaN);
    await page.goto(url + '?view=pods');
    await expect(page.locator('.table.pods')).toHaveAttribute('aria-rowcount', String(PODS + 1));
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
    console.log(
      `150,000 pods: cards after ${first.toFixed(0)} ms, the table after ${table.toFixed(0)} ms, a keystroke ${keystrokes[2]!.toFixed(0)} ms (at most ${keystrokes.at(-1)!.toFixed(0)})`,
    );
    expect(await page.locator('.table.pods .body [role=row]').count()).toBeLessThan(100); // those in view, and a few
    if (process.env['SITE_BUDGET']) {
      expect(first).toBeLessThan(1000);
      expect(keystrokes[2]).toBeLessThan(50);
    }
    await page.evaluate(() => scrollTo(0, 5_000_000));
    await expect(page.locator('.table.pods .body [role=row]').first()).toBeVisible();
    await open(page, ''); // and back to the demo
  } finally {
    server.close();
  }
});
