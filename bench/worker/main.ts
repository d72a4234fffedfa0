import { registerPools } from '../../functions/worker/pools.ts';
import { startWorkerOf } from '../../shared/worker/start.ts';
import { BENCH_TASKS } from './tasks.ts';

/**
 * The worker of the measurements: roles station and verifier in one process, each with its own identity. The host, the triggers,
 * the client, the lease keeper and the uploads are those of the product; only the handlers do nothing.
 */
for (const role of ['station', 'verifier'] as const) registerPools(role, await startWorkerOf(role, () => BENCH_TASKS));
