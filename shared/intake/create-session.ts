import type { PrincipalId } from '../domain/ids.ts';
import { permit } from '../gates/policy-decision.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { type Command, write } from '../store/command.ts';
import { databaseTime } from '../store/platform/database-time.ts';
import type { Database } from '../store/schema/tables.ts';
import { insertSession } from '../store/sessions/sessions.ts';

export type SessionRow = Readonly<Database['sessions']>;

/** Opens a session of the caller. Refuses with 403 by policy. */
export function* createSession(context: PlaneContext, actor: Actor, title: string): Command<Committed<SessionRow>> {
  const { tenant } = context;
  const now = yield* databaseTime();
  permit(context, null, actor, now, 'createSession', { id: tenant, tenant }, 'sessions');
  const row: SessionRow = {
    id: context.newId('session', now),
    tenant_id: tenant,
    principal_id: actor.principal as PrincipalId,
    title,
    created_at: now,
  };
  yield* write(insertSession(row));
  return yield* commit(
    openScope(context, now, actor),
    { stream: tenant, commandId: `${row.id}:create`, action: 'session.created', subjects: { session: row.id } },
    row,
  );
}
