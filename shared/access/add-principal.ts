import type { PrincipalId } from '../domain/ids.ts';
import { permit, recordDecision } from '../gates/policy-decision.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { findPrincipal, insertPrincipalIfAbsent } from '../store/access/principals.ts';
import { type Command, one, type Unchanged, unchanged, write } from '../store/command.ts';
import { databaseTime } from '../store/platform/database-time.ts';

export type NewPrincipal = {
  /** Object id at the issuer, and the issuer's tenant: the one key of a principal. */
  readonly tid: string;
  readonly oid: string;
  readonly kind: 'user' | 'workload';
  /** For people to read; nothing is decided by it. */
  readonly name: string;
};

/**
 * Lets an identity of the issuer call the plane, without any role yet. One that is known already is answered as it stands. Refuses 403
 * by policy.
 */
export function* addPrincipal(
  context: PlaneContext,
  actor: Actor,
  added: NewPrincipal,
): Command<Committed<PrincipalId> | Unchanged<Committed<PrincipalId>>> {
  const { tenant } = context;
  const now = yield* databaseTime();
  const decision = permit(context, null, actor, now, 'addPrincipal', { id: tenant, tenant }, 'the identities');
  const id = context.newId('principal', now);
  const { tid, oid, kind, name: display } = added;
  const isNew = yield* write(
    insertPrincipalIfAbsent({ id, tenant_id: tenant, tid, oid, kind, display, created_at: now }),
  );
  if (isNew === 0) {
    const known = yield* one(findPrincipal({ tid, oid }));
    if (known === undefined) throw new Error(`the principal ${oid} is there and can't be found`);
    return unchanged({ answer: known.id, outbox: [], touched: [] });
  }
  const commandId = `${id}:add`;
  const at = { actor, action: 'addPrincipal', resource: id, now, commandId } as const;
  const decisionId = yield* recordDecision(context, decision, at);
  return yield* commit(
    openScope(context, now, actor),
    {
      stream: tenant,
      commandId,
      action: 'principal.added',
      subjects: { principal: id, decision: decisionId },
      values: { tid, oid, kind },
    },
    id,
  );
}
