import { armAt } from '../../shared/effects/azure-deployments/arm.ts';
import { effectorHandlers } from '../../shared/effects/handlers.ts';
import { clientCredentialTokens } from '../../shared/jobs/client/client-credentials.ts';
import { elapsedClock } from '../../shared/jobs/client/elapsed-clock.ts';
import { createPlaneClient } from '../../shared/jobs/client/plane-client.ts';
import { startWorker } from '../../shared/jobs/worker/worker.ts';
import { quick, signedIn } from './stack-arm.ts';

/** A whole effector in a process of its own, to be killed: works off one hint and ends. Arguments: control URL, data directory, hint, Azure's URL. */
const [controlUrl, dataDirectory, hint, azure] = process.argv.slice(2) as [string, string, string, string];
const now = elapsedClock();
const credential = { tokenEndpoint: `${controlUrl}/token`, clientId: 'worker', clientSecret: 'secret-of-the-worker' };
const worker = await startWorker({
  plane: createPlaneClient({ controlUrl, tokens: clientCredentialTokens(credential, now), now }),
  handlers: effectorHandlers(armAt(azure, signedIn, quick)),
  dataDirectory,
  concurrency: 1,
  log: (event, fields) => process.stderr.write(`${event} ${JSON.stringify(fields ?? {})}\n`),
});
const run = await worker.runHint(JSON.parse(hint));
await worker.stop();
process.stdout.write(`${JSON.stringify(run)}\n`);
