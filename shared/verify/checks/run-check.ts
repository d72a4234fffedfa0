import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../../domain/application/declaration.ts';
import { digestOfValue } from '../../domain/digest.ts';
import type { SandboxResult } from '../../sandbox/driver.ts';
import { mountAt, places, writableDirectory } from '../../stations/work/inside.ts';
import type { CheckClaim, RunClaim } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';
import type { Checkout } from '../runs/run-program.ts';
import { runProgram } from '../runs/run-program.ts';
import { countTests } from './counts.ts';
import type { ReportedTest } from './junit.ts';
import { readReport } from './report-file.ts';

/** Runs one declared check and reads its counts. An exit code of 0 alone is never enough where a report was declared. */
export async function runCheck(bench: Bench, checkout: Checkout, check: Check, of: string): Promise<CheckClaim> {
  const { command: declared, report } = check;
  const root = join(bench.context.directory, 'reports');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const directory = await writableDirectory(bench.driver, join(await mkdtemp(join(root, 'run-')), 'report'));
  // Not to be guessed from an earlier run or from the repository.
  const name = `report-${randomBytes(12).toString('hex')}`;
  const mount = mountAt(bench.driver, directory, places.report, 'read-write');
  const argv = declared.map((argument) => argument.replaceAll('{report}', `${mount.target}/${name}`)) as [
    string,
    ...string[],
  ];
  const result = await runProgram(bench, checkout, {
    of,
    argv,
    timeoutMs: check.timeoutSeconds * 1000,
    mounts: report === 'none' ? [] : [mount],
  });
  const run = runClaim(declared, result);
  const claim = { name: check.name, kind: check.kind, ...run };
  if (report === 'none') return { ...claim, counts: null };
  const read = await readReport(directory, name, report);
  if ('fault' in read) return { ...claim, counts: null, passed: false, faults: [...run.faults, read.fault] };
  const counts = countTests(read.tests);
  const faults = [...run.faults];
  if (counts.tests === 0) faults.push('the report names no test');
  if (counts.failed > 0) {
    faults.push(`${counts.failed} tests failed`);
    // A runner that writes its report to a file says nothing of them elsewhere, and the report itself is not kept.
    bench.recorder.note(of, failedTests(read.tests));
  }
  return { ...claim, counts, passed: faults.length === 0, faults };
}

const FAILED_NAMED = 50;

function failedTests(tests: readonly ReportedTest[]): string {
  const names = tests
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ name }) => name.replaceAll('\0', ' ').trim().slice(0, 300));
  const more = names.length > FAILED_NAMED ? [`and ${names.length - FAILED_NAMED} more`] : [];
  return ['failed tests by its report', ...names.slice(0, FAILED_NAMED), ...more].join('\n  ');
}

/** The claim of a finished run: the declared command by digest, how it ended, and whether that is a pass. */
export function runClaim(declared: readonly string[], result: SandboxResult): RunClaim {
  const faults: string[] = [];
  if (result.endedBy !== 'itself') faults.push(`ended by the limit ${result.endedBy}`);
  else if (result.exitCode !== 0)
    faults.push(
      `ended with ${result.exitCode === null ? (result.signal ?? 'a signal') : `exit code ${result.exitCode}`}`,
    );
  return { argv: digestOfValue(declared), exitCode: result.exitCode, passed: faults.length === 0, faults };
}
