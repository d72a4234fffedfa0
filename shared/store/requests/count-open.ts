import { requests } from '../schema/tables/request.ts';
import { defineStatement } from '../statement.ts';

/** How many requests of an application have not ended: the limit of open requests is checked against it. */
export const openRequestsOfApplication = defineStatement({
  name: 'requests.countOpen',
  parameters: { tenant: requests.columns.tenant_id, application: requests.columns.application_id },
  build: (db, p) =>
    db
      .selectFrom('requests')
      .select((eb) => eb.fn.countAll<number>().as('open'))
      .where('tenant_id', '=', p.tenant)
      .where('application_id', '=', p.application)
      .where('state', '<>', 'terminal'),
});
