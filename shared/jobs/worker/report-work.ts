import type { Failure } from '../../domain/failure.ts';
import { type Outcome, outcome as outcomeSchema } from '../../domain/job/outcome.ts';
import { crossing } from '../../telemetry/crash-point.ts';
import type { LeaseProof } from '../client/plane-call.ts';
import type { PlaneClient, Reported } from '../client/plane-client.ts';
import { isLeaseLost, PlaneProblem } from '../client/plane-problem.ts';
import type { RetryBounds } from '../client/retry.ts';
import type { ClaimAnswer, CompleteBody } from '../protocol.ts';
import type { TaskResult } from '../task.ts';
import { boundedFailure, failureOf, timedOut } from './job-failure.ts';
import { type LeaseKeeper, LeaseLost } from './lease-keeper.ts';

/** How a job ended for this worker. `lost`: nothing was told to the plane, expiry decides. */
export type JobEnd = 'completed' | 'failed' | 'released' | 'lost';

/** How a job ended, and whether its pool may have more to do. */
export type Ended = Reported & { readonly end: JobEnd };

/** How a handler ended: with what it answered or threw, or not at all. */
export type HandlerEnd = { readonly result: TaskResult } | { readonly error: unknown } | 'still_running';

export type WorkDone = {
  readonly ended: HandlerEnd;
  readonly outputs: CompleteBody['outputs'];
  /** The job's own time was over. */
  readonly overdue: boolean;
};

export type Reporting = {
  readonly plane: PlaneClient;
  readonly lease: LeaseProof;
  readonly keeper: LeaseKeeper;
  readonly claim: ClaimAnswer;
  readonly stopping: boolean;
};

/**
 * Tells the plane what became of a job. A result counts even when it came after the signal: the work is done and the lease is
 * still ours.
 *
 * @throws LeaseLost, or what the plane client throws, when there is nobody to tell.
 */
export async function reportWork({ ended, outputs, overdue }: WorkDone, reporting: Reporting): Promise<Ended> {
  const { plane, lease, claim } = reporting;
  const fail = (failure: Failure): Promise<Ended> => reportFailure(reporting, failure, outputs);
  if (ended !== 'still_running' && 'result' in ended) {
    const { result } = ended;
    return 'failure' in result ? fail(result.failure) : reportOutcome(reporting, result.outcome, outputs);
  }
  if (overdue) return fail(timedOut(claim.task, claim.timeoutMs));
  if (reporting.stopping) {
    await plane.release(lease, boundsOf(reporting));
    return { end: 'released', more: true };
  }
  if (ended === 'still_running') throw new LeaseLost('the handler was told to stop');
  if (isLeaseLost(ended.error) || ended.error instanceof LeaseLost) throw ended.error;
  return fail(failureOf(ended.error));
}

/** An outcome that the plane would not take ends its job too: left alone, the job would run again and be refused again. */
async function reportOutcome(reporting: Reporting, outcome: Outcome, outputs: CompleteBody['outputs']): Promise<Ended> {
  const { plane, lease, claim } = reporting;
  const checked = outcomeSchema.safeParse(outcome);
  if (!checked.success) {
    const faults = checked.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    const message = `The task ${claim.task} answered an outcome that is not one: ${faults}`;
    return reportFailure(reporting, { kind: 'terminal', code: 'OUTCOME-INVALID', message }, outputs);
  }
  const body = { outcome: checked.data, outputs };
  try {
    const { more } = await crossing('worker.complete', () => plane.complete(lease, body, boundsOf(reporting)));
    return { end: 'completed', more };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const message = `The plane refused the outcome of task ${claim.task} (${error.code}): ${error.message}`;
    return reportFailure(reporting, { kind: 'terminal', code: 'COMPLETION-REFUSED', message }, []);
  }
}

async function reportFailure(reporting: Reporting, failure: Failure, outputs: CompleteBody['outputs']): Promise<Ended> {
  const { plane, lease } = reporting;
  const body = { failure: boundedFailure(failure), outputs };
  const { more } = await crossing('worker.fail', () => plane.fail(lease, body, boundsOf(reporting)));
  return { end: 'failed', more };
}

/** A report is tried again for as long as the lease is trusted. */
const boundsOf = ({ keeper }: Reporting): RetryBounds => ({ until: keeper.trustedUntil, signal: keeper.signal });

const isRefusal = (error: unknown): error is PlaneProblem =>
  error instanceof PlaneProblem && error.status < 500 && error.status !== 429 && !isLeaseLost(error);
