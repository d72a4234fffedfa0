import { sql } from 'kysely';
import { int, time } from '../schema/column.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

/** Requests that have a leased job whose lease or time is over, longest over first. */
export const expiredLeases = defineStatement({
  name: 'platform.expiredLeases',
  parameters: { limit: int() },
  build: (db, p, words) => {
    const over = (column: 'lease_expires_at' | 'timeout_at') =>
      db
        .selectFrom(words.skippingLocked('jobs'))
        .modifyFront(words.top(p.limit))
        .select(['tenant_id', 'request_id'])
        .where('state', '=', 'leased')
        .where(column, '<=', words.now)
        .orderBy(column)
        .modifyEnd(words.limit(p.limit));
    const named = (alias: string, column: 'lease_expires_at' | 'timeout_at') =>
      sql`select tenant_id, request_id from ${over(column)} as ${sql.ref(alias)}`;
    return sql<
      Pick<Database['jobs'], 'tenant_id' | 'request_id'>
    >`${named('expired', 'lease_expires_at')} union ${named('timed_out', 'timeout_at')}`;
  },
});

const hinted = ['id', 'tenant_id', 'request_id', 'pool'] as const;

/** Queued jobs whose next hint is due: answers them, and sets when the one after is. */
export const jobsToHint = defineStatement({
  name: 'platform.jobsToHint',
  locks: 'job',
  parameters: { limit: int(), next_hint_at: time() },
  build: (db, p, words) => {
    const due = db
      .selectFrom(words.claiming('jobs'))
      .modifyFront(words.top(p.limit))
      .select('id')
      .where('state', '=', 'queued')
      .where('next_hint_at', '<=', words.now)
      .where('not_before', '<=', words.now)
      .orderBy('next_hint_at')
      .modifyEnd(words.limit(p.limit));
    return sql<
      Pick<Database['jobs'], (typeof hinted)[number]>
    >`update jobs set next_hint_at = ${p.next_hint_at} ${words.output(...hinted)} where id in ${due} and state = 'queued' and next_hint_at <= ${words.now} ${words.returning(...hinted)}`;
  },
});

/** Open requests whose next look is overdue, and by how long: their orchestrator may be gone. */
export const overdueRequests = defineStatement({
  name: 'platform.overdueRequests',
  parameters: { limit: int(), before: time() },
  build: (db, p, words) =>
    db
      .selectFrom('requests')
      .modifyFront(words.top(p.limit))
      .select(['id', 'tenant_id', 'run', 'state', 'next_wake_at', 'orchestrator_seen_at'])
      .where('state', '<>', 'terminal')
      .where('next_wake_at', '<=', p.before)
      .orderBy('next_wake_at')
      .modifyEnd(words.limit(p.limit)),
});

export const overdueInstallations = defineStatement({
  name: 'platform.overdueInstallations',
  parameters: { limit: int(), before: time() },
  build: (db, p, words) =>
    db
      .selectFrom('installations')
      .modifyFront(words.top(p.limit))
      .select(['id', 'tenant_id', 'run', 'state', 'next_wake_at'])
      .where('next_wake_at', 'is not', null)
      .where('next_wake_at', '<=', p.before)
      .orderBy('next_wake_at')
      .modifyEnd(words.limit(p.limit)),
});

/** Proposed declarations that nobody decided on in their time. They are of no request and no installation, so nobody else wakes up for them. */
export const overdueProposals = defineStatement({
  name: 'platform.overdueProposals',
  parameters: { limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('approvals')
      .modifyFront(words.top(p.limit))
      .select('id')
      .where('state', '=', 'open')
      .where('request_id', 'is', null)
      .where('installation_id', 'is', null)
      .where('expires_at', '<=', words.now)
      .orderBy('id')
      .modifyEnd(words.limit(p.limit)),
});

/** Removes recorded answers past their time, at most `limit` a call. */
export const expireIdempotencyKeys = defineStatement({
  name: 'platform.expireIdempotencyKeys',
  locks: 'tenant',
  parameters: { limit: int() },
  build: (_db, p, words) =>
    words.dialect === 'sqlite'
      ? sql<never>`delete from idempotency_keys where rowid in (select rowid from idempotency_keys where expires_at <= ${words.now} order by expires_at limit ${p.limit})`
      : sql<never>`delete top (${p.limit}) from idempotency_keys where expires_at <= ${words.now}`,
});
