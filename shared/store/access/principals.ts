import { sql } from 'kysely';
import type { PrincipalId } from '../../domain/ids.ts';
import { insertRowIfAbsent } from '../row-statements.ts';
import { int, nullable } from '../schema/column.ts';
import { principals } from '../schema/tables/access.ts';
import { defineStatement } from '../statement.ts';

const { tid, oid, id, tenant_id: tenant } = principals.columns;

/** `write` answers 0 when the subject (tid, oid) is known. */
export const insertPrincipalIfAbsent = insertRowIfAbsent('principals.insertIfAbsent', principals, 'tenant', [
  'tid',
  'oid',
]);

/** Who a token speaks of; the tenant follows from the answer. */
export const findPrincipal = defineStatement({
  name: 'principals.find',
  parameters: { tid, oid },
  build: (db, p) => db.selectFrom('principals').selectAll().where('tid', '=', p.tid).where('oid', '=', p.oid),
});

export const readPrincipal = defineStatement({
  name: 'principals.read',
  parameters: { tenant, principal: id },
  build: (db, p) =>
    db.selectFrom('principals').selectAll().where('id', '=', p.principal).where('tenant_id', '=', p.tenant),
});

/** A page of a tenant's principals, oldest first, after the one given. */
export const listPrincipals = defineStatement({
  name: 'principals.list',
  parameters: { tenant, after: nullable(id), limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('principals')
      .modifyFront(words.top(p.limit))
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('id', '>', sql<PrincipalId>`coalesce(${p.after}, '')`)
      .orderBy('id')
      .modifyEnd(words.limit(p.limit)),
});
