import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, readBody } from '../../http/answer.ts';
import type { Transact } from '../../store/group-commit.ts';
import type { HubStore } from '../../store/hub-store.ts';
import type { QueryInstances } from '../../store/instance-query.ts';
import type { RuntimeStatus } from '../../store/instance-record.ts';
import { type ManagementAddress, managementUrls } from '../client-binding.ts';
import type { Engine } from '../engine.ts';
import { BadParameterError, parseFilter, parsePageSize, readContinuation, writeContinuation } from './filter.ts';
import { statusPayload } from './payload.ts';

export interface ManagementParts {
  readonly engine: Engine;
  readonly store: HubStore;
  readonly query: QueryInstances;
  readonly transact: Transact;
  readonly hubName: string;
  readonly address: ManagementAddress;
}

/** Bytes of an orchestration's input or of an event. */
const inputLimit = 16 * 1_048_576;

/** Characters of an instance id, or of an event's name. */
const nameLimit = 256;

/** Instances one request purges at most; a caller with more asks again. */
const purgeLimit = 1_000;

/** Operations of the real extension whose place is kept, by their name in the URL. */
const notSupported: Readonly<Record<string, string>> = {
  rewind: 'rewinding an instance',
  suspend: 'suspending an instance',
  resume: 'resuming an instance',
  restart: 'restarting an instance',
};

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
}

/**
 * The HTTP API of Durable Functions, as the library's client and people's tools call it. `path` is what follows the
 * API's root. https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api
 */
export async function serveManagement(
  parts: ManagementParts,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  path: string,
): Promise<void> {
  const [collection, id, operation, argument] = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const call = { request, response, query: url.searchParams };
  if ([id, operation, argument].some((part) => part !== undefined && part.length > nameLimit)) {
    answerJson(response, 400, problem(`An id or a name in the path is longer than ${nameLimit} characters.`));
    return;
  }
  const verb = `${request.method} ${collection}`;
  try {
    if (collection === 'entities') return answerJson(response, 501, 'not supported yet by the embedded host: entities');
    if (verb === 'POST orchestrators' && id !== undefined) return await start(parts, call, id, operation);
    if (collection !== 'instances') return answerJson(response, 404);
    if (id === undefined) {
      if (request.method === 'DELETE') return await purgeMany(parts, call);
      return request.method === 'GET' ? list(parts, call) : answerJson(response, 405);
    }
    if (operation === undefined) {
      if (request.method === 'DELETE') return await purgeOne(parts, call, id);
      return request.method === 'GET' ? status(parts, call, id) : answerJson(response, 405);
    }
    if (request.method !== 'POST') return answerJson(response, 405);
    return await operate(parts, call, id, operation.toLowerCase(), argument);
  } catch (error) {
    if (!(error instanceof BadParameterError)) throw error;
    answerJson(response, 400, problem(error.message));
  }
}

async function start(
  parts: ManagementParts,
  { request, response, query }: Call,
  name: string,
  id: string | undefined,
): Promise<void> {
  const input = await readJsonText(request, inputLimit);
  const version = query.get('version');
  const answer = await parts.engine.start(name, {
    input: input === '' ? null : input,
    ...(id === undefined ? {} : { id }),
    ...(version === null ? {} : { version }),
  });
  switch (answer.kind) {
    case 'unknown':
      return answerJson(
        response,
        400,
        problem(`The function '${name}' doesn't exist, is disabled, or is not an orchestrator function.`),
      );
    case 'running':
      return answerJson(
        response,
        409,
        problem(`An Orchestration instance with the id ${id} already exists and has not ended.`),
      );
    case 'started': {
      const links = Object.entries(managementUrls(parts.address, parts.hubName)).map(([key, value]) => [
        key,
        value.replace('INSTANCEID', key === 'id' ? answer.id : encodeURIComponent(answer.id)),
      ]);
      const body: Record<string, string> = Object.fromEntries(links);
      return answerJson(response, 202, body, { location: body['statusQueryGetUri'] ?? '', 'retry-after': '10' });
    }
  }
}

