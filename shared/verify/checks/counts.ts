import { createHash } from 'node:crypto';
import { TEST_NAMES_KEPT, type TestCounts } from '../receipt.ts';
import type { ReportedTest } from './junit.ts';
import { testIdentity } from './test-identity.ts';

/** First 16 hexadecimal digits of the SHA-256 of the name that a test is known by. */
export const testKey = (name: string): string =>
  createHash('sha256').update(testIdentity(name)).digest('hex').slice(0, 16);

/** The figures of a report, and the passed tests by hashed name: a name that two tests share stands there twice. */
export function countTests(tests: readonly ReportedTest[]): TestCounts {
  const passed = tests.filter(({ outcome }) => outcome === 'passed');
  return {
    tests: tests.length,
    passed: passed.length,
    failed: tests.filter(({ outcome }) => outcome === 'failed').length,
    skipped: tests.filter(({ outcome }) => outcome === 'skipped').length,
    ...(passed.length <= TEST_NAMES_KEPT ? { passedTests: passed.map(({ name }) => testKey(name)).sort() } : {}),
  };
}

/** Whether the second count is worse: fewer passed tests, or one that passed before and does not now where none may change. */
export function hasFallen(before: TestCounts, after: TestCounts, testsMayChange: boolean): boolean {
  if (after.passed < before.passed) return true;
  if (testsMayChange || before.passedTests === undefined || after.passedTests === undefined) return false;
  const now = tally(after.passedTests);
  // A receipt of an earlier release names each name once.
  const once = before.passedTests.length !== before.passed;
  return [...tally(before.passedTests)].some(([key, times]) => (now.get(key) ?? 0) < (once ? 1 : times));
}

/** How often each stands in a list. */
export function tally(keys: readonly string[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const key of keys) times.set(key, (times.get(key) ?? 0) + 1);
  return times;
}
