import { sql } from 'kysely';
import { int } from '../schema/column.ts';
import { jobs } from '../schema/tables/job.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

const { id: job, tenant_id: tenant, claim_id, lease_epoch, lease_token_hash, lease_owner } = jobs.columns;

const answered = ['lease_epoch', 'leased_at', 'lease_expires_at', 'timeout_at', 'attempt', 'version'] as const;

/**
 * Takes the lease of a job that is queued, due and still at the epoch the caller read; answers the new lease, or nothing when
 * somebody else was first. The token's hash is of a token made for `lease_epoch + 1`.
 */
export const claimJob = defineStatement({
  name: 'jobs.claim',
  locks: 'job',
  parameters: { tenant, job, lease_epoch, claim_id, lease_token_hash, lease_owner, lease_ms: int() },
  build: (_db, p, words) =>
    sql<
      Pick<Database['jobs'], (typeof answered)[number]>
    >`update jobs set state = 'leased', claim_id = ${p.claim_id}, lease_epoch = lease_epoch + 1, lease_token_hash = ${p.lease_token_hash}, lease_owner = ${p.lease_owner}, lease_expires_at = ${words.now} + ${p.lease_ms}, leased_at = ${words.now}, renewed = 0, timeout_at = ${words.now} + timeout_ms, next_hint_at = null, version = version + 1 ${words.output(...answered)} where id = ${p.job} and tenant_id = ${p.tenant} and state = 'queued' and lease_epoch = ${p.lease_epoch} and not_before <= ${words.now} ${words.returning(...answered)}`,
});
