import { type HoldoutResult, hasHoldouts } from '../domain/application/holdouts.ts';
import type { Facts } from '../domain/job/outcome.ts';
import type { Snapshot } from '../stations/work/base.ts';
import { lineOf } from '../stations/work/inputs.ts';
import { fell, saysNothing, settleFall, unfallen } from './checks/compare.ts';
import type { CheckRun } from './checks/run-check.ts';
import { runAgain, runChecks } from './checks/run-checks.ts';
import { judgeHoldouts } from './holdout/judge.ts';
import { lineVerifiers } from './line-verifiers.ts';
import type { CheckClaim, Receipt, ReceiptClaims, RunClaim } from './receipt.ts';
import { type Command, type Reproduced, reproduce, reproductionCommand, runPacketCommand } from './reproduction.ts';
import type { Bench } from './runs/bench.ts';
import type { OwnCode } from './trees/own-code.ts';
import { lacksContents, untestedQuestion } from './untested.ts';
import { wayOut } from './way-out.ts';

export type Judged = {
  readonly line: ReceiptClaims['line'];
  readonly reproduction: RunClaim | null;
  readonly checks: readonly CheckClaim[];
  readonly commands: readonly RunClaim[];
  readonly holdouts: HoldoutResult;
  /** Why the change is not what was asked for. */
  readonly faults: readonly string[];
  /** How the output ended of the first run that says no; empty when none does. */
  readonly lastLines: string;
  /** What the line measured for the risk. */
  readonly facts: Partial<Facts>;
  /** Why nothing can be concluded, though nothing is wrong with the change as far as it was seen. */
  readonly unstable: readonly string[];
  /** What keeps the change from being judged, and is not its fault: a question for a person. */
  readonly asks: { readonly code: string; readonly question: string } | null;
};

/** A run that says no to the change, and how its output ended. */
type Failed = { readonly fault: string; readonly lastLines: string };

type Trees = { readonly base: Snapshot; readonly head: Snapshot; readonly own: OwnCode };

/** Runs everything that has a say about a change, and compares it with what the baseline's receipt says of the base. */
export async function judgeChange(bench: Bench, trees: Trees, baseline: Receipt): Promise<Judged> {
  const { packet } = bench;
  const { base, head } = trees;
  const line = await lineVerifiers[lineOf(packet)].after(bench, base, head, baseline.claims.line);
  const reproduction = await reproductionAfter(bench, trees);
  const checked = await checksAfter(bench, trees, baseline);
  const checks = checked.map(({ claim }) => claim);
  const commands = await commandsAfter(bench, trees);
  // Last, so that the time they take is not between two observations.
  const holdouts = await judgeHoldouts(bench, base, head);
  const failed = [
    ...reproductionFaults(reproduction),
    ...checked
      .filter(({ claim }) => !claim.passed && !nothingBefore(claim, baseline) && !lacksContents(claim, baseline))
      .map(({ claim, lastLines }) => ({ fault: `check ${claim.name}: ${claim.faults.join(', ')}`, lastLines })),
    ...commands.failed,
  ];
  const faults = [
    ...line.faults,
    ...failed.map(({ fault }) => fault),
    ...(holdouts === 'failed' ? ['hidden scenarios: failed'] : []),
  ];
  return {
    line: line.claims,
    reproduction: reproduction?.claim ?? null,
    checks,
    commands: commands.claims,
    holdouts,
    faults,
    // A fault of the line comes first and has no output.
    lastLines: line.faults.length > 0 ? '' : (failed[0]?.lastLines ?? ''),
    facts: line.facts ?? {},
    unstable: unstableReproduction(reproduction, checks),
    asks: commands.asks ?? untestedQuestion(checks, baseline),
  };
}

/** A check that said nothing of the base either, such as npm's placeholder, is no fault of the change. */
const nothingBefore = (check: CheckClaim, baseline: Receipt): boolean =>
  saysNothing(check) && !(baseline.claims.checks.find(({ name }) => name === check.name)?.passed ?? false);

async function reproductionAfter(bench: Bench, { head, own }: Trees): Promise<Reproduced | null> {
  const command = reproductionCommand(bench.packet);
  if (command === undefined) return null;
  return reproduce(bench, head.repository, head.tree, command, 'reproduction on the changed tree', own);
}

function reproductionFaults(reproduction: Reproduced | null): Failed[] {
  if (reproduction === null) return [];
  const { together, claim, lastLines } = reproduction;
  if (together.says === 'fails')
    return [{ fault: `the reproduction still fails: ${claim.faults.join(', ')}`, lastLines }];
  if (together.says === 'did_not_run')
    return [{ fault: `the reproduction ran on the base and did not run on the change: ${together.what}`, lastLines }];
  return [];
}

