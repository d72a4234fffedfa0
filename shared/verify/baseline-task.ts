import { hasHoldouts } from '../domain/application/holdouts.ts';
import { testFileMatcher } from '../domain/application/test-files.ts';
import { type Facts, facts } from '../domain/job/outcome.ts';
import type { Packet } from '../domain/packet/schema.ts';
import { type TaskContext, TaskFailure, type TaskResult } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import { listTree } from '../sandbox/git/tree-list.ts';
import type { TreeSurvey } from '../sandbox/git/tree-survey.ts';
import { missingInWords } from '../stations/packages/open-packages.ts';
import { openBase, type Snapshot } from '../stations/work/base.ts';
import { lineOf } from '../stations/work/inputs.ts';
import { pathMatcher } from '../stations/work/path-scope.ts';
import { surveyedTree, type TreeIdentity } from '../stations/work/tree-identity.ts';
import type { CheckRun } from './checks/run-check.ts';
import { runChecks } from './checks/run-checks.ts';
import { weighChecks } from './concerns.ts';
import { didNotRun, type Found, reproduceOnBase } from './find-on-base.ts';
import { lineVerifiers } from './line-verifiers.ts';
import type { Before } from './lines/line-verifier.ts';
import { openBench } from './open-bench.ts';
import { apiBefore } from './public-api/unchanged.ts';
import { claimsDigest, type Receipt, type RunClaim } from './receipt.ts';
import { reasonForNone } from './reproduction.ts';
import type { Bench } from './runs/bench.ts';
import { type BaseTests, overlayTests } from './trees/base-tests.ts';
import { readOwnCode } from './trees/own-code.ts';
import { untestedClaim, weighUntested } from './untested.ts';
import { commonClaims, notVerified, testsClaim, writeLog, writeReceipt } from './write-receipt.ts';

/**
 * The task `baseline`: what is true of the base before anyone works on it. Cheap questions come first, so that a request with
 * nothing to do ends before a station starts.
 *
 * `contradicts_existing_behaviour` has one meaning: the reproduction passes on the base and fails once the packet's own change
 * is applied; the request would break what it asks for.
 */
export async function baselineTask(context: TaskContext, driver: SandboxDriver): Promise<TaskResult> {
  const bench = await openBench(context, driver);
  try {
    return await baseline(bench);
  } catch (error) {
    if (error instanceof TaskFailure) await writeLog(context, bench);
    throw error;
  }
}

/** What was found of the base, stage by stage; what a stage that was not reached would have found is empty. */
type Baseline = {
  readonly base: Snapshot;
  readonly identity: TreeIdentity;
  readonly survey: TreeSurvey;
  /** Paths of the base. */
  readonly paths: readonly string[];
  readonly before: Before;
  readonly tests: BaseTests;
  readonly reproduction: RunClaim | null;
  readonly checks: readonly CheckRun[];
  readonly publicApi: Receipt['claims']['publicApi'];
  readonly stop: Found | null;
};

async function baseline(bench: Bench): Promise<TaskResult> {
  const found = await look(bench);
  const concluded = found.stop === null ? going(found) : allowedStop(bench, found.stop);
  if (found.stop === null) weigh(bench, found);
  const receipt = await claim(bench, found, concluded.verdict);
  const { summary, verdict, question } = concluded;
  const measured: Facts = facts.parse({
    baseCommit: found.base.commit,
    baseTree: found.identity.tree,
    claims: claimsDigest(receipt),
    gitTree: found.base.tree,
    sandbox: bench.sandbox.kind,
    count: found.checks.reduce((total, { claim: { counts } }) => total + (counts?.passed ?? 0), 0),
    concerns: [...bench.findings.concerns()],
  });
  return {
    outcome: {
      verdict,
      summary: summary.slice(0, 2_000),
      facts: measured,
      unknowns: [],
      ...(question === undefined ? {} : { question: question.slice(0, 2_000) }),
    },
  };
}

