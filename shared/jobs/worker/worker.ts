import { randomBytes } from 'node:crypto';
import type { Pool } from '../../domain/blueprint/schema.ts';
import { crossing } from '../../telemetry/crash-point.ts';
import type { PlaneClient } from '../client/plane-client.ts';
import { PlaneProblem, PlaneUnreachable } from '../client/plane-problem.ts';
import { hintSchema } from '../protocol.ts';
import type { TaskHandler } from '../task.ts';
import { claimAsked, tracedAttempt } from './attempt-span.ts';
import type { Ended, JobEnd } from './report-work.ts';
import { runJob } from './run-job.ts';
import { slots } from './slots.ts';
import { openWorkDirectories } from './work-directories.ts';
import type { WorkerLog } from './worker-log.ts';

export type WorkerOptions = {
  readonly plane: PlaneClient;
  /** By task name. */
  readonly handlers: Readonly<Record<string, TaskHandler>>;
  readonly dataDirectory: string;
  /** Jobs at once in this process, over all its pools. */
  readonly concurrency: number;
  readonly log: WorkerLog;
  /** How long a claim is tried again while control is out of reach: the queue's lock time. */
  readonly claimForMs?: number;
  /** How long a handler may take to stop once it was told to. */
  readonly graceMs?: number;
};

/** Why the claiming for one hint ended. */
export type HintEnd = 'pool_empty' | 'dropped' | 'busy' | 'unreachable' | 'refused' | 'stopping' | 'long_enough';
export type HintRun = { readonly end: HintEnd; readonly jobs: readonly JobEnd[] };

export type Worker = {
  /**
   * Claims and runs jobs of the pool, one after another, until there is none. Never throws and never needs its message again:
   * a hint that achieved nothing costs nothing, since the plane hints queued jobs again.
   */
  runHint(hint: {
    readonly body: unknown;
    readonly messageId: string;
    readonly pool: string;
    /** The `traceparent` of the message, when it has one. */
    readonly traceparent?: unknown;
  }): Promise<HintRun>;
  /** The same without a message: for a process that was started to work off the pool. `name` is part of its claims' ids. */
  runPool(pool: Pool, name: string): Promise<HintRun>;
  /** Tells every handler to stop, releases what did not finish, and waits for it. */
  stop(): Promise<void>;
  readonly statistics: () => { readonly hintsDropped: number; readonly jobs: Readonly<Record<JobEnd, number>> };
};

const CLAIM_FOR_MS = 30_000;
const GRACE_MS = 10_000;
/** One hint's claiming ends after this, well inside the 30 minutes a function may run; jobs still queued have hints of their own. */
const HINT_MS = 10 * 60_000;

export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { plane, log } = options;
  const directories = await openWorkDirectories(options.dataDirectory);
  const places = slots(options.concurrency);
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();
  const counts: Record<JobEnd, number> = { completed: 0, failed: 0, released: 0, lost: 0 };
  const claimForMs = options.claimForMs ?? CLAIM_FOR_MS;
  const environment = {
    plane,
    handlers: options.handlers,
    directories,
    log,
    stopping: stopping.signal,
    graceMs: options.graceMs ?? GRACE_MS,
  };
  const processName = randomBytes(9).toString('base64url');
  let hintsDropped = 0;
  let claims = 0;

  /**
   * Names one claim: the tries of it share the name, so that one whose answer was lost gets its lease at the next try. Two claims never
   * do, or a message delivered again while its first delivery still works would run the same job twice under one lease.
   */
  const claimId = (messageId: string): string =>
    `${messageId.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 80)}.${processName}.${++claims}`;

  /** Claims one job and runs it: answers how it ended, or why there was none. */
  const claimAndRun = async (
    pool: string,
    messageId: string,
    hinted: unknown,
  ): Promise<Ended | { readonly none: HintEnd }> => {
    const until = plane.now() + claimForMs;
    const free =
      places.takeFree() ?? (await places.take(AbortSignal.any([stopping.signal, AbortSignal.timeout(claimForMs)])));
    if (free === null) return { none: stopping.signal.aborted ? 'stopping' : 'busy' };
    let straggler: Promise<unknown> | null = null;
    try {
      const asked = claimAsked(hinted);
      const claimed = await crossing('worker.claim', () =>
        plane.claimNext(pool, claimId(messageId), { until: () => until, signal: stopping.signal }),
      );
      if (claimed === null) return { none: 'pool_empty' };
      const run = await tracedAttempt(claimed.claim, asked, () => runJob(claimed, environment));
      straggler = run.straggler;
      counts[run.end]++;
      return run;
    } finally {
      if (straggler === null) free();
      else void straggler.then(free);
    }
  };

  const claimUntilEmpty = async (pool: string, messageId: string, hinted?: unknown): Promise<HintRun> => {
    const jobs: JobEnd[] = [];
    const until = plane.now() + HINT_MS;
    try {
      while (plane.now() < until) {
        if (stopping.signal.aborted) return { end: 'stopping', jobs };
        const step = await claimAndRun(pool, messageId, jobs.length === 0 ? hinted : undefined);
        if ('none' in step) return { end: step.none, jobs };
        jobs.push(step.end);
        // The plane looked as it ended this one: what was queued after that has a hint of its own.
        if (!step.more) return { end: 'pool_empty', jobs };
      }
      return { end: 'long_enough', jobs };
    } catch (error) {
      if (stopping.signal.aborted) return { end: 'stopping', jobs };
      const end =
        error instanceof PlaneUnreachable || (error instanceof PlaneProblem && error.status >= 500)
          ? 'unreachable'
          : 'refused';
      log('worker.claim.failed', {
        pool,
        end,
        reason: error instanceof Error ? error.message : String(error),
      });
      return { end, jobs };
    }
  };

  const tracked = (run: Promise<HintRun>): Promise<HintRun> => {
    running.add(run);
    return run.finally(() => running.delete(run));
  };

  return {
    async runHint({ body, messageId, pool, traceparent }) {
      const hint = hintSchema.safeParse(asValue(body));
      if (!hint.success || hint.data.pool !== pool) {
        hintsDropped++;
        log('worker.hint.dropped', {
          pool,
          messageId: messageId.slice(0, 128),
          hintsDropped,
        });
        return { end: 'dropped', jobs: [] };
      }
      return tracked(claimUntilEmpty(pool, messageId, traceparent));
    },
    runPool: (pool, name) => tracked(claimUntilEmpty(pool, name)),
    async stop() {
      stopping.abort(new Error('the worker is stopping'));
      await Promise.allSettled(running);
      await directories.close();
      plane.close();
    },
    statistics: () => ({ hintsDropped, jobs: { ...counts } }),
  };
}

/** Hosts hand a JSON body over parsed, or as text when its sender named no content type. */
function asValue(body: unknown): unknown {
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
