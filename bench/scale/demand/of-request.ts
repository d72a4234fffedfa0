import { meanAround } from '../engine/chance.ts';
import { CALLS, type CallDemand, type CallName } from './call.ts';
import type { JobStage, LineDemand } from './line.ts';

/** How often a request makes each call, on average. */
export type CallCounts = Readonly<Record<CallName, number>>;

/** Looks at each request by whoever submitted it, until it ends: the example's client made twenty, a webhook's makes none. */
export const LOOKS = 6;
/** Commits that take sent rows off the outbox; rows of twenty milliseconds go together (`shared/outbox/relay.ts`). */
const DELIVERIES = 9;
/** Turns of the orchestrator: the start, and two nudges, of which one finds the request over. */
export const TURNS = 3;
const RECORDS_AN_EFFECT = 3;

/** A lease is renewed each time a third of it has passed (`shared/jobs/worker/lease-keeper.ts`). */
export const renewalsOf = (workMs: number, leaseSeconds: number): number =>
  Math.floor(workMs / ((leaseSeconds * 1_000) / 3));

export const jobsOf = (line: LineDemand): readonly JobStage[] => line.stages.filter((stage) => stage.kind === 'job');

/** Mean milliseconds of a job's work. */
export const workOf = (stage: JobStage, line: LineDemand): number => meanAround(stage.seconds * 1_000, line.spread);

export function callsOf(line: LineDemand, leaseSeconds: number): CallCounts {
  const jobs = jobsOf(line);
  const sum = (of: (job: JobStage) => number): number => jobs.reduce((total, job) => total + of(job), 0);
  const decisions = line.stages.reduce(
    (total, stage) => total + (stage.kind === 'gate' ? stage.share * stage.decisions : 0),
    0,
  );
  const effects = sum((job) => job.effects);
  return {
    submit: 1,
    look: LOOKS,
    claim: jobs.length,
    claimNothing: jobs.length,
    download: sum((job) => job.inputs),
    uploadBegin: sum((job) => job.outputs),
    uploadPut: sum((job) => job.outputs),
    renew: sum((job) => renewalsOf(workOf(job, line), leaseSeconds)),
    complete: jobs.length,
    readApproval: decisions,
    decide: decisions,
    intend: effects,
    record: effects * RECORDS_AN_EFFECT,
    supervise: TURNS,
    sealChange: line.stages.filter((stage) => stage.kind === 'seal').length,
    sealBundle: 1,
    outboxDelivered: DELIVERIES,
  };
}

/** What a request asks of the services behind control, all its calls together. */
export function totalsOf(calls: CallCounts): CallDemand & { readonly calls: number } {
  const names = Object.keys(CALLS) as CallName[];
  const sum = (part: keyof CallDemand): number =>
    names.reduce((total, name) => total + calls[name] * CALLS[name][part], 0);
  return {
    calls: names.reduce((total, name) => total + calls[name], 0),
    commits: sum('commits'),
    audited: sum('audited'),
    statements: sum('statements'),
    unwraps: sum('unwraps'),
    signatures: sum('signatures'),
    blobReads: sum('blobReads'),
    blobWrites: sum('blobWrites'),
  };
}

/**
 * Operations on the queues: a hint is sent, received and completed, and its lock renewed twice a minute while its job runs
 * (lock of a minute: `infra/modules/servicebus.bicep`; held while working: ADR 0007). A container that deletes its hint as it starts makes fewer.
 */
export function busOperationsOf(line: LineDemand): number {
  return jobsOf(line).reduce((total, job) => total + 3 + Math.floor(workOf(job, line) / 30_000), 0);
}

/** Actions of the scheduler: the orchestrator's start; each turn is an activity scheduled and its result; two nudges are events. */
export const durableActions = (): number => 1 + 2 * TURNS + 2;
