import { setTimeout as sleep } from 'node:timers/promises';
import type { ElapsedClock } from './elapsed-clock.ts';
import { PlaneProblem, PlaneUnreachable } from './plane-problem.ts';

/** How long a call may be repeated, and what ends it sooner. */
export type RetryBounds = {
  /** Clock reading after which no further try starts. A function, because a lease moves while a long upload runs. */
  readonly until: () => number;
  readonly signal?: AbortSignal | undefined;
};

/** Tries once, whatever happens. */
export const once: RetryBounds = { until: () => Number.NEGATIVE_INFINITY };

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;
const RETRYABLE_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Errors of sockets and names: the request may never have arrived. A refused certificate, say, is not among them. */
const CONNECTION_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ECONNABORTED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_CONSTANT',
  'ERR_SOCKET_CLOSED',
]);

/** Whether repeating the same call may succeed: connection errors, 429 and 502-504. Any other refusal is an answer. */
export function isWorthRepeating(error: unknown): boolean {
  if (error instanceof PlaneProblem) return RETRYABLE_STATUS.has(error.status);
  if (error instanceof PlaneUnreachable) return true;
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && CONNECTION_CODES.has(error.code)
  );
}

/**
 * Repeats a call while that may help, with exponential back-off and full jitter (so that a plane that comes back is not met by
 * all its workers at once), never earlier than `Retry-After` asks.
 *
 * @throws the last problem when the plane answered, {@link PlaneUnreachable} when it did not, the signal's reason when aborted.
 */
export async function withRetries<T>(
  what: string,
  bounds: RetryBounds,
  now: ElapsedClock,
  step: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    bounds.signal?.throwIfAborted();
    try {
      return await step(attempt);
    } catch (error) {
      bounds.signal?.throwIfAborted();
      if (!isWorthRepeating(error)) throw error;
      const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 10));
      const asked = error instanceof PlaneProblem ? (error.retryAfterMs ?? 0) : 0;
      const delay = Math.max(asked, Math.random() * ceiling);
      if (now() + delay >= bounds.until()) throw asFinal(what, attempt + 1, error);
      await sleep(delay, undefined, { signal: bounds.signal }).catch(() => undefined);
    }
  }
}

function asFinal(what: string, tries: number, error: unknown): Error {
  if (error instanceof PlaneProblem || error instanceof PlaneUnreachable) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new PlaneUnreachable(
    `${what} had no answer after ${tries} ${tries === 1 ? 'try' : 'tries'}: ${reason}. Is the control plane running and reachable?`,
    { cause: error },
  );
}