function status(parts: ManagementParts, { request, response, query }: Call, id: string): void {
  const record = parts.store.find(id);
  if (record === undefined) {
    answerJson(response, 404);
    return;
  }
  const payload = statusPayload(record, {
    showInput: query.get('showInput') !== 'false',
    history: query.get('showHistory') === 'true' ? parts.store.history(id) : undefined,
  });
  const running = record.finishedAt === null;
  const asError = record.status === 'Failed' && query.get('returnInternalServerErrorOnFailure') === 'true';
  const headers: Record<string, string> = running
    ? { location: `${parts.address.url}${request.url}`, 'retry-after': '5' }
    : {};
  answerJson(response, running ? 202 : asError ? 500 : 200, payload, headers);
}

function list(parts: ManagementParts, { request, response, query }: Call): void {
  const size = parsePageSize(query);
  const token = request.headers['x-ms-continuation-token'];
  const page = parts.query(parseFilter(query), readContinuation(typeof token === 'string' ? token : undefined), size);
  const showInput = query.get('showInput') !== 'false';
  const body = `[${page.map((record) => statusPayload(record, { showInput, history: undefined })).join(',')}]`;
  const last = page.at(-1);
  const more = last !== undefined && page.length === size;
  answerJson(response, 200, body, more ? { 'x-ms-continuation-token': writeContinuation(last) } : {});
}

async function purgeOne(parts: ManagementParts, { response }: Call, id: string): Promise<void> {
  const purged = await parts.transact(() => parts.store.purge(id));
  if (purged) answerJson(response, 200, { instancesDeleted: 1 });
  else answerJson(response, 404);
}

async function purgeMany(parts: ManagementParts, { response, query }: Call): Promise<void> {
  if (query.get('createdTimeFrom') === null)
    throw new BadParameterError("Please provide value for 'createdTimeFrom' parameter.");
  const filter = parseFilter(query);
  const ended: readonly RuntimeStatus[] = ['Completed', 'Failed', 'Terminated'];
  const statuses = ended.filter((status) => filter.statuses?.includes(status) ?? true);
  const deleted = await parts.transact(() => {
    const found = parts.query({ ...filter, statuses }, undefined, purgeLimit);
    return found.filter((record) => parts.store.purge(record.id)).length;
  });
  if (deleted === 0) answerJson(response, 404);
  else answerJson(response, 200, { instancesDeleted: deleted });
}

async function operate(
  parts: ManagementParts,
  call: Call,
  id: string,
  operation: string,
  argument: string | undefined,
): Promise<void> {
  const { request, response, query } = call;
  const refused = notSupported[operation];
  if (refused !== undefined) return answerJson(response, 501, `not supported yet by the embedded host: ${refused}`);
  if (operation === 'terminate')
    return settle(parts, response, id, parts.engine.terminate(id, query.get('reason') ?? ''));
  if (operation !== 'raiseevent' || argument === undefined) return answerJson(response, 404);
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new BadParameterError('Only application/json request content is supported');
  }
  const input = await readJsonText(request, inputLimit);
  return settle(parts, response, id, parts.engine.raiseEvent(id, argument, input));
}

/** 202 when an instance took it, 410 when it has ended, 404 when there is none. */
async function settle(
  parts: ManagementParts,
  response: ServerResponse,
  id: string,
  taken: Promise<boolean>,
): Promise<void> {
  if (await taken) return answerJson(response, 202);
  answerJson(response, parts.store.find(id) === undefined ? 404 : 410);
}

/** The body, as the JSON text it must be; '' when there is none. */
async function readJsonText(request: IncomingMessage, limit: number): Promise<string> {
  const text = (await readBody(request, limit)).toString();
  if (text === '') return '';
  try {
    JSON.parse(text);
  } catch {
    throw new BadParameterError('Invalid JSON content');
  }
  return text;
}

function problem(message: string): { readonly Message: string; readonly ExceptionMessage: string } {
  return { Message: 'One or more of the arguments submitted is incorrect', ExceptionMessage: message };
}
