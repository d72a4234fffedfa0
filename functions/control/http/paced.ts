import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Under which the host passes an invocation's request on to the app. */
const INVOCATION = 'x-ms-invocation-id';

/**
 * The answers that are open, by invocation. The functions library writes a body into its answer as fast as the body comes and never waits for
 * its reader, so that a slow one would have the whole of it in this process's memory. Node tells of each answer that begins; by that the
 * bodies here wait for their readers themselves.
 */
const open = new Map<string, ServerResponse>();

subscribe('http.server.request.start', (message) => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  const invocation = request.headers[INVOCATION];
  if (typeof invocation !== 'string') return;
  open.set(invocation, response);
  response.once('close', () => open.delete(invocation));
});

/**
 * A body that gives no more than its reader takes: what is held of it is a chunk or two, and what the connection buffers. It ends with
 * its connection. How slow a reader may be is the host's to say.
 */
export async function* paced(body: AsyncIterable<Uint8Array>, invocation: string): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    const answer = open.get(invocation);
    if (answer !== undefined && !(await hasRoom(answer))) return;
    yield chunk;
  }
}

/** Waits until the connection has taken what was written; false when it is gone. */
async function hasRoom(answer: ServerResponse): Promise<boolean> {
  if (answer.destroyed) return false;
  if (!answer.writableNeedDrain) return true;
  const { promise, resolve } = Promise.withResolvers<void>();
  answer.once('drain', resolve).once('close', resolve);
  await promise;
  answer.off('drain', resolve).off('close', resolve);
  return !answer.destroyed;
}
