import { type Command, rows, write } from '../store/command.ts';
import { endAttempt as endAttemptRow } from '../store/jobs/finish.ts';
import { leasedJobsOfNodes, leasedJobsOfRequest } from '../store/jobs/leased.ts';
import type { JobRow } from '../store/schema/rows.ts';
import type { ATTEMPT_ENDINGS } from '../store/schema/tables/job.ts';
import type { Scope } from './scope.ts';

/** A job under a lease, as far as the end of its attempt depends on it. */
export type LeasedJob = Pick<
  JobRow,
  'id' | 'tenant_id' | 'request_id' | 'application_id' | 'pool' | 'lease_epoch' | 'leased_at' | 'lease_expires_at'
>;

/**
 * Closes the record of an attempt as of now, or of when its lease was over. The transaction that closes it is the one that charges it: the commit
 * writes what it cost, and a second closing changes nothing and costs nothing.
 */
export function* endAttempt(
  scope: Scope,
  job: LeasedJob,
  endedAs: (typeof ATTEMPT_ENDINGS)[number],
  signature: string | null,
): Command<void> {
  const endedAt = Math.min(scope.now, job.lease_expires_at ?? scope.now);
  const closed = yield* write(
    endAttemptRow({
      tenant: job.tenant_id,
      job: job.id,
      epoch: job.lease_epoch,
      ended_at: endedAt,
      ended_as: endedAs,
      signature,
    }),
  );
  if (closed === 1) scope.ended.push({ job, heldMs: Math.max(0, endedAt - (job.leased_at ?? endedAt)) });
}

/** Closes the attempts that end because their request does, before their jobs are cancelled. */
export function* endAttemptsOfRequest(scope: Scope, request: JobRow['request_id']): Command<void> {
  yield* endAttempts(scope, yield* rows(leasedJobsOfRequest({ tenant: scope.context.tenant, request })));
}

/** The same for the jobs of some nodes, when a new round supersedes them. */
export function* endAttemptsOfNodes(scope: Scope, nodes: readonly string[]): Command<void> {
  yield* endAttempts(
    scope,
    yield* rows(leasedJobsOfNodes({ tenant: scope.context.tenant, nodes: JSON.stringify(nodes) })),
  );
}

function* endAttempts(scope: Scope, jobs: readonly LeasedJob[]): Command<void> {
  for (const job of jobs) {
    const over = (job.lease_expires_at ?? scope.now) <= scope.now;
    yield* endAttempt(scope, job, over ? 'expired' : 'cancelled', null);
  }
}
