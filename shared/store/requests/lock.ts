import { jobs } from '../schema/tables/job.ts';
import { requests } from '../schema/tables/request.ts';
import { defineStatement } from '../statement.ts';

/** The request row, locked to the end of the transaction, with database time. Every change to a request or to what it owns takes this first. */
export const lockRequest = defineStatement({
  name: 'requests.lock',
  locks: 'request',
  parameters: { tenant: requests.columns.tenant_id, request: requests.columns.id },
  build: (db, p, words) =>
    db
      .selectFrom(words.locking('requests'))
      .selectAll()
      .select(words.now.as('now'))
      .where('id', '=', p.request)
      .where('tenant_id', '=', p.tenant),
});

/** The same, found by one of its jobs. The job's row is not locked: a job never changes its request. */
export const lockRequestOfJob = defineStatement({
  name: 'requests.lockOfJob',
  locks: 'request',
  parameters: { tenant: jobs.columns.tenant_id, job: jobs.columns.id },
  build: (db, p, words) =>
    db
      .selectFrom(words.locking('requests'))
      .selectAll()
      .select(words.now.as('now'))
      .where('tenant_id', '=', p.tenant)
      .where('id', '=', (eb) =>
        eb.selectFrom('jobs').select('request_id').where('jobs.id', '=', p.job).where('jobs.tenant_id', '=', p.tenant),
      ),
});
