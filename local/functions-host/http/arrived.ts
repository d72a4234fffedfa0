import type { IncomingMessage } from 'node:http';

/** How long a body may take before its function is run with what there is, in milliseconds. */
const patience = 1_000;

export type Arrival = 'whole' | 'partial' | 'gone';

/**
 * Waits for the body of a request: until then it costs a socket, and neither a place nor a run of a function. One that is
 * longer than what is held without a reader (64 KiB), or that takes its time, is `partial`, so that a function can answer
 * while it reads.
 */
export function arrived(request: IncomingMessage): Promise<Arrival> {
  const before = arrivalOf(request);
  if (before !== undefined) return Promise.resolve(before);
  const { promise, resolve } = Promise.withResolvers<Arrival>();
  const look = (): void => {
    const now = arrivalOf(request);
    if (now !== undefined) end(now);
  };
  const gone = (): void => end('gone');
  const timer = setTimeout(() => end('partial'), patience);
  const end = (arrival: Arrival): void => {
    clearTimeout(timer);
    request.off('readable', look).off('close', gone).off('error', gone);
    request.socket.off('close', gone);
    resolve(arrival);
  };
  request.on('readable', look).on('close', gone).on('error', gone);
  // One that was answered already is not told that its connection ended.
  request.socket.on('close', gone);
  return promise;
}

function arrivalOf(request: IncomingMessage): Arrival | undefined {
  if (request.complete || bodyless(request)) return 'whole';
  if (request.destroyed || request.socket.destroyed) return 'gone';
  return request.readableLength >= request.readableHighWaterMark ? 'partial' : undefined;
}

/** RFC 9112 §6.3: a request without either field has no body. */
const bodyless = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';