/** A reproduction has to be stable, and may not be a check with tests that differ on the same tree. */
function unstableReproduction(reproduction: Reproduced | null, checks: readonly CheckClaim[]): string[] {
  if (reproduction === null) return [];
  const { together, claim } = reproduction;
  if (together.says === 'unstable')
    return [`the reproduction passes in ${together.passed} of ${together.runs} runs on the change`];
  return checks
    .filter(({ argv, unstable = [] }) => argv === claim.argv && unstable.length > 0)
    .map(
      ({ name, unstable = [] }) =>
        `the reproduction is the check ${name}, whose tests differ between runs of one tree: ${unstable.slice(0, 5).join(', ')}`,
    );
}

type Checked = { readonly claim: CheckClaim; readonly lastLines: string };

async function checksAfter(bench: Bench, trees: Trees, baseline: Receipt): Promise<Checked[]> {
  const { base, head, own } = trees;
  const testsMayChange = bench.packet.validation.testsMayChange.length > 0;
  const runs = await runChecks(bench, head.repository, head.tree, 'changed', own);
  const checked: Checked[] = [];
  for (const run of runs) {
    const { name } = run.claim;
    const before = baseline.claims.checks.find((check) => check.name === name);
    const claim =
      before !== undefined && fell(before, run, testsMayChange)
        ? await settled(bench, { base, head, own }, before, run)
        : unfallen(before, run);
    if (claim.passed && claim.unstable !== undefined && claim.unstable.length > 0)
      bench.findings.concern('unstable_tests', `check ${name}: ${claim.unstable.slice(0, 5).join(', ')}`);
    if (claim.unstable !== undefined && claim.unstable.length > 0)
      bench.recorder.note(
        `check ${name}`,
        ['tests that differ between runs of the same tree', ...claim.unstable].join('\n  '),
      );
    checked.push({ claim, lastLines: run.lastLines });
  }
  return checked;
}

/** A check that fell is run once more on both trees before anything is concluded. */
async function settled(bench: Bench, trees: Trees, before: CheckClaim, first: CheckRun): Promise<CheckClaim> {
  const { base, head, own } = trees;
  const { name } = first.claim;
  // The change first: what comes and goes with every other run then shows as unstable.
  const second = await runAgain(bench, head.repository, head.tree, 'changed', name, own);
  const again = await runAgain(bench, base.repository, base.tree, 'base', name, own);
  if (again === undefined || second === undefined) return first.claim;
  return settleFall({ before, again, after: [first, second] });
}

type Commands = { readonly claims: RunClaim[]; readonly failed: Failed[]; readonly asks: Judged['asks'] };

async function commandsAfter(bench: Bench, { base, head, own }: Trees): Promise<Commands> {
  const claims: RunClaim[] = [];
  const failed: Failed[] = [];
  let asks: Judged['asks'] = null;
  for (const [index, argv] of bench.packet.validation.commands.entries()) {
    const of = `validation command ${index + 1}`;
    const run = await runPacketCommand(
      bench,
      head.repository,
      head.tree,
      argv as Command,
      `${of} on the changed tree`,
      own,
    );
    claims.push(run.claim);
    if (run.claim.passed || run.ending.kind === 'idle') continue;
    if (run.ending.kind === 'no_tests' && run.claim.exitCode === 0) continue;
    if (run.ending.kind !== 'did_not_run') {
      failed.push({ fault: `${of}: ${run.claim.faults.join(', ')}`, lastLines: run.lastLines });
      continue;
    }
    // Where it does not run on the base either, the change did not take away what it needs.
    const before = await runPacketCommand(
      bench,
      base.repository,
      base.tree,
      argv as Command,
      `${of} on the base tree`,
      own,
    );
    if (before.ending.kind === 'did_not_run')
      asks ??= {
        code: 'CHECK-DID-NOT-RUN',
        question: `The ${of} did not run, on the base as little as on the change (CHECK-DID-NOT-RUN): ${before.ending.what}. ${wayOut(before.ending.cause, bench)} Its last lines:\n${before.lastLines}\nCorrect it and submit again?`,
      };
    else
      failed.push({
        fault: `${of} runs on the base and does not run on the change: ${run.ending.what}`,
        lastLines: run.lastLines,
      });
  }
  return { claims, failed, asks };
}

/** Nothing was run, and why. */
export const notRun = ({ declaration }: Bench, baseline: Receipt, faults: readonly string[]): Judged => ({
  line: baseline.claims.line,
  reproduction: null,
  checks: [],
  commands: [],
  holdouts: hasHoldouts(declaration) ? 'not_run' : 'none',
  faults,
  lastLines: '',
  facts: {},
  unstable: [],
  asks: null,
});
