import { insertRow } from '../row-statements.ts';
import { requestHoldouts } from '../schema/tables/holdout.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, request_id: request } = requestHoldouts.columns;

export const insertRequestHoldouts = insertRow('holdouts.insertOfRequest', requestHoldouts, 'request');

/** The set that a request's change is judged by, with what a job's input says of an artifact. */
export const holdoutsOfRequest = defineStatement({
  name: 'holdouts.ofRequest',
  parameters: { tenant, request },
  build: (db, p) =>
    db
      .selectFrom('request_holdouts')
      .innerJoin('artifacts', (join) =>
        join
          .onRef('artifacts.tenant_id', '=', 'request_holdouts.tenant_id')
          .onRef('artifacts.digest', '=', 'request_holdouts.digest'),
      )
      .select(['request_holdouts.digest', 'artifacts.media_type', 'artifacts.size'])
      .where('request_holdouts.tenant_id', '=', p.tenant)
      .where('request_holdouts.request_id', '=', p.request),
});

/** The reports of a request's runs of them, in the order of its jobs. */
export const holdoutReportsOf = defineStatement({
  name: 'holdouts.reportsOfRequest',
  parameters: { tenant, request },
  build: (db, p) =>
    db
      .selectFrom('jobs')
      .innerJoin('job_outputs', 'job_outputs.job_id', 'jobs.id')
      .select(['jobs.id as job', 'job_outputs.epoch', 'job_outputs.digest'])
      .where('jobs.request_id', '=', p.request)
      .where('jobs.tenant_id', '=', p.tenant)
      .where('job_outputs.kind', '=', 'holdout_report')
      .orderBy('jobs.id')
      .orderBy('job_outputs.epoch'),
});
