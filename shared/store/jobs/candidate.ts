import { sql } from 'kysely';
import { int } from '../schema/column.ts';
import { jobs } from '../schema/tables/job.ts';
import { defineStatement } from '../statement.ts';

/**
 * The next job of a pool: highest priority, then longest due. It locks nothing, since a claim takes the request row before
 * the job's; the guard of `claimJob` decides who wins, and the loser asks again. Jobs being claimed at this moment are passed over.
 */
export const candidateJob = defineStatement({
  name: 'jobs.candidate',
  parameters: { tenant: jobs.columns.tenant_id, pool: jobs.columns.pool },
  build: (db, p, words) => {
    const one = sql<number>`1`;
    return db
      .selectFrom(words.skippingLocked('jobs'))
      .modifyFront(words.top(one))
      .select(['id', 'request_id'])
      .where('tenant_id', '=', p.tenant)
      .where('pool', '=', p.pool)
      .where('state', '=', 'queued')
      .where('not_before', '<=', words.now)
      .orderBy('priority', 'desc')
      .orderBy('not_before')
      .orderBy('id')
      .modifyEnd(words.limit(one));
  },
});

/** How many leases of a pool are current: the limit of concurrent jobs is checked against it. */
export const leasedJobsOfPool = defineStatement({
  name: 'jobs.countLeased',
  parameters: { tenant: jobs.columns.tenant_id, pool: jobs.columns.pool, limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom((eb) =>
        eb
          .selectFrom('jobs')
          .modifyFront(words.top(p.limit))
          .select('id')
          .where('tenant_id', '=', p.tenant)
          .where('pool', '=', p.pool)
          .where('state', '=', 'leased')
          .modifyEnd(words.limit(p.limit))
          .as('counted'),
      )
      .select((eb) => eb.fn.countAll<number>().as('leased')),
});
