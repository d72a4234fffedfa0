import { type Chance, chance } from '../engine/chance.ts';
import { type Clock, createClock } from '../engine/clock.ts';
import type { Histogram } from '../engine/histogram.ts';
import { type Process, start } from '../engine/process.ts';
import { createStation, type Station, use } from '../engine/station.ts';
import type { Machine } from './machine.ts';

/** Jobs of the line `bench`, of which the gate follows the first. */
const JOBS = 3;
/** Calls of the people: submit, wait for the gate, read the approval, decide, wait for the end. */
const PEOPLE_CALLS = 5;
/** Calls of a job: claim, upload begun and put, complete, the claim that finds nothing. */
const JOB_CALLS = 5;
/** Control's work that nobody called for: the orchestrator's start, its turns, the evidence. */
const OWN_WORK = 4;
const CALLS = PEOPLE_CALLS + JOBS * JOB_CALLS;

/** The processes of one machine: each a thread, all on the same cores. */
export type Local = {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly app: Station;
  readonly host: Station;
  readonly worker: Station;
  readonly broker: Station;
  readonly cores: Station;
  readonly places: Station;
  readonly machine: Machine;
  readonly starts: Histogram;
  readonly workflows: Histogram;
};

/** `workflows` and `starts` take the milliseconds of whole workflows, and of jobs from their queueing to their handler. */
export function createLocal(
  machine: Machine,
  into: Pick<Local, 'workflows' | 'starts'> & { readonly seed: number },
): Local {
  const clock = createClock();
  const thread = (): Station => createStation(clock, 1);
  return {
    clock,
    chance: chance(into.seed),
    app: thread(),
    host: thread(),
    worker: thread(),
    broker: thread(),
    cores: createStation(clock, machine.cores),
    places: createStation(clock, machine.places),
    machine,
    starts: into.starts,
    workflows: into.workflows,
  };
}

/** A thread's work needs the thread and a core. Pieces differ as much as exponential ones: commits, collections of garbage and syncs are in them. */
function* work(local: Local, thread: Station, ms: number): Process {
  yield thread;
  yield* use(local.cores, local.chance.exponential(ms));
  thread.leave();
}

function* call(local: Local, by: 'people' | 'worker'): Process {
  const { appMs, hostMs, workerMs } = local.machine;
  if (by === 'worker') yield* work(local, local.worker, workerMs / (JOBS * JOB_CALLS));
  yield* work(local, local.host, hostMs / (CALLS + OWN_WORK));
  yield* work(local, local.app, appMs / (CALLS + OWN_WORK));
}

function* own(local: Local): Process {
  yield* work(local, local.host, local.machine.hostMs / (CALLS + OWN_WORK));
  yield* work(local, local.app, local.machine.appMs / (CALLS + OWN_WORK));
}

function* job(local: Local): Process {
  const queuedAt = local.clock.now();
  yield* work(local, local.broker, local.machine.brokerMs / JOBS);
  yield local.places;
  yield* call(local, 'worker');
  local.starts.add(local.clock.now() - queuedAt);
  for (let done = 1; done < JOB_CALLS - 1; done++) yield* call(local, 'worker');
  start(
    local.clock,
    (function* (): Process {
      yield* call(local, 'worker');
      local.places.leave();
    })(),
  );
}

/** A governed workflow as docs/bench.md has it: submit, three jobs, one approval, evidence. */
export function* workflow(local: Local): Process {
  const begun = local.clock.now();
  yield* call(local, 'people');
  for (let beside = 1; beside < OWN_WORK; beside++) start(local.clock, own(local));
  for (let index = 0; index < JOBS; index++) {
    yield* job(local);
    if (index > 0) continue;
    for (let calls = 0; calls < 3; calls++) yield* call(local, 'people');
  }
  yield* own(local);
  yield* call(local, 'people');
  local.workflows.add(local.clock.now() - begun);
}
