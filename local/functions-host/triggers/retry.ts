import { setTimeout } from 'node:timers/promises';
import type { InvocationResult } from '../app/function-app.ts';
import type { FunctionDescription, ProtocolDuration, RetryPolicy } from '../app/function-description.ts';
import type { Invocation, Invoke } from '../invoke.ts';

/** Runs a function and, when it fails and has a retry policy, again as the policy says. `stop` ends the waiting. */
export async function invokeWithRetry(
  invoke: Invoke,
  description: FunctionDescription,
  invocation: Invocation,
  stop: AbortSignal,
): Promise<InvocationResult> {
  const policy = description.retry;
  for (let attempt = 0; ; attempt++) {
    const retryContext =
      policy === undefined || attempt === 0
        ? {}
        : { retryContext: { retryCount: attempt, maxRetryCount: policy.maxRetryCount } };
    try {
      return await invoke(description, { ...invocation, ...retryContext });
    } catch (error) {
      const spent = policy === undefined || (policy.maxRetryCount >= 0 && attempt >= policy.maxRetryCount);
      if (spent || stop.aborted) throw error;
      await setTimeout(retryDelay(policy, attempt), undefined, { signal: stop });
    }
  }
}

/** Milliseconds before the attempt after `attempt`. */
function retryDelay(policy: RetryPolicy, attempt: number): number {
  if (policy.retryStrategy !== 'exponentialBackoff') return toMilliseconds(policy.delayInterval);
  return Math.min(
    toMilliseconds(policy.maximumInterval),
    toMilliseconds(policy.minimumInterval) * 2 ** Math.min(attempt, 30),
  );
}

function toMilliseconds(duration: ProtocolDuration | undefined): number {
  return Number(duration?.seconds ?? 0) * 1000 + Number(duration?.nanos ?? 0) / 1e6;
}
