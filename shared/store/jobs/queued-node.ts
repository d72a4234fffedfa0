import { sql } from 'kysely';
import { jobs } from '../schema/tables/job.ts';
import { defineStatement } from '../statement.ts';

/** A node of a request that has a queued job, with that job's attempt; of a fan-out `jobs.openOfRequest` does not answer these. */
export const queuedNodeOfRequest = defineStatement({
  name: 'jobs.queuedNode',
  parameters: { tenant: jobs.columns.tenant_id, request: jobs.columns.request_id },
  build: (db, p, words) => {
    const one = sql<number>`1`;
    return db
      .selectFrom('jobs')
      .innerJoin('nodes', 'nodes.id', 'jobs.node_id')
      .modifyFront(words.top(one))
      .select(['nodes.name as node', 'jobs.attempt'])
      .where('jobs.request_id', '=', p.request)
      .where('jobs.tenant_id', '=', p.tenant)
      .where(sql<boolean>`jobs.state in ('queued', 'leased', 'failed')`)
      .where('jobs.state', '=', 'queued')
      .orderBy('jobs.id')
      .modifyEnd(words.limit(one));
  },
});
