import type { Pool as PoolName } from '../../../shared/domain/blueprint/schema.ts';
import { jobsOf } from '../demand/of-request.ts';
import { type Chance, chance } from '../engine/chance.ts';
import { type Clock, createClock } from '../engine/clock.ts';
import type { Figures, Measured } from '../engine/figures.ts';
import { createHistogram, type Histogram } from '../engine/histogram.ts';
import { createMeter, type Meter } from '../engine/meter.ts';
import { createStation, type Station } from '../engine/station.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import type { Profile } from '../profiles/profile.ts';
import { busRate, serviceBus } from '../services/bus.ts';
import { controlCores, controlProcessor, controlRequests, httpConcurrency } from '../services/control.ts';
import { actionRate, durable } from '../services/durable.ts';
import { keyRate, keyVault } from '../services/keys.ts';
import { poolService } from '../services/pools.ts';
import type { Load } from '../services/service-model.ts';
import { sessions } from '../services/sessions.ts';
import { auditStream, logRate, sqlLog, sqlProcessor } from '../services/sql.ts';
import { blobs } from '../services/storage.ts';
import { createPool, type Pool } from './pool.ts';
import { shapeOf } from './shape.ts';

/** A plane in virtual time: every limit as a station, a meter or a pool. */
export type World = {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly profile: Profile;
  readonly control: Station;
  readonly processor: Station;
  readonly sql: Station;
  readonly log: Meter;
  readonly streams: readonly Station[];
  readonly bus: Meter;
  readonly durable: Meter;
  readonly keys: Meter;
  readonly blobs: Meter;
  readonly sessions: Station;
  readonly pools: ReadonlyMap<PoolName, Pool>;
  /** How long jobs waited for a worker, in every pool. */
  readonly ages: Histogram;
  /** By the name of the service each stands for. */
  readonly measured: ReadonlyMap<string, Measured>;
};

/** Credits of a namespace come by the second. */
const SECOND = 1;

export function createWorld(profile: Profile, load: Load, seed: number): World {
  const clock = createClock();
  const control = createStation(clock, profile.controlScale.maximumInstanceCount * httpConcurrency(profile));
  const processor = createStation(clock, controlCores(profile));
  const sql = createStation(clock, profile.sqlVCores);
  const log = createMeter(clock, logRate(profile), SECOND);
  const streams = Array.from({ length: load.applications }, () => createStation(clock, 1));
  const bus = createMeter(clock, busRate(profile), SECOND);
  const actions = createMeter(clock, actionRate(profile), SECOND);
  const keys = createMeter(clock, keyRate(profile), LIMITS_OF_SERVICES.keyWindow.value);
  const requests = createMeter(clock, blobs.capacity(profile, load), SECOND);
  const sandboxes = createStation(clock, profile.maximumSessions * profile.sessionPools);
  const ages = createHistogram();
  const pools = new Map(
    [...new Set(jobsOf(load.line).map(({ pool }) => pool))].map((pool) => [
      pool,
      createPool(clock, shapeOf(pool, profile), ages),
    ]),
  );
  const measured = new Map<string, Measured>([
    [controlRequests.name, control],
    [controlProcessor.name, processor],
    [sqlProcessor.name, sql],
    [sqlLog.name, log],
    [auditStream.name, together(streams)],
    [serviceBus.name, bus],
    [durable.name, actions],
    [keyVault.name, keys],
    [blobs.name, requests],
    [sessions.name, sandboxes],
    ...[...pools].map(([pool, each]) => [poolService(pool).name, each] as const),
  ]);
  return {
    clock,
    chance: chance(seed),
    profile,
    control,
    processor,
    sql,
    log,
    streams,
    bus,
    durable: actions,
    keys,
    blobs: requests,
    sessions: sandboxes,
    pools,
    ages,
    measured,
  };
}

/** Equal stations as one: means of them all, and of the waits the worst. */
function together(stations: readonly Station[]): Measured {
  return {
    figures() {
      const each = stations.map((station) => station.figures());
      const sum = (of: (figures: Figures) => number): number => each.reduce((total, figures) => total + of(figures), 0);
      const worst = (of: (figures: Figures) => number): number => Math.max(...each.map(of));
      return {
        arrivals: sum(({ arrivals }) => arrivals),
        waitMean:
          sum(({ waitMean, arrivals }) => waitMean * arrivals) /
          Math.max(
            1,
            sum(({ arrivals }) => arrivals),
          ),
        waitP50: worst(({ waitP50 }) => waitP50),
        waitP99: worst(({ waitP99 }) => waitP99),
        queueMean: sum(({ queueMean }) => queueMean),
        queueMost: worst(({ queueMost }) => queueMost),
        utilisation: sum(({ utilisation }) => utilisation) / stations.length,
      };
    },
    clear() {
      for (const station of stations) station.clear();
    },
  };
}
