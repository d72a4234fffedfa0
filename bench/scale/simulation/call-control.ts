import { CALLS, type CallName } from '../demand/call.ts';
import type { Process } from '../engine/process.ts';
import { use } from '../engine/station.ts';
import { LATENCIES } from '../limits/latencies.ts';
import { auditHoldMs, commitMs, roundTripsOf } from '../services/call-time.ts';
import { signatureWeight } from '../services/keys.ts';
import type { World } from './world.ts';

/** Some calls of a kind, one after another: they take a place of control until the last one's answer. */
export function* callControl(world: World, name: CallName, times: number, application: number): Process {
  if (times === 0) return;
  const call = CALLS[name];
  const { profile, control } = world;
  yield control;
  yield* use(world.processor, times * LATENCIES.callMs.value);
  yield* use(world.sql, times * call.statements * LATENCIES.statementMs.value);
  const stream = world.streams[application];
  if (stream === undefined) throw new Error(`there is no application ${application}`);
  for (let commit = 0; commit < times * call.audited; commit++) yield* use(stream, auditHoldMs(profile));
  const keys = call.unwraps + call.signatures;
  const objects = call.blobReads + call.blobWrites;
  const waits =
    (call.commits > 0 ? world.log.take((times * call.commits * LATENCIES.logKilobytes.value) / 1_000) : 0) +
    (keys > 0 ? world.keys.take(times * (call.unwraps + call.signatures * signatureWeight(profile))) : 0) +
    (objects > 0 ? world.blobs.take(times * objects) : 0);
  yield waits +
    times *
      (roundTripsOf(call) * LATENCIES.roundTripMs.value +
        (call.commits - call.audited) * commitMs(profile) +
        keys * LATENCIES.keyMs.value +
        objects * LATENCIES.blobMs.value);
  control.leave();
}
