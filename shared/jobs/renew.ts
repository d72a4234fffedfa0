import { digestOfBytes } from '../domain/digest.ts';
import type { JobId, PrincipalId } from '../domain/ids.ts';
import { leaseLost } from '../domain/refusal.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import type { Committed } from '../line/scope.ts';
import { type Command, one } from '../store/command.ts';
import { renewJob } from '../store/jobs/renew.ts';

export type Renewed = { readonly expiresAt: string };

/**
 * Extends a current lease. One guarded update that relies on no other row: idempotent, always runs, and is not audited.
 * Refuses with 409 `FACTORY-LEASE-LOST`, also to another worker than the one that claimed it, and when the attempt's own time limit is over.
 */
export function* renewLease(
  context: PlaneContext,
  actor: Actor,
  jobId: JobId,
  token: string,
): Command<Committed<Renewed>> {
  const renewed = yield* one(
    renewJob({
      tenant: context.tenant,
      job: jobId,
      lease_owner: actor.principal as PrincipalId,
      lease_token_hash: digestOfBytes(token),
      lease_ms: context.leaseMs,
    }),
  );
  if (renewed === undefined || renewed.lease_expires_at === null) throw leaseLost(jobId);
  return { answer: { expiresAt: new Date(renewed.lease_expires_at).toISOString() }, outbox: [], touched: [] };
}
