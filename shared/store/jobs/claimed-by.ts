import { jobs } from '../schema/tables/job.ts';
import { defineStatement } from '../statement.ts';

/** The job a worker holds under a claim id, if its lease is current: a claim whose answer was lost finds its lease again. */
export const jobClaimedBy = defineStatement({
  name: 'jobs.claimedBy',
  parameters: {
    tenant: jobs.columns.tenant_id,
    claim_id: jobs.columns.claim_id,
    lease_owner: jobs.columns.lease_owner,
  },
  build: (db, p, words) =>
    db
      .selectFrom('jobs')
      .select(['id'])
      .where('tenant_id', '=', p.tenant)
      .where('claim_id', '=', p.claim_id)
      .where('lease_owner', '=', p.lease_owner)
      .where('state', '=', 'leased')
      .where('lease_expires_at', '>', words.now),
});
