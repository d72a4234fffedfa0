import { jobs } from '../schema/tables/job.ts';
import { defineStatement } from '../statement.ts';

/** Every attempt at a job of a request, by job and epoch: who held it, and how that ended. */
export const attemptsOfRequest = defineStatement({
  name: 'jobs.attemptsOfRequest',
  parameters: { tenant: jobs.columns.tenant_id, request: jobs.columns.request_id },
  build: (db, p) =>
    db
      .selectFrom('jobs')
      .innerJoin('job_attempts', 'job_attempts.job_id', 'jobs.id')
      .select([
        'job_attempts.job_id',
        'job_attempts.epoch',
        'job_attempts.attempt',
        'job_attempts.owner',
        'job_attempts.leased_at',
        'job_attempts.ended_as',
        'job_attempts.signature',
      ])
      .where('jobs.request_id', '=', p.request)
      .where('jobs.tenant_id', '=', p.tenant)
      .orderBy('job_attempts.job_id')
      .orderBy('job_attempts.epoch'),
});
