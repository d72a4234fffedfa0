import { randomUUID } from 'node:crypto';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Agent, request as httpRequest } from 'node:http';
import { Transform } from 'node:stream';
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
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) throw new BodyTooLargeError();
  const invocationId = randomUUID();
  const forwarded = forward(streamUrl, request, invocationId);
  const answered = passAnswer(forwarded, response);
  // Either may fail while the other is awaited: a caller that hangs up ends both.
  answered.catch(() => undefined);
  const sent = pipeline(request, limitBytes(bodyLimit), forwarded);
  const gone = () => forwarded.destroy();
  response.once('close', gone);
  try {
    const run = invoke(description, { data: { http: {} }, metadata: toTriggerMetadata(values), invocationId });
    const tooLarge = sent.catch((error: unknown) => {
      // A handler may answer without reading the body, or the caller may hang up: both end the upload, neither is an error.
      if (error instanceof BodyTooLargeError) throw error;
      return run;
    });
    const [result] = await Promise.all([run, tooLarge.then(() => undefined)]);
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
    if (!response.writableEnded) forwarded.destroy();
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

function limitBytes(limit: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > limit) done(new BodyTooLargeError());
      else done(null, chunk);
    },
  });
}
