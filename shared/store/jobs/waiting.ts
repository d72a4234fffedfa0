import { sql } from 'kysely';
import type { Pool } from '../../domain/blueprint/schema.ts';
import { jobs } from '../schema/tables/job.ts';
import { defineStatement } from '../statement.ts';

/** What is queued in each pool: how much of it is due, since when, and when the next of the rest will be. Linear in what is queued. */
export const queuedByPool = defineStatement({
  name: 'jobs.queuedByPool',
  parameters: { tenant: jobs.columns.tenant_id },
  build: (_db, p, words) =>
    sql<{
      readonly pool: Pool;
      readonly due: number;
      readonly later: number;
      readonly due_since: number | null;
      readonly next_due: number | null;
    }>`select pool,
      sum(case when not_before <= ${words.now} then 1 else 0 end) as due,
      sum(case when not_before <= ${words.now} then 0 else 1 end) as later,
      min(case when not_before <= ${words.now} then not_before end) as due_since,
      min(case when not_before <= ${words.now} then null else not_before end) as next_due
      from jobs where tenant_id = ${p.tenant} and state = 'queued' group by pool`,
});

/** How many due jobs of a pool go before one of a request: those of a higher priority, and of older requests. */
export const jobsAhead = defineStatement({
  name: 'jobs.ahead',
  parameters: {
    tenant: jobs.columns.tenant_id,
    pool: jobs.columns.pool,
    priority: jobs.columns.priority,
    request: jobs.columns.request_id,
  },
  build: (db, p, words) =>
    db
      .selectFrom('jobs')
      .select((eb) => eb.fn.countAll<number>().as('ahead'))
      .where('tenant_id', '=', p.tenant)
      .where('pool', '=', p.pool)
      .where('state', '=', 'queued')
      .where('not_before', '<=', words.now)
      .where((eb) =>
        eb.or([
          eb('priority', '>', p.priority),
          eb.and([eb('priority', '=', p.priority), eb('request_id', '<', p.request)]),
        ]),
      ),
});
