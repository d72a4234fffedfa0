import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { z } from 'zod';
import { Unauthenticated } from '../../../shared/access/unauthenticated.ts';
import { parseDigest } from '../../../shared/domain/digest.ts';
import { parseId } from '../../../shared/domain/ids.ts';
import { notFound, Refusal } from '../../../shared/domain/refusal.ts';
import { forbidden } from '../../../shared/gates/policy-decision.ts';
import { type BodyStream, mediaTypeOf, readBytes, readJsonBody, readQuery } from '../../../shared/http/body.ts';
import { malformedPath } from '../../../shared/http/path.ts';
import { problemOf } from '../../../shared/http/problem.ts';
import { RangeUnsatisfiable } from '../../../shared/http/range.ts';
import { VITAL_ROUTES } from '../../../shared/http/vital.ts';
import { LEASE_HEADER } from '../../../shared/jobs/protocol.ts';
import type { Actor } from '../../../shared/line/context.ts';
import { spannedCall } from '../call-span.ts';
import { type Plane, plane, withOrchestrations } from '../plane.ts';
import { report } from '../report.ts';
import { paced } from './paced.ts';
import type { Answer, Call, Route } from './route.ts';
import { createTurns, type Turn } from './turns.ts';

/** A parameter that a route doesn't know is refused, so that a misspelt filter never reads as no filter. */
const NO_QUERY: z.ZodType<unknown> = z.strictObject({});

const turns = createTurns();
/** Of calls that nobody has to prove anything for: they are answered at once, or bounded by themselves. */
const NO_TURN: Turn = { aside: (wait) => wait(), end: () => undefined };

/** Serves a route: who calls, what they send, what they may, the handler, the answer. Any refusal becomes a problem document. */
export function serve(route: Route, request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  return spannedCall(route, request, context, () => served(route, request, context));
}

async function served(route: Route, request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const path = new URL(request.url).pathname;
  let opened: Plane | undefined;
  try {
    const malformed = malformedPath(path);
    if (malformed !== undefined) throw malformed;
    opened = await plane();
    if (route.commits === true) withOrchestrations(context);
    const answer = await answerTo(route, request, opened);
    return request.method === 'HEAD' ? await withoutContent(answer) : toResponse(answer, context.invocationId);
  } catch (error) {
    countRefusal(route, opened, error);
    const { status, headers, problem } = problemOf(error, path, report);
    return {
      status,
      headers: error instanceof RangeUnsatisfiable ? { ...headers, 'content-range': `bytes */${error.size}` } : headers,
      ...(request.method === 'HEAD' ? {} : { body: JSON.stringify(problem) }),
    };
  }
}

async function answerTo(route: Route, request: HttpRequest, opened: Plane): Promise<Answer> {
  const headers = request.headers as unknown as Headers;
  const caller = route.access.kind === 'public' ? undefined : await authenticate(opened, headers);
  if (route.access.kind === 'worker') requireWorker(route.access.roles, caller);
  if (route.raw !== undefined) requireMediaType(route.raw, headers);
  const turn = caller === undefined ? NO_TURN : await turns.enter(caller.principal, VITAL_ROUTES.includes(route.name));
  try {
    return await workedOut(route, request, opened, caller, turn);
  } finally {
    turn.end();
  }
}

