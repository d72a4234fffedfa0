import { insertRowIfAbsent } from '../row-statements.ts';
import { int } from '../schema/column.ts';
import { definitions } from '../schema/tables/installation.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, digest } = definitions.columns;

/** `write` answers 0 when the bundle is known. */
export const insertDefinitionsIfAbsent = insertRowIfAbsent('definitions.insertIfAbsent', definitions, 'tenant');

export const readDefinitions = defineStatement({
  name: 'definitions.read',
  parameters: { tenant, digest },
  build: (db, p) =>
    db.selectFrom('definitions').selectAll().where('tenant_id', '=', p.tenant).where('digest', '=', p.digest),
});

/** The newest bundles. */
export const listDefinitions = defineStatement({
  name: 'definitions.list',
  parameters: { tenant, limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('definitions')
      .modifyFront(words.top(p.limit))
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .orderBy('created_at', 'desc')
      .orderBy('digest')
      .modifyEnd(words.limit(p.limit)),
});
