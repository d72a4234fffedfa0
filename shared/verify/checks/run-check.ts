import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../../domain/application/declaration.ts';
import { digestOfValue } from '../../domain/digest.ts';
import type { SandboxResult } from '../../sandbox/driver.ts';
import { mountAt, places, writableDirectory } from '../../stations/work/inside.ts';
import type { Ending } from '../endings/ending.ts';
import { judgeEnding } from '../endings/judge-ending.ts';
import { type CheckClaim, type RunClaim, TESTS_NAMED } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';
import { lastLines, outputText } from '../runs/output-text.ts';
import type { Checkout, Program } from '../runs/run-program.ts';
import { runProgram } from '../runs/run-program.ts';
import type { OwnCode } from '../trees/own-code.ts';
import { countTests } from './counts.ts';
import type { ReportedTest } from './junit.ts';
import { OWN_REPORT_BYTES, type OwnReport, ownReport, textOf } from './own-report/own-report.ts';
import { readReport } from './report-file.ts';
import { testTitle } from './test-identity.ts';

/** A finished check: what the receipt claims of it, and what its judgement needs beside. */
export type CheckRun = {
  readonly claim: CheckClaim;
  readonly ending: Ending;
  /** The tests that its report names; null when it has none. */
  readonly tests: readonly ReportedTest[] | null;
  readonly lastLines: string;
};

/** Runs one declared check and reads its counts. An exit code of 0 alone is never enough where a report was declared. */
export async function runCheck(
  bench: Bench,
  checkout: Checkout,
  check: Check,
  of: string,
  own: OwnCode,
): Promise<CheckRun> {
  const { command: declared, report } = check;
  const place = await reportPlace(bench);
  const argv = declared.map((argument) => argument.replaceAll('{report}', place.inside)) as [string, ...string[]];
  const mounts = report === 'none' ? [] : [place.mount];
  const { result, told } = await runTelling(bench, checkout, check, { of, argv, mounts });
  const run = runClaim(declared, result);
  const ended = (tests: readonly ReportedTest[] | null): Pick<CheckRun, 'ending' | 'tests' | 'lastLines'> => {
    const failed = tests?.filter(({ outcome }) => outcome === 'failed').length ?? 0;
    const reported = tests === null ? null : { tests: tests.length, failed };
    const seen = {
      ...result,
      argv: declared,
      output: [outputText(result), ...whatFailedSaid(tests ?? [])].join('\n'),
      reported,
      workspace: checkout.workingDirectory,
    };
    return {
      ending: judgeEnding({ ...seen, scriptOf: own.scriptOf }, own.code),
      tests,
      lastLines: lastLines(result) || firstFailure(tests ?? []),
    };
  };
  const claim = { name: check.name, kind: check.kind, ...run };
  if (report === 'none') {
    const tests = told !== null && 'tests' in told ? told.tests : null;
    const end = ended(tests);
    const counts = told === null ? null : 'tests' in told ? countTests(told.tests) : told.counts;
    if (tests !== null && (counts?.failed ?? 0) > 0) bench.recorder.note(of, failedTests(tests));
    return { claim: { ...claim, ...verdictOf(end.ending, run), counts }, ...end };
  }
  const read = await readReport(place.directory, place.name, report);
  if ('fault' in read) {
    const end = ended(null);
    const faults = [...verdictOf(end.ending, run).faults, read.fault];
    return { claim: { ...claim, ending: end.ending.kind, counts: null, passed: false, faults }, ...end };
  }
  const end = ended(read.tests);
  const counts = countTests(read.tests);
  const { faults } = verdictOf(end.ending, run);
  if (counts.tests === 0 && !faults.some((fault) => fault.includes('no test'))) faults.push('the report names no test');
  if (counts.failed > 0) {
    faults.push(`${counts.failed} tests failed`);
    // A runner that writes its report to a file says nothing of them elsewhere, and the report itself is not kept.
    bench.recorder.note(of, failedTests(read.tests));
  }
  return { claim: { ...claim, ending: end.ending.kind, counts, passed: faults.length === 0, faults }, ...end };
}

