import { FAILURE_CLASSES, type FailureClass } from '../../domain/failure.ts';
import type { Outcome } from '../../domain/job/outcome.ts';
import { LINE_NAMES } from '../../domain/packet/line-input.ts';
import type { RequestConclusion } from '../../domain/request/conclusion.ts';
import type { EvidenceFacts, PrReadyFacts } from '../../evidence/facts/bundle-facts.ts';
import type { ChangeEvidenceFacts } from '../../evidence/facts/change-evidence-facts.ts';
import { missing } from './missing.ts';
import { effectParts, isoTime, recordParts, requestPart, taskPart } from './parts.ts';
import type { JobRecord, RequestRecords } from './records.ts';
import { requireDelivered } from './required-evidence.ts';

/** The change evidence that was sealed earlier, as it was signed. */
export type SealedChange = { readonly digest: string; readonly facts: ChangeEvidenceFacts };

/** How long the people asked have to answer before the question counts as dropped. */
const ANSWER_MS = 7 * 24 * 3_600_000;

type Ended<S extends RequestConclusion['state']> = RequestConclusion & { readonly state: S };

/** The facts of the bundle for a conclusion. Refuses what the conclusion claims and the records do not show. */
export function bundleFactsOf(
  records: RequestRecords,
  conclusion: RequestConclusion,
  change: SealedChange | undefined,
  incarnation: string,
): EvidenceFacts {
  const common = {
    request: requestPart(records, incarnation),
    task: taskPart(records),
    ...recordParts(records),
    effects: effectParts(records),
    endedAt: isoTime(records.now),
  };
  const changeEvidence = change?.digest ?? null;
  switch (conclusion.state) {
    case 'PR_READY':
      requireDelivered(records.packet, common.effects);
      return ready(common, change);
    case 'NO_OP':
      return { ...common, state: 'NO_OP', ...proofOf(records, conclusion) };
    case 'ESCALATE':
      return {
        ...common,
        state: 'ESCALATE',
        code: conclusion.code,
        node: conclusion.node,
        question: conclusion.question || 'Something has to be decided here, and the step did not say what.',
        owner: `the requester ${records.request.requested_by}; whoever may answer requests of application ${records.request.application_id} may answer too`,
        deadline: isoTime(records.now + ANSWER_MS),
        tried: triedOf(records, conclusion),
        changeEvidence,
      };
    case 'RETRYABLE_FAILURE':
      return {
        ...common,
        state: 'RETRYABLE_FAILURE',
        node: conclusion.node,
        class: classOf(conclusion.class),
        code: conclusion.code,
        signature: conclusion.signature,
        attempts: conclusion.attempts,
        message: conclusion.message || 'The worker did not say what went wrong.',
      };
    case 'CANCELLED':
      return { ...common, state: 'CANCELLED', by: conclusion.by, reason: conclusion.reason, changeEvidence };
    case 'REJECTED':
      return {
        ...common,
        state: 'REJECTED',
        by: conclusion.by,
        reason: conclusion.reason,
        approval: conclusion.approval,
        changeEvidence,
      };
  }
}

/** What was said of the change before the effect is said again word for word; what was recorded since is added. */
function ready(common: Omit<Common, 'state'>, change: SealedChange | undefined): PrReadyFacts {
  if (change === undefined) throw missing('/changeEvidence', 'no change evidence was sealed for this request.');
  const unseen = common.effects.find(
    (effect) => effect.state !== 'verified' || effect.observed === null || effect.observed === '',
  );
  if (common.effects.length === 0) throw missing('/effects', 'no effect was performed, so nothing was delivered.');
  if (unseen !== undefined)
    throw missing(
      '/effects',
      `the effect ${unseen.id} (${unseen.kind}) is ${unseen.state} and was not seen at its target.`,
    );
  const {
    createdAt: _createdAt,
    jobs: _jobs,
    jobsLeftOut: _left,
    approvals: _approvals,
    policyDecisions: _decisions,
    ...said
  } = change.facts;
  const effects = common.effects.map((effect) => ({
    ...effect,
    state: 'verified' as const,
    observed: effect.observed ?? '',
  }));
  return { ...common, ...said, effects, state: 'PR_READY', changeEvidence: change.digest };
}

type Common = Pick<
  PrReadyFacts,
  'request' | 'task' | 'jobs' | 'jobsLeftOut' | 'approvals' | 'policyDecisions' | 'endedAt' | 'state'
> & { readonly effects: EvidenceFacts['effects'] };

/** Outputs that can prove that nothing had to be done, the best first. */
const PROOFS = ['receipt', 'plan', 'investigation', 'lockfile', 'log'];

/**
 * The artifact by which the concluding step shows that nothing had to be done, else the digest of the result that its worker reported.
 * A verifying step of a product line must have a receipt: its word alone is no proof.
 */
function proofOf(
  records: RequestRecords,
  conclusion: Ended<'NO_OP'>,
): { code: Ended<'NO_OP'>['code']; node: string; proof: string; explanation: string } {
  const job = records.jobs.findLast(
    (candidate) => candidate.node === conclusion.node && candidate.state === 'completed',
  );
  if (job === undefined)
    throw missing('/proof', `no job of "${conclusion.node}" completed, so nothing shows that there was nothing to do.`);
  const outputs = job.outputs.filter((output) => output.epoch === job.lease_epoch);
  const artifact = PROOFS.map((kind) => outputs.find((output) => output.kind === kind)).find(
    (output) => output !== undefined,
  );
  const verifies = job.pool === 'verify' && LINE_NAMES.some((name) => name === records.request.line);
  if (verifies && artifact?.kind !== 'receipt')
    throw missing('/proof', `the job ${job.id} of "${conclusion.node}" left no receipt.`);
  const proof = artifact?.digest ?? job.result_body_hash;
  if (proof === null)
    throw missing(
      '/proof',
      `the job ${job.id} of "${conclusion.node}" left neither an artifact nor a recorded result.`,
    );
  return { code: conclusion.code, node: conclusion.node, proof, explanation: summaryOf(job) };
}

function summaryOf(job: JobRecord): string {
  const summary = job.outcome === null ? '' : (JSON.parse(job.outcome) as Outcome).summary;
  return (
    summary || `The step "${job.node}" ended with the verdict "${job.verdict ?? 'none'}" and gave no reason in words.`
  );
}

/** What was tried before a person was asked: what the step said, else the jobs of that step as they ended. */
function triedOf(records: RequestRecords, conclusion: Ended<'ESCALATE'>): string[] {
  const said = conclusion.tried.filter((text) => text !== '').slice(0, 100);
  if (said.length > 0) return said;
  const jobs = records.jobs.filter((job) => job.node === conclusion.node).slice(-20);
  if (jobs.length > 0)
    return jobs.map(
      (job) =>
        `${job.task} (${job.id}), round ${job.round}, attempt ${job.attempt}: ${job.verdict ?? job.signature ?? job.state}`,
    );
  return [`Nothing was tried at "${conclusion.node}" itself; what ran before it is listed under jobs.`];
}

function classOf(text: string): FailureClass {
  const known = FAILURE_CLASSES.find((candidate) => candidate === text);
  if (known === undefined) throw missing('/class', `"${text}" is no failure class.`);
  return known;
}