/** Looks in the order of cost, and no further than the first stop. */
async function look(bench: Bench): Promise<Baseline> {
  const { context, packet } = bench;
  const { signal } = context;
  const base = await openBase(context);
  const { repository, tree } = base;
  const { identity, survey } = await surveyedTree(repository, tree, signal);
  weighUntested(bench, survey);
  const before = await lineVerifiers[lineOf(packet)].before(bench, base);
  const paths = (await listTree({ repository, tree, signal })).map(({ path }) => path);
  const tests = await overlayTests(bench, base, before.intended);
  const seen = { base, identity, survey, paths, before, tests, reproduction: null, checks: [], publicApi: null };
  const early = before.stop ?? missingContext(packet, paths);
  if (early !== null) return { ...seen, stop: early };

  const own = await readOwnCode({ repository, tree: tests.tree, intended: before.intended, signal });
  const reproduced = await reproduceOnBase(bench, base, tests.tree, before.intended, own);
  const { run: reproduction } = reproduced;
  if (reproduced.stop !== null) return { ...seen, reproduction, stop: reproduced.stop };

  const checks = await runChecks(bench, repository, tree, 'base', own);
  const stop = didNotRun(bench, checks);
  if (stop !== null) return { ...seen, reproduction, checks, stop };
  const publicApi = await apiBefore(bench, base);
  return { ...seen, reproduction, checks, publicApi, stop: null };
}

type Conclusion = { readonly verdict: string; readonly summary: string; readonly question?: string };

function going({ reproduction }: Baseline): Conclusion {
  if (reproduction === null) return { verdict: 'not_required', summary: '' };
  const load =
    reproduction.ending === 'load_failure'
      ? reproduction.faults.find((fault) => fault.startsWith('load failure'))
      : undefined;
  return { verdict: 'reproduced', summary: load ?? '' };
}

/** A no-op ends the request only where the packet's rules have it; otherwise a person decides what the finding means. */
function allowedStop({ packet, preparation, supply }: Bench, stop: Found): Conclusion {
  if ('code' in stop) {
    const question = preparation.failed ? `${unpreparedFor(supply)} ${stop.question}` : stop.question;
    return { verdict: stop.verdict, summary: stop.code, question };
  }
  if (packet.noOpRules.includes(stop.verdict)) return { verdict: stop.verdict, summary: stop.because };
  return {
    verdict: 'needs_human',
    summary: stop.verdict.toUpperCase().replaceAll('_', '-'),
    question: `${stop.because}. The packet's noOpRules do not include ${stop.verdict}: end the request, or correct the packet and submit again?`,
  };
}

/** Why there was nothing to run with: a stale lockfile, say, is what a person has to mend first. */
function unpreparedFor(supply: Bench['supply']): string {
  const missing = missingInWords(supply?.missing ?? [], supply?.missingCount ?? 0);
  return `The prepare command failed, as packages could not be had: ${missing.slice(0, 700)}.`;
}

function missingContext(packet: Packet, paths: readonly string[]): Found | null {
  const absent = [...packet.context.files, ...packet.context.tests].filter((glob) => !paths.some(pathMatcher([glob])));
  if (absent.length === 0) return null;
  return {
    verdict: 'missing_context',
    because: `no file of the base matches ${absent.slice(0, 10).join(', ')}, which the packet names as context`,
  };
}

function weigh(bench: Bench, { reproduction, checks }: Baseline): void {
  if (reproduction?.ending === 'load_failure')
    bench.findings.concern('load_failure', reproduction.faults.find((fault) => fault.startsWith('load failure')) ?? '');
  // Hidden scenarios are run on the change alone, and guard it all the same.
  const hidden = hasHoldouts(bench.declaration);
  weighChecks(bench, { reproduction: null, checks: checks.map((run) => run.claim), commands: [], hidden });
}

async function claim(bench: Bench, found: Baseline, verdict: string): Promise<Receipt> {
  const { context, packet, declaration, findings } = bench;
  const { base, tests } = found;
  return writeReceipt(context, bench, {
    stage: 'baseline',
    verdict,
    ...commonClaims(bench),
    base: { commit: base.commit, ...found.identity },
    head: null,
    baseline: null,
    line: found.before.claims,
    ...untestedClaim(found.survey),
    reproduction: { before: found.reproduction, after: null, reasonForNone: reasonForNone(packet) },
    checks: found.checks.map((run) => run.claim),
    commands: [],
    scenarios: [],
    ...testsClaim(found.paths.filter(testFileMatcher(declaration)), tests.paths),
    faults: [],
    notVerified: notVerified(bench),
    concerns: [...findings.concerns()],
    ...(found.publicApi === null ? {} : { publicApi: found.publicApi }),
  });
}
