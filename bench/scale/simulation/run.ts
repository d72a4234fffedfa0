import type { Figures } from '../engine/figures.ts';
import { createGauge } from '../engine/gauge.ts';
import { createHistogram } from '../engine/histogram.ts';
import { type Process, start } from '../engine/process.ts';
import type { Profile } from '../profiles/profile.ts';
import { isContainerPool } from '../services/pools.ts';
import type { Load } from '../services/service-model.ts';
import { scalers, sweep } from './background.ts';
import { requestLife } from './request.ts';
import { createWorld, type World } from './world.ts';

/** How requests come: at random at the load's rate for some hours, or all within some minutes. */
export type Arrivals =
  | { readonly kind: 'steady'; readonly warmUpHours: number; readonly hours: number }
  | {
      readonly kind: 'campaign';
      readonly requests: number;
      readonly withinMinutes: number;
      readonly atMostHours: number;
    };

export type Outcome = {
  readonly submitted: number;
  readonly ended: number;
  /** Requests that had not ended when the run did. */
  readonly open: number;
  /** Hours that were measured. */
  readonly hours: number;
  readonly endedPerHour: number;
  /** Mean number of open requests. */
  readonly openMean: number;
  /** Milliseconds from submission to end, people included. */
  readonly requestMean: number;
  readonly requestP50: number;
  readonly requestP99: number;
  /** Milliseconds that a job waited for a worker, over all pools. */
  readonly queueP50: number;
  readonly queueP99: number;
  readonly services: ReadonlyMap<string, Figures>;
  readonly containerSeconds: number;
  readonly executions: number;
  readonly sessionSeconds: number;
};

const HOUR = 3_600_000;

/** Runs a load on a profile in virtual time. The same arguments give the same outcome. */
export function simulate(profile: Profile, load: Load, arrivals: Arrivals, seed: number): Outcome {
  const world = createWorld(profile, load, seed);
  const { clock } = world;
  const durations = createHistogram();
  const open = createGauge(clock);
  let [submitted, ended] = [0, 0];
  let from = 0;
  let lastEnd = 0;

  function* life(application: number): Process {
    const submittedAt = clock.now();
    submitted += 1;
    open.add(1);
    yield* requestLife(world, load.line, application);
    open.add(-1);
    ended += 1;
    lastEnd = clock.now();
    durations.add(clock.now() - submittedAt);
  }
  const submit = (): void => start(clock, life(submitted % load.applications));

  start(clock, sweep(world));
  start(clock, scalers(world));
  if (arrivals.kind === 'steady') {
    start(clock, poisson(world, HOUR / load.requestsPerHour, submit));
    clock.run(arrivals.warmUpHours * HOUR);
    for (const each of [...world.measured.values(), world.ages, open, durations]) each.clear();
    from = clock.now();
    [submitted, ended] = [0, 0];
    clock.run(from + arrivals.hours * HOUR);
  } else {
    const gap = (arrivals.withinMinutes * 60_000) / arrivals.requests;
    for (let request = 0; request < arrivals.requests; request++) clock.after(request * gap, submit);
    // In steps, so that utilisation is over the time it took and not over an empty tail.
    for (
      let minute = 1;
      minute <= arrivals.atMostHours * 60 && (open.level() > 0 || submitted < arrivals.requests);
      minute++
    )
      clock.run(minute * 60_000);
  }
  const hours = (clock.now() - from) / HOUR;
  const containers = [...world.pools].filter(([name]) => isContainerPool(name)).map(([, pool]) => pool);
  return {
    submitted,
    ended,
    open: open.level(),
    openMean: open.mean(),
    hours,
    endedPerHour: ended / (arrivals.kind === 'campaign' ? lastEnd / HOUR : hours),
    requestMean: durations.count() === 0 ? 0 : durations.sum() / durations.count(),
    requestP50: durations.percentile(0.5),
    requestP99: durations.percentile(0.99),
    queueP50: world.ages.percentile(0.5),
    queueP99: world.ages.percentile(0.99),
    services: new Map([...world.measured].map(([name, each]) => [name, each.figures()])),
    containerSeconds: containers.reduce((sum, pool) => sum + pool.executionSeconds(), 0),
    executions: containers.reduce((sum, pool) => sum + pool.started(), 0),
    sessionSeconds:
      (world.sessions.figures().utilisation * profile.maximumSessions * profile.sessionPools * (clock.now() - from)) /
      1_000,
  };
}

function* poisson({ chance }: World, meanMs: number, arrive: () => void): Process {
  for (;;) {
    yield chance.exponential(meanMs);
    arrive();
  }
}
