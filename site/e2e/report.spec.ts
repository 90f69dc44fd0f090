import { expect } from '@playwright/test';
import { accessible, open, overlaps, test, VIEWS } from './page';

for (const width of [1440, 360]) {
  for (const [lang, theme] of [['en', 'light'], ['ko', 'dark'], ['en', 'dark'], ['ko', 'light']] as const) {
    test.describe(`${width} px ${lang} ${theme}`, () => {
      test.use({ viewport: { width, height: 900 } });
      for (const view of VIEWS) {
        test(view, async ({ page }) => {
          await open(page, `view=${view}&lang=${lang}&theme=${theme}`);
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

test('the language and the theme can be switched', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: '한국어' }).click();
  await expect(page.getByRole('link', { name: '개요' })).toBeVisible();
  await page.getByRole('button', { name: '어둡게' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('a pod leads to its page with the evidence of what it serves', async ({ page }) => {
  await open(page, 'view=pods&type=vllm');
  await page.locator('.table.pods a.strong').first().click();
  await expect(page).toHaveURL(/view=pod&/);
  await expect(page.locator('main')).toContainText(/vllm/i);
  await accessible(page);
});
