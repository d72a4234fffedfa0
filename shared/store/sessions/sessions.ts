import { sql } from 'kysely';
import type { SessionId } from '../../domain/ids.ts';
import { insertRow } from '../row-statements.ts';
import { int, nullable } from '../schema/column.ts';
import { sessions } from '../schema/tables/session.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, id: session, principal_id: principal } = sessions.columns;

export const insertSession = insertRow('sessions.insert', sessions, 'session');

export const readSession = defineStatement({
  name: 'sessions.read',
  parameters: { tenant, session },
  build: (db, p) => db.selectFrom('sessions').selectAll().where('id', '=', p.session).where('tenant_id', '=', p.tenant),
});

/** A page of a principal's sessions, newest first, before the one named. */
export const listSessions = defineStatement({
  name: 'sessions.list',
  parameters: { tenant, principal, before: nullable(session), limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('sessions')
      .modifyFront(words.top(p.limit))
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('principal_id', '=', p.principal)
      .where('id', '<', sql<SessionId>`coalesce(${p.before}, '~')`)
      .orderBy('id', 'desc')
      .modifyEnd(words.limit(p.limit)),
});
