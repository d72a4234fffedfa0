import { z } from 'zod';
import { parseId } from '../../../shared/domain/ids.ts';
import { LIMITS } from '../../../shared/domain/limits.ts';
import { notFound, Refusal } from '../../../shared/domain/refusal.ts';
import { requestMachine } from '../../../shared/domain/request/machine.ts';
import { requestResources } from '../../../shared/gates/request-resource.ts';
import { mediaTypeOf } from '../../../shared/http/body.ts';
import { hasCurrent } from '../../../shared/http/etag.ts';
import { cursorId, page, pageOf, pageQuery } from '../../../shared/http/page.ts';
import { preferredWait, type Wait } from '../../../shared/http/prefer.ts';
import { parseJsonBounded } from '../../../shared/intake/json.ts';
import { parsePacket } from '../../../shared/intake/packet.ts';
import { withRefusalOnRecord } from '../../../shared/intake/refused-packet.ts';
import { submitPacket } from '../../../shared/intake/submit-packet.ts';
import { readApplication } from '../../../shared/store/applications/applications.ts';
import { one, rows } from '../../../shared/store/command.ts';
import { listRequests } from '../../../shared/store/requests/list.ts';
import type { RequestRow } from '../../../shared/store/schema/rows.ts';
import { permittedRequest } from './request-access.ts';
import { idempotencyKey, KEY_HEADER, submitted, submittedAnswer, traceparentOf } from './request-submission.ts';
import { requestSummary, requestView, type Seen, seeRequest, summaryOf } from './request-view.ts';
import { type Call, ok, route } from './route.ts';

const PACKET_TYPES = ['application/json', 'application/yaml', 'application/x-yaml', 'text/yaml'] as const;
/** The submission around a packet; the packet itself is parsed by its own rules. */
const envelope = z.strictObject({
  application: z.string(),
  session: z.string().nullable().optional(),
  packet: z.record(z.string(), z.unknown()),
});

const submit = route({
  method: 'POST',
  path: '/requests',
  name: 'requests-submit',
  summary:
    'Submits a task packet: {application, session?, packet} as JSON, or the packet itself as JSON or YAML with ?application=.',
  access: { kind: 'policy', action: 'submitRequest', by: 'command' },
  commits: true,
  headers: KEY_HEADER,
  raw: PACKET_TYPES,
  query: z.strictObject({ application: z.string().optional(), session: z.string().optional() }),
  answers: { 202: submittedAnswer },
  async handle(call) {
    const { plane, actor, query } = call;
    const key = idempotencyKey(call.headers);
    const bytes = await call.bytes(LIMITS.http.packetBodyBytes);
    const type = mediaTypeOf(call.headers);
    const whole =
      query.application === undefined
        ? unwrapped(bytes, type)
        : { application: query.application, session: query.session, packet: bytes };
    const application = parseId('application', whole.application);
    if (application === undefined) throw notFound(`Application ${JSON.stringify(whole.application.slice(0, 60))}`);
    const session = whole.session === undefined ? null : parseId('session', whole.session);
    if (session === undefined) throw notFound(`Session ${JSON.stringify(whole.session?.slice(0, 60))}`);
    return await withRefusalOnRecord(plane, actor, { application, bytes: whole.packet }, async () =>
      submitted(
        await submitPacket(plane, actor, {
          parsed: parsePacket(whole.packet, type),
          application,
          session,
          following: null,
          traceparent: traceparentOf(call.headers),
          idempotencyKey: key,
          route: 'POST /requests',
        }),
      ),
    );
  },
});

function unwrapped(
  bytes: Uint8Array,
  type: string,
): { application: string; session: string | undefined; packet: Uint8Array } {
  if (type !== 'application/json')
    throw new Refusal(
      422,
      'FACTORY-QUERY-INVALID',
      'A packet sent as YAML needs ?application= to say which application it is for.',
      { details: [{ pointer: '/application', code: 'missing', message: 'Add it.' }] },
    );
  const parsed = envelope.safeParse(
    parseJsonBounded(bytes, { maxDepth: LIMITS.http.jsonDepth, maxBytes: LIMITS.http.packetBodyBytes }),
  );
  if (!parsed.success) {
    throw new Refusal(
      422,
      'FACTORY-BODY-INVALID',
      'The body is to be {application, session?, packet}. To send the packet alone, name the application with ?application=.',
      {
        details: parsed.error.issues.slice(0, 20).map((issue) => ({
          pointer: issue.path.map((part) => `/${String(part)}`).join(''),
          code: issue.code,
          message: issue.message,
        })),
      },
    );
  }
  const { application, session, packet } = parsed.data;
  return { application, session: session ?? undefined, packet: Buffer.from(JSON.stringify(packet)) };
}

