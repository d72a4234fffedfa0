import { POOLS } from '../../../domain/blueprint/schema.ts';
import { jobMachine } from '../../../domain/job/machine.ts';
import { bigint, digest, flag, id, int, json, name, nullable, oneOf, stateOf, time } from '../column.ts';
import { table } from '../table.ts';

/** How an attempt ended; null while it runs. */
export const ATTEMPT_ENDINGS = ['completed', 'failed', 'released', 'expired', 'timed_out', 'cancelled'] as const;

export const jobs = table(
  'jobs',
  {
    id: id('job'),
    tenant_id: id('tenant'),
    request_id: id('request'),
    application_id: id('application'),
    node_id: id('node'),
    fan_index: int(),
    pool: oneOf(POOLS),
    task: name(64),
    station: nullable(name(64)),
    priority: int(),
    state: stateOf(jobMachine),
    not_before: time(),
    next_hint_at: nullable(time()),
    /** The claim that took the current lease: hint message id + worker process; the same claim gets the same lease. */
    claim_id: nullable(name(128)),
    lease_epoch: int(),
    lease_token_hash: nullable(digest()),
    lease_owner: nullable(id('principal')),
    lease_expires_at: nullable(time()),
    leased_at: nullable(time()),
    /** 1 once the current lease has been renewed. */
    renewed: flag(),
    unrenewed_expiries: int(),
    attempt: int(),
    /** How long one attempt may take, and when the current one is over. */
    timeout_ms: int(),
    timeout_at: nullable(time()),
    verdict: nullable(name(64)),
    outcome: nullable(json()),
    failure: nullable(json()),
    signature: nullable(name(200)),
    /** Digest of the body that completed or failed it, and what was answered: a repeated call gets the first answer. */
    result_body_hash: nullable(digest()),
    answer: nullable(json()),
    parameters: json(),
    queued_at: time(),
    ended_at: nullable(time()),
    version: int(),
  },
  {
    indexes: [
      {
        name: 'ux_jobs_node',
        columns: ['node_id', 'fan_index'],
        unique: true,
        serves: ['jobs.openOfRequest'],
      },
      {
        name: 'ix_jobs_candidate',
        columns: ['tenant_id', 'pool', 'priority desc', 'not_before', 'id'],
        where: `state = 'queued'`,
        serves: ['jobs.candidate', 'platform.oldestQueued'],
      },
      { name: 'ix_jobs_hint', columns: ['next_hint_at'], where: `state = 'queued'`, serves: ['platform.jobsToHint'] },
      {
        name: 'ix_jobs_lease',
        columns: ['lease_expires_at'],
        where: `state = 'leased'`,
        serves: ['platform.expiredLeases'],
      },
      {
        name: 'ix_jobs_timeout',
        columns: ['timeout_at'],
        where: `state = 'leased'`,
        serves: ['platform.expiredLeases'],
      },
      {
        name: 'ix_jobs_unfinished',
        columns: ['node_id', 'state'],
        where: `state in ('leased', 'failed')`,
        serves: ['jobs.openOfRequest'],
      },
      {
        name: 'ix_jobs_open',
        columns: ['request_id', 'state'],
        where: `state in ('queued', 'leased', 'failed')`,
        serves: ['jobs.cancel'],
      },
      {
        name: 'ix_jobs_request',
        columns: ['request_id', 'id'],
        serves: ['jobs.list', 'jobs.authorsOfRequest', 'jobs.attemptsOfRequest'],
      },
    ],
    references: { request_id: 'requests', node_id: 'nodes' },
  },
);

export const jobAttempts = table(
  'job_attempts',
  {
    tenant_id: id('tenant'),
    job_id: id('job'),
    epoch: int(),
    attempt: int(),
    owner: id('principal'),
    leased_at: time(),
    ended_at: nullable(time()),
    ended_as: nullable(oneOf(ATTEMPT_ENDINGS)),
    signature: nullable(name(200)),
  },
  { primaryKey: ['job_id', 'epoch'], references: { job_id: 'jobs' } },
);

export const jobInputs = table(
  'job_inputs',
  {
    tenant_id: id('tenant'),
    job_id: id('job'),
    name: name(64),
    digest: digest(),
    kind: name(32),
    media_type: name(100),
    size: bigint(),
  },
  { primaryKey: ['job_id', 'name'], references: { job_id: 'jobs' } },
);

export const jobOutputs = table(
  'job_outputs',
  {
    tenant_id: id('tenant'),
    job_id: id('job'),
    epoch: int(),
    name: name(64),
    digest: digest(),
    kind: name(32),
    media_type: name(100),
    size: bigint(),
  },
  { primaryKey: ['job_id', 'epoch', 'name'], references: { job_id: 'jobs' } },
);

export const checkpoints = table(
  'checkpoints',
  { tenant_id: id('tenant'), job_id: id('job'), epoch: int(), digest: digest(), created_at: time() },
  { primaryKey: ['job_id', 'epoch', 'digest'], references: { job_id: 'jobs' } },
);
