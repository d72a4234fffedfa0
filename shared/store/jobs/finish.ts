import { sql } from 'kysely';
import { jobAttempts, jobs } from '../schema/tables/job.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

const {
  tenant_id: tenant,
  id: job,
  lease_token_hash,
  state,
  verdict,
  outcome,
  failure,
  signature,
  result_body_hash,
  answer,
} = jobs.columns;

/**
 * Ends the current attempt as completed or failed, under its lease; answers nothing when the lease is not current. The token's
 * hash stays, so that a repeated call finds its first answer.
 */
export const finishJob = defineStatement({
  name: 'jobs.finish',
  locks: 'job',
  parameters: { tenant, job, lease_token_hash, state, verdict, outcome, failure, signature, result_body_hash, answer },
  build: (_db, p, words) =>
    sql<
      Pick<Database['jobs'], 'lease_epoch' | 'ended_at' | 'version'>
    >`update jobs set state = ${p.state}, verdict = ${p.verdict}, outcome = ${p.outcome}, failure = ${p.failure}, signature = ${p.signature}, result_body_hash = ${p.result_body_hash}, answer = ${p.answer}, lease_expires_at = null, timeout_at = null, ended_at = ${words.now}, version = version + 1 ${words.output('lease_epoch', 'ended_at', 'version')} where id = ${p.job} and tenant_id = ${p.tenant} and state = 'leased' and lease_token_hash = ${p.lease_token_hash} and lease_expires_at > ${words.now} ${words.returning('lease_epoch', 'ended_at', 'version')}`,
});

/** Closes the record of an attempt, as of a time by the database's clock; a second closing changes nothing. */
export const endAttempt = defineStatement({
  name: 'jobs.endAttempt',
  locks: 'job',
  parameters: {
    tenant: jobAttempts.columns.tenant_id,
    job: jobAttempts.columns.job_id,
    epoch: jobAttempts.columns.epoch,
    ended_at: jobAttempts.columns.ended_at,
    ended_as: jobAttempts.columns.ended_as,
    signature: jobAttempts.columns.signature,
  },
  build: (_db, p) =>
    sql<never>`update job_attempts set ended_at = ${p.ended_at}, ended_as = ${p.ended_as}, signature = ${p.signature} where job_id = ${p.job} and epoch = ${p.epoch} and tenant_id = ${p.tenant} and ended_at is null`,
});
