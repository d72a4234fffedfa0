import { defineConfig } from 'vitest/config';

/** Heavy suites (processes, kills) run one file at a time: the machine has two cores and the product's own limits are in play. Time limits are for hangs. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 240_000, interval: 50 } },
    maxWorkers: 2,
    pool: 'forks',
  },
});
