import { testFileMatcher } from '../domain/application/test-files.ts';
import type { Failure } from '../domain/failure.ts';
import type { Outcome } from '../domain/job/outcome.ts';
import { deceptiveInDiff, placesInWords } from '../domain/text/deceptive.ts';
import { type TaskContext, TaskFailure, type TaskResult } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import { type DiffEntry, diffTrees } from '../sandbox/git/diff.ts';
import { listTree } from '../sandbox/git/tree-list.ts';
import type { TreeSurvey } from '../sandbox/git/tree-survey.ts';
import { missingInWords } from '../stations/packages/open-packages.ts';
import { openBase, type Snapshot } from '../stations/work/base.ts';
import { changeFacts } from '../stations/work/change-facts.ts';
import { readJsonInput } from '../stations/work/inputs.ts';
import { surveyedTree, type TreeIdentity, treeIdentity } from '../stations/work/tree-identity.ts';
import { type Crossed, crossedBoundary } from './boundary.ts';
import { weighChange } from './concerns.ts';
import { weighFileModes } from './file-modes.ts';
import { type Judged, judgeChange, notRun } from './judge-change.ts';
import { openBench } from './open-bench.ts';
import { apiFaults } from './public-api/unchanged.ts';
import { claimsDigest, type Receipt, receiptSchema } from './receipt.ts';
import { reasonForNone } from './reproduction.ts';
import type { Bench } from './runs/bench.ts';
import { PrepareFailed } from './runs/checkout.ts';
import { checkSoundness } from './soundness/check-soundness.ts';
import { openChange } from './trees/change.ts';
import { weighLfs } from './trees/lfs-paths.ts';
import { type OwnCode, readOwnCode } from './trees/own-code.ts';
import { weighUncheckedCode } from './unchecked/weigh.ts';
import { untestedClaim, weighUntested } from './untested.ts';
import { type Verdict, verdictOfChange } from './validate-verdict.ts';
import { commonClaims, notVerified, testsClaim, writeLog, writeReceipt } from './write-receipt.ts';

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

/** What is judged: the two trees, what lies between them, and what was found of the base. */
type Change = {
  readonly base: Snapshot;
  readonly head: Snapshot;
  readonly baseIdentity: TreeIdentity;
  readonly headIdentity: TreeIdentity;
  readonly survey: TreeSurvey;
  readonly entries: readonly DiffEntry[];
  readonly baseline: Receipt;
};

async function validate(bench: Bench): Promise<TaskResult> {
  const change = await openAll(bench);
  const crossed =
    (await crossedBoundary(bench, change.base, change.head, change.entries)) ?? (await unsound(bench, change));
  const own = crossed === null ? await ownCode(bench, change) : null;
  const judged =
    crossed === null && own !== null
      ? await run(bench, change, own).catch((error: unknown) => unpreparable(error, bench, change))
      : notRun(bench, change.baseline, crossed?.faults ?? []);
  const api =
    crossed === null && judged.faults.length === 0 ? await apiFaults(bench, change.head, change.baseline) : [];
  const verdict = verdictOfChange(crossed, judged, api);
  if (own !== null) await weigh(bench, change, judged, own);
  else bench.findings.caveat(`nothing was run on the change: ${crossed?.because ?? 'it crossed a boundary first'}`);
  const receipt = await claim(bench, change, judged, verdict);
  return { outcome: outcomeOf(bench, change, judged, verdict, receipt) };
}

async function openAll(bench: Bench): Promise<Change> {
  const { context } = bench;
  const { signal } = context;
  const base = await openBase(context);
  const head = await openChange(context, base);
  const baseIdentity = await treeIdentity(base.repository, base.tree, signal);
  const baseline = await readBaseline(bench, baseIdentity);
  // What could be prepared on the base can be on the change, or the change broke it.
  bench.preparation.mayFail &&= baseline.claims.unprepared === true;
  const { identity: headIdentity, survey } = await surveyedTree(head.repository, head.tree, signal);
  weighUntested(bench, survey);
  const { patch, entries } = await diffTrees({ repository: base.repository, from: base.tree, to: head.tree, signal });
  await context.output({ name: 'diff', kind: 'diff', mediaType: 'text/x-diff', bytes: patch });
  weighFileModes(bench.findings, entries);
  await weighLfs(bench.findings, head, entries, signal);
  const deceptive = deceptiveInDiff(
    new TextDecoder().decode(patch),
    entries.filter(({ status }) => status === 'added').map(({ path }) => path),
  );
  if (deceptive.length > 0) bench.findings.concern('hidden_characters', placesInWords(deceptive));
  return { base, head, baseIdentity, headIdentity, survey, entries, baseline };
}

/** A change that does not parse is not run: whatever its checks would say, they say it of something else. */
async function unsound(bench: Bench, { base, head, entries }: Change): Promise<Crossed | null> {
  const { faults, notVerified } = await checkSoundness(bench, base, head, entries);
  for (const text of notVerified) bench.findings.caveat(text);
  return faults.length === 0 ? null : { verdict: 'invalid', faults, because: 'it does not parse' };
}

const ownCode = ({ context: { signal } }: Bench, { base, head }: Change): Promise<OwnCode> =>
  readOwnCode({ repository: head.repository, tree: base.tree, intended: head.tree, signal });

