import type { WorkerSettings } from '../../shared/config/worker.ts';
import { bubblewrapDriver } from '../../shared/sandbox/bubblewrap/bubblewrap.ts';
import type { SandboxDriver } from '../../shared/sandbox/driver.ts';
import { processDriver } from '../../shared/sandbox/process/process.ts';

/**
 * The driver the settings name, and no other: where it does not work, each job says so to a person instead of running with less
 * isolation. Running without any is refused in Azure, where a process holds a managed identity.
 */
export function sandboxOf({ sandbox }: WorkerSettings): SandboxDriver {
  if (sandbox === 'bubblewrap') return bubblewrapDriver();
  if (process.env['WEBSITE_INSTANCE_ID'] !== undefined)
    throw new Error(
      'FACTORY_SANDBOX=process runs untrusted programs beside a managed identity and is refused in Azure. Use a sandbox that isolates.',
    );
  return processDriver({ acknowledgedNoIsolation: true });
}
