import { sql } from 'kysely';
import { int, json, time } from '../schema/column.ts';
import { outbox } from '../schema/tables/delivery.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

/** Tenants with something due: the relay goes round them, so that one tenant's backlog delays no other. */
export const tenantsWithDueOutbox = defineStatement({
  name: 'platform.tenantsWithDueOutbox',
  parameters: {},
  build: (db, _p, words) =>
    db
      .selectFrom('tenants')
      .select('tenant_id')
      .where((eb) =>
        eb.exists(
          eb
            .selectFrom('outbox')
            .select('outbox.id')
            .whereRef('outbox.tenant_id', '=', 'tenants.tenant_id')
            .where('outbox.state', '=', 'pending')
            .where('outbox.available_at', '<=', words.now),
        ),
      )
      .orderBy('tenant_id'),
});

const taken = ['id', 'tenant_id', 'kind', 'aggregate', 'body', 'attempts', 'created_at'] as const;

/** Takes up to `limit` due rows of a tenant until `until`, longest due first; rows another relay is taking are passed over. */
export const claimDueOutbox = defineStatement({
  name: 'platform.claimDueOutbox',
  parameters: { tenant: outbox.columns.tenant_id, limit: int(), until: time() },
  build: (db, p, words) => {
    const due = db
      .selectFrom(words.claiming('outbox'))
      .modifyFront(words.top(p.limit))
      .select('id')
      .where('tenant_id', '=', p.tenant)
      .where('state', '=', 'pending')
      .where('available_at', '<=', words.now)
      .orderBy('available_at')
      .orderBy('id')
      .modifyEnd(words.limit(p.limit));
    // The outer conditions stand even where the inner ones were seen true: without them a second engine gave rows twice.
    return sql<
      Pick<Database['outbox'], (typeof taken)[number]>
    >`update outbox set available_at = ${p.until}, attempts = attempts + 1 ${words.output(...taken)} where id in ${due} and state = 'pending' and available_at <= ${words.now} ${words.returning(...taken)}`;
  },
});

/** Rows that were sent; `ids` is a JSON list. */
export const deleteOutbox = defineStatement({
  name: 'platform.deleteOutbox',
  parameters: { ids: json() },
  build: (_db, p, words) => sql<never>`delete from outbox where id in ${words.listed(p.ids)}`,
});

/** Rows that could not be sent, for another try at `at`. */
export const giveBackOutbox = defineStatement({
  name: 'platform.giveBackOutbox',
  parameters: { ids: json(), at: time(), error: outbox.columns.last_error },
  build: (_db, p, words) =>
    sql<never>`update outbox set available_at = ${p.at}, last_error = ${p.error} where id in ${words.listed(p.ids)} and state = 'pending'`,
});

/** Rows that were tried as often as a row may be: nobody takes them any more, and somebody is told. */
export const buryOutbox = defineStatement({
  name: 'platform.buryOutbox',
  parameters: { ids: json(), error: outbox.columns.last_error },
  build: (_db, p, words) =>
    sql<never>`update outbox set state = 'dead', last_error = ${p.error} where id in ${words.listed(p.ids)}`,
});

/** Dead rows back to work, by an operator; answers their tenants. */
export const reviveOutbox = defineStatement({
  name: 'platform.reviveOutbox',
  parameters: { limit: int() },
  build: (db, p, words) => {
    const dead = db
      .selectFrom(words.claiming('outbox'))
      .modifyFront(words.top(p.limit))
      .select('id')
      .where('state', '=', 'dead')
      .modifyEnd(words.limit(p.limit));
    return sql<
      Pick<Database['outbox'], 'id' | 'tenant_id'>
    >`update outbox set state = 'pending', attempts = 0, available_at = ${words.now} ${words.output('id', 'tenant_id')} where id in ${dead} and state = 'dead' ${words.returning('id', 'tenant_id')}`;
  },
});

export const countOutboxByState = defineStatement({
  name: 'platform.countOutboxByState',
  parameters: {},
  build: (db) =>
    db
      .selectFrom('outbox')
      .select(['state', (eb) => eb.fn.countAll<number>().as('rows'), (eb) => eb.fn.min('created_at').as('oldest')])
      .groupBy('state'),
});
