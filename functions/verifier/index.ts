import { verifierHandlers } from '../../shared/verify/handlers.ts';
import { sandboxOf } from '../../shared/worker/sandbox.ts';
import { startWorkerOf } from '../../shared/worker/start.ts';
import { registerPools } from '../worker/pools.ts';

/** Role verifier: what it finds is the result of a change; another identity than any station's. */
registerPools(
  'verifier',
  await startWorkerOf('verifier', (settings) => verifierHandlers({ driver: sandboxOf(settings) })),
);
