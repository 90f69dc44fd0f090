import { defineConfig } from 'vitest/config';

// Relative names (base './') let the site lie under any prefix of a bucket. The
// targets are the first browsers with light-dark(), which the style sheet uses.
export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  server: { fs: { allow: ['.', '../internal/views/questions', '../docs'] } }, // for tests, which import from there
  worker: { format: 'es' },
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
  },
  test: { environment: 'happy-dom', include: ['test/*.test.ts', 'test/*.test.tsx'] },
});
