import type { Facts, Outcome } from '../../domain/job/outcome.ts';
import { LINE_NAMES } from '../../domain/packet/line-input.ts';
import { assessRisk } from '../../domain/risk/assess.ts';
import type { ChangeEvidenceFacts } from '../../evidence/facts/change-evidence-facts.ts';
import { type CheckClaim, claimsDigest, type Receipt } from '../../verify/receipt.ts';
import { reasonForNoReproduction } from '../../verify/reproduction-in-words.ts';
import type { ChangeDocuments } from './documents.ts';
import { missing } from './missing.ts';
import { isoTime, recordParts, requestPart, taskPart } from './parts.ts';
import type { JobRecord, RequestRecords } from './records.ts';
import { requireEvidence } from './required-evidence.ts';

/** Where no record tells: said in words, never left out. */
const NOT_RECORDED = 'version not recorded';

/** The facts of change evidence, from records and the documents they name. Refuses with what can't be told. */
export function changeEvidenceOf(
  records: RequestRecords,
  documents: ChangeDocuments,
  incarnation: string,
): ChangeEvidenceFacts {
  const { packet } = records;
  const { plan, receipt, builder } = documents;
  const { claims } = receipt.content;
  const measured = factsOf(receipt.job);
  const head = claims.head;
  if (head === null) throw missing('/change/tree', 'the receipt names no changed tree.');
  requireEvidence(packet, documents);
  return {
    request: requestPart(records, incarnation),
    task: taskPart(records),
    plan: { digest: plan.digest, job: plan.job.id, summary: planSummary(documents) },
    base: {
      repository: packet.scope.repository,
      ref: baseRef(records),
      commit: claims.base.commit,
      tree: claims.base.tree,
    },
    change: {
      job: builder.id,
      bundle: documents.change,
      diff: documents.diff,
      tree: head.tree,
      gitTree: head.gitTree,
      paths: measured.paths,
      pathCount: measured.pathCount ?? measured.paths.length,
      linesAdded: told(measured.linesAdded, '/change/linesAdded'),
      linesRemoved: told(measured.linesRemoved, '/change/linesRemoved'),
      binaryFiles: told(measured.binaryFiles, '/change/binaryFiles'),
      testPaths: measured.testPaths,
    },
    station: stationPart(builder),
    toolchain: Object.entries(claims.sandbox.versions)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, version]) => ({ name, version, digest: null })),
    sandbox: {
      kind: claims.sandbox.kind,
      isolation: claims.sandbox.isolation,
      ...(claims.sandbox.limits === undefined ? {} : { limits: claims.sandbox.limits }),
      version: claims.sandbox.versions[claims.sandbox.kind] ?? NOT_RECORDED,
    },
    reproduction: reproductionPart(records, documents),
    validation: validationPart(documents, head.tree),
    risk: riskPart(records, receipt.job, receipt.content),
    rollback: packet.rollback ?? rollbackOf(packet.output.format),
    ...recordParts(records),
    createdAt: isoTime(records.now),
  };
}

function factsOf(job: JobRecord): Facts {
  if (job.outcome === null) throw missing('/change', `the job ${job.id} recorded no outcome.`);
  return (JSON.parse(job.outcome) as Outcome).facts;
}

function told(figure: number | undefined, pointer: string): number {
  if (figure === undefined) throw missing(pointer, 'the verifier did not measure it.');
  return figure;
}

function baseRef({ packet, declaration }: RequestRecords): string {
  const repository = declaration.repositories.find((candidate) => candidate.name === packet.scope.repository);
  return packet.scope.ref ?? repository?.defaultBranch ?? 'not recorded';
}

function planSummary({ plan }: ChangeDocuments): string {
  const { changes, counts, decisions } = plan.content;
  const named = changes.slice(0, 10).map(({ path, why }) => `${path}: ${why}`);
  const open = decisions.length === 0 ? 'No decision was left to people.' : `Left to people: ${decisions.join('; ')}`;
  return [`${counts.changes} files to change.`, ...named, open].join('\n').slice(0, 8_000);
}

/** Stations of the factory's own lines are deterministic and use no model. Of another one nothing is known here, and evidence does not guess. */
function stationPart(builder: JobRecord): ChangeEvidenceFacts['station'] {
  const { station } = builder;
  if (station === null || !LINE_NAMES.some((name) => name === station))
    throw missing(
      '/station',
      `what kind of station "${station ?? 'unnamed'}" is, and which model it used, is not recorded.`,
    );
  return {
    name: station,
    kind: 'deterministic',
    version: factsOf(builder).stationVersion ?? NOT_RECORDED,
    model: null,
  };
}

