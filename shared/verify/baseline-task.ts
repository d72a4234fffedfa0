import { digestOfValue } from '../domain/digest.ts';
import { type Facts, facts } from '../domain/job/outcome.ts';
import type { Packet } from '../domain/packet/schema.ts';
import { type TaskContext, TaskFailure, type TaskResult } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import type { TreeId } from '../sandbox/git/object-id.ts';
import { listTree } from '../sandbox/git/tree-list.ts';
import { openBase, type Snapshot } from '../stations/work/base.ts';
import { lineOf } from '../stations/work/inputs.ts';
import { pathMatcher } from '../stations/work/path-scope.ts';
import { testFileMatcher } from '../stations/work/test-files.ts';
import { treeIdentity } from '../stations/work/tree-identity.ts';
import { runChecks, selectChecks } from './checks/run-checks.ts';
import { runScenarios } from './holdout/run-scenario.ts';
import { lineVerifiers } from './line-verifiers.ts';
import type { Before, Stop } from './lines/line-verifier.ts';
import { openBench } from './open-bench.ts';
import { type CheckClaim, claimsDigest, type RunClaim } from './receipt.ts';
import { reasonForNone, reproductionCommand, runPacketCommand } from './reproduction.ts';
import type { Bench } from './runs/bench.ts';
import { overlayTree } from './trees/overlay.ts';
import { commonClaims, standingCaveats, writeLog, writeReceipt } from './write-receipt.ts';

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

type Conclusion = { readonly verdict: string; readonly summary: string; readonly question?: string };

