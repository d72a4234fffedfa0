import type { TaskContext } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import { openPackages } from '../stations/packages/open-packages.ts';
import { readDeclaration, readPacket } from '../stations/work/inputs.ts';
import { requireSandbox } from '../stations/work/sandbox-permission.ts';
import type { Bench } from './runs/bench.ts';
import { createRecorder } from './runs/recorder.ts';

/** Reads what both verifier tasks start from, and refuses to start without a sandbox that this application allows. */
export async function openBench(context: TaskContext, driver: SandboxDriver): Promise<Bench> {
  const packet = await readPacket(context);
  const declaration = await readDeclaration(context);
  const sandbox = await requireSandbox(driver, declaration);
  const packages = context.hasInput('packages') ? (await openPackages(context)).directory : null;
  return { context, driver, sandbox, packet, declaration, recorder: createRecorder(), packages };
}
