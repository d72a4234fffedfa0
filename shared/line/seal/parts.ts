import type { EvidenceFacts } from '../../evidence/facts/bundle-facts.ts';
import type { ChangeEvidenceFacts } from '../../evidence/facts/change-evidence-facts.ts';
import type { EffectKind } from '../../jobs/protocol.ts';
import type { JobRecord, RequestRecords } from './records.ts';

/** Rows as the parts of evidence. Each says what is recorded and nothing else; what a column does not know is null. */
export const isoTime = (at: number): string => new Date(at).toISOString();

export function requestPart({ request }: RequestRecords, incarnation: string): ChangeEvidenceFacts['request'] {
  return {
    id: request.id,
    application: request.application_id,
    requestedBy: request.requested_by,
    line: request.line,
    lineDigest: request.line_digest,
    definitions: request.definitions_digest,
    incarnation,
    run: request.run,
    acceptedAt: isoTime(request.created_at),
  };
}

export function taskPart({ request, packet }: RequestRecords): ChangeEvidenceFacts['task'] {
  return {
    packet: request.packet_digest,
    goal: packet.goal,
    intent: packet.intent,
    source: { kind: packet.source.kind, reference: packet.source.reference ?? null, url: packet.source.url ?? null },
    nonGoals: packet.nonGoals,
    outputFormat: packet.output.format,
  };
}

const LISTED = 64;

/** A completed job's outputs are those of the lease that completed it; a job that did not complete shows whatever its attempts left. */
function outputsOf(job: JobRecord): ChangeEvidenceFacts['jobs'][number]['outputs'] {
  const counted =
    job.state === 'completed' ? job.outputs.filter((output) => output.epoch === job.lease_epoch) : job.outputs;
  return counted.slice(0, LISTED).map(({ name, kind, digest }) => ({ name, kind, digest }));
}

function jobParts({ jobs }: RequestRecords): ChangeEvidenceFacts['jobs'] {
  return jobs.map((job) => ({
    id: job.id,
    node: job.node,
    round: job.round,
    pool: job.pool,
    state: job.state,
    epoch: job.lease_epoch,
    attempt: job.attempt,
    principal: job.lease_owner,
    attempts: job.attempts.slice(-LISTED).map(({ epoch, attempt, owner, leased_at: from, ended_as, signature }) => ({
      epoch,
      attempt,
      principal: owner,
      from: isoTime(from),
      endedAs: ended_as,
      signature,
    })),
    verdict: job.verdict,
    result: job.result_body_hash,
    inputs: job.inputs.slice(0, LISTED).map(({ name, digest }) => ({ name, digest })),
    outputs: outputsOf(job),
  }));
}

function approvalParts({ approvals }: RequestRecords): ChangeEvidenceFacts['approvals'] {
  return approvals.flatMap(({ subject, ...approval }) => {
    if (subject?.type !== 'start' && subject?.type !== 'effect') return [];
    const decisions = approval.decisions.map(({ principal_id: by, decision, reason, at }) => ({
      by,
      decision,
      reason,
      at: isoTime(at),
    }));
    // The schema's lists are not readonly; the subject is kept as it was decided on.
    const kept = subject.type === 'start' ? { ...subject } : { ...subject, effects: [...subject.effects] };
    return [
      {
        id: approval.id,
        subject: kept,
        subjectDigest: approval.subject_digest,
        state: approval.state,
        required: approval.required,
        decisions,
      },
    ];
  });
}

function policyDecisionParts({ policyDecisions }: RequestRecords): ChangeEvidenceFacts['policyDecisions'] {
  return [...policyDecisions]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((row) => ({
      id: row.id,
      action: row.action,
      principal: row.principal_id,
      allowed: row.allowed === 1,
      policy: row.policy_digest,
      determining: JSON.parse(row.determining) as string[],
      at: isoTime(row.at),
    }));
}

export function effectParts({ effects }: RequestRecords): EvidenceFacts['effects'] {
  return effects.map((effect) => ({
    id: effect.id,
    key: effect.effect_key,
    kind: effect.kind as EffectKind,
    ordinal: effect.ordinal,
    job: effect.job_id,
    epoch: effect.epoch,
    target: effect.target,
    tree: effect.tree,
    state: effect.state,
    expectedBefore: effect.expected_before,
    observed: effect.observed,
    approval: effect.approval_id,
    policyDecision: effect.policy_decision_id,
    rollback: effect.rollback,
  }));
}

/** What was recorded on the way, the same in both kinds of evidence. */
export const recordParts = (
  records: RequestRecords,
): Pick<ChangeEvidenceFacts, 'jobs' | 'jobsLeftOut' | 'approvals' | 'policyDecisions'> => ({
  jobs: jobParts(records),
  jobsLeftOut: records.jobsLeftOut,
  approvals: approvalParts(records),
  policyDecisions: policyDecisionParts(records),
});
