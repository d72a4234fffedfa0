import type { PrincipalId } from '../domain/ids.ts';
import { notFound } from '../domain/refusal.ts';
import { permit, recordDecision } from '../gates/policy-decision.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import type { AuditFact } from '../line/scope.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { readPrincipal } from '../store/access/principals.ts';
import { type Command, one, type Unchanged, unchanged } from '../store/command.ts';
import { databaseTime } from '../store/platform/database-time.ts';
import type { Database } from '../store/schema/tables.ts';

type PrincipalRow = Readonly<Database['principals']>;
/** What a change writes: `false` when everything is so already. */
export type RightsChange = {
  readonly action: string;
  readonly subjects?: AuditFact['subjects'];
  readonly values: NonNullable<AuditFact['values']>;
  write(row: PrincipalRow, now: number): Command<boolean>;
};

/**
 * Changes what an identity may do, or for whom it acts: once policy permits it (nobody changes their own rights), as one audited
 * transaction. Refuses 404 an identity that is not there and 403 by policy. Answers whether anything was changed.
 */
export function* changePrincipal(
  context: PlaneContext,
  actor: Actor,
  id: PrincipalId,
  change: RightsChange,
): Command<Committed<boolean> | Unchanged<Committed<boolean>>> {
  const { tenant } = context;
  const row = yield* one(readPrincipal({ tenant, principal: id }));
  if (row === undefined) throw notFound(`Principal ${id}`);
  const now = yield* databaseTime();
  const resource = { id, tenant, user: id };
  const decision = permit(context, null, actor, now, 'changePrincipal', resource, `principal ${id}`);
  if (!(yield* change.write(row, now))) return unchanged({ answer: false, outbox: [], touched: [] });
  const commandId = `${context.newId('decision', now)}:${change.action}`;
  const at = { actor, action: 'changePrincipal', resource: id, now, commandId } as const;
  const decisionId = yield* recordDecision(context, decision, at);
  return yield* commit(
    openScope(context, now, actor),
    {
      stream: tenant,
      commandId,
      action: change.action,
      subjects: { ...change.subjects, principal: id, decision: decisionId },
      values: change.values,
    },
    true,
  );
}
