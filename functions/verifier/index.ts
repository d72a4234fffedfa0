import { verifierHandlers } from '../../shared/verify/handlers.ts';
import { registerPools } from '../worker/pools.ts';
import { sandboxOf } from '../worker/sandbox.ts';
import { startWorkerOf } from '../worker/start.ts';

/** Role verifier: what it finds is the result of a change; another identity than any station's. */
registerPools(
  'verifier',
  await startWorkerOf('verifier', (settings) => verifierHandlers({ driver: sandboxOf(settings) })),
);
