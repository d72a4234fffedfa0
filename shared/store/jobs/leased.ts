import { sql } from 'kysely';
import { json } from '../schema/column.ts';
import { jobs } from '../schema/tables/job.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, request_id: request } = jobs.columns;
const answered = [
  'id',
  'tenant_id',
  'request_id',
  'application_id',
  'pool',
  'lease_epoch',
  'leased_at',
  'lease_expires_at',
] as const;

/** The jobs of a request that somebody holds, before they are cancelled. A renewal may still come between: it moves the lease's end alone. */
export const leasedJobsOfRequest = defineStatement({
  name: 'jobs.leasedOfRequest',
  parameters: { tenant, request },
  build: (db, p) =>
    db
      .selectFrom('jobs')
      .select(answered)
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .where(sql<boolean>`state in ('queued', 'leased', 'failed')`)
      .where('state', '=', 'leased'),
});

/** The same of some nodes, by a JSON list of node ids. */
export const leasedJobsOfNodes = defineStatement({
  name: 'jobs.leasedOfNodes',
  parameters: { tenant, nodes: json() },
  build: (_db, p, words) =>
    sql<
      Pick<Database['jobs'], (typeof answered)[number]>
    >`select ${sql.join(answered.map((column) => sql.ref(column)))} from jobs where node_id in ${words.listed(p.nodes)} and tenant_id = ${p.tenant} and state in ('leased', 'failed') and state = 'leased'`,
});
