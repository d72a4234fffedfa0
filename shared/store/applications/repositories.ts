import { insertRows } from '../row-statements.ts';
import { repositories } from '../schema/tables/application.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, application_id: application } = repositories.columns;

export const insertRepositories = insertRows('repositories.insert', repositories, 'application');

export const repositoriesOf = defineStatement({
  name: 'repositories.ofApplication',
  parameters: { tenant, application },
  build: (db, p) =>
    db
      .selectFrom('repositories')
      .selectAll()
      .where('application_id', '=', p.application)
      .where('tenant_id', '=', p.tenant)
      .orderBy('name'),
});

/** Before the repositories of a changed declaration are inserted. */
export const removeRepositories = defineStatement({
  name: 'repositories.removeOfApplication',
  locks: 'application',
  parameters: { tenant, application },
  build: (db, p) =>
    db.deleteFrom('repositories').where('application_id', '=', p.application).where('tenant_id', '=', p.tenant),
});
