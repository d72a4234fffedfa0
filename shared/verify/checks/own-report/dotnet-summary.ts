import type { TestCounts } from '../../receipt.ts';

/** VSTest, a line for each assembly. */
const ASSEMBLY =
  /^\s*(?:Passed|Failed|Skipped)!\s+-\s+Failed:\s*(\d+), Passed:\s*(\d+), Skipped:\s*(\d+), Total:\s*(\d+)\b/gm;
/** Microsoft.Testing.Platform, once for all. */
const RUN =
  /^Test run summary: .*(?:\n .*)*?\n\s+total: (\d+)\n\s+failed: (\d+)\n\s+succeeded: (\d+)\n\s+skipped: (\d+)$/m;

/** The figures that `dotnet test` ends with, of all assemblies together; undefined without any. It names no test. */
export function readDotnetSummary(text: string): TestCounts | undefined {
  const plain = text.replaceAll('\r\n', '\n');
  const run = RUN.exec(plain);
  if (run !== null) {
    const [, tests, failed, passed, skipped] = run.map(Number);
    return { tests: tests ?? 0, passed: passed ?? 0, failed: failed ?? 0, skipped: skipped ?? 0 };
  }
  const sum = { tests: 0, passed: 0, failed: 0, skipped: 0 };
  for (const [, failed, passed, skipped, total] of plain.matchAll(ASSEMBLY)) {
    sum.tests += Number(total);
    sum.passed += Number(passed);
    sum.failed += Number(failed);
    sum.skipped += Number(skipped);
  }
  return sum.tests === 0 ? undefined : sum;
}
