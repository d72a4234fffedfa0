import { createHash } from 'node:crypto';
import { TEST_NAMES_KEPT, type TestCounts } from '../receipt.ts';
import type { ReportedTest } from './junit.ts';

/** The figures of a report, and the passed tests by hashed name. */
export function countTests(tests: readonly ReportedTest[]): TestCounts {
  const passed = tests.filter(({ outcome }) => outcome === 'passed');
  const names = new Set(passed.map(({ name }) => createHash('sha256').update(name).digest('hex').slice(0, 16)));
  return {
    tests: tests.length,
    passed: passed.length,
    failed: tests.filter(({ outcome }) => outcome === 'failed').length,
    skipped: tests.filter(({ outcome }) => outcome === 'skipped').length,
    ...(names.size <= TEST_NAMES_KEPT ? { passedTests: [...names].sort() } : {}),
  };
}

/**
 * What is worse in the second count. Fewer passed tests is a fault whatever else; a test that passed before and is gone or
 * skipped now is one unless test files were allowed to change.
 */
export function countFaults(before: TestCounts, after: TestCounts, testsMayChange: boolean): string[] {
  const faults: string[] = [];
  if (after.passed < before.passed) faults.push(`${after.passed} tests passed where ${before.passed} did on the base`);
  if (!testsMayChange && before.passedTests !== undefined && after.passedTests !== undefined) {
    const now = new Set(after.passedTests);
    const lost = before.passedTests.filter((name) => !now.has(name)).length;
    if (lost > 0) faults.push(`${lost} tests that passed on the base did not pass, though no test file may change`);
  }
  return faults;
}
