import type { ApplicationId, PrincipalId } from '../domain/ids.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { type Role, WORKER_ROLES } from '../gates/policy/actions.ts';
import type { Actor } from '../line/context.ts';
import { assignRole, holdersOfRole, withdrawRole } from '../store/access/roles.ts';
import { readApplication } from '../store/applications/applications.ts';
import { one, rows, write } from '../store/command.ts';
import type { RightsChange } from './change-principal.ts';

/**
 * Gives a role, in the whole tenant or for one application, or takes it away. Refuses with 422 `FACTORY-ROLE-UNFIT` a worker's role for a
 * person, a person's for a worker, and a worker's role for one application only; with 409 `FACTORY-LAST-POLICY-OWNER` taking it from the
 * only one who can give roles at all; with 404 an application that is not there.
 */
export function roleChange(
  actor: Actor,
  change: { readonly role: Role; readonly application: ApplicationId | null; readonly holds: boolean },
): RightsChange {
  const { role, application, holds } = change;
  return {
    action: holds ? 'principal.role-given' : 'principal.role-withdrawn',
    subjects: { application },
    values: { role },
    *write(row, now) {
      const key = application ?? '';
      const of = { tenant: row.tenant_id, principal: row.id, role, application_key: key };
      if (!holds) {
        if (role === 'policy_owner' && application === null) {
          const holders = yield* rows(holdersOfRole({ tenant: row.tenant_id, role }));
          if (holders.length === 1 && holders[0]?.principal_id === row.id) throw lastOwner(row.id);
        }
        return (yield* write(withdrawRole(of))) > 0;
      }
      if (WORKER_ROLES.includes(role) !== (row.kind === 'workload'))
        throw unfit(
          `${role} is a role of ${WORKER_ROLES.includes(role) ? 'workers' : 'people'}, and ${row.id} is none.`,
        );
      if (application !== null) {
        if (WORKER_ROLES.includes(role))
          throw unfit(`${role} can't be held for one application: a claim is checked by role and pool alone.`);
        const known = yield* one(readApplication({ tenant: row.tenant_id, application }));
        if (known === undefined) throw notFound(`Application ${application}`);
      }
      const assigned = assignRole({
        tenant_id: row.tenant_id,
        principal_id: row.id,
        role,
        application_key: key,
        assigned_at: now,
        assigned_by: actor.principal as PrincipalId,
      });
      return (yield* write(assigned)) > 0;
    },
  };
}

const unfit = (why: string): Refusal =>
  new Refusal(422, 'FACTORY-ROLE-UNFIT', `${why} Choose another role or another identity; nothing was changed.`);

/** Nobody could give the role again: only a policy owner may. */
const lastOwner = (id: string): Refusal =>
  new Refusal(
    409,
    'FACTORY-LAST-POLICY-OWNER',
    `${id} is the last policy owner of the tenant, and only one can give roles. Make another first; nothing was changed.`,
  );
