import { sql } from 'kysely';
import { jobs } from '../schema/tables/job.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

const {
  tenant_id: tenant,
  id: job,
  lease_token_hash,
  version,
  attempt,
  not_before,
  next_hint_at,
  unrenewed_expiries,
  signature,
} = jobs.columns;

const noLease = sql`claim_id = null, lease_token_hash = null, lease_owner = null, lease_expires_at = null, leased_at = null, timeout_at = null, renewed = 0`;

/** The worker gives the job back, under its lease: no attempt is counted. Answers nothing when the lease is not current. */
export const releaseJob = defineStatement({
  name: 'jobs.release',
  locks: 'job',
  parameters: { tenant, job, lease_token_hash, next_hint_at },
  build: (_db, p, words) =>
    sql<
      Pick<Database['jobs'], 'lease_epoch' | 'pool' | 'request_id'>
    >`update jobs set state = 'queued', next_hint_at = ${p.next_hint_at}, ${noLease}, version = version + 1 ${words.output('lease_epoch', 'pool', 'request_id')} where id = ${p.job} and tenant_id = ${p.tenant} and state = 'leased' and lease_token_hash = ${p.lease_token_hash} and lease_expires_at > ${words.now} ${words.returning('lease_epoch', 'pool', 'request_id')}`,
});

/** Another attempt of a failed job or of one whose lease is over, as advance decided from the version it read. The old token is void at once. */
export const requeueJob = defineStatement({
  name: 'jobs.requeue',
  locks: 'job',
  parameters: { tenant, job, version, attempt, not_before, next_hint_at, unrenewed_expiries, signature },
  build: (_db, p) =>
    sql<never>`update jobs set state = 'queued', attempt = ${p.attempt}, not_before = ${p.not_before}, next_hint_at = ${p.next_hint_at}, unrenewed_expiries = ${p.unrenewed_expiries}, signature = ${p.signature}, ${noLease}, verdict = null, outcome = null, failure = null, result_body_hash = null, answer = null, ended_at = null, version = version + 1 where id = ${p.job} and tenant_id = ${p.tenant} and version = ${p.version} and state in ('failed', 'leased')`,
});
