import { defineConfig } from '@playwright/test';

// The report to test is served by somebody else: SITE_URL is its address.
const baseURL = process.env['SITE_URL'];
if (!baseURL)
  throw new Error('SITE_URL is not set: run `go test ./browser` in test/, which serves the demo and sets it');

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'e2e/results',
  forbidOnly: true,
  workers: 1,
  // A test takes seconds. These limits end one that hangs, and no busy machine reaches them.
  timeout: 600_000,
  expect: { timeout: 120_000 },
  reporter: [['./e2e/closing-line.ts']],
  use: {
    baseURL,
    locale: 'en-US',
    timezoneId: 'UTC',
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
