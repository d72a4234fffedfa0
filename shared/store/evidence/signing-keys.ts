import { sql } from 'kysely';
import { insertRow } from '../row-statements.ts';
import { signingKeys } from '../schema/tables/evidence.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, id: key } = signingKeys.columns;

export const insertSigningKey = insertRow('signingKeys.insert', signingKeys, 'tenant');

/** Every public key of a tenant, retired ones too: what they signed must verify for ever. */
export const signingKeysOf = defineStatement({
  name: 'signingKeys.list',
  parameters: { tenant },
  build: (db, p) =>
    db.selectFrom('signing_keys').selectAll().where('tenant_id', '=', p.tenant).orderBy('purpose').orderBy('id'),
});

export const retireSigningKey = defineStatement({
  name: 'signingKeys.retire',
  locks: 'tenant',
  parameters: { tenant, key },
  build: (_db, p, words) =>
    sql<never>`update signing_keys set state = 'retired', retired_at = ${words.now} where id = ${p.key} and tenant_id = ${p.tenant} and state = 'active'`,
});
