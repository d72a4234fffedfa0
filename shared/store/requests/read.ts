import { requests } from '../schema/tables/request.ts';
import { defineStatement } from '../statement.ts';

export const readRequest = defineStatement({
  name: 'requests.read',
  parameters: { tenant: requests.columns.tenant_id, request: requests.columns.id },
  build: (db, p) => db.selectFrom('requests').selectAll().where('id', '=', p.request).where('tenant_id', '=', p.tenant),
});
