import { tryEverything } from './late-calls.ts';
import { openWorkerClient, patience } from './worker-client.ts';

/**
 * A worker as a process of its own, to be stopped by SIGSTOP: claims the job it is told, says so, and a little later, not knowing
 * whether it was stopped meanwhile, tries everything under its lease and prints what came of it.
 */
const [planeDirectory = '', controlUrl = '', job = ''] = process.argv.slice(2);
const client = await openWorkerClient({ planeDirectory, controlUrl, identity: 'effector' });
const { claim } = await client.claimJob(job, `stopped-${job}`, patience(client));
process.stdout.write(`${JSON.stringify({ claimed: claim.epoch })}\n`);
// The signal to go on comes by standard input, so that the calls never begin before the process was stopped.
process.stdin.once('data', () => {
  void tryEverything(client, claim).then((answers) => {
    process.stdout.write(`${JSON.stringify({ answers })}\n`);
    process.exit(0);
  });
});
