import { insertRowIfAbsent } from '../row-statements.ts';
import { roleAssignments } from '../schema/tables/access.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, principal_id: principal, role, application_key } = roleAssignments.columns;

/** `write` answers 0 when the role is assigned. */
export const assignRole = insertRowIfAbsent('roles.assign', roleAssignments, 'tenant');

/** Every role of a principal, with the application it holds for ('' for all of the tenant). */
export const rolesOf = defineStatement({
  name: 'roles.ofPrincipal',
  parameters: { tenant, principal },
  build: (db, p) =>
    db
      .selectFrom('role_assignments')
      .select(['role', 'application_key'])
      .where('tenant_id', '=', p.tenant)
      .where('principal_id', '=', p.principal),
});

/** Who holds a role in the whole tenant. Locked to the end of the transaction, so that two withdrawals can't each rely on the other's. */
export const holdersOfRole = defineStatement({
  name: 'roles.holders',
  locks: 'tenant',
  parameters: { tenant, role },
  build: (db, p, words) =>
    db
      .selectFrom(words.locking('role_assignments'))
      .select('principal_id')
      .where('tenant_id', '=', p.tenant)
      .where('role', '=', p.role)
      .where('application_key', '=', ''),
});

export const withdrawRole = defineStatement({
  name: 'roles.withdraw',
  locks: 'tenant',
  parameters: { tenant, principal, role, application_key },
  build: (db, p) =>
    db
      .deleteFrom('role_assignments')
      .where('tenant_id', '=', p.tenant)
      .where('principal_id', '=', p.principal)
      .where('role', '=', p.role)
      .where('application_key', '=', p.application_key),
});
