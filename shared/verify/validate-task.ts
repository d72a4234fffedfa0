import { digestOfValue } from '../domain/digest.ts';
import { type TaskContext, TaskFailure, type TaskResult } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import { type DiffEntry, diffTrees } from '../sandbox/git/diff.ts';
import { listTree } from '../sandbox/git/tree-list.ts';
import { openBase, type Snapshot } from '../stations/work/base.ts';
import { changeFacts } from '../stations/work/change-facts.ts';
import { lineOf, readJsonInput } from '../stations/work/inputs.ts';
import { changeScope, pathMatcher } from '../stations/work/path-scope.ts';
import { testFileMatcher } from '../stations/work/test-files.ts';
import { type TreeIdentity, treeIdentity } from '../stations/work/tree-identity.ts';
import { countFaults } from './checks/counts.ts';
import { runChecks, selectChecks } from './checks/run-checks.ts';
import { runScenarios } from './holdout/run-scenario.ts';
import { lineVerifiers } from './line-verifiers.ts';
import { openBench } from './open-bench.ts';
import {
  type CheckClaim,
  claimsDigest,
  type Receipt,
  type ReceiptClaims,
  type RunClaim,
  receiptSchema,
} from './receipt.ts';
import { reasonForNone, reproductionCommand, runPacketCommand } from './reproduction.ts';
import type { Bench } from './runs/bench.ts';
import { PREPARE_FAILED } from './runs/checkout.ts';
import { checkSoundness } from './soundness/check-soundness.ts';
import { openChange } from './trees/change.ts';
import { changedSteering } from './trees/manifest-scripts.ts';
import { commonClaims, standingCaveats, writeLog, writeReceipt } from './write-receipt.ts';

/** The task `validate`: judges a proposed change from its objects alone. Writes `receipt`, the recomputed `diff`, and `log`. */
export async function validateTask(context: TaskContext, driver: SandboxDriver): Promise<TaskResult> {
  const bench = await openBench(context, driver);
  try {
    return await validate(bench);
  } catch (error) {
    if (error instanceof TaskFailure) await writeLog(context, bench);
    throw error;
  }
}

type Judged = {
  readonly line: ReceiptClaims['line'];
  readonly reproduction: RunClaim | null;
  readonly checks: readonly CheckClaim[];
  readonly commands: readonly RunClaim[];
  readonly scenarios: readonly { readonly name: string; readonly passed: boolean }[];
  readonly faults: readonly string[];
};

async function validate(bench: Bench): Promise<TaskResult> {
  const { context, packet, declaration } = bench;
  const { signal } = context;
  const base = await openBase(context);
  const head = await openChange(context, base);
  const baseIdentity = await treeIdentity(base.repository, base.tree, signal);
  const baseline = await readBaseline(bench, baseIdentity);
  const headIdentity = await treeIdentity(head.repository, head.tree, signal);
  const { patch, entries } = await diffTrees({ repository: base.repository, from: base.tree, to: head.tree, signal });
  await context.output({ name: 'diff', kind: 'diff', mediaType: 'text/x-diff', bytes: patch });

  const isTest = testFileMatcher(declaration);
  const crossed = await crossedBoundary(bench, base, entries);
  const sound = crossed === null ? await checkSoundness(bench, base, head, entries) : { faults: [], notVerified: [] };
  const boundary = crossed ?? (sound.faults.length === 0 ? null : { verdict: 'invalid', faults: sound.faults });
  const judged =
    boundary === null
      ? await judge(bench, base, head, baseline).catch((error: unknown) => unpreparable(error, baseline))
      : notRun(baseline, boundary.faults);
  const verdict = boundary?.verdict ?? (judged.faults.length === 0 ? 'valid' : 'invalid');
  const kept = (await listTree({ repository: base.repository, tree: base.tree, signal }))
    .map(({ path }) => path)
    .filter(isTest);
  const changedTests = entries.map(({ path }) => path).filter(isTest);

  const receipt = await writeReceipt(context, bench, {
    stage: 'validate',
    verdict,
    ...commonClaims(bench),
    base: { commit: base.commit, ...baseIdentity },
    head: headIdentity,
    baseline: claimsDigest(baseline),
    line: judged.line,
    reproduction: {
      before: baseline.claims.reproduction.before,
      after: judged.reproduction,
      reasonForNone: reasonForNone(packet),
    },
    checks: [...judged.checks],
    commands: [...judged.commands],
    scenarios: declaration.scenarios.map(({ name }) => ({
      name,
      before: baseline.claims.scenarios.find((scenario) => scenario.name === name)?.before ?? null,
      after: judged.scenarios.find((scenario) => scenario.name === name)?.passed ?? null,
    })),
    tests: {
      fromBase: kept.filter((path) => !changedTests.includes(path)).length,
      fromBaseDigest: digestOfValue(kept.filter((path) => !changedTests.includes(path)).toSorted()),
      fromChange: changedTests.slice(0, 200),
    },
    faults: judged.faults.slice(0, 100).map((fault) => fault.slice(0, 2_000)),
    notVerified: [
      ...standingCaveats(bench),
      ...selectChecks(bench).left.map((name) => `check ${name}: the packet does not ask for it`),
      ...packet.validation.scenarios
        .filter((wanted) => !declaration.scenarios.some(({ name }) => name === wanted))
        .map((wanted) => `scenario ${wanted.slice(0, 200)}: the application declares none of this name`),
      ...sound.notVerified,
      ...(crossed === null ? [] : ['nothing was run on the change: it crossed a boundary first']),
      ...(sound.faults.length === 0 ? [] : ['nothing was run on the change: it does not parse']),
    ],
  });
  const count = judged.checks.reduce((total, { counts }) => total + (counts?.passed ?? 0), 0);
  const facts = changeFacts(declaration, entries, {
    baseCommit: base.commit,
    baseTree: baseIdentity.tree,
    headTree: headIdentity.tree,
    claims: claimsDigest(receipt),
    gitTree: head.tree,
    sandbox: bench.sandbox.kind,
    count,
  });
  const [first = ''] = judged.faults;
  const question =
    verdict === 'valid'
      ? {}
      : {
          question:
            `The change was judged ${verdict.replaceAll('_', ' ')}: ${first}. See the receipt and the diff: correct the change, widen what the packet allows, or drop the request?`.slice(
              0,
              2_000,
            ),
        };
  const summary =
    verdict === 'valid'
      ? `${judged.checks.length} checks and ${judged.scenarios.length} scenarios passed`
      : judged.faults.join('; ');
  return { outcome: { verdict, summary: summary.slice(0, 2_000), facts, unknowns: [], ...question } };
}

