import type { Failure } from '../../domain/failure.ts';
import { type TaskContext, TaskFailure, type TaskHandler } from '../../jobs/task.ts';
import { type RefusalCode, SandboxRefusal } from '../../sandbox/refusal.ts';

/** What another attempt may cure: the machine's state, not the input's. */
const environmentCodes: ReadonlySet<RefusalCode> = new Set([
  'SANDBOX-SETUP-FAILED',
  'WORKSPACE-EXISTS',
  'GIT-FAILED',
  'GIT-TIMED-OUT',
  'TREE-CHANGED-WHILE-READ',
]);

/** Nothing is wrong with the work or with this machine: what was asked for elsewhere did not come, or went. */
const infrastructureCodes: ReadonlySet<RefusalCode> = new Set(['SANDBOX-POOL-BUSY', 'SANDBOX-SESSION-LOST']);

/** A refusal of the sandbox or git layer as the failure of a job. */
export function failureOfRefusal(refusal: SandboxRefusal): Failure {
  const where = refusal.path === null ? '' : ` (${refusal.path})`;
  if (refusal.code === 'GIT-CANCELLED') return { kind: 'cancelled', message: refusal.message };
  if (environmentCodes.has(refusal.code))
    return { kind: 'retryable', class: 'environment', code: refusal.code, message: refusal.message };
  if (infrastructureCodes.has(refusal.code))
    return { kind: 'retryable', class: 'transient_infra', code: refusal.code, message: refusal.message };
  return {
    kind: 'needs_human',
    code: refusal.code,
    question:
      `${refusal.message}${where}. The work can't go on with this input. Correct it and submit again, or say how to proceed?`.slice(
        0,
        2_000,
      ),
  };
}

/** The handler with refusals of the layers below turned into failures; other errors are left to the worker. */
export function withRefusals(handler: TaskHandler): TaskHandler {
  return async (context: TaskContext) => {
    try {
      return await handler(context);
    } catch (error) {
      if (error instanceof SandboxRefusal) throw new TaskFailure(failureOfRefusal(error));
      throw error;
    }
  };
}
