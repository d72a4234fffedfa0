import { sql } from 'kysely';
import { int } from '../schema/column.ts';
import { effects } from '../schema/tables/effect.ts';
import { plane } from '../schema/tables/plane.ts';
import { defineStatement } from '../statement.ts';

/**
 * What opening an incarnation changes: all tenants at once, while the plane takes no commands, so that nobody holds a request whose jobs or effects
 * are written here. In the order of the locks.
 */

/** The plane's one row, locked: of two that open an incarnation the second finds it open. */
export const lockPlane = defineStatement({
  name: 'platform.lockPlane',
  locks: 'tenant',
  parameters: {},
  build: (db, _p, words) =>
    db.selectFrom(words.locking('plane')).selectAll('plane').select(words.now.as('now')).where('id', '=', 1),
});

export const openIncarnation = defineStatement({
  name: 'platform.openIncarnation',
  locks: 'tenant',
  parameters: { incarnation: plane.columns.incarnation },
  build: (_db, p) => sql<never>`update plane set incarnation = ${p.incarnation}, epoch = epoch + 1 where id = 1`,
});

/** Every open request is looked after by the next sweeps; a look at a cancelled one's effects gets its whole time (`look` milliseconds) again. A concluding one waits for its seal alone. */
export const wakeRequests = defineStatement({
  name: 'platform.wakeRequests',
  locks: 'request',
  parameters: { look: int() },
  build: (_db, p, words) =>
    sql<never>`update requests set nudged = 0, next_wake_at = case when state = 'cancelling' then ${words.now} + ${p.look} else ${words.now} end, cancel_requested_at = case when state = 'cancelling' then ${words.now} else cancel_requested_at end, version = version + 1 where state <> 'terminal' and state <> 'concluding' and next_wake_at > 0`,
});

/** Closes the records of the attempts whose leases end here: nobody's fault. */
export const endLeasedAttempts = defineStatement({
  name: 'platform.endLeasedAttempts',
  locks: 'job',
  parameters: {},
  build: (_db, _p, words) =>
    sql<never>`update job_attempts set ended_at = ${words.now}, ended_as = 'released' where ended_at is null and job_id in (select id from jobs where state = 'leased' and lease_expires_at > 0)`,
});

/** Puts every leased job back on its queue without counting an attempt: its worker's token is void, and the next claim has a higher epoch. */
export const endLeases = defineStatement({
  name: 'platform.endLeases',
  locks: 'job',
  parameters: {},
  build: (_db, _p, words) =>
    sql<never>`update jobs set state = 'queued', next_hint_at = ${words.now}, claim_id = null, lease_token_hash = null, lease_owner = null, lease_expires_at = null, leased_at = null, timeout_at = null, renewed = 0, version = version + 1 where state = 'leased' and lease_expires_at > 0`,
});

/** Every queued job is hinted by the next sweep: what was on its way is lost, or of another time. */
export const hintQueuedJobs = defineStatement({
  name: 'platform.hintQueuedJobs',
  locks: 'job',
  parameters: {},
  build: (_db, _p, words) =>
    sql<never>`update jobs set next_hint_at = ${words.now} where state = 'queued' and next_hint_at > ${words.now}`,
});

/** Effects of open requests that were begun: whether they happened is not known any more. Intended ones are looked for before they are begun anyway. */
export const doubtEffects = defineStatement({
  name: 'platform.doubtEffects',
  locks: 'effect',
  parameters: { observed: effects.columns.observed },
  build: (_db, p) =>
    sql<never>`update effects set state = 'uncertain', observed = ${p.observed}, version = version + 1 where state = 'started' and request_id in (select id from requests where state <> 'terminal' and next_wake_at > 0)`,
});
