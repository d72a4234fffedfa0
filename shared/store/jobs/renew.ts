import { sql } from 'kysely';
import { int } from '../schema/column.ts';
import { jobs } from '../schema/tables/job.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

/** Extends a current lease; answers nothing when it is not current any more, or when the attempt's time is over. */
export const renewJob = defineStatement({
  name: 'jobs.renew',
  locks: 'job',
  parameters: {
    tenant: jobs.columns.tenant_id,
    job: jobs.columns.id,
    lease_owner: jobs.columns.lease_owner,
    lease_token_hash: jobs.columns.lease_token_hash,
    lease_ms: int(),
  },
  build: (_db, p, words) =>
    sql<
      Pick<Database['jobs'], 'lease_expires_at' | 'lease_epoch'>
    >`update jobs set lease_expires_at = ${words.now} + ${p.lease_ms}, renewed = 1 ${words.output('lease_expires_at', 'lease_epoch')} where id = ${p.job} and tenant_id = ${p.tenant} and state = 'leased' and lease_owner = ${p.lease_owner} and lease_token_hash = ${p.lease_token_hash} and lease_expires_at > ${words.now} and timeout_at > ${words.now} ${words.returning('lease_expires_at', 'lease_epoch')}`,
});
