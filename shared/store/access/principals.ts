import { insertRowIfAbsent } from '../row-statements.ts';
import { principals } from '../schema/tables/access.ts';
import { defineStatement } from '../statement.ts';

const { tid, oid } = principals.columns;

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
