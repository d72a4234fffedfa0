import { readWorkerSettings, type WorkerCredential, type WorkerSettings } from '../config/worker.ts';
import { clientCredentialTokens, readCredentialFile } from '../jobs/client/client-credentials.ts';
import { type ElapsedClock, elapsedClock } from '../jobs/client/elapsed-clock.ts';
import { createPlaneClient } from '../jobs/client/plane-client.ts';
import type { TokenSource } from '../jobs/client/token-source.ts';
import type { WorkerRole } from '../jobs/protocol.ts';
import type { TaskHandler } from '../jobs/task.ts';
import { startWorker, type Worker } from '../jobs/worker/worker.ts';
import { startTelemetry } from '../telemetry/start.ts';
import { workerLog } from './log.ts';

type Handlers = Readonly<Record<string, TaskHandler>>;

/** Composes a role's worker from the settings of the process. Throws when they are wrong or a local credential can't be read. */
export async function startWorkerOf(
  role: WorkerRole,
  handlersFor: (settings: WorkerSettings) => Handlers | Promise<Handlers>,
): Promise<Worker> {
  const settings = readWorkerSettings(process.env);
  const log = workerLog(process.stdout);
  // Before the handlers: their sandbox is watched only when somebody records what is seen.
  await startTelemetry(role, settings.telemetry, (fields) => log('telemetry.dropped', fields));
  const now = elapsedClock();
  return startWorker({
    plane: createPlaneClient({
      controlUrl: settings.controlUrl,
      tokens: await tokensOf(settings.credential, role, now),
      now,
    }),
    handlers: await handlersFor(settings),
    dataDirectory: settings.dataDirectory,
    concurrency: settings.concurrency,
    log,
  });
}

/** Azure's library of identities is loaded only where one is used: it costs a start some hundred milliseconds. */
async function tokensOf(credential: WorkerCredential, role: WorkerRole, now: ElapsedClock): Promise<TokenSource> {
  if (credential.kind === 'file')
    return clientCredentialTokens(await readCredentialFile(credential.file.replace('{role}', role)), now);
  const [{ managedIdentity }, { managedIdentityTokens }] = await Promise.all([
    import('../azure/credential.ts'),
    import('../jobs/client/managed-identity.ts'),
  ]);
  return managedIdentityTokens(managedIdentity(credential.clientId), credential.audience, now);
}
