import { isManifest } from '../domain/risk/path-class.ts';
import { diffTrees } from '../sandbox/git/diff.ts';
import type { TreeId } from '../sandbox/git/object-id.ts';
import { showPath } from '../sandbox/refusal.ts';
import type { Snapshot } from '../stations/work/base.ts';
import { type CheckRun, firstNamed } from './checks/run-check.ts';
import type { MissingCause } from './endings/ending.ts';
import type { Stop } from './lines/line-verifier.ts';
import type { RunClaim } from './receipt.ts';
import { reproduce, reproductionCommand } from './reproduction.ts';
import type { Bench } from './runs/bench.ts';
import type { OwnCode } from './trees/own-code.ts';
import { type TestsLeftOut, testsLeftOut } from './trees/tests-left-out.ts';
import { wayOut } from './way-out.ts';

/** Why a request does not go on from its base: a no-op, or a question with its code. */
export type Found =
  | Stop
  | { readonly verdict: 'did_not_run' | 'unstable'; readonly code: string; readonly question: string };

/**
 * Runs the reproduction on the base: it has to fail each time, and to fail because of the repository's own code. One that passes each
 * time is run on the packet's own change too, where that is known.
 */
export async function reproduceOnBase(
  bench: Bench,
  base: Snapshot,
  tree: TreeId,
  intended: TreeId | null,
  own: OwnCode,
): Promise<{ readonly run: RunClaim | null; readonly stop: Found | null }> {
  const command = reproductionCommand(bench.packet);
  if (command === undefined) return { run: null, stop: null };
  const {
    claim: run,
    together,
    lastLines,
  } = await reproduce(bench, base.repository, tree, command, 'reproduction on the base tree', own);
  const named = `The reproduction command ${JSON.stringify(command).slice(0, 400)}`;
  switch (together.says) {
    case 'fails':
      return { run, stop: null };
    case 'did_not_run': {
      const advice = together.cause === 'package' ? await manifestFirst(bench, base, intended) : null;
      return { run, stop: askDidNotRun(bench, 'REPRODUCTION-DID-NOT-RUN', named, { ...together, advice, lastLines }) };
    }
    case 'unstable': {
      const question = `${named} passes in ${together.passed} of ${together.runs} runs on the base as it is (REPRODUCTION-UNSTABLE), so neither its failing nor its passing proves anything. Name one that fails each time, or correct what makes it differ?`;
      return { run, stop: { verdict: 'unstable', code: 'REPRODUCTION-UNSTABLE', question } };
    }
    case 'passes':
      return { run, stop: await passesOnBase(bench, base, intended, own) };
  }
}

async function passesOnBase(bench: Bench, base: Snapshot, intended: TreeId | null, own: OwnCode): Promise<Found> {
  const command = reproductionCommand(bench.packet);
  if (intended !== null && command !== undefined) {
    const changed = await reproduce(bench, base.repository, intended, command, 'reproduction on the changed tree', own);
    if (changed.together.says === 'fails')
      return {
        verdict: 'contradicts_existing_behaviour',
        because: `the reproduction passes on commit ${base.commit} and fails once the packet's change is applied`,
      };
  }
  const because = `the reproduction passes on commit ${base.commit} as it is, each time`;
  const leftOut = intended === null ? null : await testsLeftOut(bench, base, intended);
  return (leftOut && withoutTheTests(leftOut, because)) ?? { verdict: 'could_not_reproduce', because };
}

/** A reproduction proves nothing by passing where the tests of the change itself were not among what it ran. */
function withoutTheTests({ inSources, unreleased, undeclared }: TestsLeftOut, because: string): Found | null {
  if (inSources.length === 0 && unreleased.length === 0 && undeclared.length === 0) return null;
  const what = [
    ...(inSources.length > 0
      ? [
          `tests inside source files (${firstNamed(inSources, 5).join(', ')}), as whole test files alone are laid over the base`,
        ]
      : []),
    ...(unreleased.length > 0
      ? [`test files that validation.testsMayChange does not name (${firstNamed(unreleased, 5).join(', ')})`]
      : []),
    ...(undeclared.length > 0
      ? [
          `files that the reproduction names and that are not known to be tests (${firstNamed(undeclared, 5).join(', ')})`,
        ]
      : []),
  ].join(', and ');
  const release =
    inSources.length > 0
      ? 'Put them into a test file of their own (in Rust under tests/) and name it in validation.testsMayChange'
      : undeclared.length > 0
        ? 'Declare them under testFiles of the application, and name them in validation.testsMayChange'
        : 'Name them in validation.testsMayChange';
  const question = `${capital(because)} (REPRODUCTION-LACKS-TESTS), but tests that the change brings were not part of it: ${what}. So it is not shown that there is nothing to mend. ${release}; or name a reproduction that fails on the base without them, or none and why ("reproduction": {"none": …}), and submit again?`;
  return { verdict: 'did_not_run', code: 'REPRODUCTION-LACKS-TESTS', question };
}

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** The question of the first check that did not run on the base: nothing that the change could be blamed for. */
export function didNotRun(bench: Bench, checks: readonly CheckRun[]): Found | null {
  for (const { claim, ending, lastLines } of checks) {
    if (ending.kind !== 'did_not_run') continue;
    return askDidNotRun(bench, 'CHECK-DID-NOT-RUN', `The check ${claim.name}`, { ...ending, advice: null, lastLines });
  }
  return null;
}

/** The way out where the change brings the packages itself: on the base, which has its test files alone, they are missing. */
async function manifestFirst(bench: Bench, base: Snapshot, intended: TreeId | null): Promise<string | null> {
  if (intended === null) return null;
  const { signal } = bench.context;
  const { entries } = await diffTrees({ repository: base.repository, from: base.tree, to: intended, signal });
  const manifests = entries.filter(({ path }) => isManifest(path)).map(({ path }) => showPath(path));
  if (manifests.length === 0) return null;
  return `The change itself alters ${firstNamed(manifests, 5).join(', ')}, and packages that it adds there are not on the base. Deliver those manifests first, by a request of their own, or name a reproduction that needs none of the new packages.`;
}

type DidNotRun = {
  readonly cause: MissingCause;
  readonly what: string;
  /** In place of the way out that the cause has anywhere. */
  readonly advice: string | null;
  readonly lastLines: string;
};

function askDidNotRun(bench: Bench, code: string, named: string, { cause, what, advice, lastLines }: DidNotRun): Found {
  const question = `${named} did not run on the base (${code}): ${what}. So its failing proves nothing. ${advice ?? wayOut(cause, bench)} Its last lines:\n${lastLines || '(none)'}\nCorrect the command or what it needs, and submit again?`;
  return { verdict: 'did_not_run', code, question };
}