async function baseline(bench: Bench): Promise<TaskResult> {
  const { context, packet } = bench;
  const base = await openBase(context);
  const identity = await treeIdentity(base.repository, base.tree, context.signal);
  const before = await lineVerifiers[lineOf(packet)].before(bench, base);
  const paths = (await listTree({ repository: base.repository, tree: base.tree, signal: context.signal })).map(
    ({ path }) => path,
  );
  const fromBase = paths.filter(testFileMatcher(bench.declaration));

  const overlaid = await overlayTests(bench, base, before);
  let stop = before.stop ?? missingContext(packet, paths);
  let reproduction: RunClaim | null = null;
  if (stop === null) {
    const judged = await reproduce(bench, base, overlaid.tree, before.intended);
    reproduction = judged.run;
    stop = judged.stop;
  }
  let checks: CheckClaim[] = [];
  let scenarios: { name: string; passed: boolean }[] = [];
  if (stop === null) {
    checks = await runChecks(bench, base.repository, base.tree, 'base');
    scenarios = await runScenarios(bench, base.repository, base.tree, 'base');
  }
  const going = reproduction === null ? 'not_required' : 'reproduced';
  const concluded: Conclusion = stop === null ? { verdict: going, summary: '' } : allowedStop(packet, stop);
  const receipt = await writeReceipt(context, bench, {
    stage: 'baseline',
    verdict: concluded.verdict,
    ...commonClaims(bench),
    base: { commit: base.commit, ...identity },
    head: null,
    baseline: null,
    line: before.claims,
    reproduction: { before: reproduction, after: null, reasonForNone: reasonForNone(packet) },
    checks,
    commands: [],
    scenarios: scenarios.map(({ name, passed }) => ({ name, before: passed, after: null })),
    tests: {
      fromBase: fromBase.length,
      fromBaseDigest: digestOfValue(fromBase.toSorted()),
      fromChange: overlaid.paths.slice(0, 200),
    },
    faults: [],
    notVerified: [
      ...standingCaveats(bench),
      ...selectChecks(bench).left.map((name) => `check ${name}: the packet does not ask for it`),
    ],
  });
  const { summary, verdict, question } = concluded;
  const measured: Facts = facts.parse({
    baseCommit: base.commit,
    baseTree: identity.tree,
    claims: claimsDigest(receipt),
    gitTree: base.tree,
    sandbox: bench.sandbox.kind,
    count: passedTests(checks),
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

/** The base with the test files that the packet's own change brings, where it may: a reproduction is often such a test. */
async function overlayTests(
  { context, packet, declaration }: Bench,
  base: Snapshot,
  { intended }: Before,
): Promise<{ tree: TreeId; paths: readonly string[] }> {
  if (intended === null || packet.validation.testsMayChange.length === 0) return { tree: base.tree, paths: [] };
  const isTest = testFileMatcher(declaration);
  const mayChange = pathMatcher(packet.validation.testsMayChange);
  const takes = (path: string) => isTest(path) && mayChange(path);
  const { repository } = base;
  const tree = await overlayTree({ repository, onto: base.tree, from: intended, takes, signal: context.signal });
  if (tree === base.tree) return { tree, paths: [] };
  const old = new Map(
    (await listTree({ repository, tree: base.tree, signal: context.signal })).map(({ path, mode, blob }) => [
      path,
      `${mode} ${blob}`,
    ]),
  );
  const now = await listTree({ repository, tree, signal: context.signal });
  return {
    tree,
    paths: now.filter(({ path, mode, blob }) => old.get(path) !== `${mode} ${blob}`).map(({ path }) => path),
  };
}

async function reproduce(
  bench: Bench,
  base: Snapshot,
  tree: TreeId,
  intended: TreeId | null,
): Promise<{ run: RunClaim | null; stop: Stop | null }> {
  const command = reproductionCommand(bench.packet);
  if (command === undefined) return { run: null, stop: null };
  const run = await runPacketCommand(bench, base.repository, tree, command, 'reproduction on the base tree');
  if (run.exitCode === null || notStarted.has(run.exitCode)) {
    const question = `The reproduction command ${JSON.stringify(command).slice(0, 500)} did not run on the base (${run.faults.join(', ')}), so its failing proves nothing. Correct the command, or what it needs in the application's prepare, and submit again?`;
    return { run, stop: { verdict: 'needs_human', code: 'REPRODUCTION-DID-NOT-RUN', question } };
  }
  if (!run.passed) return { run, stop: null };
  if (intended !== null) {
    const changed = await runPacketCommand(
      bench,
      base.repository,
      intended,
      command,
      'reproduction on the changed tree',
    );
    if (!changed.passed) {
      return {
        run,
        stop: {
          verdict: 'contradicts_existing_behaviour',
          because: `the reproduction passes on commit ${base.commit} and fails once the packet's change is applied`,
        },
      };
    }
  }
  return {
    run,
    stop: { verdict: 'could_not_reproduce', because: `the reproduction passes on commit ${base.commit} as it is` },
  };
}

function missingContext(packet: Packet, paths: readonly string[]): Stop | null {
  const absent = [...packet.context.files, ...packet.context.tests].filter((glob) => !paths.some(pathMatcher([glob])));
  if (absent.length === 0) return null;
  return {
    verdict: 'missing_context',
    because: `no file of the base matches ${absent.slice(0, 10).join(', ')}, which the packet names as context`,
  };
}

/** A shell's and prlimit's codes for a command that is not there or can't be executed (POSIX.1-2017 XCU §2.8.2). */
const notStarted: ReadonlySet<number> = new Set([126, 127]);

/** A no-op ends the request only where the packet's rules have it; otherwise a person decides what the finding means. */
function allowedStop(packet: Packet, stop: Stop): Conclusion {
  if (stop.verdict === 'needs_human') return { verdict: 'needs_human', summary: stop.code, question: stop.question };
  if (packet.noOpRules.includes(stop.verdict)) return { verdict: stop.verdict, summary: stop.because };
  return {
    verdict: 'needs_human',
    summary: stop.verdict.toUpperCase().replaceAll('_', '-'),
    question: `${stop.because}. The packet's noOpRules do not include ${stop.verdict}: end the request, or correct the packet and submit again?`,
  };
}

function passedTests(checks: readonly CheckClaim[]): number {
  return checks.reduce((total, { counts }) => total + (counts?.passed ?? 0), 0);
}
