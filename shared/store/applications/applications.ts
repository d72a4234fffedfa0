import { insertRow, updateRow } from '../row-statements.ts';
import { int } from '../schema/column.ts';
import { applications } from '../schema/tables/application.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, id: application, name } = applications.columns;

export const insertApplication = insertRow('applications.insert', applications, 'application');

/** Writes all that may change of an application that still has this version. */
export const updateApplication = updateRow('applications.update', applications, 'application', ['name', 'created_at']);

export const readApplication = defineStatement({
  name: 'applications.read',
  parameters: { tenant, application },
  build: (db, p) =>
    db.selectFrom('applications').selectAll().where('id', '=', p.application).where('tenant_id', '=', p.tenant),
});

/** The application's row, locked, with database time. Take it before any request of it. */
export const lockApplication = defineStatement({
  name: 'applications.lock',
  locks: 'application',
  parameters: { tenant, application },
  build: (db, p, words) =>
    db
      .selectFrom(words.locking('applications'))
      .selectAll()
      .select(words.now.as('now'))
      .where('id', '=', p.application)
      .where('tenant_id', '=', p.tenant),
});

export const applicationByName = defineStatement({
  name: 'applications.byName',
  parameters: { tenant, name },
  build: (db, p) =>
    db.selectFrom('applications').selectAll().where('tenant_id', '=', p.tenant).where('name', '=', p.name),
});

/** A page of applications by name, after the one named ('' at the start). */
export const listApplications = defineStatement({
  name: 'applications.list',
  parameters: { tenant, after: name, limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('applications')
      .modifyFront(words.top(p.limit))
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('name', '>', p.after)
      .orderBy('name')
      .modifyEnd(words.limit(p.limit)),
});