const run = (bench: Bench, { base, head, baseline }: Change, own: OwnCode): Promise<Judged> =>
  judgeChange(bench, { base, head, own }, baseline);

async function weigh(bench: Bench, { head, entries, baseline }: Change, judged: Judged, own: OwnCode): Promise<void> {
  const { signal } = bench.context;
  weighChange(bench, judged, baseline);
  const paths = (await listTree({ repository: head.repository, tree: head.tree, signal })).map(({ path }) => path);
  weighUncheckedCode(bench, judged, { changed: entries.map(({ path }) => path), paths, own });
}

async function readBaseline(bench: Bench, base: TreeIdentity): Promise<Receipt> {
  const baseline = await readJsonInput(bench.context, 'baseline', receiptSchema);
  const { claims } = baseline;
  const expected = commonClaims(bench);
  const same =
    claims.stage === 'baseline' &&
    claims.base.tree === base.tree &&
    claims.packet === expected.packet &&
    [expected.declaration, ...formerDeclarations(bench)].includes(claims.declaration) &&
    claims.line.line === bench.packet.line.name;
  if (same) return baseline;
  throw new TaskFailure({
    kind: 'terminal',
    code: 'BASELINE-MISMATCH',
    message:
      "The baseline receipt is not about this packet, declaration and base tree; the blueprint wired another node's receipt.",
  });
}

/** What the plane says this declaration took the place of while the request was open: a baseline of before is of one of those. */
function formerDeclarations({ context }: Bench): readonly string[] {
  const former = context.claim.parameters['formerDeclarations'];
  return Array.isArray(former) ? former.filter((each) => typeof each === 'string') : [];
}

/**
 * The base could be prepared, as its receipt shows; a changed tree that can't be is the change's fault, unless the packages that it
 * brings could not be had.
 */
function unpreparable(error: unknown, bench: Bench, { base, baseline }: Change): Judged {
  if (!(error instanceof PrepareFailed) || error.tree === base.tree) throw error;
  const { missing = [], missingCount = 0, unlocked = [] } = bench.supply?.change ?? {};
  if (missingCount > 0) throw new TaskFailure(packagesOfChange(missingInWords(missing, missingCount)));
  const because = unlocked.length === 0 ? '' : `: ${missingInWords(unlocked, unlocked.length)}`;
  return notRun(bench, baseline, [
    `the application's prepare command fails on the changed tree${because}; the log has its output`,
  ]);
}

const packagesOfChange = (missing: string): Failure => ({
  kind: 'needs_human',
  code: 'PACKAGES-MISSING',
  question: `The change was not judged: what it needs to be prepared could not be had (PACKAGES-MISSING): ${missing.slice(0, 1_200)}. Give the packages worker a registry that has it (FACTORY_NPM_REGISTRY) or correct what the change asks for, and submit again?`,
});

async function claim(bench: Bench, change: Change, judged: Judged, { verdict, faults }: Verdict): Promise<Receipt> {
  const { context, packet, declaration, findings } = bench;
  const { base, baseline, entries } = change;
  const isTest = testFileMatcher(declaration);
  const changed = new Set(entries.map(({ path }) => path));
  const kept = (await listTree({ repository: base.repository, tree: base.tree, signal: context.signal }))
    .map(({ path }) => path)
    .filter((path) => isTest(path) && !changed.has(path));
  return writeReceipt(context, bench, {
    stage: 'validate',
    verdict,
    ...commonClaims(bench),
    base: { commit: base.commit, ...change.baseIdentity },
    head: change.headIdentity,
    baseline: claimsDigest(baseline),
    line: judged.line,
    ...untestedClaim(change.survey),
    reproduction: {
      before: baseline.claims.reproduction.before,
      after: judged.reproduction,
      reasonForNone: reasonForNone(packet),
    },
    checks: [...judged.checks],
    commands: [...judged.commands],
    scenarios: [],
    holdouts: judged.holdouts,
    ...testsClaim(kept, [...changed].filter(isTest)),
    faults: faults.slice(0, 100).map((fault) => fault.slice(0, 2_000)),
    notVerified: notVerified(bench),
    concerns: [...findings.concerns()],
  });
}

function outcomeOf(
  bench: Bench,
  change: Change,
  judged: Judged,
  { verdict, faults, question }: Verdict,
  receipt: Receipt,
): Outcome {
  const facts = changeFacts(bench.declaration, change.entries, {
    ...judged.facts,
    baseCommit: change.base.commit,
    baseTree: change.baseIdentity.tree,
    headTree: change.headIdentity.tree,
    claims: claimsDigest(receipt),
    gitTree: change.head.tree,
    sandbox: bench.sandbox.kind,
    count: judged.checks.reduce((total, { counts }) => total + (counts?.passed ?? 0), 0),
    concerns: [...bench.findings.concerns()],
  });
  const passed = judged.checks.filter((check) => check.passed).length;
  const summary =
    verdict === 'valid' ? `${passed} checks passed; hidden scenarios: ${judged.holdouts}` : faults.join('; ');
  return {
    verdict,
    summary: summary.slice(0, 2_000),
    facts,
    unknowns: [],
    ...(question === undefined ? {} : { question: question.slice(0, 2_000) }),
  };
}
