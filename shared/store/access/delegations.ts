import { sql } from 'kysely';
import { insertRowIfAbsent } from '../row-statements.ts';
import { json } from '../schema/column.ts';
import { delegations } from '../schema/tables/access.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, principal_id: principal, delegate_id: delegate, ended_at, started_at } = delegations.columns;

/** `write` answers 0 when there is such a row, in force or ended. */
export const insertDelegationIfAbsent = insertRowIfAbsent('delegations.insertIfAbsent', delegations, 'tenant');

/** Ends a delegation that is in force. */
export const endDelegation = defineStatement({
  name: 'delegations.end',
  locks: 'tenant',
  parameters: { tenant, principal, delegate, ended_at },
  build: (db, p) =>
    db
      .updateTable('delegations')
      .set({ ended_at: p.ended_at })
      .where('tenant_id', '=', p.tenant)
      .where('principal_id', '=', p.principal)
      .where('delegate_id', '=', p.delegate)
      .where('ended_at', 'is', null),
});

/** Puts an ended delegation into force again. */
export const resumeDelegation = defineStatement({
  name: 'delegations.resume',
  locks: 'tenant',
  parameters: { tenant, principal, delegate },
  build: (db, p) =>
    db
      .updateTable('delegations')
      .set({ ended_at: null })
      .where('tenant_id', '=', p.tenant)
      .where('principal_id', '=', p.principal)
      .where('delegate_id', '=', p.delegate)
      .where('ended_at', 'is not', null),
});

/** Delegations with any of these principals (a JSON list of ids) on either side, in force or ended after `since`. */
export const delegationsAround = defineStatement({
  name: 'delegations.around',
  parameters: { tenant, principals: json(), since: started_at },
  build: (db, p, words) =>
    db
      .selectFrom('delegations')
      .select(['principal_id', 'delegate_id', 'started_at', 'ended_at'])
      .where('tenant_id', '=', p.tenant)
      .where(
        sql<boolean>`(principal_id in ${words.listed(p.principals)} or delegate_id in ${words.listed(p.principals)})`,
      )
      .where((eb) => eb.or([eb('ended_at', 'is', null), eb('ended_at', '>', p.since)])),
});
