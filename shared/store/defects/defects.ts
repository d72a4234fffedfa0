import { sql } from 'kysely';
import { insertRow } from '../row-statements.ts';
import { int, nullable } from '../schema/column.ts';
import { escapedDefects } from '../schema/tables/defect.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, request_id: request, id: defect } = escapedDefects.columns;

/** Written under the lock of its request, after looking for the same. */
export const insertDefect = insertRow('defects.insert', escapedDefects, 'request');

/** A page of a request's defects, oldest first, after the one named. */
export const defectsOfRequest = defineStatement({
  name: 'defects.ofRequest',
  parameters: { tenant, request, after: nullable(defect), limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('escaped_defects')
      .modifyFront(words.top(p.limit))
      .selectAll()
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .where(sql<boolean>`id > coalesce(${p.after}, '')`)
      .orderBy('id')
      .modifyEnd(words.limit(p.limit)),
});

/** How many there are: shown with the request. */
export const countDefects = defineStatement({
  name: 'defects.count',
  parameters: { tenant, request },
  build: (db, p) =>
    db
      .selectFrom('escaped_defects')
      .select((eb) => eb.fn.countAll<number>().as('defects'))
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant),
});
