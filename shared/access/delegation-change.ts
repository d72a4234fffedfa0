import type { PrincipalId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { delegatesOf } from '../gates/delegates.ts';
import type { Actor } from '../line/context.ts';
import { endDelegation, insertDelegationIfAbsent, resumeDelegation } from '../store/access/delegations.ts';
import { readPrincipal } from '../store/access/principals.ts';
import { one, write } from '../store/command.ts';
import type { RightsChange } from './change-principal.ts';

/**
 * Records that one identity acts for another, or that it no longer does. It gives no rights: who acts for somebody never approves what
 * they asked for or made, and the other way round. Refuses with 404 a delegate that is not there, with 403 a delegation of the caller's own,
 * with 422 `FACTORY-DELEGATE-UNFIT` one to oneself and one beyond the limit.
 */
export function delegationChange(
  actor: Actor,
  change: { readonly delegate: PrincipalId; readonly acts: boolean },
): RightsChange {
  const { delegate, acts } = change;
  return {
    action: acts ? 'principal.delegation-recorded' : 'principal.delegation-ended',
    subjects: { delegate },
    values: {},
    *write(row, now) {
      const of = { tenant: row.tenant_id, principal: row.id, delegate };
      if (delegate === actor.principal)
        throw new Refusal(
          403,
          'FACTORY-FORBIDDEN',
          'Nobody records or ends a delegation of their own. Ask another policy owner.',
        );
      if (!acts) return (yield* write(endDelegation({ ...of, ended_at: now }))) > 0;
      if (delegate === row.id) throw unfit('Nobody acts for themselves.');
      const known = yield* one(readPrincipal({ tenant: row.tenant_id, principal: delegate }));
      if (known === undefined) throw notFound(`Principal ${delegate}`);
      for (const each of [row.id, delegate])
        if ((yield* delegatesOf(row.tenant_id, [each], now)).length >= LIMITS.access.delegations)
          throw unfit(`${each} has ${LIMITS.access.delegations} delegations, which is the limit.`);
      const recorded = {
        tenant_id: row.tenant_id,
        principal_id: row.id,
        delegate_id: delegate,
        started_at: now,
        ended_at: null,
        recorded_by: actor.principal as PrincipalId,
      };
      if ((yield* write(insertDelegationIfAbsent(recorded))) > 0) return true;
      return (yield* write(resumeDelegation(of))) > 0;
    },
  };
}

const unfit = (why: string): Refusal =>
  new Refusal(422, 'FACTORY-DELEGATE-UNFIT', `${why} Choose another identity; nothing was changed.`);