async function workedOut(
  route: Route,
  request: HttpRequest,
  opened: Plane,
  caller: Actor | undefined,
  turn: Turn,
): Promise<Answer> {
  const headers = request.headers as unknown as Headers;
  const body = request.body as unknown as BodyStream;
  let asked = false;
  const call: Call = {
    plane: opened,
    get actor() {
      if (caller === undefined) throw new Error(`route ${route.name} is public and asked who calls`);
      return caller;
    },
    headers,
    head: request.method === 'HEAD',
    query: readQuery(request.query as unknown as URLSearchParams, route.query ?? NO_QUERY),
    body: await bodyOf(route, turn, body, headers),
    bytes: (limit) => turn.aside(() => readBytes(body, headers, limit)),
    aside: turn.aside,
    parameter: (name) => request.params[name] ?? '',
    id(kind, name) {
      const text = request.params[name] ?? '';
      const id = parseId(kind, text);
      if (id === undefined) throw notFound(`The ${kind} ${JSON.stringify(text.slice(0, 60))}`);
      return id;
    },
    digest(name) {
      const text = request.params[name] ?? '';
      const digest = parseDigest(text);
      if (digest === undefined) throw notFound(`The artifact ${JSON.stringify(text.slice(0, 80))}`);
      return digest;
    },
    leaseToken() {
      const token = headers.get(LEASE_HEADER);
      if (token !== null && token.length <= 200) return token;
      throw new Refusal(
        401,
        'FACTORY-LEASE-MISSING',
        `This call is made under a lease. Send the claim's leaseToken in the ${LEASE_HEADER} header.`,
      );
    },
    async permit(action, definitions, resource, what) {
      const decision = await decideFor(action, definitions, resource);
      if (decision.allow) return;
      if (action.startsWith('read')) throw notFound(what);
      throw forbidden(decision, action, what);
    },
    allows: async (action, definitions, resource) => (await decideFor(action, definitions, resource)).allow,
  };
  const decideFor: (...question: Parameters<Call['allows']>) => ReturnType<Plane['ask']> = async (
    action,
    definitions,
    resource,
  ) => {
    if (route.access.kind !== 'policy' || route.access.action !== action)
      throw new Error(`route ${route.name} asks for ${action}, which its entry does not name`);
    asked = true;
    return await opened.ask(definitions, call.actor, action, resource);
  };
  const answer = await route.handle(call);
  // Deny by default: an answer that no policy decision stands behind never leaves, whatever the handler forgot.
  if (route.access.kind === 'policy' && route.access.by === 'route' && !asked)
    throw new Error(`route ${route.name} answered without asking for ${route.access.action}`);
  return answer;
}

async function bodyOf(
  { body: schema, bodyBytes }: Route,
  turn: Turn,
  body: BodyStream,
  headers: Headers,
): Promise<unknown> {
  return schema === undefined ? undefined : await turn.aside(() => readJsonBody(body, headers, schema, bodyBytes));
}

async function authenticate(opened: Plane, headers: Headers): Promise<Actor> {
  const header = headers.get('authorization');
  if (header === null) throw new Unauthenticated('no_token');
  // Hosts join a repeated header by commas (RFC 9110 §5.3), and no token holds one: which of them was meant, nobody can say.
  if (header.includes(','))
    throw new Refusal(
      400,
      'FACTORY-AUTHORIZATION-REPEATED',
      'The call has more than one Authorization header. Send one; nothing was changed.',
    );
  const match = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(header);
  if (match?.[1] === undefined) throw new Unauthenticated('no_bearer');
  return await opened.actors.actorOf(await opened.verify(match[1]));
}

function requireWorker(roles: readonly string[], actor: Actor | undefined): void {
  if (actor?.kind === 'Worker' && actor.roles.some((role) => roles.includes(role))) return;
  throw new Refusal(
    403,
    'FACTORY-FORBIDDEN',
    `Only a worker with the role ${roles.join(' or ')} may do this. Call with such an identity.`,
  );
}

function requireMediaType(types: readonly string[], headers: Headers): void {
  const type = mediaTypeOf(headers);
  if (types.includes(type)) return;
  throw new Refusal(
    415,
    'FACTORY-MEDIA-TYPE',
    `A body of type ${JSON.stringify(type.slice(0, 100))} can't be read here. Send ${types.join(' or ')}.`,
  );
}

/** What is counted for the audit: calls without an identity, and calls of an identity for what it may not do. */
function countRefusal(route: Route, opened: Plane | undefined, error: unknown): void {
  if (error instanceof Unauthenticated) opened?.refusals.count(`unauthenticated:${error.reason}`);
  else if (error instanceof Refusal && error.status === 403) opened?.refusals.count(`forbidden:${route.name}`);
}

/** The same answer without its content (RFC 9110 §9.3.2); a stream that was opened for it is closed. */
async function withoutContent(answer: Answer): Promise<HttpResponseInit> {
  const { body } = answer;
  if (isStream(body)) await body[Symbol.asyncIterator]().return?.();
  const { body: _content, ...rest } = toResponse(answer, undefined);
  return rest;
}

const isStream = (body: Answer['body']): body is AsyncIterable<Uint8Array> =>
  typeof body === 'object' && Symbol.asyncIterator in body;

/** `invocation`: whose reader a stream waits for; undefined where its content is not sent. */
function toResponse({ status, headers = {}, json, body }: Answer, invocation: string | undefined): HttpResponseInit {
  if (json !== undefined)
    return {
      status,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
      body: JSON.stringify(json),
    };
  if (body !== undefined) {
    const sent = isStream(body) && invocation !== undefined ? paced(body, invocation) : body;
    return { status, headers: { ...headers }, body: sent as NonNullable<HttpResponseInit['body']> };
  }
  return { status, headers: { ...headers } };
}
