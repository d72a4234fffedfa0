import { type TaskContext, TaskFailure } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import type { Station, StationWork } from './station.ts';
import { openBase } from './work/base.ts';
import { readDeclaration, readPacket, requireLine } from './work/inputs.ts';

/** Reads the inputs every station task has, after asking whether the station can work here at all. */
export async function openStationWork(
  context: TaskContext,
  driver: SandboxDriver,
  station: Station,
): Promise<StationWork> {
  const readiness = await station.probe(driver);
  if (!readiness.ready) {
    throw new TaskFailure({
      kind: 'needs_human',
      code: 'SANDBOX-UNAVAILABLE',
      question: `The station ${station.name} can't work on this worker: ${readiness.reason}`.slice(0, 2_000),
    });
  }
  const packet = await readPacket(context);
  requireLine(packet, station.name);
  return { context, driver, packet, declaration: await readDeclaration(context), base: await openBase(context) };
}
