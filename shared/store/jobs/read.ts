import { sql } from 'kysely';
import { int, nullable } from '../schema/column.ts';
import { jobs } from '../schema/tables/job.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, id: job, request_id: request } = jobs.columns;

export const readJob = defineStatement({
  name: 'jobs.read',
  parameters: { tenant, job },
  build: (db, p) => db.selectFrom('jobs').selectAll().where('id', '=', p.job).where('tenant_id', '=', p.tenant),
});

/** The job's row, locked, with database time. Take the request's first (`lockRequestOfJob`). */
export const lockJob = defineStatement({
  name: 'jobs.lock',
  locks: 'job',
  parameters: { tenant, job },
  build: (db, p, words) =>
    db
      .selectFrom(words.locking('jobs'))
      .selectAll()
      .select(words.now.as('now'))
      .where('id', '=', p.job)
      .where('tenant_id', '=', p.tenant),
});

/** A page of a request's jobs, oldest first, after the one named. */
export const listJobs = defineStatement({
  name: 'jobs.list',
  parameters: { tenant, request, after: nullable(job), limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('jobs')
      .innerJoin('nodes', 'nodes.id', 'jobs.node_id')
      .modifyFront(words.top(p.limit))
      .selectAll('jobs')
      .select(['nodes.name as node', 'nodes.round'])
      .where('jobs.request_id', '=', p.request)
      .where('jobs.tenant_id', '=', p.tenant)
      .where(sql<boolean>`jobs.id > coalesce(${p.after}, '')`)
      .orderBy('jobs.id')
      .modifyEnd(words.limit(p.limit)),
});

/**
 * The jobs advance has to look at: those of active nodes; of a fan-out only failed ones and leased ones whose lease or time is
 * over, so that each completion of a 1,000-way fan-out does not read the thousand.
 */
export const openJobsOfRequest = defineStatement({
  name: 'jobs.openOfRequest',
  parameters: { tenant, request },
  build: (_db, p, words) => {
    // The first condition on the state is the open nodes' partial index, word for word; SQLite does not infer it from the second.
    const active = (kinds: 'single' | 'fan_out') =>
      sql`select j.*, n.name as node, n.kind as node_kind from nodes n join jobs j on j.node_id = n.id where n.request_id = ${p.request} and n.tenant_id = ${p.tenant} and n.state in ('ready', 'active') and n.state = 'active' and n.kind ${sql.raw(kinds === 'single' ? '<>' : '=')} 'fan_out'`;
    return sql<
      Database['jobs'] & { node: string; node_kind: string }
    >`${active('single')} union all ${active('fan_out')} and j.state in ('leased', 'failed') and (j.state = 'failed' or j.lease_expires_at <= ${words.now} or j.timeout_at <= ${words.now})`;
  },
});
