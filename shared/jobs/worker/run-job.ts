import { setTimeout as sleep } from 'node:timers/promises';
import type { LeaseProof } from '../client/plane-call.ts';
import type { Claimed, PlaneClient } from '../client/plane-client.ts';
import { once } from '../client/retry.ts';
import type { ClaimAnswer } from '../protocol.ts';
import type { TaskHandler, TaskResult } from '../task.ts';
import { unknownTask } from './job-failure.ts';
import { keepLease, type LeaseKeeper } from './lease-keeper.ts';
import { type Ended, type HandlerEnd, reportWork, type WorkDone } from './report-work.ts';
import { taskContext } from './task-context.ts';
import type { WorkDirectories } from './work-directories.ts';
import type { WorkerLog } from './worker-log.ts';

export type JobEnvironment = {
  readonly plane: PlaneClient;
  readonly handlers: Readonly<Record<string, TaskHandler>>;
  readonly directories: WorkDirectories;
  readonly log: WorkerLog;
  /** Fires when the process is asked to stop. */
  readonly stopping: AbortSignal;
  /** How long a handler may take to stop once its signal has fired. */
  readonly graceMs: number;
};

/** The handler's own promise, once it was told to stop and did not within its grace; its place stays taken until it settles. */
export type JobRun = Ended & { readonly straggler: Promise<unknown> | null };

/** Runs one claimed job to its end: keeps the lease, calls the handler, reports what became of it. Never throws. */
export async function runJob(claimed: Claimed, environment: JobEnvironment): Promise<JobRun> {
  const { plane, log } = environment;
  const { claim } = claimed;
  const lease: LeaseProof = { job: claim.job, leaseToken: claim.leaseToken, traceparent: claim.traceparent };
  const keeper = await holdLease(claimed, lease, plane);
  if (keeper === null) {
    log('worker.claim.late', { job: claim.job, epoch: claim.epoch });
    return { end: 'lost', more: true, straggler: null };
  }
  let straggler: Promise<unknown> | null = null;
  try {
    const work = await workUnder(keeper, claim, environment);
    straggler = work.straggler;
    keeper.assertHeld();
    const ended = await reportWork(work, { plane, lease, keeper, claim, stopping: environment.stopping.aborted });
    return { ...ended, straggler };
  } catch (error) {
    // The lease is over or the plane is out of reach: the job is found by its expiry, and there is nobody to tell.
    log('worker.job.unreported', {
      job: claim.job,
      epoch: claim.epoch,
      reason: error instanceof Error ? error.message : String(error),
    });
    return { end: 'lost', more: true, straggler };
  } finally {
    keeper.stop();
  }
}

/** A claim whose answer had to be asked for repeatedly may have begun long ago: renew before trusting it. */
async function holdLease(
  { claim, askedAt }: Claimed,
  lease: LeaseProof,
  plane: PlaneClient,
): Promise<LeaseKeeper | null> {
  const options = {
    renew: (signal: AbortSignal) => plane.renew(lease, { ...once, signal }),
    leaseMs: claim.leaseMs,
    now: plane.now,
  };
  if (plane.now() - askedAt < claim.leaseMs / 3) return keepLease({ ...options, heldFrom: askedAt });
  const sentAt = plane.now();
  const renewed = await plane.renew(lease, once).then(
    () => true,
    () => false,
  );
  return renewed ? keepLease({ ...options, heldFrom: sentAt }) : null;
}

type Work = WorkDone & { readonly straggler: Promise<unknown> | null };

async function workUnder(keeper: LeaseKeeper, claim: ClaimAnswer, environment: JobEnvironment): Promise<Work> {
  const { plane, directories, log } = environment;
  const handler = Object.hasOwn(environment.handlers, claim.task) ? environment.handlers[claim.task] : undefined;
  if (handler === undefined)
    return {
      ended: { result: { failure: unknownTask(claim.task, Object.keys(environment.handlers)) } },
      outputs: [],
      overdue: false,
      straggler: null,
    };

  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(new Error(`the job passed its ${claim.timeoutMs} ms`)), claim.timeoutMs);
  try {
    const signal = AbortSignal.any([keeper.signal, timeout.signal, environment.stopping]);
    const directory = await directories.create(claim.job, claim.epoch);
    const { context, outputs } = taskContext({ plane, keeper, claim, signal, directory, log });
    const running = Promise.resolve().then(() => handler(context));
    const tidied = running.catch(() => undefined).then(() => removeQuietly(directories, directory, log));
    const ended = await handlerEnd(running, signal, environment.graceMs);
    if (ended !== 'still_running') await tidied;
    else
      log('worker.handler.overdue', {
        job: claim.job,
        task: claim.task,
      });
    return {
      ended,
      outputs: outputs(),
      overdue: timeout.signal.aborted,
      straggler: ended === 'still_running' ? tidied : null,
    };
  } finally {
    clearTimeout(timer);
  }
}

async function handlerEnd(running: Promise<TaskResult>, signal: AbortSignal, graceMs: number): Promise<HandlerEnd> {
  const settled: Promise<HandlerEnd> = running.then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  const finished = new AbortController();
  const outOfGrace = new Promise<HandlerEnd>((resolve) => {
    const begin = (): void => {
      sleep(graceMs, 'still_running' as const, { signal: finished.signal }).then(resolve, () => undefined);
    };
    if (signal.aborted) begin();
    else signal.addEventListener('abort', begin, { once: true, signal: finished.signal });
  });
  try {
    return await Promise.race([settled, outOfGrace]);
  } finally {
    finished.abort();
  }
}

async function removeQuietly(directories: WorkDirectories, directory: string, log: WorkerLog): Promise<void> {
  try {
    await directories.remove(directory);
  } catch (error) {
    log('worker.directory.kept', {
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}
