import type { Process } from '../engine/process.ts';
import { use } from '../engine/station.ts';
import { LATENCIES } from '../limits/latencies.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import { scalerCredits } from '../services/bus.ts';
import { SWEEP_STATEMENTS } from '../services/sql.ts';
import type { World } from './world.ts';

const SECOND = 1_000;

/** The sweep, each second, for ever. */
export function* sweep(world: World): Process {
  for (;;) {
    yield SECOND;
    yield* use(world.sql, SWEEP_STATEMENTS * LATENCIES.statementMs.value);
  }
}

/** The scalers asking for the lengths of their queues. */
export function* scalers(world: World): Process {
  const interval = LIMITS_OF_SERVICES.scalerInterval.value;
  for (;;) {
    yield interval * SECOND;
    world.bus.take(scalerCredits() * interval);
  }
}
