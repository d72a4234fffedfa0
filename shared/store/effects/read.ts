import { effects } from '../schema/tables/effect.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, id: effect, request_id: request, effect_key } = effects.columns;

/** The effect's row, locked, with database time. Take its request's first. */
export const lockEffect = defineStatement({
  name: 'effects.lock',
  locks: 'effect',
  parameters: { tenant, effect },
  build: (db, p, words) =>
    db
      .selectFrom(words.locking('effects'))
      .selectAll()
      .select(words.now.as('now'))
      .where('id', '=', p.effect)
      .where('tenant_id', '=', p.tenant),
});

/** The effect of this key, or the lock on its absence. */
export const lockEffectByKey = defineStatement({
  name: 'effects.byKey',
  locks: 'effect',
  parameters: { tenant, effect_key },
  build: (db, p, words) =>
    db
      .selectFrom(words.locking('effects'))
      .selectAll()
      .select(words.now.as('now'))
      .where('tenant_id', '=', p.tenant)
      .where('effect_key', '=', p.effect_key),
});

/** A request's effects in the order they were approved. */
export const effectsOfRequest = defineStatement({
  name: 'effects.ofRequest',
  parameters: { tenant, request },
  build: (db, p) =>
    db
      .selectFrom('effects')
      .selectAll()
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .orderBy('ordinal')
      .orderBy('id'),
});