async function readBaseline(bench: Bench, base: TreeIdentity): Promise<Receipt> {
  const baseline = await readJsonInput(bench.context, 'baseline', receiptSchema);
  const { claims } = baseline;
  const expected = commonClaims(bench);
  const same =
    claims.stage === 'baseline' &&
    claims.base.tree === base.tree &&
    claims.packet === expected.packet &&
    claims.declaration === expected.declaration &&
    claims.line.line === bench.packet.line.name;
  if (same) return baseline;
  throw new TaskFailure({
    kind: 'terminal',
    code: 'BASELINE-MISMATCH',
    message:
      "The baseline receipt is not about this packet, declaration and base tree; the blueprint wired another node's receipt.",
  });
}

/** Paths that no packet allowed: judged on the diff alone, before anything of the change is run. */
async function crossedBoundary(
  bench: Bench,
  base: Snapshot,
  entries: readonly DiffEntry[],
): Promise<{ verdict: 'out_of_scope' | 'tests_touched' | 'invalid'; faults: string[] } | null> {
  const { packet, declaration, context } = bench;
  if (entries.length === 0) return { verdict: 'invalid', faults: ['the change leaves every file as it was'] };
  const inScope = changeScope(packet);
  const outside = entries
    .filter(({ path }) => !inScope(path))
    .map(({ path }) => `${path} is outside the packet's scope`);
  if (outside.length > 0) return { verdict: 'out_of_scope', faults: outside };
  const isTest = testFileMatcher(declaration);
  const mayChange = pathMatcher(packet.validation.testsMayChange);
  const tests = entries.filter(({ path }) => isTest(path)).map(({ path }) => path);
  const steering = await changedSteering(base.repository, entries, context.signal);
  const touched = [...tests, ...steering].filter((path) => !mayChange(path.split('#')[0] ?? path));
  if (touched.length === 0) return null;
  return {
    verdict: 'tests_touched',
    faults: touched.map((path) => `${path} decides what tests mean and is not in the packet's testsMayChange`),
  };
}

/** A change is not what has to be looked at first where the base fails the same check. */
const FAILED_BEFORE = 'as it did not pass on the base either';

async function judge(bench: Bench, base: Snapshot, head: Snapshot, baseline: Receipt): Promise<Judged> {
  const { packet, declaration } = bench;
  const { repository } = head;
  const faults: string[] = [];
  const line = await lineVerifiers[lineOf(packet)].after(bench, base, head, baseline.claims.line);
  faults.push(...line.faults);

  const command = reproductionCommand(packet);
  const reproduction =
    command === undefined
      ? null
      : await runPacketCommand(bench, repository, head.tree, command, 'reproduction on the changed tree');
  if (reproduction?.passed === false) faults.push(`the reproduction still fails: ${reproduction.faults.join(', ')}`);

  const testsMayChange = packet.validation.testsMayChange.length > 0;
  const checks = (await runChecks(bench, repository, head.tree, 'changed')).map((check) => {
    const before = baseline.claims.checks.find(({ name }) => name === check.name);
    const fallen =
      before?.counts != null && check.counts !== null ? countFaults(before.counts, check.counts, testsMayChange) : [];
    if (fallen.length > 0) return { ...check, passed: false, faults: [...check.faults, ...fallen] };
    return check.passed || before?.passed !== false ? check : { ...check, faults: [...check.faults, FAILED_BEFORE] };
  });
  faults.push(
    ...checks.filter(({ passed }) => !passed).map(({ name, faults: why }) => `check ${name}: ${why.join(', ')}`),
  );

  const commands: RunClaim[] = [];
  for (const [index, argv] of packet.validation.commands.entries()) {
    const run = await runPacketCommand(
      bench,
      repository,
      head.tree,
      argv,
      `validation command ${index + 1} on the changed tree`,
    );
    commands.push(run);
    if (!run.passed) faults.push(`validation command ${index + 1}: ${run.faults.join(', ')}`);
  }
  const scenarios =
    declaration.scenarios.length === 0 ? [] : await runScenarios(bench, repository, head.tree, 'changed');
  faults.push(...scenarios.filter(({ passed }) => !passed).map(({ name }) => `scenario ${name} failed`));
  return { line: line.claims, reproduction, checks, commands, scenarios, faults };
}

const notRun = (baseline: Receipt, faults: readonly string[]): Judged => ({
  line: baseline.claims.line,
  reproduction: null,
  checks: [],
  commands: [],
  scenarios: [],
  faults,
});

/** The base could be prepared, as its receipt shows; a changed tree that can't be is the change's fault and no one else's. */
function unpreparable(error: unknown, baseline: Receipt): Judged {
  if (!(error instanceof TaskFailure) || !('code' in error.failure) || error.failure.code !== PREPARE_FAILED)
    throw error;
  return notRun(baseline, ["the application's prepare command fails on the changed tree; the log has its output"]);
}
