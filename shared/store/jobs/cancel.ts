import { sql } from 'kysely';
import { json } from '../schema/column.ts';
import { jobs } from '../schema/tables/job.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, request_id: request } = jobs.columns;
const answered = ['id', 'node_id', 'pool', 'lease_epoch'] as const;
type Answered = Pick<Database['jobs'], (typeof answered)[number]>;

/** Ends every open job of a request and makes the leases void: whoever holds one is told at the next call. */
export const cancelJobs = defineStatement({
  name: 'jobs.cancel',
  locks: 'job',
  parameters: { tenant, request },
  build: (_db, p, words) =>
    sql<Answered>`update jobs set state = 'cancelled', lease_epoch = lease_epoch + 1, lease_token_hash = null, lease_expires_at = null, timeout_at = null, next_hint_at = null, ended_at = ${words.now}, version = version + 1 ${words.output(...answered)} where request_id = ${p.request} and tenant_id = ${p.tenant} and state in ('queued', 'leased', 'failed') ${words.returning(...answered)}`,
});

/** The same for the jobs of some nodes, by a JSON list of node ids: rework leaves none of an earlier round running. */
export const cancelJobsOfNodes = defineStatement({
  name: 'jobs.cancelOfNodes',
  locks: 'job',
  parameters: { tenant, nodes: json() },
  build: (_db, p, words) =>
    sql<Answered>`update jobs set state = 'cancelled', lease_epoch = lease_epoch + 1, lease_token_hash = null, lease_expires_at = null, timeout_at = null, next_hint_at = null, ended_at = ${words.now}, version = version + 1 ${words.output(...answered)} where node_id in ${words.listed(p.nodes)} and tenant_id = ${p.tenant} and state in ('queued', 'leased', 'failed') ${words.returning(...answered)}`,
});