function reproductionPart(
  { packet }: RequestRecords,
  { baseline }: ChangeDocuments,
): ChangeEvidenceFacts['reproduction'] {
  const { reproduction } = baseline.content.claims;
  const none = reasonForNoReproduction(reproduction);
  if (none !== null || reproduction.before === null) return { kind: 'none', reason: none ?? '' };
  const command =
    packet.reproduction !== undefined && 'command' in packet.reproduction ? [...packet.reproduction.command] : [];
  const because = reproduction.before.faults.join('; ') || `exit code ${reproduction.before.exitCode ?? 'none'}`;
  return {
    kind: 'failed_before',
    receipt: baseline.digest,
    job: baseline.job.id,
    command,
    summary: `It failed on the base: ${because}`,
  };
}

/** Endings of a check that told nothing of its tree. */
const SAID_NOTHING: readonly CheckClaim['ending'][] = ['no_tests', 'idle', 'did_not_run'];

const resultOf = (check: CheckClaim | undefined): 'passed' | 'failed' | 'not_run' =>
  check === undefined || SAID_NOTHING.includes(check.ending) ? 'not_run' : check.passed ? 'passed' : 'failed';

function validationPart({ baseline, receipt }: ChangeDocuments, tree: string): ChangeEvidenceFacts['validation'] {
  const { claims } = receipt.content;
  if (claims.verdict !== 'valid') throw missing('/validation/result', `the receipt's verdict is "${claims.verdict}".`);
  const before = new Map(baseline.content.claims.checks.map((check) => [check.name, check]));
  return {
    receipt: receipt.digest,
    claims: claimsDigest(receipt.content),
    job: receipt.job.id,
    tree,
    result: 'valid',
    reproductionAfter: claims.reproduction.after?.passed === true ? 'passes' : 'not_applicable',
    checks: claims.checks.map((check) => ({
      name: check.name,
      kind: check.kind,
      before: resultOf(before.get(check.name)),
      after: resultOf(check),
      testsBefore: before.get(check.name)?.counts?.tests ?? null,
      testsAfter: check.counts?.tests ?? null,
    })),
    // Of a receipt of a former release. A scenario that was not run is told of under the residual risk.
    scenarios: claims.scenarios.flatMap(({ name, after }) =>
      after === null ? [] : [{ name, result: after ? ('passed' as const) : ('failed' as const) }],
    ),
    ...(claims.holdouts === undefined ? {} : { holdouts: claims.holdouts }),
    testsTouched: claims.tests.fromChange.map((path) => path.slice(0, 512)),
  };
}

/** The same computation, from the same facts, as the gate makes that asks for approval of the effect. */
function riskPart(
  { packet, declaration, graph, nodes }: RequestRecords,
  verifier: JobRecord,
  receipt: Receipt,
): ChangeEvidenceFacts['risk'] {
  const gate = graph.line.nodes.find((node) => node.kind === 'gate' && node.subject === 'effect');
  const source =
    gate?.kind === 'gate' && gate.riskFrom !== undefined
      ? nodes.findLast((node) => node.name === gate.riskFrom && node.state !== 'superseded')
      : undefined;
  const facts = source?.outcome == null ? factsOf(verifier) : (JSON.parse(source.outcome) as Outcome).facts;
  const risk = assessRisk({ packet, declaration, facts });
  const skipped = receipt.claims.scenarios
    .filter(({ after }) => after === null)
    .map(({ name }) => `scenario ${name} was not run on the change`);
  const residual = [...receipt.claims.notVerified, ...skipped].filter((text) => text !== '').slice(0, 50);
  return {
    tier: risk.tier,
    reasons: risk.reasons
      .map(({ signal, tier, because }) => ({ signal, tier, because: because.slice(0, 2_000) }))
      .slice(0, 100),
    residual: residual.length > 0 ? residual : ['The verifier named nothing that it left unverified.'],
  };
}

function rollbackOf(format: string): string {
  if (format === 'deployment')
    return 'Deploy the commit that was deployed before, as a plan of its own. What this deployment creates is then detached from the stack, not deleted: delete it by hand.';
  return format === 'pull_request'
    ? 'Close the pull request and delete its branch. Once it is merged, revert the merge commit.'
    : 'Nothing outside the factory is changed. Where the result was applied by hand, apply it in reverse.';
}