const list = route({
  method: 'GET',
  path: '/requests',
  name: 'requests-list',
  summary: 'Requests that the caller may see, newest first. A page may hold fewer than asked for while `next` goes on.',
  access: { kind: 'policy', action: 'readRequest', by: 'route' },
  query: z.strictObject({
    ...pageQuery,
    application: z.string().optional(),
    session: z.string().optional(),
    state: z.enum(Object.keys(requestMachine.table) as [RequestRow['state'], ...RequestRow['state'][]]).optional(),
  }),
  answers: { 200: page(requestSummary) },
  async handle(call) {
    const { plane, query } = call;
    const filter = <K extends 'application' | 'session'>(kind: K) => {
      const text = query[kind];
      return text === undefined ? null : (parseId(kind, text) ?? undefined);
    };
    const [application, session] = [filter('application'), filter('session')];
    const before = cursorId('request', query.cursor);
    // A role that sees all is asked about once by this; who sees only their own asks the database for only theirs. With roles in some
    // applications only, each request is asked about below.
    const scoped = call.actor.applicationRoles !== undefined;
    const everything = await call.allows('readRequest', null, {
      id: 'any',
      tenant: plane.tenant,
      application: application ?? 'any',
      requestedBy: 'nobody',
      delegates: [],
      risk: 'low',
    });
    if (application === undefined || session === undefined) return ok({ items: [] });
    const found = await plane.store.read('requests.list', function* () {
      const page = yield* rows(
        listRequests({
          tenant: plane.tenant,
          before,
          application,
          session,
          state: query.state ?? null,
          requestedBy: everything || scoped ? null : (call.actor.principal as RequestRow['requested_by']),
          limit: query.limit + 1,
        }),
      );
      const definitions = new Map<string, RequestRow['definitions_digest'] | null>();
      for (const row of page) {
        if (definitions.has(row.application_id)) continue;
        definitions.set(
          row.application_id,
          (yield* one(readApplication({ tenant: plane.tenant, application: row.application_id })))
            ?.definitions_digest ?? null,
        );
      }
      return { page, definitions, resources: yield* requestResources(page) };
    });
    const whole = pageOf(
      found.page,
      query.limit,
      (row) => row.id,
      (row) => row,
    );
    const items: z.infer<typeof requestSummary>[] = [];
    for (const [index, row] of whole.items.entries()) {
      const resource = found.resources[index];
      const definitions = found.definitions.get(row.application_id) ?? null;
      if (resource !== undefined && (await call.allows('readRequest', definitions, resource)))
        items.push(summaryOf(row));
    }
    return ok(whole.next === undefined ? { items } : { items, next: whole.next });
  },
});

const read = route({
  method: 'GET',
  path: '/requests/{request}',
  name: 'requests-read',
  summary: 'One request. `Prefer: wait=N; until=gate|terminal` waits for it, at most 30 s.',
  access: { kind: 'policy', action: 'readRequest', by: 'route' },
  headers: {
    'If-None-Match': { required: false, description: 'Entity tag the caller has; 304 when it is current' },
    Prefer: { required: false, description: '`wait=N; until=gate|terminal` (RFC 7240 §4.3)' },
  },
  answers: { 200: requestView, 304: 'Not modified' },
  async handle(call) {
    const { row } = await permittedRequest(call, 'readRequest');
    const wait = preferredWait(call.headers);
    const first = await see(call, row.id);
    const seen = wait === undefined || settled(first, wait, call.headers) ? first : await waitFor(call, row.id, wait);
    const headers: Record<string, string> = { etag: seen.tag, 'cache-control': 'private, no-cache' };
    if (wait !== undefined) headers['preference-applied'] = `wait=${Math.floor(wait.forMs / 1000)}`;
    return hasCurrent(call.headers, seen.tag) ? { status: 304, headers } : ok(seen.view, headers);
  },
});

async function see(call: Call<unknown, unknown>, id: RequestRow['id']): Promise<Seen> {
  const seen = await seeRequest(call.plane, id);
  if (seen === undefined) throw notFound(`Request ${id}`);
  return seen;
}

/** Whether what the caller waits for is there. */
function settled(seen: Seen, wait: Wait, headers: Headers): boolean {
  const done = seen.view.state === 'terminal';
  if (wait.until === 'terminal') return done;
  if (wait.until === 'gate') return done || seen.view.waitingFor.length > 0;
  return done || !hasCurrent(headers, seen.tag);
}

async function waitFor(call: Call<unknown, unknown>, id: RequestRow['id'], wait: Wait): Promise<Seen> {
  const look = async (): Promise<Seen | undefined> => {
    const seen = await see(call, id);
    return settled(seen, wait, call.headers) ? seen : undefined;
  };
  const seen = await call.aside(() => call.plane.observers.wait(id, call.actor.principal, wait.forMs, look));
  return seen ?? (await see(call, id));
}

export const requestRoutes = [submit, list, read];
