import { jobs } from '../schema/tables/job.ts';
import { defineStatement } from '../statement.ts';

/** Every worker that held a job of a request: none of them may approve it. */
export const authorsOfRequest = defineStatement({
  name: 'jobs.authorsOfRequest',
  parameters: { tenant: jobs.columns.tenant_id, request: jobs.columns.request_id },
  build: (db, p) =>
    db
      .selectFrom('jobs')
      .innerJoin('job_attempts', 'job_attempts.job_id', 'jobs.id')
      .select('job_attempts.owner')
      .distinct()
      .where('jobs.request_id', '=', p.request)
      .where('jobs.tenant_id', '=', p.tenant),
});
