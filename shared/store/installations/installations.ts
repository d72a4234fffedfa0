import { sql } from 'kysely';
import type { InstallationId } from '../../domain/ids.ts';
import { insertRow, insertRowIfAbsent, updateRow } from '../row-statements.ts';
import { int, nullable } from '../schema/column.ts';
import { installations, installPlans } from '../schema/tables/installation.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, id: installation, application_id: application } = installations.columns;

export const insertInstallPlan = insertRowIfAbsent('installPlans.insertIfAbsent', installPlans, 'installation');

export const insertInstallation = insertRow('installations.insert', installations, 'installation');

/** Writes all that may change of an installation that still has this version. */
export const updateInstallation = updateRow('installations.update', installations, 'installation', [
  'application_id',
  'definitions_digest',
  'plan_digest',
  'requested_by',
  'created_at',
]);

export const readInstallation = defineStatement({
  name: 'installations.read',
  parameters: { tenant, installation },
  build: (db, p) =>
    db.selectFrom('installations').selectAll().where('id', '=', p.installation).where('tenant_id', '=', p.tenant),
});

/** The installation's row, locked, with database time. */
export const lockInstallation = defineStatement({
  name: 'installations.lock',
  locks: 'installation',
  parameters: { tenant, installation },
  build: (db, p, words) =>
    db
      .selectFrom(words.locking('installations'))
      .selectAll()
      .select(words.now.as('now'))
      .where('id', '=', p.installation)
      .where('tenant_id', '=', p.tenant),
});

/** A page of an application's installations, newest first, before the one named. */
export const listInstallations = defineStatement({
  name: 'installations.list',
  parameters: { tenant, application, before: nullable(installation), limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('installations')
      .modifyFront(words.top(p.limit))
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('application_id', '=', p.application)
      .where('id', '<', sql<InstallationId>`coalesce(${p.before}, '~')`)
      .orderBy('id', 'desc')
      .modifyEnd(words.limit(p.limit)),
});

/** The installations of an application that are in force or on their way there. */
export const currentInstallations = defineStatement({
  name: 'installations.current',
  parameters: { tenant, application },
  build: (db, p) =>
    db
      .selectFrom('installations')
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('application_id', '=', p.application)
      .where('state', 'in', ['planned', 'approved', 'applying', 'applied', 'drifted'])
      .orderBy('id', 'desc'),
});
