import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem } from '../../../cli/api/api-problem.ts';
import { openPlaneApi, type PlaneApi } from '../../../cli/api/plane-api.ts';
import { CommandFailure } from '../../../cli/failure.ts';

const CALL_LIMIT_MS = 10_000;
const PATIENCE_MS = 120_000;

/** A local identity's view of a plane that may be dead right now: calls are repeated until one is answered. Each must be safe to repeat. */
export async function openPatientApi(of: { readonly data: string; readonly as: string }): Promise<PlaneApi> {
  const api = await openPlaneApi(of);
  async function patiently<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await call(AbortSignal.timeout(CALL_LIMIT_MS));
      } catch (error) {
        if (!mayPass(error) || performance.now() > deadline) throw error;
        await sleep(150);
      }
    }
  }
  return {
    ...api,
    call: (method, path, call) => patiently((signal) => api.call(method, path, { ...call, signal })),
    fetch: (method, path, call) => patiently((signal) => api.fetch(method, path, { ...call, signal })),
  };
}

/** No answer, a broken one, or the plane's own "not now". */
function mayPass(error: unknown): boolean {
  if (error instanceof ApiProblem) return error.status >= 500 || error.status === 429;
  return (
    error instanceof CommandFailure ||
    error instanceof TypeError ||
    (error instanceof Error && error.name === 'TimeoutError')
  );
}
