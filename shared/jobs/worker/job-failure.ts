import type { Failure } from '../../domain/failure.ts';
import { PlaneProblem, PlaneUnreachable } from '../client/plane-problem.ts';
import { TaskFailure } from '../task.ts';

// The bounds of a failure in domain/job/outcome.ts.
const MESSAGE_LENGTH = 2_000;
const CODE_LENGTH = 64;
const TRIED_ITEMS = 20;
const TRIED_LENGTH = 500;
const STABLE_CODE = /^[A-Z][A-Z0-9_-]{2,63}$/;

/**
 * What an error thrown by a handler means for its job. A `TaskFailure` says so itself; anything else is the environment's
 * fault and may pass, with the error's own stable code where it has one (`ENOSPC`, `GIT-TIMED-OUT`), so that equal faults have
 * equal signatures.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof TaskFailure) return error.failure;
  const message = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, MESSAGE_LENGTH);
  const retryable = { kind: 'retryable', class: 'environment', message } as const;
  if (error instanceof PlaneProblem || error instanceof PlaneUnreachable)
    return { ...retryable, class: 'transient_infra', code: error.code };
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' && STABLE_CODE.test(error.code)
      ? error.code
      : 'HANDLER-FAILED';
  return { ...retryable, code };
}

export const timedOut = (task: string, timeoutMs: number): Failure => ({
  kind: 'retryable',
  class: 'environment',
  code: 'JOB-TIMED-OUT',
  message: `The task ${task} did not finish within the ${timeoutMs} ms its job allows and was ended.`,
});

export const unknownTask = (task: string, known: readonly string[]): Failure => ({
  kind: 'terminal',
  code: 'TASK-UNKNOWN',
  message: `This worker has no task ${task.slice(0, 64)}; it knows ${known.join(', ') || 'none'}. The blueprint names a task that the workers of its pool don't have: update one of them.`,
});

/** The failure within the protocol's bounds: one that is too long would be refused, and its job would run again for that. */
export function boundedFailure(failure: Failure): Failure {
  const text = (long: string): string => long.slice(0, MESSAGE_LENGTH);
  if (failure.kind === 'cancelled') return { ...failure, message: text(failure.message) };
  const code = failure.code.slice(0, CODE_LENGTH);
  if (failure.kind !== 'needs_human') return { ...failure, code, message: text(failure.message) };
  const tried = failure.tried?.slice(0, TRIED_ITEMS).map((each) => each.slice(0, TRIED_LENGTH));
  return { ...failure, code, question: text(failure.question), ...(tried === undefined ? {} : { tried }) };
}
