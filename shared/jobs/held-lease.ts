import { digestOfBytes } from '../domain/digest.ts';
import type { JobId } from '../domain/ids.ts';
import { leaseLost } from '../domain/refusal.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Command, one } from '../store/command.ts';
import { lockJob } from '../store/jobs/read.ts';
import { lockRequestOfJob } from '../store/requests/lock.ts';
import type { JobRow, LockedRequest } from '../store/schema/rows.ts';
import { epochOf, sameTokenHash } from './lease-token.ts';

export type HeldLease = {
  readonly job: JobRow;
  readonly request: LockedRequest;
  readonly now: number;
  /** Whether the lease is still current; a finished job's own token is not, but may ask for its first answer. */
  readonly current: boolean;
};

/**
 * Takes the request row and then the job row, and checks the lease token against the row. Refuses with 409
 * `FACTORY-LEASE-LOST` a token that was never this job's, is another worker's, or belongs to an earlier epoch; a job that is not there
 * alike, so that nobody learns which jobs exist.
 */
export function* holdLease(context: PlaneContext, actor: Actor, jobId: JobId, token: string): Command<HeldLease> {
  const request = yield* one(lockRequestOfJob({ tenant: context.tenant, job: jobId }));
  const job = request === undefined ? undefined : yield* one(lockJob({ tenant: context.tenant, job: jobId }));
  if (request === undefined || job === undefined) throw leaseLost(jobId);
  const epoch = epochOf(token);
  if (
    epoch === undefined ||
    epoch !== job.lease_epoch ||
    job.lease_token_hash === null ||
    job.lease_owner !== actor.principal
  )
    throw leaseLost(jobId);
  if (!sameTokenHash(digestOfBytes(token), job.lease_token_hash)) throw leaseLost(jobId);
  const { now } = request;
  const current = job.state === 'leased' && job.lease_expires_at !== null && job.lease_expires_at > now;
  return { job, request, now, current };
}

/** As `holdLease`, but refuses a lease that is not current any more. */
export function* currentLease(context: PlaneContext, actor: Actor, jobId: JobId, token: string): Command<HeldLease> {
  const held = yield* holdLease(context, actor, jobId, token);
  if (!held.current) throw leaseLost(jobId);
  return held;
}
