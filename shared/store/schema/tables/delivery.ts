import { digest, id, int, json, name, nullable, oneOf, text, time } from '../column.ts';
import { table } from '../table.ts';

export const OUTBOX_STATES = ['pending', 'dead'] as const;

/** The first answer to a keyed call, for as long as the API promises it. */
export const idempotencyKeys = table(
  'idempotency_keys',
  {
    tenant_id: id('tenant'),
    principal_id: id('principal'),
    route: name(100),
    idempotency_key: name(200),
    body_hash: digest(),
    status: int(),
    answer: json(),
    expires_at: time(),
  },
  {
    primaryKey: ['tenant_id', 'principal_id', 'route', 'idempotency_key'],
    indexes: [
      { name: 'ix_idempotency_keys_expiry', columns: ['expires_at'], serves: ['platform.expireIdempotencyKeys'] },
    ],
  },
);

/** Messages and orchestration starts and nudges that a committed change causes. Hints: unordered, repeated when in doubt. */
export const outbox = table(
  'outbox',
  {
    id: id('outbox'),
    tenant_id: id('tenant'),
    kind: name(32),
    /** What it is about, e.g. the job of a hint or `<request>.<run>` of a nudge. */
    aggregate: name(64),
    body: json(),
    state: oneOf(OUTBOX_STATES),
    /** When anybody may take it: a claim moves it ahead, so a row is born claimed by being available only later. */
    available_at: time(),
    attempts: int(),
    last_error: nullable(text(1_000)),
    created_at: time(),
  },
  {
    indexes: [
      {
        name: 'ix_outbox_due',
        columns: ['tenant_id', 'available_at', 'id'],
        where: `state = 'pending'`,
        serves: ['platform.tenantsWithDueOutbox', 'platform.claimDueOutbox'],
      },
      // None over all states: the planner would take it for a claim's outer condition and read the whole backlog.
      { name: 'ix_outbox_dead', columns: ['id'], where: `state = 'dead'`, serves: ['platform.reviveOutbox'] },
    ],
  },
);
