import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Runs the whole suite and ends with a plain line `N passed, N failed`. Arguments are given on to vitest, e.g.
 * `npm test -- test/jobs`.
 */
type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
};

const report = path.join(tmpdir(), `agent-factory-tests-${process.pid}.json`);
const vitest = path.join(import.meta.dirname, '..', 'node_modules', 'vitest', 'vitest.mjs');
const child = spawn(
  process.execPath,
  [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
const code = await new Promise<number>((resolve) => child.on('exit', (exit) => resolve(exit ?? 1)));
try {
  const result = JSON.parse(readFileSync(report, 'utf8')) as Report;
  // A suite that could not even load has no test to fail: count it, or a broken file would read as fewer tests.
  const failed = Math.max(result.numFailedTests, result.numFailedTests === 0 ? result.numFailedTestSuites : 0);
  const skipped = result.numPendingTests > 0 ? `, ${result.numPendingTests} skipped` : '';
  console.log(`${result.numPassedTests} passed, ${failed} failed${skipped}`);
} catch {
  console.log('0 passed, 1 failed');
} finally {
  rmSync(report, { force: true });
}
process.exit(code);
