import { z } from 'zod';
import type { AuditStream } from '../../../shared/audit/event.ts';
import { exportAudit, exportText } from '../../../shared/audit/export.ts';
import { parseId } from '../../../shared/domain/ids.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import { foreignCursor, page, pageOf, pageQuery } from '../../../shared/http/page.ts';
import { eventsOfRequest } from '../../../shared/store/audit/read.ts';
import { one, rows } from '../../../shared/store/command.ts';
import { auditAnchorsFrom } from '../../../shared/store/platform/anchors.ts';
import { headOfStream } from '../../../shared/store/platform/sealed.ts';
import type { Plane } from '../plane.ts';
import { iso } from './render.ts';
import { permittedRequest } from './request-access.ts';
import { ok, route } from './route.ts';

type Scope = 'application' | 'tenant' | 'platform';

/** The stream that a name means: an application's id, this tenant's id or the word `tenant`, or `platform`. */
function streamOf(plane: Plane, name: string): { readonly stream: AuditStream; readonly scope: Scope } {
  if (name === 'platform') return { stream: 'platform', scope: 'platform' };
  if (name === 'tenant' || name === plane.tenant) return { stream: plane.tenant, scope: 'tenant' };
  const application = parseId('application', name);
  if (application === undefined) throw notFound(`The audit stream ${JSON.stringify(name.slice(0, 60))}`);
  return { stream: application, scope: 'application' };
}

async function* bytesOf(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const text of texts) yield Buffer.from(text);
}

const stream = route({
  method: 'GET',
  path: '/audit/{stream}/export',
  name: 'audit-export',
  summary:
    'A stream as JSON Lines, with the anchors that prove it: what `factory audit verify` reads. `tenant`, `platform` or an application.',
  access: { kind: 'policy', action: 'exportAudit', by: 'route' },
  answers: { 200: 'application/jsonl' },
  async handle(call) {
    const { plane } = call;
    const { stream: name, scope } = streamOf(plane, call.parameter('stream'));
    await call.permit('exportAudit', null, { id: name, tenant: plane.tenant, scope }, `The audit stream ${name}`);
    const head = await plane.store.read('audit.head', () => one(headOfStream({ stream: name })));
    if (head !== undefined && head.tenant_id !== plane.tenant) throw notFound(`The audit stream ${name}`);
    const lines = exportAudit({
      store: plane.store,
      streams: [name],
      trust: await plane.trust(),
      incarnation: plane.context.incarnation,
      at: Date.now(),
    });
    return {
      status: 200,
      body: bytesOf(exportText(lines)),
      headers: { 'content-type': 'application/jsonl', 'cache-control': 'no-store' },
    };
  },
});

/** A cursor that is a sequence number, as `next` gives it. */
function sequenceOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw foreignCursor();
}

const anchor = z.object({
  sequence: z.int(),
  digest: z.string(),
  key: z.string(),
  name: z.string(),
  at: z.iso.datetime(),
});

const anchors = route({
  method: 'GET',
  path: '/audit/anchors',
  name: 'audit-anchors',
  summary: 'Sealed audit heads of the plane, in order.',
  access: { kind: 'policy', action: 'readAudit', by: 'route' },
  query: z.strictObject(pageQuery),
  answers: { 200: page(anchor) },
  async handle(call) {
    const { plane, query } = call;
    await call.permit(
      'readAudit',
      null,
      { id: 'platform', tenant: plane.tenant, scope: 'platform' },
      'The audit anchors',
    );
    const from = query.cursor === undefined ? 1 : sequenceOf(query.cursor) + 1;
    const found = await plane.store.read('audit.anchors', () =>
      rows(auditAnchorsFrom({ sequence: from, limit: query.limit + 1 })),
    );
    return ok(
      pageOf(
        found,
        query.limit,
        (row) => String(row.sequence),
        (row) => ({
          sequence: row.sequence,
          digest: row.digest,
          key: row.key_id,
          name: row.object_name,
          at: iso(row.created_at),
        }),
      ),
    );
  },
});

const keys = route({
  method: 'GET',
  path: '/audit/keys',
  name: 'audit-keys',
  summary: 'The trust file: public keys that evidence and anchors are verified with offline, retired ones included.',
  access: { kind: 'self' },
  answers: { 200: z.object({ format: z.string(), keys: z.array(z.record(z.string(), z.unknown())) }) },
  handle: async ({ plane }) => ok(await plane.trust()),
});

const event = z.object({
  seq: z.int(),
  at: z.string(),
  actor: z.string(),
  action: z.string(),
  subjects: z.record(z.string(), z.string()),
  changes: z.record(z.string(), z.unknown()),
  steps: z.array(z.string()).optional(),
});
type Event = z.infer<typeof event>;

function eventOf(row: { readonly seq: number; readonly bytes: string }): Event {
  return event.parse({ ...(JSON.parse(row.bytes) as object), seq: row.seq });
}

const requestEvents = route({
  method: 'GET',
  path: '/requests/{request}/events',
  name: 'requests-events',
  summary: "The request's audit events, oldest first.",
  access: { kind: 'policy', action: 'readRequest', by: 'route' },
  query: z.strictObject(pageQuery),
  answers: { 200: page(event) },
  async handle(call) {
    const { row } = await permittedRequest(call, 'readRequest');
    const { limit, cursor } = call.query;
    const after = cursor === undefined ? 0 : sequenceOf(cursor);
    const found = await call.plane.store.read('requests.events', () =>
      rows(eventsOfRequest({ tenant: row.tenant_id, request: row.id, after, limit: limit + 1 })),
    );
    return ok(pageOf(found, limit, (stored) => String(stored.seq), eventOf));
  },
});

const happening = z.object({
  at: z.iso.datetime(),
  what: z.string(),
  request: z.string().nullable(),
  text: z.string(),
});

const activity = route({
  method: 'GET',
  path: '/activity',
  name: 'activity',
  summary:
    'What happened last in an application (?application=) or the tenant, oldest first. A view for people, kept as best it can be: the audit is the record.',
  access: { kind: 'policy', action: 'readActivity', by: 'route' },
  query: z.strictObject({ limit: pageQuery.limit, application: z.string().optional() }),
  answers: { 200: page(happening) },
  async handle(call) {
    const { plane, query } = call;
    await call.permit('readActivity', null, { id: plane.tenant, tenant: plane.tenant }, 'The activity');
    const application = query.application === undefined ? plane.tenant : parseId('application', query.application);
    if (application === undefined) throw notFound(`Application ${JSON.stringify(query.application?.slice(0, 60))}`);
    if (plane.activity === undefined) throw notFound('An activity feed (FACTORY_ACTIVITY_URL is not set)');
    const found = await plane.activity.latest(application, query.limit);
    return ok({ items: found.map((entry) => ({ ...entry, at: iso(entry.at) })) });
  },
});

export const auditRoutes = [stream, anchors, keys, requestEvents, activity];