type Telling = { readonly result: SandboxResult; readonly told: ReturnType<OwnReport['read']> };

/** Runs a check, and reads what its runner tells of its tests on its output, where no report is declared and the runner is known to. */
async function runTelling(
  bench: Bench,
  checkout: Checkout,
  { report, timeoutSeconds }: Check,
  program: Pick<Program, 'of' | 'mounts'> & { readonly argv: Program['argv'] },
): Promise<Telling> {
  const timeoutMs = timeoutSeconds * 1000;
  const own = report === 'none' ? ownReport(program.argv) : undefined;
  if (own === undefined) return { result: await runProgram(bench, checkout, { ...program, timeoutMs }), told: null };
  const { argv, plain, read } = own;
  const result = await runProgram(bench, checkout, {
    ...program,
    argv,
    timeoutMs,
    plain,
    outputBytes: OWN_REPORT_BYTES,
  });
  // Telling more, it may have written more than a run may.
  if (result.endedBy === 'output')
    return { result: await runProgram(bench, checkout, { ...program, timeoutMs }), told: null };
  const told = result.outputTruncated ? null : read(textOf(result.stdout));
  return { result: plain(result), told };
}

/** Where one run writes its report: not to be guessed from an earlier run or from the repository. */
async function reportPlace({ context, driver }: Bench) {
  const root = join(context.directory, 'reports');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const directory = await writableDirectory(driver, join(await mkdtemp(join(root, 'run-')), 'report'));
  const name = `report-${randomBytes(12).toString('hex')}`;
  const mount = mountAt(driver, directory, places.report, 'read-write');
  return { directory, name, mount, inside: `${mount.target}/${name}` };
}

/** What a run's ending adds to its claim: in which sense it passed, and why not. */
export function verdictOf(
  ending: Ending,
  run: RunClaim,
): { ending: Ending['kind']; passed: boolean; faults: string[] } {
  const faults = [...run.faults, ...('what' in ending ? [ENDING_WORDS[ending.kind](ending.what)] : [])];
  return {
    ending: ending.kind,
    passed: ending.kind === 'passed',
    faults: faults.map((fault) => fault.slice(0, 2_000)),
  };
}

const ENDING_WORDS: Readonly<Record<Exclude<Ending['kind'], 'passed' | 'failed'>, (what: string) => string>> = {
  load_failure: (what) => `load failure: ${what}`,
  no_tests: (what) => `no test was collected: ${what}`,
  idle: (what) => `it checks nothing: ${what}`,
  did_not_run: (what) => `it did not run: ${what}`,
};

/** What a report says of the first test that failed, as last lines are shown; empty when none did. */
function firstFailure(tests: readonly ReportedTest[]): string {
  const failed = tests.find(({ outcome }) => outcome === 'failed');
  if (failed === undefined) return '';
  return lastLines({ stdout: Buffer.from(`${testTitle(failed.name)}\n${failed.said ?? ''}`), stderr: Buffer.of() });
}

/** Failed tests whose words are looked at: what is missing shows in the first of them. */
const TOLD = 50;

/** A runner that writes its report to a file may say there alone why a test could not run. */
const whatFailedSaid = (tests: readonly ReportedTest[]): string[] =>
  tests.flatMap(({ outcome, said }) => (outcome === 'failed' && said !== undefined ? [said] : [])).slice(0, TOLD);

function failedTests(tests: readonly ReportedTest[]): string {
  const names = tests.filter(({ outcome }) => outcome === 'failed').map(({ name }) => testTitle(name));
  return ['failed tests by its report', ...firstNamed(names)].join('\n  ');
}

/** The first names of a list, and how many more there are. */
export function firstNamed(names: readonly string[], most = TESTS_NAMED): string[] {
  return names.length <= most ? [...names] : [...names.slice(0, most), `and ${names.length - most} more`];
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
