import type { Clock } from '../engine/clock.ts';
import { type Figures, type Measured, waitsOf } from '../engine/figures.ts';
import { createGauge } from '../engine/gauge.ts';
import { createHistogram, type Histogram } from '../engine/histogram.ts';
import { type Process, start, type Waitable } from '../engine/process.ts';

/** How the workers of a pool come and go. */
export type PoolShape = {
  /** Executions or instances at once. */
  readonly most: number;
  /** Of them, kept ready: they wait for jobs instead of ending. */
  readonly standing: number;
  /** Jobs at once in each. */
  readonly lanes: number;
  /** Leases of the pool that the plane gives out at once. */
  readonly leases: number;
  /** Milliseconds until a new one makes its first claim. */
  readonly startMs: number;
  /** How often the scaler looks, and how many messages it reckons for one. */
  readonly intervalMs: number;
  readonly messagesEach: number;
  /**
   * Whether the message of a job that is worked on is still on its queue. The scaler takes those that run off what it finds there: were hints
   * completed at the claim, it would start nothing as long as more run than wait.
   */
  readonly hintsHeld: boolean;
};

export type Pool = Measured & {
  /** Queues a job; `life` begins with its claim and ends with what follows its result. */
  submit(life: () => Process): void;
  /** Seconds that executions ran, starts included, since the last clearing. */
  executionSeconds(): number;
  started(): number;
};

/** One worker goes on claiming for this long (`shared/jobs/worker/worker.ts`). */
const CLAIMS_FOR_MS = 10 * 60_000;

/** Workers of a pool and the scaler that starts them (KEDA's rule for jobs: what is wanted, less what runs). Waits go into `everywhere` too. */
export function createPool(clock: Clock, shape: PoolShape, everywhere: Histogram): Pool {
  const ages = createHistogram();
  const queued = createGauge(clock);
  const executions = createGauge(clock);
  const queue: { readonly life: () => Process; readonly since: number }[] = [];
  const idle: (() => void)[] = [];
  let head = 0;
  let working = 0;
  let started = 0;
  let cleared = clock.now();

  const untilJobs: Waitable = {
    wait(resume) {
      idle.push(resume);
      return false;
    },
  };

  const taken = (): { readonly life: () => Process } | undefined => {
    const first = working < shape.leases ? queue[head] : undefined;
    if (first === undefined) return undefined;
    head += 1;
    queued.add(-1);
    for (const histogram of [ages, everywhere]) histogram.add(clock.now() - first.since);
    return first;
  };

  function* lane(standing: boolean): Process {
    for (let until = clock.now() + CLAIMS_FOR_MS; standing || clock.now() < until; ) {
      const job = taken();
      if (job !== undefined) {
        working += 1;
        yield* job.life();
        working -= 1;
        continue;
      }
      if (!standing) return;
      yield untilJobs;
      until = clock.now() + CLAIMS_FOR_MS;
    }
  }

  function* execution(standing: boolean): Process {
    yield standing ? 0 : shape.startMs;
    let open = shape.lanes;
    let end: (() => void) | undefined;
    for (let index = 0; index < shape.lanes; index++) {
      start(
        clock,
        (function* (): Process {
          yield* lane(standing);
          open -= 1;
          if (open === 0) end?.();
        })(),
      );
    }
    if (open > 0)
      yield {
        wait(resume) {
          end = resume;
          return false;
        },
      };
    executions.add(-1);
  }

  function begin(standing: boolean): void {
    executions.add(1);
    if (!standing) started += 1;
    start(clock, execution(standing));
  }

  function look(): void {
    const messages = queue.length - head + (shape.hintsHeld ? working : 0);
    const wanted = Math.min(Math.ceil(messages / shape.messagesEach), shape.most) - executions.level();
    for (let index = 0; index < wanted; index++) begin(false);
    clock.after(shape.intervalMs, look);
  }

  for (let index = 0; index < Math.min(shape.standing, shape.most); index++) begin(true);
  clock.after(shape.intervalMs / 2, look);

  return {
    submit(life) {
      queue.push({ life, since: clock.now() });
      queued.add(1);
      const resume = idle.shift();
      if (resume !== undefined) clock.after(0, resume);
    },
    executionSeconds: () => (executions.mean() * (clock.now() - cleared)) / 1_000,
    started: () => started,
    figures(): Figures {
      return {
        ...waitsOf(ages),
        queueMean: queued.mean(),
        queueMost: queued.most(),
        utilisation: executions.mean() / shape.most,
      };
    },
    clear() {
      for (const each of [ages, queued, executions]) each.clear();
      cleared = clock.now();
      started = 0;
    },
  };
}
