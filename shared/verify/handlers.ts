import type { TaskHandler } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import { withRefusals } from '../stations/work/failures.ts';
import { baselineTask } from './baseline-task.ts';
import { validateTask } from './validate-task.ts';

/** The verifier's tasks by name. The driver is the worker's; it is asked again, for each job, whether the application allows it. */
export function verifierHandlers(configuration: {
  readonly driver: SandboxDriver;
}): Readonly<Record<string, TaskHandler>> {
  const { driver } = configuration;
  return {
    baseline: withRefusals((context) => baselineTask(context, driver)),
    validate: withRefusals((context) => validateTask(context, driver)),
  };
}
