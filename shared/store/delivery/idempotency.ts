import { insertRow } from '../row-statements.ts';
import { idempotencyKeys } from '../schema/tables/delivery.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id, principal_id, route, idempotency_key } = idempotencyKeys.columns;

/** The recorded first answer of a keyed call. The key's absence is locked too, so that of two first calls at once one waits for the other. An answer past its time counts as none: `removeExpiredIdempotencyKey` makes room for the next. */
export const findIdempotencyKey = defineStatement({
  name: 'idempotency.find',
  locks: 'tenant',
  parameters: { tenant_id, principal_id, route, idempotency_key },
  build: (db, p, words) =>
    db
      .selectFrom(words.locking('idempotency_keys'))
      .select(['body_hash', 'status', 'answer', 'expires_at'])
      .where('tenant_id', '=', p.tenant_id)
      .where('principal_id', '=', p.principal_id)
      .where('route', '=', p.route)
      .where('idempotency_key', '=', p.idempotency_key)
      .where('expires_at', '>', words.now),
});

export const insertIdempotencyKey = insertRow('idempotency.insert', idempotencyKeys, 'tenant');

/** Removes an answer past its time, so that its key can be used again before the sweeper has come by. */
export const removeExpiredIdempotencyKey = defineStatement({
  name: 'idempotency.removeExpired',
  locks: 'tenant',
  parameters: { tenant_id, principal_id, route, idempotency_key },
  build: (db, p, words) =>
    db
      .deleteFrom('idempotency_keys')
      .where('tenant_id', '=', p.tenant_id)
      .where('principal_id', '=', p.principal_id)
      .where('route', '=', p.route)
      .where('idempotency_key', '=', p.idempotency_key)
      .where('expires_at', '<=', words.now),
});
