import path from 'node:path';
import { defineConfig } from 'vitest/config';

/** Heavy suites (processes, kills) run one file at a time: the machine has two cores and the product's own limits are in play. Time limits are for hangs. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    env: { NODE_COMPILE_CACHE: path.join(import.meta.dirname, 'node_modules/.cache/compile') },
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    expect: { poll: { timeout: 240_000, interval: 50 } },
    maxWorkers: 2,
    pool: 'forks',
  },
});
