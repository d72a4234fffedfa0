import { defineConfig } from 'vitest/config';

/** Heavy suites (processes, kills) run one file at a time: the machine has two cores and the product's own limits are in play. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    pool: 'forks',
  },
});
