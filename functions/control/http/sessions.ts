import { z } from 'zod';
import type { PrincipalId } from '../../../shared/domain/ids.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import { cursorId, page, pageOf, pageQuery } from '../../../shared/http/page.ts';
import { createSession } from '../../../shared/intake/create-session.ts';
import { one, rows } from '../../../shared/store/command.ts';
import type { Database } from '../../../shared/store/schema/tables.ts';
import { listSessions, readSession } from '../../../shared/store/sessions/sessions.ts';
import { iso } from './render.ts';
import { ok, route } from './route.ts';

const session = z.object({
  id: z.string(),
  title: z.string(),
  owner: z.string(),
  createdAt: z.iso.datetime(),
  links: z.object({ requests: z.string() }),
});

const render = (row: Readonly<Database['sessions']>): z.infer<typeof session> => ({
  id: row.id,
  title: row.title,
  owner: row.principal_id,
  createdAt: iso(row.created_at),
  links: { requests: `/api/v1/requests?session=${row.id}` },
});

const create = route({
  method: 'POST',
  path: '/sessions',
  name: 'sessions-create',
  summary: 'Opens a session, under which a person gathers requests.',
  access: { kind: 'policy', action: 'createSession', by: 'command' },
  commits: true,
  body: z.strictObject({ title: z.string().trim().min(1).max(200) }),
  answers: { 201: session },
  async handle({ plane, actor, body }) {
    const row = await plane.run('session.create', (context) => createSession(context, actor, body.title));
    return { status: 201, json: render(row), headers: { location: `/api/v1/sessions/${row.id}` } };
  },
});

const list = route({
  method: 'GET',
  path: '/sessions',
  name: 'sessions-list',
  summary: "The caller's sessions, newest first.",
  access: { kind: 'self' },
  query: z.strictObject(pageQuery),
  answers: { 200: page(session) },
  async handle({ plane, actor, query }) {
    const before = cursorId('session', query.cursor);
    const found = await plane.store.read('sessions.list', () =>
      rows(
        listSessions({
          tenant: plane.tenant,
          principal: actor.principal as PrincipalId,
          before,
          limit: query.limit + 1,
        }),
      ),
    );
    return ok(pageOf(found, query.limit, (row) => row.id, render));
  },
});

const read = route({
  method: 'GET',
  path: '/sessions/{session}',
  name: 'sessions-read',
  summary: 'One session.',
  access: { kind: 'policy', action: 'readSession', by: 'route' },
  answers: { 200: session },
  async handle(call) {
    const id = call.id('session', 'session');
    const row = await call.plane.store.read('sessions.read', () =>
      one(readSession({ tenant: call.plane.tenant, session: id })),
    );
    if (row === undefined) throw notFound(`Session ${id}`);
    await call.permit('readSession', null, { id, tenant: row.tenant_id, owner: row.principal_id }, `Session ${id}`);
    return ok(render(row));
  },
});

export const sessionRoutes = [create, list, read];
