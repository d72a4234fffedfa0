import { isIdleCommand, packageScriptOf } from '../../domain/application/placeholder-script.ts';
import type { SandboxResult } from '../../sandbox/driver.ts';
import { bareLines } from './bare-lines.ts';
import type { Ending } from './ending.ts';
import type { KnownCode } from './known-code.ts';
import { saysLoadFailure, saysNotLoaded } from './load-failure.ts';
import { findMissing, type Missing } from './missing.ts';
import { ranTests, saysNoTests } from './summaries.ts';

/** A run as it is judged: what was started, how it ended, what it wrote. */
export type EndedRun = Pick<SandboxResult, 'exitCode' | 'endedBy'> & {
  readonly argv: readonly string[];
  /** Standard output and error as text (`outputText`). */
  readonly output: string;
  /** Tests that its report names; null when it has none. */
  readonly reported: { readonly tests: number; readonly failed: number } | null;
  /** The text of a package script by its name. */
  readonly scriptOf?: (name: string) => string | undefined;
  /** Where the tree is, as the program sees it. */
  readonly workspace: string;
};

/** Exit codes of a command that is not there or can't be executed (POSIX.1-2017 XCU §2.8.2). */
const NOT_STARTED: ReadonlySet<number> = new Set([126, 127]);

/**
 * Says how a run ended. Never takes a run for one that did its work because of its exit code alone: what is missing outside the
 * repository, and tests that were never collected, prove nothing about the tree. Pure; time proportional to the output.
 */
export function judgeEnding(run: EndedRun, code: KnownCode): Ending {
  const output = bareLines(run.output);
  if (run.endedBy !== 'itself' || run.exitCode === null)
    return { kind: 'did_not_run', cause: 'ended_outside', what: `it was ended by the limit ${run.endedBy}` };
  const idle = idleRun(run, output);
  if (idle !== undefined) return idle;
  if (run.exitCode === 0) return passing(run, output, code);
  return failing(run, run.exitCode, output, code);
}

function idleRun(run: EndedRun, output: string): Ending | undefined {
  if (/^"?Error: no test specified"?$/im.test(output) && !ranTests(output))
    return { kind: 'idle', what: 'its script is the placeholder that npm init writes' };
  return isIdleCommand(run.argv, run.scriptOf) ? { kind: 'idle', what: 'its command can only succeed' } : undefined;
}

function passing(run: EndedRun, output: string, code: KnownCode): Ending {
  if (run.reported !== null)
    return run.reported.tests > 0 ? { kind: 'passed' } : { kind: 'no_tests', what: 'its report names no test' };
  const none = saysNoTests(output) ?? onlyFilesPassed(run, output, code);
  return none === undefined ? { kind: 'passed' } : { kind: 'no_tests', what: none };
}

/** Node's runner counts a file as a test: where names are asked for and only files are left, no test had the name. */
function onlyFilesPassed(run: EndedRun, output: string, code: KnownCode): string | undefined {
  const script = packageScriptOf(run.argv);
  const text = [...run.argv, script === undefined ? '' : (run.scriptOf?.(script) ?? '')].join(' ');
  if (!/\s--test-name-pattern\b/.test(text)) return undefined;
  const names = [...output.matchAll(/^(?:✔ (.+?) \([\d.]+ms\)|ok \d+ - (.+))$/gm)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
  const files = names.length > 0 && names.every((name) => code.holds(name) || code.willHold(name) === true);
  return files ? 'no test has the name that is asked for' : undefined;
}

function failing(run: EndedRun, exitCode: number, output: string, code: KnownCode): Ending {
  const missing = findMissing(output, code, run.workspace);
  const gone = missing.find((each): each is Missing & { outside: true } => each.outside);
  const broken = missing.find((each) => !each.outside)?.what ?? saysLoadFailure(output);
  if (gone !== undefined) {
    // A failure that the missing part does not explain: which of the two it was can't be told.
    const alsoFailed = (broken !== undefined && broken !== gone.what) || assertionFailed(output);
    const cause = alsoFailed && gone.cause !== 'command' ? 'unclear' : gone.cause;
    return { kind: 'did_not_run', cause, what: gone.what };
  }
  if (broken !== undefined) return { kind: 'load_failure', what: broken };
  if (NOT_STARTED.has(exitCode) && !ranTests(output)) {
    const what = `it ended with exit code ${exitCode}: a command is not there or can't be executed`;
    return { kind: 'did_not_run', cause: 'command', what };
  }
  const none = run.reported?.tests === 0 ? 'its report names no test' : saysNoTests(output);
  const unloaded = saysNotLoaded(output);
  if (unloaded !== undefined && !/No test suite found in file|must contain at least one test/.test(output))
    return { kind: 'load_failure', what: unloaded };
  if (none !== undefined && (run.reported?.failed ?? 0) === 0) return { kind: 'no_tests', what: none };
  return { kind: 'failed' };
}

/** Whether the output shows a test that said no, beside whatever was missing. */
const assertionFailed = (output: string): boolean =>
  /^(?:AssertionError|AssertionFailedError|assert |Assertion failed|expect\()|\bERR_ASSERTION\b|^--- FAIL: |^(?:\[ERROR\] )?.*(?:ComparisonFailure|AssertionFailedError)/m.test(
    output,
  );
