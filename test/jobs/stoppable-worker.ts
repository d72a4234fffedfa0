import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientCredentialTokens } from '../../shared/jobs/client/client-credentials.ts';
import { elapsedClock } from '../../shared/jobs/client/elapsed-clock.ts';
import { createPlaneClient } from '../../shared/jobs/client/plane-client.ts';
import { startWorker } from '../../shared/jobs/worker/worker.ts';

/**
 * A worker to be stopped and continued. Its handler polls fast and tries to upload as soon as it sees that it was away, so that
 * it races the worker's own timers. Arguments: control URL, hint.
 */
const [controlUrl, hint] = process.argv.slice(2) as [string, string];
const now = elapsedClock();
const credential = { tokenEndpoint: `${controlUrl}/token`, clientId: 'worker', clientSecret: 'secret-of-the-worker' };
const worker = await startWorker({
  plane: createPlaneClient({ controlUrl, tokens: clientCredentialTokens(credential, now), now }),
  handlers: {
    stoppable: async (context) => {
      process.stdout.write('working\n');
      let last = performance.now();
      while (performance.now() - last < 250) {
        last = performance.now();
        await new Promise((resolve) => setImmediate(resolve));
      }
      try {
        await context.output({ name: 'log', kind: 'log', mediaType: 'text/plain', bytes: 'from the past' });
      } catch (error) {
        process.stdout.write(`${(error as Error).name}\n`);
        throw error;
      }
      return {
        outcome: { verdict: 'stale', summary: '', facts: { paths: [], manifests: [], testPaths: [] }, unknowns: [] },
      };
    },
  },
  dataDirectory: mkdtempSync(join(tmpdir(), 'factory-stoppable-')),
  concurrency: 1,
  claimForMs: 1_000,
  log: () => undefined,
});
process.stdout.write(`${JSON.stringify(await worker.runHint(JSON.parse(hint)))}\n`);
await worker.stop();
