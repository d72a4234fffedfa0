import { insertRowIfAbsent } from '../row-statements.ts';
import { tenants } from '../schema/tables/access.ts';
import { defineStatement } from '../statement.ts';

export const insertTenantIfAbsent = insertRowIfAbsent('tenants.insertIfAbsent', tenants, 'tenant', ['name']);

export const tenantByName = defineStatement({
  name: 'tenants.byName',
  parameters: { name: tenants.columns.name },
  build: (db, p) => db.selectFrom('tenants').selectAll().where('name', '=', p.name),
});
