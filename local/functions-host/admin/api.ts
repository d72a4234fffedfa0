import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FunctionDescription } from '../app/function-description.ts';
import { triggerType } from '../app/function-description.ts';
import { answerJson, readBody } from '../http/answer.ts';
import type { Invoke } from '../invoke.ts';
import { timerRunByHand } from '../triggers/timer.ts';

/**
 * The host's own endpoints, after Core Tools: `GET /admin/host/status`, `GET /admin/functions`,
 * `GET /admin/functions/{name}`, and `POST /admin/functions/{name}` with `{"input": …}`, which runs a function that is not
 * triggered by HTTP and answers 202 at once.
 */
export async function serveAdmin(
  functions: readonly FunctionDescription[],
  invoke: Invoke,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const [area, name, ...rest] = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const verb = `${request.method} ${area}`;
  if (rest.length > 0) return answerJson(response, 404);
  if (verb === 'GET host' && name === 'status') {
    const uptime = Math.round(process.uptime() * 1000);
    return answerJson(response, 200, { id: 'embedded', state: 'Running', version: '4.1040.0', processUptime: uptime });
  }
  if (verb === 'GET functions' && name === undefined) return answerJson(response, 200, functions.map(describe));
  const description = area === 'functions' ? functions.find((candidate) => candidate.name === name) : undefined;
  if (description === undefined) return answerJson(response, 404);
  if (request.method === 'GET') return answerJson(response, 200, describe(description));
  if (request.method !== 'POST') return answerJson(response, 405, undefined, { allow: 'GET, POST' });
  return run(description, invoke, request, response);
}

/** Bytes of a hand-made input. */
const inputLimit = 1_048_576;

async function run(
  description: FunctionDescription,
  invoke: Invoke,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (triggerType(description) === 'httptrigger') {
    return answerJson(response, 400, { Message: `${description.name} is triggered by HTTP: call its route.` });
  }
  const text = (await readBody(request, inputLimit)).toString();
  let body: unknown;
  try {
    body = text === '' ? {} : JSON.parse(text);
  } catch {
    return answerJson(response, 400, { Message: 'The body must be JSON: {"input": "…"}.' });
  }
  const input = typeof body === 'object' && body !== null && 'input' in body ? body.input : '';
  const given = typeof input === 'string' ? input : JSON.stringify(input);
  const data = triggerType(description) === 'timertrigger' ? timerRunByHand : { string: given };
  // Its end is in the log; the caller has its answer already.
  invoke(description, { data }).catch(() => undefined);
  answerJson(response, 202);
}

function describe(description: FunctionDescription): object {
  return { name: description.name, bindings: Object.values(description.bindings), isDisabled: false, language: 'node' };
}
