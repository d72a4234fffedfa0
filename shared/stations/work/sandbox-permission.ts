import type { ApplicationDeclaration } from '../../domain/application/declaration.ts';
import { TaskFailure } from '../../jobs/task.ts';
import type { SandboxDriver, SandboxIdentity } from '../../sandbox/driver.ts';

/**
 * The sandbox this job may run programs of the repository in, or a failure that asks a person. A driver without isolation needs
 * the application's own word; the worker was only given one when policy acknowledged it.
 */
export async function requireSandbox(
  driver: SandboxDriver,
  declaration: ApplicationDeclaration,
): Promise<SandboxIdentity> {
  const probed = await driver.probe();
  if (!probed.usable) {
    throw new TaskFailure({
      kind: 'needs_human',
      code: 'SANDBOX-UNAVAILABLE',
      question:
        `This worker has no usable sandbox: ${probed.reason}. Correct the machine and retry, or run the worker where bubblewrap works?`.slice(
          0,
          2_000,
        ),
    });
  }
  if (probed.identity.isolation === 'none' && !declaration.sandbox.allowProcess) {
    throw new TaskFailure({
      kind: 'needs_human',
      code: 'SANDBOX-NOT-ALLOWED',
      question: `This worker can only run programs without isolation, which ${declaration.name} does not allow (sandbox.allowProcess). Run a worker with bubblewrap, or declare that the application's repositories may run without isolation?`,
    });
  }
  return probed.identity;
}
