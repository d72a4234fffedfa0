import { sql } from 'kysely';
import { int } from '../schema/column.ts';
import { jobs } from '../schema/tables/job.ts';
import { defineStatement } from '../statement.ts';

/**
 * The next job of a pool: the highest priority; among those the application, and then the request, that holds the fewest leases of
 * the pool, so that one with a thousand jobs does not keep another's one waiting; then the oldest request, so that what was
 * begun ends before more is begun, and a job that is tried again keeps its place. It locks nothing, since a claim takes the
 * request row before the job's; the guard of `claimJob` decides who wins, and the loser asks again. Jobs being claimed at this
 * moment are passed over. Linear in what is queued in the pool.
 */
export const candidateJob = defineStatement({
  name: 'jobs.candidate',
  parameters: { tenant: jobs.columns.tenant_id, pool: jobs.columns.pool },
  build: (db, p, words) => {
    const one = sql<number>`1`;
    const held = (by: 'application_id' | 'request_id') =>
      db
        .selectFrom('jobs')
        .select((eb) => [by, eb.fn.countAll<number>().as('leased')])
        .where('tenant_id', '=', p.tenant)
        .where('pool', '=', p.pool)
        .where('state', '=', 'leased')
        .groupBy(by);
    return db
      .selectFrom(words.skippingLocked('jobs'))
      .leftJoin(held('application_id').as('shared'), 'shared.application_id', 'jobs.application_id')
      .leftJoin(held('request_id').as('own'), 'own.request_id', 'jobs.request_id')
      .modifyFront(words.top(one))
      .select(['jobs.id', 'jobs.request_id'])
      .where('jobs.tenant_id', '=', p.tenant)
      .where('jobs.pool', '=', p.pool)
      .where('jobs.state', '=', 'queued')
      .where('jobs.not_before', '<=', words.now)
      .orderBy('jobs.priority', 'desc')
      .orderBy(sql`coalesce(shared.leased, 0)`)
      .orderBy(sql`coalesce(own.leased, 0)`)
      .orderBy('jobs.request_id')
      .orderBy('jobs.id')
      .modifyEnd(words.limit(one));
  },
});

/** The job of a pool that has been due for the longest, whatever its priority and whoever's it is. */
export const longestDueJob = defineStatement({
  name: 'jobs.longestDue',
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
