import { readWorkerSettings, type WorkerSettings } from '../../shared/config/worker.ts';
import { clientCredentialTokens, readCredentialFile } from '../../shared/jobs/client/client-credentials.ts';
import { elapsedClock } from '../../shared/jobs/client/elapsed-clock.ts';
import { createPlaneClient } from '../../shared/jobs/client/plane-client.ts';
import type { WorkerRole } from '../../shared/jobs/protocol.ts';
import type { TaskHandler } from '../../shared/jobs/task.ts';
import { startWorker, type Worker } from '../../shared/jobs/worker/worker.ts';
import { workerLog } from './log.ts';

type Handlers = Readonly<Record<string, TaskHandler>>;

/** Composes a role's worker from the settings of the process. */
export async function startWorkerOf(
  role: WorkerRole,
  handlersFor: (settings: WorkerSettings) => Handlers | Promise<Handlers>,
): Promise<Worker> {
  const settings = readWorkerSettings(process.env);
  const now = elapsedClock();
  const tokens = clientCredentialTokens(await readCredentialFile(settings.credentialFile.replace('{role}', role)), now);
  return startWorker({
    plane: createPlaneClient({ controlUrl: settings.controlUrl, tokens, now }),
    handlers: await handlersFor(settings),
    dataDirectory: settings.dataDirectory,
    concurrency: settings.concurrency,
    log: workerLog(process.stdout),
  });
}
