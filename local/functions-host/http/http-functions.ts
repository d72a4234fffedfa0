import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { FunctionApp } from '../app/function-app.ts';
import type { FunctionDescription } from '../app/function-description.ts';
import { textOption, triggerType } from '../app/function-description.ts';
import type { Invoke } from '../invoke.ts';
import type { Log } from '../log.ts';
import { answerJson, BodyTooLargeError } from './answer.ts';
import { arrived } from './arrived.ts';
import type { Connections } from './connections.ts';
import type { Places } from './places.ts';
import { callPlain } from './plain-call.ts';
import { readValues } from './request-data.ts';
import { compileRoute } from './route.ts';
import { compareRouted, type Routed, shadowed } from './route-order.ts';
import { callStreaming } from './stream-call.ts';

interface HttpFunction extends Routed {
  readonly description: FunctionDescription;
}

/** How long a request that is not in waits until it looks for a place again, in milliseconds. */
const placePoll = 250;

export type ServeHttp = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;

export interface HttpLimits {
  readonly routePrefix: string;
  /** Bytes of a request's body. */
  readonly bodyLimit: number;
  readonly places: Places;
  readonly connections: Connections;
  readonly log: Log;
}

/**
 * Serves the app's HTTP functions: the first one by name whose route takes path and method (azure-functions-host maps them so), or
 * an empty 404, 413 or 429. A request takes a place once it is in, and gives it back with the end of its answer, whatever is left of
 * its body. A path whose routes do not take the method is a 404 as well, as on Azure (azure-functions-host issue 10098): an app that
 * wants a 405 registers a route for the other methods.
 */
export function serveHttpFunctions(
  app: FunctionApp,
  functions: readonly FunctionDescription[],
  invoke: Invoke,
  limits: HttpLimits,
): ServeHttp {
  const routed = functions
    .filter((description) => triggerType(description) === 'httptrigger')
    .map((description) => compile(description, limits.routePrefix));
  routed.sort(compareRouted);
  for (const { name, by } of shadowed(routed))
    limits.log(
      'warning',
      'http',
      `Calls of the function "${name}" are answered by "${by}", as functions are looked at by name and its route matches them too. Give one of them another name or route.`,
    );

  return async (request, response, url) => {
    const found = find(routed, request.method ?? 'GET', url.pathname);
    if (found === undefined) return answerJson(response, 404);
    if (Number(request.headers['content-length'] ?? 0) > limits.bodyLimit) return answerJson(response, 413);
    const giveBack = await placeFor(request, found.description.name, limits.places);
    if (giveBack === 'gone') return;
    if (giveBack === undefined) return answerJson(response, 429, undefined, { 'retry-after': '1' });
    limits.connections.served(request);
    const values = readValues(request, url, found.parameters);
    try {
      if (app.streamUrl === undefined)
        await callPlain(invoke, found.description, request, response, values, limits.bodyLimit);
      else await callStreaming(app.streamUrl, invoke, found.description, request, response, values, limits.bodyLimit);
    } catch (error) {
      // The failure is logged where it happened; the caller learns no more of it than the real host tells.
      if (response.headersSent) response.destroy();
      else answerJson(response, error instanceof BodyTooLargeError ? 413 : 500);
    } finally {
      giveBack();
    }
  };
}

/** Waits for the body, and for a place when that takes its time; undefined when a request that is in finds none. */
async function placeFor(
  request: IncomingMessage,
  functionName: string,
  places: Places,
): Promise<(() => void) | 'gone' | undefined> {
  for (;;) {
    const arrival = await arrived(request);
    if (arrival === 'gone') return 'gone';
    const place = places.take(functionName, arrival === 'whole');
    if (place !== undefined || arrival === 'whole') return place;
    await delay(placePoll);
  }
}

function compile(description: FunctionDescription, prefix: string): HttpFunction {
  const route = textOption(description.trigger, 'route') ?? description.name;
  const methods = description.trigger['methods'];
  const named =
    Array.isArray(methods) && methods.length > 0
      ? methods.map((method) => String(method).toUpperCase())
      : ['GET', 'POST'];
  return { name: description.name, description, route: compileRoute(`${prefix}/${route}`), methods: new Set(named) };
}

function find(
  routed: readonly HttpFunction[],
  method: string,
  path: string,
): { readonly description: FunctionDescription; readonly parameters: Record<string, string> } | undefined {
  for (const { description, route, methods } of routed) {
    const parameters = methods.has(method) ? route.match(path) : undefined;
    if (parameters !== undefined) return { description, parameters };
  }
  return undefined;
}
