import { randomUUID } from 'node:crypto';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Agent, request as httpRequest } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { FunctionDescription } from '../app/function-description.ts';
import type { Invoke } from '../invoke.ts';
import { BodyTooLargeError } from './answer.ts';
import type { RequestValues } from './request-data.ts';
import { toTriggerMetadata } from './request-data.ts';

/** Headers that belong to one connection (RFC 9110 §7.6.1), and those this host sets itself. */
const notForwarded = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'x-ms-invocation-id',
];

const agent = new Agent({ keepAlive: true, maxSockets: 1_000 });

/**
 * Serves a request through the proxy that `@azure/functions` opens in the app: bodies stream both ways, and the invocation
 * itself carries the values only. Nobody answers the proxied request of a handler that failed or gave nothing back, so
 * the host then answers by itself and closes that connection.
 */
export async function callStreaming(
  streamUrl: string,
  invoke: Invoke,
  description: FunctionDescription,
  request: IncomingMessage,
  response: ServerResponse,
  values: RequestValues,
  bodyLimit: number,
): Promise<void> {
  const invocationId = randomUUID();
  const forwarded = forward(streamUrl, request, invocationId);
  const answered = passAnswer(forwarded, response);
  // Either may fail while the other is awaited: a caller that hangs up ends both.
  answered.catch(() => undefined);
  const body = sendBody(request, forwarded, bodyLimit);
  const gone = () => endOnceSent(forwarded);
  response.once('close', gone);
  try {
    const run = invoke(description, { data: { http: {} }, metadata: toTriggerMetadata(values), invocationId });
    // A handler that has answered does not wait for a body that it did not read.
    const result = await Promise.race([run, body.tooLarge]);
    if (result.empty) {
      forwarded.destroy();
      await answered.catch(() => undefined);
      if (!response.headersSent) response.writeHead(204).end();
      return;
    }
    await answered.catch((error: unknown) => {
      if (!response.destroyed) throw error;
    });
  } finally {
    response.off('close', gone);
    body.stop();
    if (!response.writableEnded || !forwarded.writableFinished) endOnceSent(forwarded);
  }
}

function forward(streamUrl: string, request: IncomingMessage, invocationId: string): ClientRequest {
  const headers: OutgoingHttpHeaders = { ...request.headers };
  for (const name of notForwarded) delete headers[name];
  // Node frames no body of a GET, HEAD, DELETE or OPTIONS by itself: unframed, it would be read as the next request.
  if (request.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked';
  headers['x-ms-invocation-id'] = invocationId;
  headers['x-forwarded-host'] = request.headers.host ?? 'localhost';
  headers['x-forwarded-proto'] = 'http';
  const { port } = new URL(streamUrl);
  return httpRequest({ host: '127.0.0.1', port, agent, method: request.method, path: request.url, headers });
}

/**
 * Ends the request to the app, but not before it got there: a run waits for its request, and one that never comes would be
 * waited for until the function's timeout.
 */
function endOnceSent(forwarded: ClientRequest): void {
  const end = () => setImmediate(() => forwarded.destroy());
  const { socket } = forwarded;
  if (socket === null) forwarded.once('socket', (given) => (given.connecting ? given.once('connect', end) : end()));
  else if (socket.connecting) socket.once('connect', end);
  else forwarded.destroy();
}

async function passAnswer(forwarded: ClientRequest, response: ServerResponse): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  forwarded
    .once('response', resolve)
    .once('error', reject)
    .once('close', () => reject(new Error('The app closed the connection.')));
  const answer = await promise;
  const headers: OutgoingHttpHeaders = { ...answer.headers };
  for (const name of notForwarded) delete headers[name];
  response.writeHead(answer.statusCode ?? 500, headers);
  await pipeline(answer, response);
}

interface SentBody {
  /** Rejects with BodyTooLargeError when the body is longer than the limit, and never resolves. */
  readonly tooLarge: Promise<never>;
  /** Sends nothing more. The rest of the body is for the caller to drop. */
  stop(): void;
}

/**
 * Sends a request's body on. No pipeline of streams: that would end the connection of a caller whose body the app leaves
 * unread, before the answer got there.
 */
function sendBody(request: IncomingMessage, forwarded: ClientRequest, limit: number): SentBody {
  const { promise: tooLarge, reject } = Promise.withResolvers<never>();
  tooLarge.catch(() => undefined);
  let size = 0;
  const resume = () => void request.resume();
  const take = (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) {
      stop();
      reject(new BodyTooLargeError());
    } else if (!forwarded.write(chunk)) request.pause();
  };
  const end = () => void forwarded.end();
  const stop = () => {
    request.off('data', take).off('end', end);
    forwarded.off('drain', resume);
  };
  // A failure of either side is seen where the answer is awaited.
  forwarded.on('drain', resume).once('close', stop).on('error', stop);
  request
    .on('data', take)
    .once('end', end)
    .on('error', () => undefined)
    .resume();
  return { tooLarge, stop };
}
