import type { GateStage, JobStage, LineDemand } from '../demand/line.ts';
import { durableActions, LOOKS, renewalsOf } from '../demand/of-request.ts';
import { createSignal, type Process, type Signal, start } from '../engine/process.ts';
import { callControl } from './call-control.ts';
import type { World } from './world.ts';

const RECORDS_AN_EFFECT = 3;
/** Lock renewals of a hint while its job runs: twice a minute. */
const LOCK_RENEWED_MS = 30_000;

/** The life of a request: submitted, its stages in order, its evidence, its end. */
export function* requestLife(world: World, line: LineDemand, application: number): Process {
  yield* callControl(world, 'submit', 1, application);
  yield world.durable.take(durableActions());
  yield* callControl(world, 'supervise', 1, application);
  let looks = LOOKS;
  for (const stage of line.stages) {
    if (looks-- > 0) yield* callControl(world, 'look', 1, application);
    if (stage.kind === 'job') yield* jobStage(world, line, stage, application);
    else if (stage.kind === 'gate') yield* gateStage(world, line, stage, application);
    else {
      yield* callControl(world, 'sealChange', 1, application);
      yield* callControl(world, 'outboxDelivered', 1, application);
    }
  }
  yield* callControl(world, 'sealBundle', 1, application);
  yield* callControl(world, 'supervise', 2, application);
  yield* callControl(world, 'outboxDelivered', 1, application);
}

function* gateStage(world: World, line: LineDemand, gate: GateStage, application: number): Process {
  if (world.chance.next() >= gate.share) return;
  yield gate.minutes === 0 ? 0 : world.chance.around(gate.minutes * 60_000, line.spread);
  // Decisions are 1.25 on average: a second person in a quarter of the cases.
  const decisions = Math.floor(gate.decisions) + (world.chance.next() < gate.decisions % 1 ? 1 : 0);
  yield* callControl(world, 'readApproval', decisions, application);
  yield* callControl(world, 'decide', decisions, application);
}

function* jobStage(world: World, line: LineDemand, job: JobStage, application: number): Process {
  const pool = world.pools.get(job.pool);
  if (pool === undefined) throw new Error(`no pool ${job.pool}`);
  const done = createSignal();
  yield world.bus.take(1);
  pool.submit(() => jobLife(world, line, job, application, done));
  start(world.clock, callControl(world, 'outboxDelivered', 1, application));
  yield done;
}

/** What a worker does with a job, from its claim to the claim that finds nothing. */
function* jobLife(world: World, line: LineDemand, job: JobStage, application: number, done: Signal): Process {
  const workMs = job.seconds === 0 ? 0 : world.chance.around(job.seconds * 1_000, line.spread);
  yield world.bus.take(2 + Math.floor(workMs / LOCK_RENEWED_MS));
  yield* callControl(world, 'claim', 1, application);
  yield* callControl(world, 'download', job.inputs, application);
  if (job.sandboxes > 0) yield world.sessions.several(job.sandboxes);
  yield workMs / 2;
  // All at once in the middle, in place of one each third of a lease: they are the same number.
  start(world.clock, callControl(world, 'renew', renewalsOf(workMs, world.profile.leaseSeconds), application));
  yield workMs / 2;
  if (job.sandboxes > 0)
    world.clock.after(world.profile.sessionCooldownSeconds * 1_000, () => world.sessions.leave(job.sandboxes));
  yield* callControl(world, 'uploadBegin', job.outputs, application);
  yield* callControl(world, 'uploadPut', job.outputs, application);
  yield* callControl(world, 'intend', job.effects, application);
  yield* callControl(world, 'record', job.effects * RECORDS_AN_EFFECT, application);
  yield* callControl(world, 'complete', 1, application);
  done.fire();
  yield* callControl(world, 'claimNothing', 1, application);
}
