import type { WorkerSettings } from '../config/worker.ts';
import { bubblewrapDriver } from '../sandbox/bubblewrap/bubblewrap.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import { processDriver } from '../sandbox/process/process.ts';
import { sessionsDriver } from '../sandbox/sessions/sessions.ts';
import { tracedDriver } from '../sandbox/traced-driver.ts';
import { recorder } from '../telemetry/recorder.ts';
import { azureCredential } from './azure-credential.ts';

/**
 * The driver the settings name, and no other: where it does not work, each job says so to a person instead of running with less
 * isolation. Running without any is refused wherever the process has a managed identity: what it runs could ask for its tokens.
 */
export function sandboxOf(
  { sandbox, sessionPool, credential }: Pick<WorkerSettings, 'sandbox' | 'sessionPool' | 'credential'>,
  environment = process.env,
): SandboxDriver {
  if (sandbox === 'bubblewrap') return watched(bubblewrapDriver());
  if (sandbox === 'sessions') {
    if (sessionPool === undefined || credential.kind !== 'managed')
      throw new Error('FACTORY_SANDBOX=sessions needs FACTORY_SESSION_POOL and a managed identity (AZURE_CLIENT_ID).');
    return watched(sessionsDriver({ endpoint: sessionPool, credential: azureCredential(credential) }));
  }
  if (credential.kind === 'managed' || IN_AZURE.some((name) => environment[name] !== undefined))
    throw new Error(
      'FACTORY_SANDBOX=process runs untrusted programs beside a managed identity and is refused in Azure. Use a sandbox that isolates.',
    );
  return watched(processDriver({ acknowledgedNoIsolation: true }));
}

const watched = (driver: SandboxDriver): SandboxDriver => (recorder() === undefined ? driver : tracedDriver(driver));

/** Set by App Service, and by every service that gives a process the endpoint of its managed identity. */
const IN_AZURE = ['WEBSITE_INSTANCE_ID', 'IDENTITY_ENDPOINT'];
