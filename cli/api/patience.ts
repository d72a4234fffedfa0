import { PlaneProblem, PlaneUnreachable } from '../../shared/jobs/client/plane-problem.ts';
import { ApiProblem } from './api-problem.ts';

/** How long a call is repeated while the plane runs and does not serve: its control may be starting again after a kill. */
const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** What a failed exchange says about the call it was for. */
export type Silence =
  /** Nobody listened: the call did not reach the plane. */
  | 'refused'
  /** The plane said 503: it did not take the call. */
  | 'not_ready'
  /** No whole answer came. The call may have had its effect. */
  | 'lost';

/** Undefined for a failure that is no silence: a refusal by the plane, or a fault of this program. */
export function silenceOf(error: unknown): Silence | undefined {
  if (error instanceof ApiProblem || error instanceof PlaneProblem)
    return error.status === 503 ? 'not_ready' : undefined;
  const cause = error instanceof TypeError ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ECONNREFUSED') return 'refused';
  const lost =
    error instanceof PlaneUnreachable ||
    error instanceof TypeError ||
    (error instanceof Error && error.name === 'TimeoutError') ||
    (typeof code === 'string' && /^E[A-Z]+$/.test(code));
  return lost ? 'lost' : undefined;
}

/**
 * Repeats a call that the plane did not take, and one without an answer if it is `repeatable`, with growing pauses, as long as the
 * plane `runs` and patience lasts. @throws what the last attempt threw.
 */
export async function patiently<T>(
  once: () => Promise<T>,
  options: { readonly repeatable: boolean; readonly runs: () => boolean; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await once();
    } catch (error) {
      const silence = silenceOf(error);
      const again = silence !== undefined && (silence !== 'lost' || options.repeatable);
      if (!again || options.signal?.aborted === true || performance.now() + pauseMs > until || !options.runs())
        throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
