import http from 'node:http';
import https from 'node:https';
import { PlaneUnreachable } from './plane-problem.ts';

/** Sockets kept open to the control plane, per process. */
const SOCKETS = 64;

export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
  /** From the call to the first byte of the answer, and between two chunks of its body. */
  readonly timeLimitMs: number;
  readonly signal?: AbortSignal | undefined;
};

/** One exchange over a kept connection. The body of the answer is the caller's to read to its end or destroy. */
export type HttpExchange = {
  send(request: HttpRequest): Promise<http.IncomingMessage>;
  /** Closes the kept connections. */
  close(): void;
};

export function httpExchange(protocol: string): HttpExchange {
  // Nagle's algorithm would hold a small second packet back for the peer's delayed acknowledgement, some 40 ms.
  const options = { keepAlive: true, maxSockets: SOCKETS, noDelay: true, scheduling: 'lifo' } as const;
  const secure = protocol === 'https:';
  const agent = secure ? new https.Agent(options) : new http.Agent(options);
  const start = secure ? https.request : http.request;

  const send = (request: HttpRequest, retriedOnFreshSocket: boolean): Promise<http.IncomingMessage> =>
    new Promise((resolve, reject) => {
      const outgoing = start(request.url, {
        method: request.method,
        agent,
        headers:
          request.body === undefined
            ? request.headers
            : { ...request.headers, 'content-length': Buffer.byteLength(request.body) },
      });
      const limit = () =>
        outgoing.destroy(
          new PlaneUnreachable(
            `${request.method} ${request.url.pathname} had no answer within ${request.timeLimitMs} ms`,
          ),
        );
      const timer = setTimeout(limit, request.timeLimitMs);
      const onAbort = () =>
        outgoing.destroy(request.signal?.reason instanceof Error ? request.signal.reason : new Error('aborted'));
      request.signal?.addEventListener('abort', onAbort, { once: true });
      const settled = () => {
        clearTimeout(timer);
        request.signal?.removeEventListener('abort', onAbort);
      };
      outgoing.once('response', (answer) => {
        clearTimeout(timer);
        answer.setTimeout(request.timeLimitMs, () =>
          answer.destroy(
            new PlaneUnreachable(`${request.method} ${request.url.pathname} stopped in the middle of its answer`),
          ),
        );
        answer.once('close', settled);
        resolve(answer);
      });
      outgoing.once('error', (error) => {
        settled();
        // A kept connection that the server had just closed for being idle: no reason to wait. Should the request have been read
        // after all, every call of the protocol is safe to repeat.
        if (outgoing.reusedSocket && !retriedOnFreshSocket && 'code' in error && error.code === 'ECONNRESET')
          resolve(send(request, true));
        else reject(error);
      });
      if (request.signal?.aborted === true) onAbort();
      outgoing.end(request.body);
    });

  return { send: (request) => send(request, false), close: () => agent.destroy() };
}

/** Reads a whole body into memory, up to `maximumBytes`. */
export async function readBody(answer: http.IncomingMessage, maximumBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maximumBytes)
      throw new Error(`an answer of the control plane passed ${maximumBytes} bytes and was not read further`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
